//! From an experiment's axes to its cells, in order and with names. Knows nothing of seeds, results
//! or devices.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use sha2::{Digest, Sha256};

use crate::config::{
    Axis, Environment, Exclude, Experiment, Inspector, LONGEST_NAME, Loaded, Node, Point, Problem,
    Problems, Settings, is_forbidden, name_fault,
};
use crate::keys;

/// More cells than this are taken for a mistake.
const MOST_CELLS: usize = 10_000;

/// An experiment with its cells.
#[derive(Debug, Clone)]
pub struct Grid {
    /// The experiment.
    pub experiment: Experiment,
    /// Named runs in file order, then the grid with its last axis moving fastest; if there are
    /// neither, `base`.
    pub cells: Vec<Cell>,
}

/// A point of the grid, or a named run.
#[derive(Debug, Clone, PartialEq)]
pub struct Cell {
    /// Unique in the experiment, at most [`LONGEST_NAME`] bytes, and a folder's name on every
    /// system.
    pub name: String,
    /// Everything that decides its result, except the seed.
    pub settings: Settings,
    /// The grid's axes with this cell's values as the name shows them; empty for a named run.
    pub axes: Vec<(String, String)>,
}

/// All experiments of a folder, laid out.
#[derive(Debug, Default)]
pub struct Study {
    /// The experiments in which nothing is wrong, sorted by path.
    pub grids: Vec<Grid>,
    /// Everything that is wrong with the others.
    pub problems: Problems,
}

/// Lays out and checks the cells of every experiment.
#[must_use]
pub fn expand(loaded: Loaded, environment: &dyn Environment) -> Study {
    let inspector = Inspector::new(environment);
    let mut study = Study {
        grids: Vec::new(),
        problems: loaded.problems,
    };
    for experiment in loaded.experiments {
        let (cells, problems) = Layout {
            experiment: &experiment,
            inspector: &inspector,
        }
        .cells();
        study.problems.extend(problems);
        if !has_problems(&study.problems, &experiment.path) {
            study.grids.push(Grid { experiment, cells });
        }
    }
    study
}

fn has_problems(problems: &Problems, path: &Path) -> bool {
    problems.iter().any(|problem| problem.owner == path)
}

struct Layout<'a> {
    experiment: &'a Experiment,
    inspector: &'a Inspector<'a>,
}

type Values<'a> = Vec<(&'a Axis, &'a Node)>;

impl<'a> Layout<'a> {
    fn cells(&self) -> (Vec<Cell>, Vec<Problem>) {
        let experiment = self.experiment;
        let mut problems = Vec::new();
        let mut cells = Vec::new();
        let mut add = |name: String, point: Point<'_>, axes: Vec<(String, String)>| match experiment
            .settings(point, self.inspector)
        {
            Ok(settings) => cells.push(Cell {
                name,
                settings,
                axes,
            }),
            Err(found) => problems.extend(found),
        };
        for run in &experiment.runs {
            add(run.name.clone(), Point::Run(run), Vec::new());
        }
        let points = match self.points() {
            Ok(points) => points,
            Err(problem) => return (cells, [problems, vec![problem]].concat()),
        };
        let names = names(&points);
        for (name, values) in names.iter().zip(&points) {
            let axes = values
                .iter()
                .map(|(axis, value)| (axis.key.clone(), value.short_text()))
                .collect();
            add(name.clone(), Point::Axes(values), axes);
        }
        if experiment.runs.is_empty() && experiment.groups.is_empty() {
            add("base".to_owned(), Point::Base, Vec::new());
        }
        problems.extend(self.collisions(&names));
        (cells, problems)
    }

