//! How long a run should take, from records of runs of the same shape.

use std::collections::BTreeMap;
use std::path::Path;

use crate::record::{self, Status};

/// Estimates from the complete records of a results tree.
#[derive(Debug)]
pub struct Estimator {
    past: Vec<Past>,
}

#[derive(Debug)]
struct Past {
    parts: BTreeMap<String, String>,
    wall_seconds: f64,
}

impl Estimator {
    /// Reads the records of runs on the given device (`auto`: on any device).
    #[must_use]
    pub fn new(results: &Path, device: &str) -> Self {
        let past = record::read_all(results)
            .into_iter()
            .filter_map(|(_, record)| record.ok())
            .filter(|record| {
                record.status == Status::Complete && on_device(&record.environment.device, device)
            })
            .map(|record| Past {
                parts: record.identity_parts,
                wall_seconds: record.wall_seconds,
            })
            .collect();
        Self { past }
    }

    /// Seconds that a run with these parts of an identity should take: the mean over the records
    /// that are most alike among those with the same kind, model, data and text length, each scaled
    /// by the number of rows it trained on. `None` without such a record.
    #[must_use]
    pub fn seconds(&self, parts: &BTreeMap<String, String>) -> Option<f64> {
        let mut best: Vec<f64> = Vec::new();
        let mut fewest = usize::MAX;
        for past in &self.past {
            let Some(scaled) = past.scaled_to(parts) else {
                continue;
            };
            let differences = differences(&past.parts, parts);
            if differences < fewest {
                fewest = differences;
                best.clear();
            }
            if differences == fewest {
                best.push(scaled);
            }
        }
        #[expect(clippy::cast_precision_loss, reason = "a number of records")]
        let count = best.len() as f64;
        (!best.is_empty()).then(|| best.iter().sum::<f64>() / count)
    }
}

impl Past {
    fn scaled_to(&self, parts: &BTreeMap<String, String>) -> Option<f64> {
        let limited = |parts: &BTreeMap<String, String>| parts.contains_key("data.limit");
        let same_shape =
            shape(&self.parts).eq(shape(parts)) && limited(&self.parts) == limited(parts);
        let (before, now) = (passes(&self.parts), passes(parts));
        if !same_shape {
            None
        } else if before > 0.0 && now > 0.0 {
            // Steps of another batch size differ in number as much as in cost, so rows are counted,
            // not steps.
            Some(self.wall_seconds * now / before)
        } else {
            // Without epochs there is only an evaluation, which says nothing about training.
            (before <= 0.0 && now <= 0.0).then_some(self.wall_seconds)
        }
    }
}

/// The parts that must be equal for two runs to cost the same per row.
fn shape(parts: &BTreeMap<String, String>) -> impl Iterator<Item = (&String, &String)> {
    parts.iter().filter(|(key, _)| {
        let key = key.as_str();
        let adapts = key.starts_with("lora.")
            || (key.starts_with("training.") && key != "training.max_length");
        !(adapts
            || key == "seed"
            || key == "numerics"
            || key == "data.split_seed"
            || key == "data.limit")
    })
}

/// Passes over the data, times its rows where `data.limit` says how many.
fn passes(parts: &BTreeMap<String, String>) -> f64 {
    let number = |key: &str| parts.get(key).and_then(|value| value.parse::<f64>().ok());
    number("training.epochs").unwrap_or(1.0) * number("data.limit").unwrap_or(1.0)
}

fn differences(one: &BTreeMap<String, String>, other: &BTreeMap<String, String>) -> usize {
    let missing = other.keys().filter(|key| !one.contains_key(*key)).count();
    one.iter()
        .filter(|(key, value)| other.get(*key) != Some(*value))
        .count()
        + missing
}

fn on_device(recorded: &str, wanted: &str) -> bool {
    let family = |device: &str| {
        device
            .split([':', ' '])
            .next()
            .unwrap_or_default()
            .to_owned()
    };
    wanted == "auto" || family(recorded) == family(wanted)
}

#[cfg(test)]
mod tests;
