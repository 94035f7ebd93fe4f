//! `ensayo doctor`: what this machine can do, what it lacks, and the line that brings it.

mod caches;
mod machine;
mod network;

use std::io::Write;
use std::iter;

use super::{CommandError, Ended, words};
use crate::cli::DoctorArgs;
use crate::hub::Environment;

/// How good what was found is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Well,
    /// Works, with a limit that is worth knowing.
    Note,
    Trouble,
}

impl Verdict {
    fn word(self) -> &'static str {
        match self {
            Self::Well => "ok",
            Self::Note => "note",
            Self::Trouble => "TROUBLE",
        }
    }
}

/// A fact about the machine.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Finding {
    what: &'static str,
    verdict: Verdict,
    /// In one line or several: an error brings its cure along.
    text: String,
}

impl Finding {
    fn new(what: &'static str, verdict: Verdict, text: impl Into<String>) -> Self {
        Self {
            what,
            verdict,
            text: text.into(),
        }
    }

    fn well(what: &'static str, text: impl Into<String>) -> Self {
        Self::new(what, Verdict::Well, text)
    }

    fn note(what: &'static str, text: impl Into<String>) -> Self {
        Self::new(what, Verdict::Note, text)
    }

    fn trouble(what: &'static str, text: impl Into<String>) -> Self {
        Self::new(what, Verdict::Trouble, text)
    }
}

/// Looks at the machine and says what it finds.
///
/// # Errors
/// When something is broken, after all has been said.
pub fn run(args: &DoctorArgs, output: &mut dyn Write) -> Result<Ended, CommandError> {
    super::device::find_compiler_first("auto");
    let environment = Environment::read();
    writeln!(output, "{}", version())?;
    let mut troubles = 0;
    let findings = machine::processor()
        .into_iter()
        .chain(iter::once_with(machine::memory))
        .chain(iter::once_with(machine::cards).flatten())
        .chain(caches::look(&environment, &args.results))
        .chain(iter::once_with(|| network::look(&environment, args.online)).flatten());
    // Each as soon as it is known: a card's trial and the network take seconds.
    for finding in findings {
        troubles += usize::from(finding.verdict == Verdict::Trouble);
        write!(output, "{}", lines(&finding))?;
        output.flush()?;
    }
    if troubles == 0 {
        return Ok(Ended::Done);
    }
    let number = words::count(troubles, "trouble");
    Err(CommandError::Unexpected(format!(
        "{number} found: see the lines marked TROUBLE"
    )))
}

/// The program's version, its commit and the system it is built for.
fn version() -> String {
    let commit = option_env!("ENSAYO_COMMIT");
    format!(
        "ensayo {}{}, {} {}",
        env!("CARGO_PKG_VERSION"),
        commit.map_or_else(String::new, |commit| format!(" ({commit})")),
        std::env::consts::OS,
        std::env::consts::ARCH
    )
}

/// A finding as the terminal shows it: further lines stand below the first.
fn lines(finding: &Finding) -> String {
    let mut text = String::new();
    for (index, line) in finding.text.lines().enumerate() {
        let (verdict, what) = match index {
            0 => (finding.verdict.word(), finding.what),
            _ => ("", ""),
        };
        text.push_str(format!("{verdict:<7}  {what:<14}  {line}").trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lines_of_a_cure_stand_below_each_other() {
        let finding = Finding::trouble("CUDA compiler", "not found. Install it with\n  pip …");
        assert_eq!(
            lines(&finding),
            "TROUBLE  CUDA compiler   not found. Install it with\n                           pip …\n"
        );
    }

    #[test]
    fn a_machine_has_a_processor_and_memory() {
        let findings = machine::processor();
        assert!(findings.iter().any(|finding| finding.what == "processor"));
        assert_ne!(machine::memory().verdict, Verdict::Trouble);
    }
}
