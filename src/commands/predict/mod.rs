//! `ensayo predict`: classifies texts with what a run trained.

use std::fs::File;
use std::io::{self, BufRead, IsTerminal, Write};
use std::path::Path;

use super::{CommandError, Ended, finished};
use crate::cli::PredictArgs;
use crate::config::Settings;
use crate::record::{RunFile, probability_cell, probability_column};
use crate::tasks::{self, Finished};

/// Writes `text,prediction,probability_<class>…` as CSV, a row per text in their order, with the
/// digits of `predictions.csv`; then `logit_<class>…` where these are asked for.
///
/// # Errors
/// When the run is not there, not complete or no classifier, the texts cannot be read, or the model
/// fails.
pub fn run(args: &PredictArgs, output: &mut dyn Write) -> Result<Ended, CommandError> {
    super::device::find_compiler_first(&args.device);
    let (folder, record) = finished::one(&args.results, &args.run)?;
    let settings = RunFile::<Settings>::read(&folder)?.settings;
    let Some(classifier) = tasks::of(&settings).classifier() else {
        return Err(CommandError::Input(format!(
            "{} left no classifier: only runs that train one do",
            record.label()
        )));
    };
    let texts = match &args.input {
        Some(path) => from_csv(path, classifier.text_column())?,
        None if args.texts.is_empty() => from_lines(&io::stdin())?,
        None => args.texts.clone(),
    };
    let device = super::device::choose_for_this_process(&args.device)?;
    let finished = Finished {
        folder: &folder,
        record: &record,
        settings: &settings,
    };
    let predictions = classifier
        .predict(finished, &texts, device)
        .map_err(|error| CommandError::Input(error.to_string()))?;
    write(&texts, &predictions, args.logits, output)?;
    Ok(Ended::Done)
}

fn write(
    texts: &[String],
    predictions: &tasks::Predictions,
    logits: bool,
    output: &mut dyn Write,
) -> io::Result<()> {
    let mut writer = csv::Writer::from_writer(output);
    let classes = &predictions.classes;
    let probabilities = classes.iter().map(|class| probability_column(class));
    let outputs = classes.iter().filter(|_| logits);
    let outputs = outputs.map(|class| format!("logit_{class}"));
    let header: Vec<_> = ["text".to_owned(), "prediction".to_owned()]
        .into_iter()
        .chain(probabilities)
        .chain(outputs)
        .collect();
    writer.write_record(header)?;
    for (text, row) in texts.iter().zip(&predictions.rows) {
        let class = classes.get(row.class).map_or("", String::as_str);
        let shares = row.probabilities.iter().copied().map(probability_cell);
        let outputs = row.logits.iter().filter(|_| logits);
        let outputs = outputs.map(|logit| format!("{logit:.7}"));
        let cells: Vec<_> = [text.clone(), class.to_owned()]
            .into_iter()
            .chain(shares)
            .chain(outputs)
            .collect();
        writer.write_record(cells)?;
    }
    writer.flush()
}

fn from_lines(input: &io::Stdin) -> Result<Vec<String>, CommandError> {
    if input.is_terminal() {
        return Err(CommandError::Input(
            "no texts: give them as arguments, one a line on standard input, or in a CSV file with --input".into(),
        ));
    }
    let mut texts = Vec::new();
    for (index, line) in input.lock().lines().enumerate() {
        let line = line.map_err(|error| {
            CommandError::Input(format!("standard input, line {}: {error}", index + 1))
        })?;
        texts.push(line);
    }
    Ok(texts)
}

fn from_csv(path: &Path, column: &str) -> Result<Vec<String>, CommandError> {
    let broken =
        |error: &dyn std::fmt::Display| CommandError::Input(format!("{}: {error}", path.display()));
    let file = File::open(path).map_err(|error| broken(&error))?;
    let mut reader = csv::Reader::from_reader(file);
    let header = reader.headers().map_err(|error| broken(&error))?.clone();
    // Spreadsheets begin their files with a byte order mark.
    let names: Vec<_> = header
        .iter()
        .map(|name| name.trim_start_matches('\u{feff}'))
        .collect();
    let Some(index) = names.iter().position(|name| *name == column) else {
        return Err(broken(&format_args!(
            "no column `{column}`, which the run was trained on; there are {}",
            names.join(", ")
        )));
    };
    reader
        .records()
        .map(|row| {
            row.map(|row| row.get(index).unwrap_or_default().to_owned())
                .map_err(|error| broken(&error))
        })
        .collect()
}

#[cfg(test)]
mod tests;
