//! The plots that explain a figure, of made-up sweeps.

use std::path::Path;

use super::*;
use crate::report::read_experiment;
use crate::report::sample::Sample;
use crate::report::views;

/// A sweep of 3 ranks by 2 learning rates, of which only the rank matters.
fn sweep(results: &Path, seeds: u64) {
    for (place, rank) in [4, 8, 16].into_iter().enumerate() {
        for rate in ["1e-4", "2e-4"] {
            for seed in 1..=seeds {
                Sample {
                    rank,
                    seed,
                    rows: 4000,
                    steps: 10,
                    accuracy: [0.6, 0.7, 0.8][place],
                    more: format!("[training]\nlearning_rate = {rate}\n"),
                    ..Sample::new("x", format!("rank={rank},rate={rate}"))
                }
                .write(results);
            }
        }
    }
}

fn drawn(results: &Path) -> Vec<Plot> {
    let experiment = read_experiment(results, "x").unwrap();
    let plots = views::of(&experiment.kind).plots(&experiment);
    for plot in &plots {
        plot.scene.assert_sound(&plot.stem);
        assert!(
            !plot.scene.title.is_empty() && plot.caption.ends_with('.'),
            "{}",
            plot.caption
        );
    }
    plots
}

fn caption<'a>(plots: &'a [Plot], stem: &str) -> Option<&'a str> {
    let plot = plots.iter().find(|plot| plot.stem == stem);
    plot.map(|plot| plot.caption.as_str())
}

#[test]
fn a_sweep_is_told_which_setting_matters_and_by_how_much() {
    let results = tempfile::tempdir().unwrap();
    sweep(results.path(), 3);
    let plots = drawn(results.path());
    let effects = caption(&plots, "effects").unwrap();
    assert!(
        effects.contains("over 6 runs. rank: 4 → 16 adds 0."),
        "{effects}"
    );
    assert!(
        effects.contains(" ± 0.0") && effects.contains("which may be chance"),
        "{effects}"
    );
    let pairs = caption(&plots, "pairs").unwrap();
    assert!(
        pairs.contains("differs by rank and learning_rate: 16 with 0.000"),
        "{pairs}"
    );
    let frontier = caption(&plots, "frontier").unwrap();
    assert!(
        frontier.contains("over 6 runs. Best: rank=16,rate="),
        "{frontier}"
    );
}

#[test]
fn with_one_seed_what_the_effects_leave_over_is_the_noise() {
    let results = tempfile::tempdir().unwrap();
    sweep(results.path(), 1);
    let plots = drawn(results.path());
    let plot = plots.iter().find(|plot| plot.stem == "effects").unwrap();
    let words = plot.scene.words();
    assert!(words.contains("not enough seeds"), "{words}");
    assert!(words.contains("2 degrees of freedom"), "{words}");
    let svg = crate::draw::svg(&plot.scene, &plot.caption);
    assert!(svg.contains("<desc>Which setting matters for accuracy on test"));
}

#[test]
fn runs_that_differ_in_everything_at_once_say_nothing_of_single_settings() {
    let results = tempfile::tempdir().unwrap();
    for place in 0..4_usize {
        Sample {
            rank: 1 << place,
            rows: 100,
            steps: 10,
            epochs: 2,
            more: format!("[training]\nlearning_rate = {}e-4\n", place + 1),
            ..Sample::new("x", format!("attempt-{place}"))
        }
        .write(results.path());
    }
    let plots = drawn(results.path());
    assert_eq!(caption(&plots, "effects"), None);
    assert_eq!(caption(&plots, "pairs"), None);
    assert!(caption(&plots, "frontier").is_some() && caption(&plots, "final-accuracy").is_some());
}

#[test]
fn one_run_has_nothing_to_be_compared_with() {
    let results = tempfile::tempdir().unwrap();
    Sample {
        rows: 40,
        steps: 10,
        ..Sample::new("x", "base")
    }
    .write(results.path());
    let plots = drawn(results.path());
    for stem in STEMS {
        assert_eq!(caption(&plots, stem), None, "{stem}");
    }
}
