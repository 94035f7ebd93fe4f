//! What a person sees who makes a mistake in an experiment's file, and what comes out of a file without one.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on must fail")]

mod cells;
mod compare;
mod folder;
mod frame;
mod grid;
mod kinds;
mod machine;
mod names;
mod overrides;
mod prompts;
mod schema;
mod structure;

use ensayo::config::{self, Look, Settings};
use ensayo::grid::{Grid, Study, expand};

use machine::Machine;

/// A sound experiment, on which most tests make one mistake.
const SOUND: &str = r#"
name = "sweep"
kind = "lora"

[model]
path = "../models/tiny"

[data]
path = "../data/reviews.csv"

[lora]
rank = 4
targets = ["query", "value"]

[training]
max_length = 64
"#;

/// Reads experiments that stand in `experiments/` under their names, and lays them out.
fn study(texts: &[(&str, &str)], overrides: &[&str]) -> Study {
    let texts: Vec<_> = texts
        .iter()
        .map(|(name, text)| {
            (
                format!("experiments/{name}.toml").into(),
                (*text).to_owned(),
            )
        })
        .collect();
    let overrides: Vec<String> = overrides.iter().map(|&text| text.to_owned()).collect();
    expand(config::read_all(&texts, &overrides), &Machine)
}

/// What is said about one experiment called `sweep`.
fn complaints(text: &str) -> String {
    study(&[("sweep", text)], &[])
        .problems
        .render(Look::Plain, 100)
}

/// What is said about the sound experiment after replacing `from` by `to`.
fn after(from: &str, to: &str) -> String {
    assert!(
        SOUND.contains(from),
        "{from} is not in the sound experiment"
    );
    complaints(&SOUND.replace(from, to))
}

/// What is said about the sound experiment with `more` at its end.
fn with(more: &str) -> String {
    complaints(&format!("{SOUND}{more}"))
}

/// The one experiment called `sweep`, in which nothing may be wrong.
fn laid_out(text: &str, overrides: &[&str]) -> Grid {
    let mut study = study(&[("sweep", text)], overrides);
    assert!(study.problems.is_empty(), "{}", study.problems);
    study.grids.remove(0)
}

/// The names of its cells.
fn cell_names(text: &str) -> Vec<String> {
    laid_out(text, &[])
        .cells
        .into_iter()
        .map(|cell| cell.name)
        .collect()
}

/// The settings of a LoRA experiment's first cell.
fn lora(grid: &Grid) -> &config::LoraSettings {
    match &grid.cells[0].settings {
        Settings::Lora(settings) => settings,
        other => panic!("not lora: {other:?}"),
    }
}

#[test]
fn the_sound_experiment_is_sound() {
    assert_eq!(cell_names(SOUND), ["base"]);
}
