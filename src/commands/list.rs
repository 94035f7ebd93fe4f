//! `ensayo list`: the experiments, or the runs that patterns match, with what is done of them.

use std::collections::HashMap;
use std::io::Write;
use std::path::Path;

use super::{CommandError, Ended, load, table, words};
use crate::cli::ListArgs;
use crate::content::Contents;
use crate::grid::Grid;
use crate::plan::{Planner, Selection, Source};
use crate::record::{self, PlannedRun, RunRecord, Status};

/// Without patterns, an experiment a line; with patterns, a run a line.
///
/// # Errors
/// When there are no experiments, or a pattern matches nothing.
pub fn run(args: &ListArgs, output: &mut dyn Write) -> Result<Ended, CommandError> {
    let selection = Selection::parse(&args.wanted.patterns)?;
    let loaded = load::load(&args.experiments, &args.wanted.overrides, &selection)?;
    let mut contents = Contents::open(&args.results);
    let mut state = |source: &Source<'_>| States::read(&args.results, source, &mut contents);
    let mut rows: Vec<Vec<String>> = Vec::new();
    if args.wanted.patterns.is_empty() {
        for (grid, source) in loaded.grids.iter().zip(loaded.sources()) {
            rows.push(experiment(grid, &state(&source)));
        }
        let unsound = loaded.unsound().into_iter();
        let unsound = unsound.map(|name| (name, "has problems: see `ensayo check`".to_owned()));
        let skipped = loaded.skipped().map(|(name, why)| (name.to_owned(), why));
        for (name, why) in unsound.chain(skipped) {
            let unknown = std::iter::repeat_n(String::new(), HEAD.len() - 2);
            rows.push(std::iter::once(name).chain(unknown).chain([why]).collect());
        }
        rows.sort();
        rows.insert(0, HEAD.map(str::to_owned).to_vec());
    } else {
        for source in loaded.sources() {
            let states = state(&source);
            let wanted = source
                .candidates()
                .filter(|(experiment, run, seed)| selection.selects(experiment, run, *seed));
            rows.extend(wanted.map(|(experiment, run, seed)| {
                let label = record::run_label(experiment, run, seed);
                let state = states.of(run, seed);
                vec![label, state.word().to_owned(), score(state.record())]
            }));
        }
    }
    write!(output, "{}", table::lines(&rows))?;
    Ok(Ended::Done)
}

const HEAD: [&str; 7] = [
    "experiment",
    "kind",
    "runs",
    "seeds",
    "done",
    "best",
    "description",
];

/// The line of an experiment.
fn experiment(grid: &Grid, states: &States) -> Vec<String> {
    let experiment = &grid.experiment;
    let seeds: Vec<_> = experiment.seeds.iter().map(u64::to_string).collect();
    let runs = grid.cells.len() * experiment.seeds.len();
    let each = grid.cells.iter().flat_map(|cell| {
        let seeds = experiment.seeds.iter();
        seeds.map(|&seed| states.of(&cell.name, seed))
    });
    let done: Vec<&RunRecord> = each
        .filter_map(|state| match state {
            State::Done(record) => Some(record),
            _ => None,
        })
        .collect();
    let scored = done.iter().filter_map(|record| {
        let (name, value) = record.score()?;
        // The same figure for all, and less is better of a loss.
        let merit = if name == "loss" { -value } else { value };
        value.is_finite().then_some((merit, *record))
    });
    let best = scored.max_by(|one, two| one.0.total_cmp(&two.0));
    let description = experiment.description.lines().next().unwrap_or_default();
    vec![
        experiment.name.clone(),
        experiment.kind.to_string(),
        runs.to_string(),
        seeds.join(" "),
        done.len().to_string(),
        score(best.map(|(_, record)| record)),
        description.to_owned(),
    ]
}

/// The figure by which a run is known, with its name.
fn score(record: Option<&RunRecord>) -> String {
    let score = record.and_then(RunRecord::score);
    score.map_or_else(String::new, |(name, value)| {
        format!("{name} {}", words::number(value))
    })
}

/// What the results tree says of a run.
enum State<'a> {
    Done(&'a RunRecord),
    /// Complete with other settings or inputs than the experiment has now.
    Stale,
    /// Complete, but files of it are lost.
    Damaged,
    Failed,
    Interrupted,
    NotRun,
}

impl<'a> State<'a> {
    fn word(&self) -> &'static str {
        match self {
            Self::Done(_) => "done",
            Self::Stale => "stale",
            Self::Damaged => "damaged",
            Self::Failed => "failed",
            Self::Interrupted => "interrupted",
            Self::NotRun => "not run",
        }
    }

    fn record(&self) -> Option<&'a RunRecord> {
        match self {
            Self::Done(record) => Some(record),
            _ => None,
        }
    }
}

/// The records of an experiment's runs, and what its runs are now.
struct States {
    records: HashMap<(String, u64), (bool, RunRecord)>,
    /// Empty where the inputs cannot be read: results are then taken as they are.
    planned: HashMap<(String, u64), PlannedRun>,
}

impl States {
    fn read(results: &Path, source: &Source<'_>, contents: &mut Contents) -> Self {
        let records = source.candidates().filter_map(|(experiment, run, seed)| {
            let folder = record::run_folder(results, experiment, run, seed);
            let record = record::read_in_place(results, &folder).ok()??;
            let damaged = record.damage(&folder).is_some();
            Some(((run.to_owned(), seed), (damaged, record)))
        });
        let records: HashMap<_, _> = records.collect();
        if records.is_empty() {
            return Self {
                records,
                planned: HashMap::new(),
            };
        }
        let selection = Selection::default();
        let planner = Planner {
            results,
            selection: &selection,
            force: false,
            device: "auto",
            format: None,
        };
        let file = planner.file(source, contents);
        let runs = file.into_iter().flat_map(|file| file.runs);
        Self {
            records,
            planned: runs.map(|run| ((run.run.clone(), run.seed), run)).collect(),
        }
    }

    fn of(&self, run: &str, seed: u64) -> State<'_> {
        let key = (run.to_owned(), seed);
        let Some((damaged, record)) = self.records.get(&key) else {
            return State::NotRun;
        };
        let planned = self.planned.get(&key);
        match record.status {
            Status::Failed => State::Failed,
            Status::Interrupted => State::Interrupted,
            Status::Complete if planned.is_some_and(|run| run.staleness(record).is_some()) => {
                State::Stale
            }
            Status::Complete if *damaged => State::Damaged,
            Status::Complete => State::Done(record),
        }
    }
}
