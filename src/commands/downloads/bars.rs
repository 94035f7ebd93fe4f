//! The progress of downloads: a bar for each file on a terminal, lines elsewhere.

use std::io::IsTerminal;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::super::say;
use super::super::talk::waiting;
use crate::hub::{Event, Observer, size};

/// Without a terminal, a file's progress is said this often.
const QUIET: Duration = Duration::from_secs(15);
/// Smaller files are there before anybody has read their names.
const LARGE: u64 = 4_000_000;

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    Bytes,
    Reviews,
}

impl Unit {
    fn amount(self, number: u64) -> String {
        match self {
            Self::Bytes => size(number),
            Self::Reviews => number.to_string(),
        }
    }

    /// Whether so much takes long enough to be said before it is there.
    fn is_large(self, total: Option<u64>) -> bool {
        self == Self::Reviews || total.is_none_or(|total| total >= LARGE)
    }
}

/// A bar for each file on a terminal, lines elsewhere.
pub(super) struct Bars<'a> {
    id: &'a str,
    unit: Unit,
    terminal: bool,
    state: Mutex<State>,
}

struct State {
    bar: ProgressBar,
    spoke: Instant,
}

impl State {
    /// A line above the bar.
    fn say(&mut self, line: &str) {
        self.spoke = Instant::now();
        self.bar.suspend(|| say(line));
    }
}

impl<'a> Bars<'a> {
    pub(super) fn new(id: &'a str, unit: Unit) -> Self {
        Self {
            id,
            unit,
            terminal: std::io::stderr().is_terminal(),
            state: Mutex::new(State {
                bar: ProgressBar::hidden(),
                spoke: Instant::now(),
            }),
        }
    }

    pub(super) fn clear(&self) {
        self.lock().bar.finish_and_clear();
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn style(&self, has_total: bool) -> ProgressStyle {
        let template = match (self.unit, has_total) {
            (Unit::Bytes, true) => WITH_TOTAL,
            (Unit::Bytes, false) => WITHOUT,
            (Unit::Reviews, _) => COUNTED,
        };
        ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
    }

    fn started(&self, state: &mut State, file: &str, total: Option<u64>, have: u64) {
        if self.terminal {
            let target = ProgressDrawTarget::stderr();
            state.bar = ProgressBar::with_draw_target(total, target)
                .with_style(self.style(total.is_some()))
                .with_prefix(file.to_owned())
                .with_position(have);
            // The rate is that of this download.
            state.bar.reset_eta();
        } else if self.unit.is_large(total) {
            let from = match have {
                0 => String::new(),
                have => format!(", of which {} are here", self.unit.amount(have)),
            };
            let amount = total.map(|total| format!(", {}", self.unit.amount(total)));
            let line = format!("  {}: {file}{}{from}", self.id, amount.unwrap_or_default());
            state.say(&line);
        }
    }
}

impl Observer for Bars<'_> {
    fn event(&self, event: &Event<'_>) {
        let mut state = self.lock();
        match *event {
            Event::Started { file, total, have } => self.started(&mut state, file, total, have),
            Event::Progress { file, total, have } => {
                state.bar.set_position(have);
                if !self.terminal && state.spoke.elapsed() >= QUIET {
                    let of = total.map(|total| format!(" of {}", self.unit.amount(total)));
                    let have = self.unit.amount(have);
                    let line = format!("  {file}: {have}{}", of.unwrap_or_default());
                    state.say(&line);
                }
            }
            Event::Finished { .. } => state.bar.finish_and_clear(),
            Event::Waiting { .. } | Event::WaitingForOther { .. } => {
                if let Some(line) = waiting(event) {
                    state.say(&line);
                }
            }
        }
    }
}

const WITH_TOTAL: &str = "  {prefix} {bar:24} {decimal_bytes} of {decimal_total_bytes}, {decimal_bytes_per_sec}, {eta} left";
const WITHOUT: &str = "  {prefix} {spinner} {decimal_bytes}, {decimal_bytes_per_sec}";
const COUNTED: &str = "  {prefix} {bar:24} {pos} of {len}, {eta} left";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bar_templates_are_sound() {
        for template in [WITH_TOTAL, WITHOUT, COUNTED] {
            assert!(ProgressStyle::with_template(template).is_ok());
        }
    }
}
