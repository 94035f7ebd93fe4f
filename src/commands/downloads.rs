//! What runs need from elsewhere: what is missing and how large it is, and fetching it with bars.

use std::io::IsTerminal;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::commits::{Commits, is_out_of_reach, short};
use super::faults::Faults;
use super::talk::{Talk, waiting};
use super::{CommandError, say, words};
use crate::config::is_commit;
use crate::hub::{
    Event, FetchPlan, Freshness, HubError, ModelRequest, Observer, Snapshot, Wanted, size,
};
use crate::tasks::Need;

/// Without a terminal, a file's progress is said this often.
const QUIET: Duration = Duration::from_secs(15);
/// Smaller files are there before anybody has read their names.
const LARGE: u64 = 4_000_000;

/// Everything that some runs need from elsewhere.
pub(super) struct Downloads {
    models: Vec<Model>,
    /// Why some of it cannot be had.
    pub(super) faults: Faults,
}

/// A model of the hub that runs need.
pub(super) struct Model {
    pub(super) id: String,
    /// As an experiment has it.
    pub(super) revision: String,
    pub(super) commit: String,
    wanted: Wanted,
    /// What there is to fetch; without an answer of the hub, that the cache has enough.
    plan: Result<FetchPlan, Snapshot>,
    /// Whether the cache is to learn what the revision stands for.
    noted: bool,
}

impl Downloads {
    /// What these needs of experiments come to. Asks the hub about what is not in the cache, and
    /// fetches nothing.
    pub(super) fn of<'a>(
        commits: &Commits,
        needs: impl IntoIterator<Item = (&'a str, Need)>,
    ) -> Self {
        let mut known: Vec<(Need, Result<(), String>)> = Vec::new();
        let mut downloads = Self {
            models: Vec::new(),
            faults: Faults::default(),
        };
        for (experiment, need) in needs {
            let seen = known.iter().find(|(other, _)| *other == need);
            let outcome = if let Some((_, outcome)) = seen {
                outcome.clone()
            } else {
                // The one place that knows what kinds of needs there are.
                let outcome = match &need {
                    Need::Model {
                        id,
                        revision,
                        wanted,
                    } => Model::of(commits, id, revision, *wanted),
                };
                let outcome = outcome.map(|model| downloads.models.push(model));
                known.push((need, outcome.clone()));
                outcome
            };
            if let Err(fault) = outcome {
                downloads.faults.add(experiment, &fault);
            }
        }
        downloads
    }

    /// What there is to fetch, a line a model, and what cannot be had.
    pub(super) fn lines(&self) -> Vec<String> {
        let models = self.models.iter().filter_map(Model::line);
        models.chain(self.faults.lines()).collect()
    }

    /// Fetches what is missing. Says how many models that were.
    ///
    /// # Errors
    /// When something cannot be had. What was fetched until then stays for the next time.
    pub(super) fn fetch(&self, commits: &Commits) -> Result<usize, CommandError> {
        self.faults.none()?;
        let plans = || {
            self.models
                .iter()
                .filter_map(|model| model.plan.as_ref().ok())
        };
        let missing = plans().filter(|plan| !plan.is_here()).count();
        if missing > 0 {
            let hub = commits.hub().map_err(CommandError::input)?;
            hub.has_room(plans()).map_err(CommandError::input)?;
        }
        for model in &self.models {
            model.fetch(commits).map_err(CommandError::input)?;
        }
        Ok(missing)
    }

    /// The models.
    pub(super) fn models(&self) -> &[Model] {
        &self.models
    }
}

