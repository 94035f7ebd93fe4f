//! From the experiments' folder to the cells of the selected experiments.

use std::collections::BTreeSet;
use std::io::{self, IsTerminal};
use std::path::Path;

use super::{CommandError, say, screen, words};
use crate::config::{self, Experiment, Look, Problem, Problems, System};
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
    /// How much is wrong with experiments that are not selected.
    others: usize,
}

/// Reads all experiments and keeps those that the patterns may mean.
pub(super) fn load(
    folder: &Path,
    overrides: &[String],
    selection: &Selection,
) -> Result<Loaded, CommandError> {
    let read = config::load(folder, overrides).map_err(CommandError::input)?;
    if read.experiments.is_empty() && read.problems.is_empty() {
        return Err(CommandError::Input(format!(
            "no *.toml in {}; write an experiment there, or name another folder with --experiments",
            folder.display()
        )));
    }
    let study = grid::expand(read, &System);
    // A problem of no experiment is the command line's.
    let (here, elsewhere): (Vec<Problem>, Vec<Problem>) = study
        .problems
        .into_iter()
        .partition(|problem| name(problem).is_none_or(|name| selection.selects_experiment(&name)));
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
        others: elsewhere.len(),
    })
}

impl Loaded {
    /// The same, if nothing is wrong.
    ///
    /// # Errors
    /// With everything that is wrong, rendered.
    pub(super) fn sound(self) -> Result<Self, CommandError> {
        if !self.problems.is_empty() {
            let coloured = io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
            let look = if coloured { Look::Colour } else { Look::Plain };
            // Narrower, the excerpts would be all line breaks.
            let width = screen::talk_columns().map_or(WIDTH, |columns| columns.clamp(60, WIDTH));
            return Err(CommandError::Problems(self.problems.render(look, width)));
        }
        Ok(self)
    }

    /// Names of the selected experiments that are not sound.
    pub(super) fn unsound(&self) -> BTreeSet<String> {
        names(self.problems.iter())
    }

    /// Says that other experiments have problems, which are no reason not to go on with these.
    pub(super) fn remark(&self) {
        let faults = self.others + self.problems.iter().count();
        if faults > 0 {
            let faults = words::count(faults, "problem");
            say(format_args!(
                "{faults} in the files of other experiments; `ensayo check` shows them"
            ));
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
