//! Turns the events of a sweep into bars on a terminal, or into plain lines elsewhere.
//!
//! Names of runs may be long, so a run is named once, when it begins, with a number that stands for
//! it from then on.

use std::collections::HashMap;
use std::io::{IsTerminal, Write};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use crate::record::Status;
use crate::report::duration;
use crate::runner::Event;

/// A run without bars says how far it is at most this often, and ever less often the longer it
/// takes.
const QUIET: Duration = Duration::from_secs(15);
/// A stage that follows sooner than this on something said is not worth a line of its own.
const BRIEF: Duration = Duration::from_secs(1);

/// Reports a sweep on standard error. Shared by the threads of the sweep.
#[derive(Debug)]
pub(super) struct Progress {
    bars: MultiProgress,
    terminal: bool,
    total: usize,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// How many runs have been heard of.
    numbered: usize,
    /// Those at work.
    runs: HashMap<String, Run>,
}

#[derive(Debug)]
struct Run {
    number: usize,
    bar: ProgressBar,
    stage: String,
    began: Instant,
    spoke: Instant,
}

impl Progress {
    /// A reporter for that many runs.
    pub(super) fn new(total: usize) -> Self {
        let terminal = std::io::stderr().is_terminal();
        let target = if terminal {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        };
        Self {
            bars: MultiProgress::with_draw_target(target),
            terminal,
            total,
            state: Mutex::default(),
        }
    }

    /// Writes a line above the bars.
    pub(super) fn say(&self, line: &str) {
        if self.terminal {
            let _ = self.bars.println(line);
        } else {
            let _ = writeln!(std::io::stderr(), "{line}");
        }
    }

    /// Takes note of an event.
    pub(super) fn hear(&self, event: Event) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let line = self.line(&mut state, event);
        drop(state);
        if let Some(line) = line {
            self.say(&line);
        }
    }

    fn line(&self, state: &mut State, event: Event) -> Option<String> {
        let label = event.run().to_owned();
        let total = self.total;
        match event {
            Event::Started { run } => Some(self.begin(state, run)),
            Event::Stage { run, stage } => {
                let running = state.runs.get_mut(&run)?;
                running.stage.clone_from(&stage);
                running.bar.set_style(spinner());
                running.bar.set_message(format!("{stage} · {run}"));
                let due = running.spoke.elapsed() >= BRIEF;
                (!self.terminal && due).then(|| running.says(total, &stage))
            }
            Event::Progress {
                run,
                done,
                total: all,
                unit,
                loss,
            } => {
                let running = state.runs.get_mut(&run)?;
                let loss = loss
                    .map(|loss| format!(", loss {loss:.4}"))
                    .unwrap_or_default();
                running.show(done, all, &unit, &format!("{loss} · {run}"));
                let quiet = QUIET.max(running.began.elapsed() / 10);
                let due = running.spoke.elapsed() >= quiet;
                (!self.terminal && due).then(|| {
                    let text = format!("{}, {done} of {all} {unit}{loss}", running.stage);
                    running.says(total, &text)
                })
            }
            Event::Epoch {
                run,
                epoch,
                epochs,
                split,
                train_loss,
                validation_loss,
                accuracy,
            } => {
                // Before the log's first row there is none.
                let training = if train_loss.is_nan() {
                    String::new()
                } else {
                    format!("training loss {train_loss:.4}, ")
                };
                let text = format!(
                    "epoch {epoch}/{epochs}: {training}{split} loss {validation_loss:.4}, accuracy {accuracy:.4}"
                );
                Some(state.runs.get_mut(&run)?.says(total, &text))
            }
            Event::Note { run, text } => Some(match state.runs.get_mut(&run) {
                Some(running) => running.says(total, &text),
                None => format!("{label}: {text}"),
            }),
            Event::Busy { .. } => Some(format!(
                "{label}: another runner is at it; waiting for its result"
            )),
            // Its end follows.
            Event::Lost { .. } => None,
            Event::Found { run, status } => {
                let how = format!("{} in another runner", word(status));
                Some(self.end(state, &run, &how))
            }
            Event::Adopted { run, from } => {
                let how = if from == run {
                    "took back its kept result".to_owned()
                } else {
                    format!("adopted the result of {from}")
                };
                Some(self.end(state, &run, &how))
            }
            Event::Finished {
                run,
                status,
                summary,
            } => {
                let summary = if summary.is_empty() {
                    summary
                } else {
                    format!(": {summary}")
                };
                let after = state.runs.get(&run).map(|running| {
                    let seconds = running.began.elapsed().as_secs_f64();
                    format!(" after {}", duration(seconds))
                });
                let how = format!("{}{}{summary}", word(status), after.unwrap_or_default());
                Some(self.end(state, &run, &how))
            }
        }
    }

    fn begin(&self, state: &mut State, run: String) -> String {
        state.numbered += 1;
        let number = state.numbered;
        let bar = self.bars.add(ProgressBar::new_spinner());
        bar.set_style(spinner());
        bar.set_prefix(format!("[{number}/{}]", self.total));
        bar.enable_steady_tick(Duration::from_millis(200));
        let line = format!("[{number}/{}] {run}", self.total);
        let now = Instant::now();
        let running = Run {
            number,
            bar,
            stage: String::new(),
            began: now,
            spoke: now,
        };
        state.runs.insert(run, running);
        line
    }

    fn end(&self, state: &mut State, run: &str, how: &str) -> String {
        let total = self.total;
        let Some(mut running) = state.runs.remove(run) else {
            state.numbered += 1;
            return format!("[{}/{total}] {run}: {how}", state.numbered);
        };
        running.bar.finish_and_clear();
        self.bars.remove(&running.bar);
        if state.runs.is_empty() {
            running.says(total, how)
        } else {
            // Lines of several runs lie between its name and its end.
            running.says(total, &format!("{run}: {how}"))
        }
    }

    /// Takes the bars of runs away that ended without a word.
    pub(super) fn clear(&self) {
        let _ = self.bars.clear();
    }
}