    /// The points of the grid that are not excluded, the last group moving fastest.
    fn points(&self) -> Result<Vec<Values<'a>>, Problem> {
        let experiment = self.experiment;
        let groups = &experiment.groups;
        if groups.is_empty() {
            return Ok(Vec::new());
        }
        let lengths: Vec<usize> = groups
            .iter()
            .map(|group| group.first().map_or(0, |axis| axis.values.len()))
            .collect();
        let count = lengths
            .iter()
            .try_fold(1_usize, |count, &length| count.checked_mul(length))
            .unwrap_or(usize::MAX);
        if count > MOST_CELLS {
            let message = format!("the grid has {count} points, more than {MOST_CELLS}");
            let span = &groups[0][0].span;
            return Err(experiment.problem(
                message,
                span,
                "from this axis on",
                "split it into several experiments",
            ));
        }
        let all: Vec<Values<'a>> = (0..count)
            .map(|index| point(groups, &lengths, index))
            .collect();
        let kept: Vec<Values<'a>> = all
            .iter()
            .filter(|values| {
                !experiment
                    .excludes
                    .iter()
                    .any(|exclude| holds(exclude, values))
            })
            .cloned()
            .collect();
        if !experiment.grid_is_sound {
            return Ok(kept);
        }
        if let Some(idle) = experiment
            .excludes
            .iter()
            .find(|exclude| !all.iter().any(|values| holds(exclude, values)))
        {
            return Err(experiment.problem(
                "no point of the grid has these values together",
                &idle.span,
                "excludes nothing",
                "leave it out",
            ));
        }
        match experiment.excludes.first() {
            Some(first) if kept.is_empty() => Err(experiment.problem(
                "every point of the grid is excluded",
                &first.span,
                "from here on",
                "leave the grid out, or exclude less",
            )),
            _ => Ok(kept),
        }
    }

    fn collisions(&self, names: &[String]) -> Vec<Problem> {
        let taken: BTreeSet<String> = names.iter().map(|name| name.to_lowercase()).collect();
        let runs = self
            .experiment
            .runs
            .iter()
            .filter(|run| taken.contains(&run.name.to_lowercase()));
        runs.map(|run| {
            let message = format!("the run `{}` has the name of a point of the grid", run.name);
            self.experiment
                .problem(message, &run.span, "taken", "give the run another name")
        })
        .collect()
    }
}

/// The point with this number, read as digits of which each group is one.
fn point<'a>(groups: &'a [Vec<Axis>], lengths: &[usize], index: usize) -> Values<'a> {
    let mut rest = index;
    let mut digits: Vec<usize> = lengths
        .iter()
        .rev()
        .map(|&length| {
            let digit = rest % length;
            rest /= length;
            digit
        })
        .collect();
    digits.reverse();
    let of_group = |(group, digit): (&'a Vec<Axis>, usize)| {
        group
            .iter()
            .filter_map(move |axis| Some((axis, axis.values.get(digit)?)))
    };
    groups.iter().zip(digits).flat_map(of_group).collect()
}

fn holds(exclude: &Exclude, values: &Values<'_>) -> bool {
    exclude.conditions.iter().all(|(key, wanted)| {
        values
            .iter()
            .any(|(axis, value)| axis.key == *key && value.same_value(wanted))
    })
}

/// A readable name for each point. Where two would be equal, or one cannot serve as a folder, the
/// end is a hash of the values themselves: the same point has the same name whatever other points
/// there are of its kind.
fn names(points: &[Values<'_>]) -> Vec<String> {
    let axes: Vec<&str> = points
        .first()
        .into_iter()
        .flatten()
        .map(|(axis, _)| axis.key.as_str())
        .collect();
    let short: BTreeMap<&str, &str> = axes.iter().copied().zip(keys::short(&axes)).collect();
    let text = |values: &Values<'_>, safe: bool| {
        let parts = values.iter().map(|(axis, value)| {
            let key = short.get(axis.key.as_str()).copied().unwrap_or(&axis.key);
            format!(
                "{key}={}",
                if safe {
                    safely(&value_text(axis, value))
                } else {
                    value.plain().to_string()
                }
            )
        });
        parts.collect::<Vec<_>>().join(",")
    };
    let readable: Vec<String> = points.iter().map(|values| text(values, true)).collect();
    let mut count: BTreeMap<String, usize> = BTreeMap::new();
    for name in &readable {
        *count.entry(name.to_lowercase()).or_default() += 1;
    }
    let is_unique = |name: &str| count.get(&name.to_lowercase()) == Some(&1);
    let finish = |(name, values): (&String, &Values<'_>)| {
        if is_unique(name) && name_fault(name).is_none() {
            name.clone()
        } else {
            with_hash(name, &text(values, false))
        }
    };
    readable.iter().zip(points).map(finish).collect()
}

/// A value as a name shows it; of a path only the last part, since the whole would not be short.
fn value_text(axis: &Axis, value: &Node) -> String {
    let text = value.short_text();
    match text.trim_end_matches('/').rsplit('/').next() {
        Some(last) if axis.is_path && !last.is_empty() => last.to_owned(),
        _ => text,
    }
}

/// A value's text with every character replaced that a folder's name or a pattern cannot have.
fn safely(value: &str) -> String {
    let safe = value.chars().map(|character| {
        if is_forbidden(character) || character.is_whitespace() {
            '-'
        } else {
            character
        }
    });
    safe.collect()
}

fn with_hash(name: &str, full: &str) -> String {
    use std::fmt::Write;
    let mut tail = String::from("-");
    for byte in Sha256::digest(full.as_bytes()).iter().take(4) {
        // Writing to a String cannot fail.
        let _ = write!(tail, "{byte:02x}");
    }
    let mut end = name.len().min(LONGEST_NAME - tail.len());
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}{tail}", &name[..end])
}
