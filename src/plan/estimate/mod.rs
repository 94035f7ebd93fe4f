//! How long a run should take, from finished results of runs of the same shape.

use std::collections::{BTreeMap, HashMap};

use crate::record::RunRecord;

/// Estimates from finished results.
#[derive(Debug, Default)]
pub struct Estimator {
    /// Results that cost the same but for the rows they were trained on, by what they agree in.
    past: HashMap<String, Vec<Past>>,
    /// A number for each setting with its value, so that many results are compared in little time.
    numbers: HashMap<String, u32>,
}

#[derive(Debug)]
struct Past {
    /// The settings that do not belong to the shape, in the order of their numbers.
    settings: Vec<u32>,
    passes: f64,
    wall_seconds: f64,
}

impl Estimator {
    /// Takes in the finished results on the given device (`auto`: on any device).
    pub fn new<'a>(records: impl IntoIterator<Item = &'a RunRecord>, device: &str) -> Self {
        let mut estimator = Self::default();
        for record in records {
            if on_device(&record.environment.device, device) {
                estimator.add(&record.identity_parts, record.wall_seconds);
            }
        }
        estimator
    }

    fn add(&mut self, parts: &BTreeMap<String, String>, wall_seconds: f64) {
        let past = Past {
            settings: self.settings(parts),
            passes: passes(parts),
            wall_seconds,
        };
        self.past.entry(shape(parts)).or_default().push(past);
    }

    /// Seconds that a run with these parts of an identity should take: the mean over the results that
    /// are most alike among those with the same kind, model, data and text length, each scaled by the
    /// number of rows it trained on. `None` without such a result.
    pub fn seconds(&mut self, parts: &BTreeMap<String, String>) -> Option<f64> {
        let settings = self.settings(parts);
        let now = passes(parts);
        let mut best: Vec<f64> = Vec::new();
        let mut fewest = usize::MAX;
        for past in self.past.get(&shape(parts))? {
            let Some(scaled) = past.scaled_to(now) else {
                continue;
            };
            let differences = differences(&past.settings, &settings);
            if differences < fewest {
                fewest = differences;
                best.clear();
            }
            if differences == fewest {
                best.push(scaled);
            }
        }
        #[expect(clippy::cast_precision_loss, reason = "a number of results")]
        let count = best.len() as f64;
        (!best.is_empty()).then(|| best.iter().sum::<f64>() / count)
    }

    fn settings(&mut self, parts: &BTreeMap<String, String>) -> Vec<u32> {
        let mut settings: Vec<u32> = parts
            .iter()
            .filter(|(key, _)| !is_shape(key) && *key != "seed")
            .map(|(key, value)| {
                let next = u32::try_from(self.numbers.len()).unwrap_or(u32::MAX);
                *self.numbers.entry(format!("{key}={value}")).or_insert(next)
            })
            .collect();
        settings.sort_unstable();
        settings
    }
}

impl Past {
    fn scaled_to(&self, now: f64) -> Option<f64> {
        if self.passes > 0.0 && now > 0.0 {
            // Steps of another batch size differ in number as much as in cost, so rows are counted,
            // not steps.
            Some(self.wall_seconds * now / self.passes)
        } else {
            // Without epochs there is only an evaluation, which says nothing about training.
            (self.passes <= 0.0 && now <= 0.0).then_some(self.wall_seconds)
        }
    }
}

/// The parts that must be equal for two runs to cost the same per row.
fn shape(parts: &BTreeMap<String, String>) -> String {
    let mut shape = String::new();
    for (key, value) in parts.iter().filter(|(key, _)| is_shape(key)) {
        shape.extend([key, "=", value, "\n"]);
    }
    // With a limit the number of rows is known, without one it is not.
    if parts.contains_key("data.limit") {
        shape.push_str("limited");
    }
    shape
}

fn is_shape(key: &str) -> bool {
    let adapts =
        key.starts_with("lora.") || (key.starts_with("training.") && key != "training.max_length");
    !(adapts
        || key == "seed"
        || key == "numerics"
        || key == "data.split_seed"
        || key == "data.limit")
}

/// Passes over the data, times its rows where `data.limit` says how many.
fn passes(parts: &BTreeMap<String, String>) -> f64 {
    let number = |key: &str| parts.get(key).and_then(|value| value.parse::<f64>().ok());
    number("training.epochs").unwrap_or(1.0) * number("data.limit").unwrap_or(1.0)
}

/// How many values stand in only one of two ordered lists.
fn differences(one: &[u32], other: &[u32]) -> usize {
    let (mut left, mut right, mut shared) = (0, 0, 0);
    while left < one.len() && right < other.len() {
        match one[left].cmp(&other[right]) {
            std::cmp::Ordering::Less => left += 1,
            std::cmp::Ordering::Greater => right += 1,
            std::cmp::Ordering::Equal => {
                shared += 1;
                left += 1;
                right += 1;
            }
        }
    }
    one.len() + other.len() - 2 * shared
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
