//! `ensayo ask`: asks the document of a run questions.

use std::io::{self, BufRead, IsTerminal, Write};

use super::{CommandError, Ended, finished, say};
use crate::cli::AskArgs;
use crate::config::Settings;
use crate::record::RunFile;
use crate::tasks::{self, Asked, Finished, FoundFragment};

/// Writes for each question the answer, if the run gives any, then the fragments with their scores.
/// A terminal sees an answer of a decoder while it is written.
///
/// # Errors
/// When the run is not there, not complete or does no retrieval, its document was changed, one of
/// its models fails, or nothing is asked.
pub fn run(args: &AskArgs, output: &mut dyn Write) -> Result<Ended, CommandError> {
    super::device::find_compiler_first(&args.device);
    let (run, question) = wanted(args)?;
    let (folder, record) = finished::one(&args.results, run)?;
    let settings = RunFile::<Settings>::read(&folder)?.settings;
    let Some(document) = tasks::of(&settings).searchable() else {
        return Err(CommandError::Input(format!(
            "{} has no document to ask: only runs that search one do",
            record.label()
        )));
    };
    let questions = match question {
        Some(question) if question.trim().is_empty() => {
            return Err(CommandError::Input("the question is empty".into()));
        }
        Some(question) => vec![question.to_owned()],
        None if io::stdin().is_terminal() => {
            return Err(CommandError::Input(
                "no question: give one in quotes, or one a line on standard input".into(),
            ));
        }
        None => lines(io::stdin().lock())?,
    };
    let device = super::device::choose_for_this_process(&args.device)?;
    let finished = Finished {
        folder: &folder,
        record: &record,
        settings: &settings,
    };
    let streams = io::stdout().is_terminal();
    let mut stream = Stream::new(&questions, output);
    let mut hear = |place: usize, new: &str| stream.hear(place, new);
    let listener = streams.then_some(&mut hear as &mut dyn FnMut(usize, &str));
    let answered = document
        .ask(finished, &questions, device, listener)
        .map_err(|error| CommandError::Input(error.to_string()))?;
    stream.end()?;
    for note in answered.iter().flat_map(|asked| &asked.notes) {
        say(format_args!("note: {note}"));
    }
    for (question, asked) in questions.iter().zip(&answered) {
        if questions.len() > 1 {
            writeln!(output, "== {question}\n")?;
        }
        write(asked, output)?;
    }
    Ok(Ended::Done)
}

/// The run, and the question if the command line has one.
fn wanted(args: &AskArgs) -> Result<(&str, Option<&str>), CommandError> {
    match (&args.run, args.words.as_slice()) {
        (Some(run), []) | (None, [run]) => Ok((run, None)),
        (Some(run), [question]) | (None, [run, question]) => Ok((run, Some(question))),
        (None, []) => Err(CommandError::Input(
            "no run: `ensayo ask EXPERIMENT/RUN \"QUESTION\"`".into(),
        )),
        (None, [_, _, third, ..]) => Err(CommandError::Input(format!(
            "`{third}` is one word too many: the question stands in quotes"
        ))),
        (Some(run), [first, ..]) => Err(CommandError::Input(format!(
            "`{first}` is one word too many: the run is `{run}` already, and the question stands in quotes"
        ))),
    }
}

/// Questions, one a line; empty lines are none.
fn lines(input: impl BufRead) -> Result<Vec<String>, CommandError> {
    let mut questions = Vec::new();
    for (number, line) in (1..).zip(input.split(b'\n')) {
        let line = line.map_err(|error| {
            CommandError::Input(format!("standard input cannot be read: {error}"))
        })?;
        let line = String::from_utf8(line).map_err(|_| {
            CommandError::Input(format!("standard input: line {number} is not UTF-8"))
        })?;
        let line = line.trim_start_matches('\u{feff}').trim();
        if !line.is_empty() {
            questions.push(line.to_owned());
        }
    }
    if questions.is_empty() {
        return Err(CommandError::Input("standard input has no question".into()));
    }
    Ok(questions)
}

/// Answers on a terminal while they are written.
struct Stream<'a> {
    questions: &'a [String],
    output: &'a mut dyn Write,
    /// The question whose answer is being written.
    current: Option<usize>,
    failure: io::Result<()>,
}

impl<'a> Stream<'a> {
    fn new(questions: &'a [String], output: &'a mut dyn Write) -> Self {
        Self {
            questions,
            output,
            current: None,
            failure: Ok(()),
        }
    }

