//! `ensayo ask`: asks the document of a run a question.

use std::io::Write;

use super::{CommandError, Ended, finished, say};
use crate::cli::AskArgs;
use crate::config::Settings;
use crate::record::RunFile;
use crate::tasks::{self, Asked, Finished, FoundFragment};

/// Writes the answer, if the run gives any, then the fragments with their scores.
///
/// # Errors
/// When the run is not there, not complete or does no retrieval, its document was changed, or its
/// embedder fails.
pub fn run(args: &AskArgs, output: &mut dyn Write) -> Result<Ended, CommandError> {
    super::device::find_compiler_first(&args.device);
    let (folder, record) = finished::one(&args.results, &args.run)?;
    let settings = RunFile::<Settings>::read(&folder)?.settings;
    let Some(document) = tasks::of(&settings).searchable() else {
        return Err(CommandError::Input(format!(
            "{} has no document to ask: only runs that search one do",
            record.label()
        )));
    };
    if args.question.trim().is_empty() {
        return Err(CommandError::Input("the question is empty".into()));
    }
    let device = super::device::choose_for_this_process(&args.device)?;
    let finished = Finished {
        folder: &folder,
        record: &record,
        settings: &settings,
    };
    let asked = document
        .ask(finished, &args.question, device)
        .map_err(|error| CommandError::Input(error.to_string()))?;
    for note in &asked.notes {
        say(format_args!("note: {note}"));
    }
    write(&asked, output)?;
    Ok(Ended::Done)
}

fn write(asked: &Asked, output: &mut dyn Write) -> std::io::Result<()> {
    if let Some(answer) = &asked.answer {
        writeln!(output, "{answer}\n")?;
    }
    for (rank, fragment) in (1..).zip(&asked.fragments) {
        let FoundFragment {
            citation,
            score,
            text,
        } = fragment;
        writeln!(output, "{rank}. {citation} {score:.4}\n{text}\n")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_stands_before_its_fragments() {
        let fragment = |citation: &str, score, text: &str| FoundFragment {
            citation: citation.into(),
            score,
            text: text.into(),
        };
        let asked = Asked {
            fragments: vec![
                fragment("[Contexto 7]", 0.5, "Uno."),
                fragment("(§3)", 0.25, "Dos."),
            ],
            answer: Some("Uno. [Contexto 7]".into()),
            notes: Vec::new(),
        };
        let mut output = Vec::new();
        write(&asked, &mut output).unwrap();
        let text = String::from_utf8(output).unwrap();
        assert_eq!(
            text,
            "Uno. [Contexto 7]\n\n1. [Contexto 7] 0.5000\nUno.\n\n2. (§3) 0.2500\nDos.\n\n"
        );
    }
}
