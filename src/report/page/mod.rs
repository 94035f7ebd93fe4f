//! The page: all experiments in one document and each run in one of its own, which need neither
//! network nor server, and no script to be read.

mod addresses;
mod data;
mod figure;
mod pages;
mod ranked;
mod run;
mod script;
mod section;
mod table;
mod templates;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use serde::Serialize;

use super::drawn::DrawnExperiment;
use super::experiment::ExperimentReport;
use super::run::siblings::Siblings;
use super::{ReportError, StudyLine};
use crate::record::write_if_changed;
use pages::Pages;
use ranked::Ranked;
use run::Book;
use section::Section;
use templates::Templates;

/// What the index shows.
#[derive(Serialize)]
struct Index<'a> {
    studies: &'a [StudyLine],
    experiments: Vec<Section<'a>>,
}

/// Writes all documents and removes those of runs that are no more; says where the first one is.
/// `drawn` has an entry for each experiment: the runs whose plots are drawn get pages.
///
/// # Errors
/// When a template and what it is given do not fit, or a file cannot be written.
pub(super) fn write(
    experiments: &[ExperimentReport],
    studies: &[StudyLine],
    drawn: &[DrawnExperiment],
    results: &Path,
) -> Result<PathBuf, ReportError> {
    let templates = Templates::new()?;
    let ranked: Vec<Ranked> = experiments.par_iter().map(Ranked::of).collect();
    let all = || experiments.iter().zip(drawn).zip(&ranked);
    let pages: Vec<Pages> = all()
        .map(|((experiment, drawn), ranked)| Pages::of(experiment, ranked, drawn))
        .collect();
    let mut current = BTreeSet::new();
    for (((experiment, drawn), ranked), pages) in all().zip(&pages) {
        let path = addresses::data(results, &experiment.name);
        let content = data::written(experiment, pages).map_err(|error| broken(&error))?;
        write_if_changed(&path, content.as_bytes())?;
        current.insert(path);
        let book = Book {
            experiment,
            ranked,
            pages,
            siblings: Siblings::of(experiment),
        };
        current.extend(write_book(&book, drawn, &templates, results)?);
    }
    // Only now all is known that is wrong with files.
    let sections = all()
        .zip(&pages)
        .map(|(((experiment, drawn), ranked), pages)| {
            Section::of(experiment, drawn, ranked, pages)
        });
    let index = super::page(results);
    let content = templates.index(Index {
        studies,
        experiments: sections.collect(),
    })?;
    write_if_changed(&index, content.as_bytes())?;
    remove_others(results, &current);
    Ok(index)
}

/// Writes the pages of an experiment's runs, of which only those in the making are in memory; says
/// where they are.
fn write_book(
    book: &Book,
    drawn: &DrawnExperiment,
    templates: &Templates,
    results: &Path,
) -> Result<Vec<PathBuf>, ReportError> {
    let folder = addresses::runs(results).join(&book.experiment.name);
    let pages = book.pages.order.par_iter().enumerate();
    let written = pages.map(|(turned, page)| {
        let plots = drawn.seeds.get(&page.place);
        // What is read through a clone goes with it.
        let seed = page.report(book.experiment).clone();
        let shown = book.page(turned, &seed, plots.map_or(&[], Vec::as_slice));
        let path = folder.join(&page.name);
        write_if_changed(&path, templates.run(shown)?.as_bytes())?;
        Ok(path)
    });
    written.collect()
}

/// Removes what a former report wrote of runs that are no more. What does not look like one of ours
/// stays; what cannot be removed stays as well, since nothing depends on it.
fn remove_others(results: &Path, current: &BTreeSet<PathBuf>) {
    let runs = addresses::runs(results);
    let entries = |folder: &Path| fs::read_dir(folder).into_iter().flatten().flatten();
    for folder in entries(&runs).filter(|entry| entry.path().is_dir()) {
        for file in entries(&folder.path()) {
            let name = file.file_name();
            let ours = name.to_str().is_some_and(addresses::is_run_name);
            if ours && !current.contains(&file.path()) {
                let _ = fs::remove_file(file.path());
            }
        }
        // Only an empty one goes.
        let _ = fs::remove_dir(folder.path());
    }
    for file in entries(&addresses::data_folder(results)) {
        let ours = file.path().extension().is_some_and(|ending| ending == "js");
        if ours && !current.contains(&file.path()) {
            let _ = fs::remove_file(file.path());
        }
    }
}

fn broken(error: &serde_json::Error) -> minijinja::Error {
    minijinja::Error::new(minijinja::ErrorKind::BadSerialization, error.to_string())
}
