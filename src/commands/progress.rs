//! Turns the events of a sweep into bars on a terminal, or into plain lines elsewhere.
//!
//! Names of runs may be long, so a run is named once, when it begins, with a number that stands for
//! it from then on.

use std::collections::HashMap;
use std::io::{IsTerminal, Write};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use super::time_left::TimeLeft;
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
    /// The line of the sweep as a whole, below those of the runs.
    whole: ProgressBar,
    began: Instant,
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
    ended: usize,
    left: TimeLeft,
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
    /// A reporter for runs with their estimates in seconds, so many of which are executed at once.
    pub(super) fn new(runs: Vec<(String, Option<f64>)>, at_once: usize) -> Self {
        let terminal = std::io::stderr().is_terminal();
        let target = if terminal {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        };
        let bars = MultiProgress::with_draw_target(target);
        let whole = bars.add(ProgressBar::new_spinner());
        whole.set_style(style("{wide_msg}"));
        Self {
            bars,
            whole,
            began: Instant::now(),
            terminal,
            total: runs.len(),
            state: Mutex::new(State {
                left: TimeLeft::new(runs, at_once),
                ..State::default()
            }),
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
        self.whole.set_message(self.so_far(&state));
        drop(state);
        if let Some(line) = line {
            self.say(&line);
        }
    }

    /// How far the sweep is.
    fn so_far(&self, state: &State) -> String {
        let left = self.left(state).unwrap_or_default();
        format!("{} of {} runs ended{left}", state.ended, self.total)
    }

    /// How long the sweep will still take, where that is worth saying.
    fn left(&self, state: &State) -> Option<String> {
        let seconds = state.left.seconds(self.began.elapsed().as_secs_f64())?;
        (seconds >= 1.0).then(|| format!("; about {} left", duration(seconds)))
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
                // Only steps of a training have a loss, and they are most of the work.
                if loss.is_some() {
                    #[expect(clippy::cast_precision_loss, reason = "a number of steps")]
                    state.left.advance(&run, done as f64 / all.max(1) as f64);
                }
                let left = self.left(state).unwrap_or_default();
                let running = state.runs.get_mut(&run)?;
                let loss = loss
                    .map(|loss| format!(", loss {loss:.4}"))
                    .unwrap_or_default();
                running.show(done, all, &unit, &format!("{loss} · {run}"));
                let quiet = QUIET.max(running.began.elapsed() / 10);
                let due = running.spoke.elapsed() >= quiet;
                (!self.terminal && due).then(|| {
                    let text = format!("{}, {done} of {all} {unit}{loss}{left}", running.stage);
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
                "{label}: another process is running it; waiting for its result"
            )),
            // Its end follows.
            Event::Lost { .. } => None,
            Event::Found { run, status } => {
                let how = format!("{} in another process", word(status));
                Some(self.end(state, &run, &how, false))
            }
            Event::Adopted { run, from } => {
                let how = if from == run {
                    "restored its kept result".to_owned()
                } else {
                    format!("adopted the result of {from}")
                };
                Some(self.end(state, &run, &how, false))
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
                Some(self.end(state, &run, &how, status == Status::Complete))
            }
        }
    }

    fn begin(&self, state: &mut State, run: String) -> String {
        state.numbered += 1;
        let number = state.numbered;
        state.left.begin(&run, self.began.elapsed().as_secs_f64());
        let bar = ProgressBar::new_spinner();
        let bar = self.bars.insert_before(&self.whole, bar);
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

    /// The end of a run; `executed` where it did its work here.
    fn end(&self, state: &mut State, run: &str, how: &str, executed: bool) -> String {
        let total = self.total;
        state.ended += 1;
        let now = self.began.elapsed().as_secs_f64();
        state.left.end(run, executed, now);
        let how = format!("{how}{}", self.left(state).unwrap_or_default());
        let Some(mut running) = state.runs.remove(run) else {
            state.numbered += 1;
            return format!("[{}/{total}] {run}: {how}", state.numbered);
        };
        running.bar.finish_and_clear();
        self.bars.remove(&running.bar);
        if state.runs.is_empty() {
            running.says(total, &how)
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
mod tests;