impl Model {
    fn of(commits: &Commits, id: &str, revision: &str, wanted: Wanted) -> Result<Self, String> {
        if !is_commit(revision) {
            return Err(commits.silence(id, revision));
        }
        let commit = revision.to_owned();
        let (revision, noted) = commits.written(id, &commit);
        let request = ModelRequest {
            id: id.to_owned(),
            revision: commit.clone(),
            wanted,
            freshness: Freshness::Cached,
        };
        let words = |error: HubError| error.to_string();
        let hub = commits.hub().map_err(words)?;
        let plan = match hub.plan(&request, &Talk) {
            Ok(plan) => Ok(plan),
            // Files that nobody asked about may be missing; without an answer, they are.
            Err(error) if is_out_of_reach(&error) => match hub.cached(&request) {
                Ok(Some(snapshot)) => Err(snapshot),
                _ => return Err(words(error)),
            },
            Err(error) => return Err(words(error)),
        };
        Ok(Self {
            id: id.to_owned(),
            revision,
            commit,
            wanted,
            plan,
            noted,
        })
    }

    fn title(&self) -> String {
        let Self {
            id,
            revision,
            commit,
            ..
        } = self;
        if revision == commit {
            format!("{id} at {}", short(commit))
        } else {
            format!("{id} at {revision} ({})", short(commit))
        }
    }

    fn line(&self) -> Option<String> {
        let plan = self.plan.as_ref().ok().filter(|plan| !plan.is_here())?;
        let missing = || plan.files.iter().filter(|file| !file.here);
        let files = words::count(missing().count(), "file");
        let bytes = size(plan.bytes_to_fetch());
        let least = if missing().all(|file| file.bytes.is_some()) {
            ""
        } else {
            "at least "
        };
        Some(format!(
            "{}: {files} to fetch, {least}{bytes}",
            self.title()
        ))
    }

    /// The model in the cache, fetched where it is not there.
    fn fetch(&self, commits: &Commits) -> Result<(), HubError> {
        let Ok(plan) = &self.plan else {
            say(format_args!(
                "{}: the hub does not answer; the cache has all that is needed",
                self.title()
            ));
            return Ok(());
        };
        let hub = commits.hub()?;
        let mut plan = plan.clone();
        if self.noted {
            plan.revision.clone_from(&self.revision);
        }
        let bars = Bars::new(&self.id);
        if let Some(line) = self.line() {
            say(line);
        }
        let fetched = hub.fetch_plan(&plan, &bars);
        bars.clear();
        fetched.map(drop)
    }

    /// The model in the cache, if all of it is there.
    pub(super) fn snapshot(&self, commits: &Commits) -> Option<Snapshot> {
        let request = ModelRequest {
            id: self.id.clone(),
            revision: self.commit.clone(),
            wanted: self.wanted,
            freshness: Freshness::Cached,
        };
        commits.hub().ok()?.cached(&request).ok()?
    }
}

/// A bar for each file on a terminal, lines elsewhere.
struct Bars<'a> {
    id: &'a str,
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
    fn new(id: &'a str) -> Self {
        Self {
            id,
            terminal: std::io::stderr().is_terminal(),
            state: Mutex::new(State {
                bar: ProgressBar::hidden(),
                spoke: Instant::now(),
            }),
        }
    }

    fn clear(&self) {
        self.lock().bar.finish_and_clear();
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn started(&self, state: &mut State, file: &str, total: Option<u64>, have: u64) {
        if self.terminal {
            let target = ProgressDrawTarget::stderr();
            state.bar = ProgressBar::with_draw_target(total, target)
                .with_style(style(total.is_some()))
                .with_prefix(file.to_owned())
                .with_position(have);
            // The rate is that of this download.
            state.bar.reset_eta();
        } else if total.is_none_or(|total| total >= LARGE) {
            let from = match have {
                0 => String::new(),
                have => format!(", of which {} are here", size(have)),
            };
            let bytes = total.map(|total| format!(", {}", size(total)));
            let line = format!("  {}: {file}{}{from}", self.id, bytes.unwrap_or_default());
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
                    let of = total.map(|total| format!(" of {}", size(total)));
                    let line = format!("  {file}: {}{}", size(have), of.unwrap_or_default());
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

fn style(has_total: bool) -> ProgressStyle {
    let template = if has_total { WITH_TOTAL } else { WITHOUT };
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bar_templates_are_sound() {
        for template in [WITH_TOTAL, WITHOUT] {
            assert!(ProgressStyle::with_template(template).is_ok());
        }
    }
}
