//! `ensayo predict`: classifies texts with what a run trained.

use std::io::{self, IsTerminal, Read, Write};

use super::{CommandError, Ended, finished};
use crate::cli::PredictArgs;
use crate::config::Settings;
use crate::data::{self, DataError};
use crate::record::{CsvWriter, RunFile, probability_cell, probability_column};
use crate::tasks::{self, Finished};

/// Writes `text,prediction,probability_<class>…` as CSV, a row per text in their order, empty ones
/// too, with the digits of `predictions.csv` and, as there, an apostrophe before what a spreadsheet
/// would run; then `logit_<class>…` where these are asked for.
///
/// # Errors
/// When the run is not there, not complete or no classifier, its model or adapter are not what they
/// were, the texts cannot be read, or the model fails.
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
        Some(path) if path.as_os_str() == "-" => {
            from_input(|bytes| data::texts_of(INPUT, bytes, classifier.text_column()))?
        }
        Some(path) => {
            data::read_texts(path, classifier.text_column()).map_err(CommandError::input)?
        }
        None if args.texts.is_empty() => from_input(|bytes| data::lines_of(INPUT, bytes))?,
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
    let mut writer = CsvWriter::new(output);
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

/// What messages call standard input.
const INPUT: &str = "standard input";

fn from_input(
    read: impl FnOnce(&[u8]) -> Result<Vec<String>, DataError>,
) -> Result<Vec<String>, CommandError> {
    let mut input = io::stdin();
    if input.is_terminal() {
        return Err(CommandError::Input(
            "no texts: give them as arguments, one a line on standard input, or in a CSV or JSONL file with --input (`--input -` reads one from standard input)".into(),
        ));
    }
    let mut bytes = Vec::new();
    input
        .read_to_end(&mut bytes)
        .map_err(|error| CommandError::Input(format!("{INPUT}: {error}")))?;
    read(&bytes).map_err(|error| match error {
        DataError::Empty { header: false, .. } => CommandError::Input(format!("{INPUT} is empty")),
        error => CommandError::input(error),
    })
}

#[cfg(test)]
mod tests;
