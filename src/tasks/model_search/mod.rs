//! A table of the hub's models, as they are when the run is made.

mod facts;

use super::Task;
use super::watch::Progress;
use crate::config::{ModelSearchSettings, ModelSort};
use crate::hub::http::HttpFault;
use crate::hub::{Environment, Event, FoundModel, Hub, HubError, Observer, Search, Sort};
use crate::plan::RunSpec;
use crate::record::{self, MetricRow, ModelRow};
use crate::runner::{Context, ExecuteError, Outcome, StopFlag};

impl Task for ModelSearchSettings {
    fn execute(&self, spec: &RunSpec, context: &mut Context<'_>) -> Result<Outcome, ExecuteError> {
        Progress::new(spec.label(), context.events, context.stop).stage("asking the hub");
        let hub = Hub::new(Environment::read())?;
        let mut outcome = Outcome {
            environment: record::Environment {
                device: "cpu".to_owned(),
                ..record::Environment::default()
            },
            ..Outcome::default()
        };
        let found = match hub.search(&self.wanted(), &Stop(context.stop)) {
            Err(HubError::Network {
                fault: HttpFault::Stopped,
                ..
            }) => {
                outcome.interrupted = true;
                return Ok(outcome);
            }
            found => found?,
        };
        record::write_rows(context.folder, &rows(&found))?;
        if self.search.inspect {
            let mut inspected = Vec::new();
            for model in &found {
                match hub.inspect(&model.id, "main", &Stop(context.stop)) {
                    Err(HubError::Network {
                        fault: HttpFault::Stopped,
                        ..
                    }) => {
                        outcome.interrupted = true;
                        return Ok(outcome);
                    }
                    seen => inspected.extend(facts::rows(&seen?)),
                }
            }
            record::write_rows(context.folder, &inspected)?;
        }
        if found.is_empty() {
            outcome.notes.push("no model matches".to_owned());
        }
        outcome.metrics = metrics(&found);
        Ok(outcome)
    }

    fn remarks(&self) -> Vec<String> {
        vec![
            "asks the hub, whose table is of the day: a run that is done stays done until --force"
                .to_owned(),
        ]
    }
}

impl ModelSearchSettings {
    fn wanted(&self) -> Search {
        let search = self.search.clone();
        Search {
            task: search.task,
            tags: search.tags,
            languages: search.languages,
            library: search.library,
            author: search.author,
            name: search.contains,
            without: search.without,
            sort: match search.sort {
                ModelSort::Downloads => Sort::Downloads,
                ModelSort::Likes => Sort::Likes,
                ModelSort::Created => Sort::Created,
                ModelSort::Modified => Sort::Modified,
                ModelSort::Trending => Sort::Trending,
            },
            limit: Some(search.limit),
        }
    }
}

/// Stops a search where the run is to stop.
struct Stop<'a>(&'a StopFlag);

impl Observer for Stop<'_> {
    fn event(&self, _: &Event<'_>) {}

    fn stopped(&self) -> bool {
        self.0.is_raised()
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts")]
fn metrics(found: &[FoundModel]) -> Vec<MetricRow> {
    let sum = |count: fn(&FoundModel) -> Option<u64>| {
        let counts: Vec<u64> = found.iter().filter_map(count).collect();
        (!counts.is_empty()).then(|| counts.iter().sum::<u64>() as f64)
    };
    let rows = [
        ("models", Some(found.len() as f64)),
        ("downloads", sum(|model| model.facts.downloads)),
        ("likes", sum(|model| model.facts.likes)),
    ];
    rows.into_iter()
        .filter_map(|(metric, value)| {
            Some(MetricRow {
                evaluation: "run".to_owned(),
                metric: metric.to_owned(),
                value: value?,
            })
        })
        .collect()
}

/// What was found as the rows of a table, in its order.
#[must_use]
pub fn rows(found: &[FoundModel]) -> Vec<ModelRow> {
    let row = |(index, model): (usize, &FoundModel)| {
        let facts = model.facts.clone();
        ModelRow {
            rank: index + 1,
            model: model.id.clone(),
            author: facts.author,
            task: facts.task,
            library: facts.library,
            licence: facts.licence,
            parameters: model.parameters,
            downloads: facts.downloads,
            likes: facts.likes,
            created: facts.created,
            modified: facts.modified,
            gated: facts.gated,
            tags: facts.tags.join(" "),
        }
    };
    found.iter().enumerate().map(row).collect()
}