impl Run {
    fn says(&mut self, total: usize, text: &str) -> String {
        self.spoke = Instant::now();
        format!("[{}/{total}] {text}", self.number)
    }

    fn show(&self, done: u64, total: u64, unit: &str, remark: &str) {
        if self.bar.length() != Some(total) || done < self.bar.position() {
            // A new stretch of work: rate and remaining time begin anew.
            self.bar.set_length(total);
            self.bar.reset();
            self.bar.set_style(bar(unit));
        }
        self.bar.set_position(done);
        self.bar.set_message(format!("{}{remark}", self.stage));
    }
}

fn word(status: Status) -> &'static str {
    match status {
        Status::Complete => "complete",
        Status::Failed => "failed",
        Status::Interrupted => "interrupted",
    }
}

fn spinner() -> ProgressStyle {
    style("{prefix} {spinner} {elapsed} {wide_msg}")
}

fn bar_template(unit: &str) -> String {
    // Braces in a unit would be read as a field.
    let unit: String = unit
        .chars()
        .filter(|letter| !"{}".contains(*letter))
        .collect();
    format!("{{prefix}} {{bar:24}} {{pos}}/{{len}} {unit}, {{rate}}, {{eta}} left, {{wide_msg}}")
}

fn bar(unit: &str) -> ProgressStyle {
    style(&bar_template(unit)).with_key(
        "rate",
        |state: &ProgressState, text: &mut dyn std::fmt::Write| {
            let rate = state.per_sec();
            // Slow units are better told the other way round.
            let _ = if rate > 0.0 && rate < 0.5 {
                write!(text, "{:.1} s each", 1.0 / rate)
            } else {
                write!(text, "{rate:.1}/s")
            };
        },
    )
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn silent() -> Progress {
        let bars = MultiProgress::with_draw_target(ProgressDrawTarget::hidden());
        Progress {
            bars,
            terminal: false,
            total: 2,
            state: Mutex::default(),
        }
    }

    fn lines(progress: &Progress, events: Vec<Event>) -> Vec<String> {
        let mut state = State::default();
        events
            .into_iter()
            .filter_map(|event| progress.line(&mut state, event))
            .collect()
    }

    #[test]
    fn plain_lines_tell_a_run_from_start_to_end() {
        let run = || "x/base@1".to_owned();
        let events = vec![
            Event::Started { run: run() },
            Event::Stage {
                run: run(),
                stage: "training".into(),
            },
            Event::Progress {
                run: run(),
                done: 1,
                total: 9,
                unit: "steps".into(),
                loss: Some(0.7),
            },
            Event::Epoch {
                run: run(),
                epoch: 1,
                epochs: 2,
                split: "test".into(),
                train_loss: 0.7,
                validation_loss: 0.6,
                accuracy: 0.75,
            },
            Event::Finished {
                run: run(),
                status: Status::Complete,
                summary: "accuracy 0.7500".into(),
            },
            Event::Finished {
                run: "x/base@2".into(),
                status: Status::Failed,
                summary: "no memory".into(),
            },
        ];
        assert_eq!(
            lines(&silent(), events),
            [
                "[1/2] x/base@1",
                "[1/2] epoch 1/2: training loss 0.7000, test loss 0.6000, accuracy 0.7500",
                "[1/2] complete after 0.0 s: accuracy 0.7500",
                "[2/2] x/base@2: failed: no memory",
            ]
        );
    }

    #[test]
    fn runs_side_by_side_are_named_at_their_end() {
        let started = |run: &str| Event::Started { run: run.into() };
        let finished = |run: &str| Event::Finished {
            run: run.into(),
            status: Status::Complete,
            summary: String::new(),
        };
        let events = ["x/a@1", "x/b@1"].map(started).into_iter();
        let events = events.chain(["x/b@1", "x/a@1"].map(finished));
        assert_eq!(
            lines(&silent(), events.collect()),
            [
                "[1/2] x/a@1",
                "[2/2] x/b@1",
                "[2/2] x/b@1: complete after 0.0 s",
                "[1/2] complete after 0.0 s",
            ]
        );
    }

    #[test]
    fn bar_templates_are_sound() {
        for unit in ["steps", "{rows}"] {
            assert!(ProgressStyle::with_template(&bar_template(unit)).is_ok());
        }
    }
}
