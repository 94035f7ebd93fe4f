//! A figure against what it costs: trained parameters, time, memory.

use super::{Judged, STEMS, short_names};
use crate::report::experiment::{ExperimentReport, RunReport};
use crate::report::figures;
use crate::report::plots::frontier::{Cost, Spent};
use crate::report::plots::{self, Plot};
use crate::report::seed::SeedReport;

/// How good the runs are against what they cost; none where all cost the same.
pub(super) fn frontier(experiment: &ExperimentReport, judged: &Judged<'_>) -> Option<Plot> {
    let runs: Vec<&RunReport> = experiment
        .current()
        .filter(|run| run.mean(&judged.of).is_some_and(f64::is_finite))
        .collect();
    let (names, shared) = short_names(&runs);
    let spent = |(run, name): (&&RunReport, String)| {
        let value = run.mean(&judged.of)?;
        Some(Spent {
            name,
            value,
            costs: vec![
                run.mean(|seed| seed.run_metric("trainable_parameters")),
                run.mean(|seed| Some(seed.record.as_ref()?.wall_seconds)),
                run.mean(|seed| measured(seed, "peak_memory_bytes")),
            ],
        })
    };
    let spent: Vec<Spent> = runs.iter().zip(names).filter_map(spent).collect();
    let most = |place: usize| {
        spent
            .iter()
            .filter_map(|run| run.costs[place])
            .fold(0.0, f64::max)
    };
    let costs = [parameters(most(0)), time(most(1)), memory(most(2))];
    let mut notes: Vec<String> = shared.into_iter().collect();
    notes.extend(several_devices(&runs));
    let title = format!("{}: {} against what it costs", experiment.name, judged.name);
    let scene = plots::frontier::draw(&title, &judged.name, &costs, &spent, &notes)?;
    let best = spent
        .iter()
        .max_by(|one, other| one.value.total_cmp(&other.value))?;
    Some(Plot {
        stem: STEMS[2].to_owned(),
        caption: format!(
            "What {} costs, over {} runs. Best: {} with {:.4}.{}",
            judged.name,
            spent.len(),
            best.name,
            best.value,
            cheapest(&runs, &spent, best, judged)
        ),
        scene,
    })
}

/// The cheapest run that cannot be told from the best one.
fn cheapest(runs: &[&RunReport], spent: &[Spent], best: &Spent, judged: &Judged<'_>) -> String {
    const WORDS: [&str; 3] = ["fewest trained parameters", "shortest time", "least memory"];
    let Some(low) = runs
        .iter()
        .zip(spent)
        .find(|(_, spent)| std::ptr::eq(*spent, best))
        .and_then(|(run, _)| run.estimate(&judged.of))
        .filter(|estimate| estimate.low < estimate.value)
        .map(|estimate| estimate.low)
    else {
        return String::new();
    };
    let near: Vec<&Spent> = spent.iter().filter(|run| run.value >= low).collect();
    let least = |place: usize| {
        let priced = near
            .iter()
            .filter_map(|run| Some((run.costs[place]?, *run)));
        let points: Vec<(f64, f64)> = priced
            .clone()
            .map(|(cost, run)| (cost, run.value))
            .collect();
        let at = *plots::frontier::frontier(&points).first()?;
        let (_, run) = priced.clone().nth(at)?;
        (!std::ptr::eq(run, best)).then(|| format!("{}, {}", WORDS[place], run.name))
    };
    let said: Vec<String> = (0..WORDS.len()).filter_map(least).collect();
    if said.is_empty() {
        String::new()
    } else {
        format!(
            " Of the {} runs within its interval: {}.",
            near.len(),
            said.join("; ")
        )
    }
}

fn measured(seed: &SeedReport, metric: &str) -> Option<f64> {
    let rows = &seed.record.as_ref()?.measurements;
    rows.iter()
        .find(|row| row.metric == metric)
        .map(|row| row.value)
}

/// What to mind where the runs ran on different devices.
fn several_devices(runs: &[&RunReport]) -> Option<String> {
    let mut devices: Vec<String> = runs
        .iter()
        .flat_map(|run| run.complete())
        .filter_map(|seed| seed.record.as_ref())
        .map(|record| {
            let environment = &record.environment;
            environment
                .card
                .clone()
                .unwrap_or_else(|| environment.device.clone())
        })
        .collect();
    devices.sort_unstable();
    devices.dedup();
    (devices.len() > 1).then(|| {
        format!(
            "The runs ran on {}: their times and memory are not of one measure.",
            devices.join(", ")
        )
    })
}

fn parameters(most: f64) -> Cost {
    let (unit, name) = match most {
        most if most >= 2e6 => (1e6, "trained parameters (millions)"),
        most if most >= 2e4 => (1e3, "trained parameters (thousands)"),
        _ => (1.0, "trained parameters"),
    };
    Cost {
        name: name.to_owned(),
        words: |count| format!("{} parameters", figures::group(&format!("{count:.0}"))),
        unit,
    }
}

fn time(most: f64) -> Cost {
    let (unit, name) = match most {
        most if most >= 7200.0 => (3600.0, "time (hours)"),
        most if most >= 180.0 => (60.0, "time (minutes)"),
        _ => (1.0, "time (seconds)"),
    };
    Cost {
        name: name.to_owned(),
        words: figures::duration,
        unit,
    }
}

fn memory(most: f64) -> Cost {
    let (unit, name) = if most >= 1e9 {
        (1e9, "peak memory (GB)")
    } else {
        (1e6, "peak memory (MB)")
    };
    Cost {
        name: name.to_owned(),
        words: |bytes| {
            if bytes >= 1e9 {
                format!("{:.2} GB", bytes / 1e9)
            } else {
                format!("{:.0} MB", bytes / 1e6)
            }
        },
        unit,
    }
}
