//! What the script needs to compare runs: their curves, the settings that set them apart, and which
//! rows they got right.

use std::collections::BTreeMap;

use serde::Serialize;

use super::pages::Pages;
use super::script;
use crate::report::compare::answers::{self, Answers};
use crate::report::experiment::{ExperimentReport, RunReport};
use crate::report::run::commands;
use crate::report::seed::SeedReport;

/// Points of a curve that a reader can still see.
const POINTS: usize = 200;

#[derive(Serialize)]
struct Data<'a> {
    /// Columns of the settings that vary.
    varying: &'a [String],
    /// By the run's place in the experiment.
    runs: BTreeMap<usize, Run<'a>>,
}

#[derive(Serialize)]
struct Run<'a> {
    /// `experiment/run`.
    label: String,
    /// The same as a shell takes it.
    typed: String,
    settings: BTreeMap<&'a str, &'a str>,
    seeds: Vec<Trained>,
}

#[derive(Serialize)]
struct Trained {
    seed: u64,
    curves: BTreeMap<String, Vec<(f64, f64)>>,
    /// By evaluation.
    answers: BTreeMap<String, Judged>,
}

/// Which rows were judged, and which of them were right.
#[derive(Serialize)]
struct Judged {
    rows: usize,
    /// The same for the same rows only.
    mark: String,
    /// A bit for each row in the order of their numbers, the first the lowest of its byte; base64.
    right: String,
}

/// The script that brings the data of an experiment's runs with pages.
///
/// # Errors
/// When it cannot be written as JSON.
pub(super) fn written(experiment: &ExperimentReport, pages: &Pages) -> serde_json::Result<String> {
    let runs = pages.comparable();
    let runs = runs.map(|place| (place, run(experiment, &experiment.runs[place])));
    let data = Data {
        varying: &experiment.varying,
        runs: runs.collect(),
    };
    let (name, data) = (
        script::expression(&experiment.name)?,
        script::expression(&data)?,
    );
    Ok(format!("ensayo.receive({name}, {data});\n"))
}

fn run<'a>(experiment: &'a ExperimentReport, run: &'a RunReport) -> Run<'a> {
    let label = format!("{}/{}", experiment.name, run.name);
    let settings = run.seeds.first().map(|seed| &seed.settings);
    let settings = settings.into_iter().flatten();
    let settings = settings.map(|(key, value)| (key.as_str(), value.as_str()));
    Run {
        typed: commands::quoted(&label),
        label,
        settings: settings
            .filter(|(key, _)| experiment.varying.iter().any(|known| known == key))
            .collect(),
        seeds: run.complete().map(seed).collect(),
    }
}

fn seed(seed: &SeedReport) -> Trained {
    // What is read through a clone goes with it.
    let seed = seed.clone();
    // A run with a file that cannot be read says so on its page.
    let answers = answers::read(seed.folder()).unwrap_or_default();
    Trained {
        seed: seed.seed,
        curves: curves(&seed),
        answers: answers
            .into_iter()
            .map(|(evaluation, answers)| (evaluation, judged(&answers)))
            .collect(),
    }
}

fn judged(answers: &Answers) -> Judged {
    let mut bits = vec![0_u8; answers.right.len().div_ceil(8)];
    for (row, right) in answers.right.iter().enumerate() {
        bits[row / 8] |= u8::from(*right) << (row % 8);
    }
    Judged {
        rows: answers.right.len(),
        mark: answers.mark(),
        right: base64(&bits),
    }
}

/// The courses that a run left, by what they show.
#[expect(clippy::cast_precision_loss, reason = "epochs, steps and ranks")]
fn curves(seed: &SeedReport) -> BTreeMap<String, Vec<(f64, f64)>> {
    let mut curves: BTreeMap<String, Vec<(f64, f64)>> = BTreeMap::new();
    let split = seed.epoch_split();
    for row in seed.epochs() {
        let epoch = row.epoch as f64;
        for (name, value) in [
            (format!("{split} accuracy by epoch"), row.accuracy),
            (format!("{split} loss by epoch"), row.validation_loss),
        ] {
            curves.entry(name).or_default().push((epoch, value));
        }
    }
    let log: Vec<(f64, f64)> = seed.log().iter().map(|row| (row.epoch, row.loss)).collect();
    if !log.is_empty() {
        curves.insert("training loss by epoch".to_owned(), thinned(&log));
    }
    let mut ranks: BTreeMap<usize, (f64, usize)> = BTreeMap::new();
    for row in seed.retrieval() {
        let (sum, count) = ranks.entry(row.rank).or_default();
        *sum += row.score;
        *count += 1;
    }
    if !ranks.is_empty() {
        let mean = |(rank, (sum, count)): (usize, (f64, usize))| (rank as f64, sum / count as f64);
        let means = ranks.into_iter().map(mean).collect();
        curves.insert("mean score by rank".to_owned(), means);
    }
    curves
}

/// At most [`POINTS`] points, each the mean of as many neighbours.
#[expect(clippy::cast_precision_loss, reason = "a few points")]
fn thinned(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let together = points.len().div_ceil(POINTS).max(1);
    let groups = points.chunks(together);
    let mean = |group: &[(f64, f64)]| {
        let sum: f64 = group.iter().map(|point| point.1).sum();
        let last = group.last().map_or(0.0, |point| point.0);
        (last, sum / group.len() as f64)
    };
    groups.map(mean).collect()
}

/// As in RFC 4648, with padding.
fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let byte = |place: usize| u32::from(group.get(place).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for letter in 0..4 {
            if letter <= group.len() {
                let six = (bits >> (18 - 6 * letter)) & 63;
                text.push(char::from(LETTERS[six as usize]));
            } else {
                text.push('=');
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_that_of_the_standard() {
        let said =
            ["", "f", "fo", "foo", "foob", "fooba", "foobar"].map(|text| base64(text.as_bytes()));
        let wanted = [
            "", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy",
        ];
        assert_eq!(said, wanted);
    }

    #[test]
    fn long_curves_are_thinned_to_the_means_of_neighbours() {
        let points: Vec<(f64, f64)> = (0..1000)
            .map(|i| (f64::from(i), f64::from(i % 2)))
            .collect();
        let thin = thinned(&points);
        assert!(thin.len() <= POINTS && thin.len() > POINTS / 2);
        assert!(thin.last() == Some(&(999.0, 0.4)) || thin.last().unwrap().0 > 998.0);
        assert_eq!(thinned(&points[..3]), points[..3]);
        assert!(thinned(&[]).is_empty());
    }
}
