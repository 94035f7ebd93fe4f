//! From the experiments' folder to the cells of the selected experiments.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, IsTerminal};
use std::path::Path;

use super::{CommandError, say, screen};
use crate::config::{self, Environment, Experiment, Look, Problem, Problems, System};
use crate::grid::{self, Grid};
use crate::plan::{Candidate, Selection, Source};

/// Problems are wrapped to at most this many columns.
const WIDTH: usize = 100;

/// The selected experiments.
#[derive(Debug)]
pub(super) struct Loaded {
    /// Those in which nothing is wrong, sorted by path.
    pub(super) grids: Vec<Grid>,
    /// What is wrong with the others, and with the command line.
    pub(super) problems: Problems,
    /// Experiments that lack nothing but environment variables, with these; where all experiments
    /// are asked for, they are left out.
    skipped: BTreeMap<String, BTreeSet<String>>,
}

/// Reads all experiments and keeps those that the patterns may mean.
pub(super) fn load(
    folder: &Path,
    overrides: &[String],
    selection: &Selection,
) -> Result<Loaded, CommandError> {
    load_on(folder, overrides, selection, &System)
}

/// The same on a machine that may have models of the hub.
pub(super) fn load_on(
    folder: &Path,
    overrides: &[String],
    selection: &Selection,
    machine: &dyn Environment,
) -> Result<Loaded, CommandError> {
    let read = config::load(folder, overrides).map_err(CommandError::input)?;
    if read.experiments.is_empty() && read.problems.is_empty() {
        return Err(CommandError::Input(format!(
            "no *.toml in {}; write an experiment there, or name another folder with --experiments",
            folder.display()
        )));
    }
    let study = grid::expand(read, machine);
    // A problem of no experiment is the command line's.
    let (here, elsewhere): (Vec<Problem>, Vec<Problem>) = study
        .problems
        .into_iter()
        .partition(|problem| name(problem).is_none_or(|name| selection.selects_experiment(&name)));
    let (here, skipped) = if selection.is_everything() {
        without_unset(&here)
    } else {
        (here, BTreeMap::new())
    };
    let mut problems = Problems::default();
    problems.extend(here);
    let mut grids = study.grids;
    if problems.is_empty() {
        // Over all of them, sound or not: the names that there are make the best suggestions.
        let unsound = names(elsewhere.iter());
        let candidates: Vec<_> = grids
            .iter()
            .flat_map(|grid| source(grid).candidates())
            .chain(unsound.iter().map(|name| (name.as_str(), "", 0)))
            .collect();
        selection.check(&candidates)?;
    }
    grids.retain(|grid| selection.selects_experiment(&grid.experiment.name));
    let unused = config::unused_overrides(overrides, grids.iter().map(|grid| &grid.experiment));
    if problems.is_empty() {
        problems.extend(unused);
    }
    Ok(Loaded {
        grids,
        problems,
        skipped,
    })
}

/// The problems without those of experiments that lack nothing but environment variables, and these.
fn without_unset(problems: &[Problem]) -> (Vec<Problem>, BTreeMap<String, BTreeSet<String>>) {
    let mut skipped: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let is_unset = |name: &str| {
        let mut own = problems
            .iter()
            .filter(|problem| self::name(problem).as_deref() == Some(name));
        own.all(|problem| problem.unset.is_some())
    };
    for problem in problems {
        if let (Some(variable), Some(name)) = (&problem.unset, name(problem))
            && is_unset(&name)
        {
            skipped.entry(name).or_default().insert(variable.clone());
        }
    }
    let left = problems
        .iter()
        .filter(|problem| name(problem).is_none_or(|name| !skipped.contains_key(&name)));
    (left.cloned().collect(), skipped)
}

impl Loaded {
    /// The same, if nothing is wrong.
    ///
    /// # Errors
    /// With everything that is wrong, rendered.
    pub(super) fn sound(self) -> Result<Self, CommandError> {
        sound(&self.problems, ["experiment", "experiments"])?;
        Ok(self)
    }

    /// Names of the selected experiments that are not sound.
    pub(super) fn unsound(&self) -> BTreeSet<String> {
        names(self.problems.iter())
    }

    /// The runs of each experiment; none of one whose runs cannot be told.
    pub(super) fn runs(&self) -> BTreeMap<String, Option<BTreeSet<String>>> {
        let sound = self.grids.iter().map(|grid| {
            let cells = grid.cells.iter().map(|cell| cell.name.clone());
            (grid.experiment.name.clone(), Some(cells.collect()))
        });
        let others = self.unsound().into_iter();
        let others = others.chain(self.skipped.keys().cloned());
        others.map(|name| (name, None)).chain(sound).collect()
    }

    /// Experiments that are left out since environment variables are not set: a line for each.
    pub(super) fn skipped(&self) -> impl Iterator<Item = (&str, String)> {
        self.skipped.iter().map(|(name, variables)| {
            let variables: Vec<&str> = variables.iter().map(String::as_str).collect();
            (
                name.as_str(),
                format!("skipped, set {}", variables.join(" and ")),
            )
        })
    }

    /// Says which experiments are left out, and why.
    pub(super) fn say_skipped(&self) {
        for (name, why) in self.skipped() {
            say(format_args!("{name}: {why}"));
        }
    }

    /// The experiments as the plan sees them.
    pub(super) fn sources(&self) -> Vec<Source<'_>> {
        self.grids.iter().map(source).collect()
    }

    /// All runs of the experiments.
    pub(super) fn candidates(&self) -> impl Iterator<Item = Candidate<'_>> {
        self.grids.iter().flat_map(|grid| source(grid).candidates())
    }
}

/// Makes sure that nothing is wrong with files, of which one and several are called so.
///
/// # Errors
/// With everything that is wrong, rendered.
pub(super) fn sound(problems: &Problems, nouns: [&str; 2]) -> Result<(), CommandError> {
    if problems.is_empty() {
        return Ok(());
    }
    let coloured = io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let look = if coloured { Look::Colour } else { Look::Plain };
    // Narrower, the excerpts would be all line breaks.
    let width = screen::talk_columns().map_or(WIDTH, |columns| columns.clamp(60, WIDTH));
    let text = problems.render_of(nouns, look, width);
    Err(CommandError::Problems(text))
}

/// The experiment that a problem belongs to: it is called like its file.
fn name(problem: &Problem) -> Option<String> {
    let stem = problem.owner.file_stem()?;
    Some(stem.to_string_lossy().into_owned())
}

fn names<'a>(problems: impl Iterator<Item = &'a Problem>) -> BTreeSet<String> {
    problems.filter_map(name).collect()
}

fn source(grid: &Grid) -> Source<'_> {
    let Grid { experiment, cells } = grid;
    let Experiment {
        name,
        description,
        seeds,
        overrides,
        ..
    } = experiment;
    Source {
        experiment: name,
        description: (!description.is_empty()).then_some(description),
        compare: experiment.compare(),
        seeds,
        overrides,
        cells,
    }
}
