//! What to type to see a run, to execute it, and to repeat it.

use crate::record::run_label;
use crate::report::seed::State;

/// Shows it in the terminal.
pub(in crate::report) fn show(experiment: &str, run: &str, seed: u64) -> String {
    typed("show", experiment, run, seed)
}

/// Executes it where it is not done.
pub(in crate::report) fn execute(experiment: &str, run: &str, seed: u64) -> String {
    typed("run", experiment, run, seed)
}

/// What repeats it, each with what it does.
pub(in crate::report) fn repeating(
    experiment: &str,
    run: &str,
    seed: u64,
    state: State,
) -> Vec<(&'static str, String)> {
    let mut commands = Vec::new();
    if state == State::Complete {
        commands.push((
            "repeats it from its record and says whether the result is the same",
            typed("rerun", experiment, run, seed),
        ));
    }
    commands.push((
        "executes it as its experiment says now, if that is not done",
        execute(experiment, run, seed),
    ));
    commands
}

fn typed(word: &str, experiment: &str, run: &str, seed: u64) -> String {
    format!(
        "ensayo {word} {}",
        quoted(&run_label(experiment, run, seed))
    )
}

/// A word as a shell takes it literally.
pub(in crate::report) fn quoted(word: &str) -> String {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "_./@=,+:%-".contains(letter);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_a_shell_would_read_are_quoted() {
        assert_eq!(
            show("x", "rank=4,targets=query+value", 42),
            "ensayo show x/rank=4,targets=query+value@42"
        );
        assert_eq!(show("x", "it's; rm", 1), r"ensayo show 'x/it'\''s; rm@1'");
    }

    #[test]
    fn only_a_finished_run_is_repeated_from_its_record() {
        let words = |state| {
            let commands = repeating("x", "a", 1, state);
            commands
                .into_iter()
                .map(|(_, command)| command)
                .collect::<Vec<_>>()
        };
        assert_eq!(
            words(State::Complete),
            ["ensayo rerun x/a@1", "ensayo run x/a@1"]
        );
        assert_eq!(words(State::Failed), ["ensayo run x/a@1"]);
    }
}