    fn hear(&mut self, place: usize, new: &str) {
        if self.failure.is_ok() {
            self.failure = self.tell(place, new);
        }
    }

    fn tell(&mut self, place: usize, new: &str) -> io::Result<()> {
        if self.current != Some(place) {
            if self.current.is_some() {
                writeln!(self.output, "\n")?;
            }
            if let (true, Some(question)) = (self.questions.len() > 1, self.questions.get(place)) {
                writeln!(self.output, "> {question}\n")?;
            }
            self.current = Some(place);
        }
        self.output.write_all(new.as_bytes())?;
        self.output.flush()
    }

    /// What is left to write when all are answered.
    fn end(self) -> io::Result<()> {
        self.failure?;
        if self.current.is_some() {
            writeln!(self.output, "\n")?;
        }
        Ok(())
    }
}

fn write(asked: &Asked, output: &mut dyn Write) -> io::Result<()> {
    if let Some(answer) = asked.answer.as_ref().filter(|_| !asked.heard) {
        writeln!(output, "{}\n", answer.trim())?;
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

    fn asked() -> Asked {
        let fragment = |citation: &str, score, text: &str| FoundFragment {
            citation: citation.into(),
            score,
            text: text.into(),
        };
        Asked {
            fragments: vec![
                fragment("[Contexto 7]", 0.5, "Uno."),
                fragment("(§3)", 0.25, "Dos."),
            ],
            answer: Some("Uno. [Contexto 7]".into()),
            heard: false,
            notes: Vec::new(),
        }
    }

    fn written(asked: &Asked) -> String {
        let mut output = Vec::new();
        write(asked, &mut output).unwrap();
        String::from_utf8(output).unwrap()
    }

    #[test]
    fn the_answer_stands_before_its_fragments() {
        let fragments = "1. [Contexto 7] 0.5000\nUno.\n\n2. (§3) 0.2500\nDos.\n\n";
        assert_eq!(
            written(&asked()),
            format!("Uno. [Contexto 7]\n\n{fragments}")
        );
        let heard = Asked {
            heard: true,
            ..asked()
        };
        assert_eq!(written(&heard), fragments);
    }

    #[test]
    fn a_terminal_sees_answers_grow_one_after_the_other() {
        let questions = ["¿Uno?".to_owned(), "¿Dos?".to_owned()];
        let mut output = Vec::new();
        let mut stream = Stream::new(&questions, &mut output);
        for (place, new) in [(0, "La "), (0, "orden."), (1, "Nada.")] {
            stream.hear(place, new);
        }
        stream.end().unwrap();
        assert_eq!(
            String::from_utf8(output).unwrap(),
            "> ¿Uno?\n\nLa orden.\n\n> ¿Dos?\n\nNada.\n\n"
        );
        let mut output = Vec::new();
        Stream::new(&questions, &mut output).end().unwrap();
        assert!(output.is_empty());
    }

    #[test]
    fn questions_stand_on_lines() {
        let read = |text: &[u8]| lines(text).map_err(|error| error.to_string());
        assert_eq!(
            read("\u{feff}¿Uno?\r\n\n  dos \n".as_bytes()).unwrap(),
            ["¿Uno?", "dos"]
        );
        assert!(read(b" \n").unwrap_err().contains("no question"));
        assert!(
            read(b"uno\n\xff")
                .unwrap_err()
                .contains("line 2 is not UTF-8")
        );
    }

    #[test]
    fn the_run_is_a_word_or_an_option() {
        let args = |run: Option<&str>, words: &[&str]| AskArgs {
            words: words.iter().map(|&word| word.to_owned()).collect(),
            run: run.map(str::to_owned),
            results: "results".into(),
            device: "cpu".into(),
        };
        for (run, words, found) in [
            (None, &["x/a", "¿Uno?"][..], ("x/a", Some("¿Uno?"))),
            (Some("x/a"), &["¿Uno?"], ("x/a", Some("¿Uno?"))),
            (None, &["x/a"], ("x/a", None)),
            (Some("x/a"), &[], ("x/a", None)),
        ] {
            assert_eq!(wanted(&args(run, words)).unwrap(), found);
        }
        assert!(wanted(&args(None, &[])).is_err());
        assert!(wanted(&args(Some("x/a"), &["¿Qué", "es"])).is_err());
    }
}
