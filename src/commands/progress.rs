//! Turns the events of a sweep into bars on a terminal, or into plain lines elsewhere.

use std::collections::HashMap;
use std::io::{IsTerminal, Write};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use super::words;
use crate::record::Status;
use crate::runner::Event;

/// How often a run without bars says how far it is.
const QUIET: Duration = Duration::from_secs(15);

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
    ended: usize,
    runs: HashMap<String, Run>,
}

#[derive(Debug)]
struct Run {
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
        match event {
            Event::Started { run } => {
                let bar = self.bars.add(ProgressBar::new_spinner());
                bar.set_style(spinner());
                bar.set_prefix(run.clone());
                bar.enable_steady_tick(Duration::from_millis(200));
                let now = Instant::now();
                state.runs.insert(
                    run,
                    Run {
                        bar,
                        stage: String::new(),
                        began: now,
                        spoke: now,
                    },
                );
                (!self.terminal).then(|| format!("{label}: begins"))
            }
            Event::Stage { run, stage } => {
                let running = state.runs.get_mut(&run)?;
                running.stage.clone_from(&stage);
                running.bar.set_style(spinner());
                running.bar.set_message(stage.clone());
                (!self.terminal).then(|| format!("{label}: {stage}"))
            }
            Event::Progress {
                run,
                done,
                total,
                unit,
                loss,
            } => {
                let running = state.runs.get_mut(&run)?;
                let loss = loss
                    .map(|loss| format!(", loss {loss:.4}"))
                    .unwrap_or_default();
                running.show(done, total, &unit, &loss);
                let due = running.spoke.elapsed() >= QUIET;
                (!self.terminal && due).then(|| {
                    running.spoke = Instant::now();
                    format!("{label}: {}, {done} of {total} {unit}{loss}", running.stage)
                })
            }
            Event::Epoch {
                epoch,
                epochs,
                train_loss,
                validation_loss,
                accuracy,
                ..
            } => Some(format!(
                "{label}: epoch {epoch} of {epochs}, training loss {train_loss:.4}, validation loss {validation_loss:.4}, accuracy {accuracy:.4}"
            )),
            Event::Note { text, .. } => Some(format!("{label}: {text}")),
            Event::Busy { .. } => Some(format!(
                "{label}: another runner is at it; waiting for its result"
            )),
            Event::Found { run, status } => {
                state.runs.remove(&run);
                Some(self.ended(state, &run, &format!("{} in another runner", word(status))))
            }
            Event::Finished {
                run,
                status,
                summary,
            } => {
                let after = state.runs.remove(&run).map(|running| {
                    running.bar.finish_and_clear();
                    self.bars.remove(&running.bar);
                    format!(
                        " after {}",
                        words::duration(running.began.elapsed().as_secs_f64())
                    )
                });
                let summary = if summary.is_empty() {
                    summary
                } else {
                    format!(": {summary}")
                };
                Some(self.ended(
                    state,
                    &run,
                    &format!("{}{}{summary}", word(status), after.unwrap_or_default()),
                ))
            }
        }
    }

    fn ended(&self, state: &mut State, run: &str, how: &str) -> String {
        state.ended += 1;
        format!("[{}/{}] {run}: {how}", state.ended, self.total)
    }

    /// Takes the bars of runs away that ended without a word.
    pub(super) fn clear(&self) {
        let _ = self.bars.clear();
    }
}

impl Run {
    fn show(&self, done: u64, total: u64, unit: &str, loss: &str) {
        if self.bar.length() != Some(total) || done < self.bar.position() {
            // A new stretch of work: rate and remaining time begin anew.
            self.bar.set_length(total);
            self.bar.reset();
            self.bar.set_style(bar(unit));
        }
        self.bar.set_position(done);
        self.bar.set_message(format!("{}{loss}", self.stage));
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
    style("{prefix} {spinner} {msg} {elapsed}")
}

fn bar_template(unit: &str) -> String {
    // Braces in a unit would be read as a field.
    let unit: String = unit
        .chars()
        .filter(|letter| !"{}".contains(*letter))
        .collect();
    format!("{{prefix}} {{bar:24}} {{pos}}/{{len}} {unit}, {{rate}}, {{eta}} left, {{msg}}")
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
                "x/base@1: begins",
                "x/base@1: training",
                "x/base@1: epoch 1 of 2, training loss 0.7000, validation loss 0.6000, accuracy 0.7500",
                "[1/2] x/base@1: complete after 0.0 s: accuracy 0.7500",
                "[2/2] x/base@2: failed: no memory",
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
