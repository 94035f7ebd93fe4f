//! How each kind of experiment is shown: its columns, plots, remarks and details.

mod classification;
mod generic;
mod judged;
mod lora;
mod model_search;
mod prompt;
mod rag;

use serde::Serialize;

use super::estimate::Estimate;
use super::experiment::{ExperimentReport, RunReport};
use super::plots::Plot;
use super::seed::SeedReport;

/// How one kind of experiment is shown.
pub(super) trait View: Sync {
    /// Its evaluations, the one that runs are compared on first.
    fn evaluations(&self) -> &'static [&'static str];

    /// How good the runs are in an evaluation: columns of the tables.
    fn scores<'a>(&self, experiment: &'a ExperimentReport, evaluation: &'a str) -> Vec<Score<'a>>;

    /// What the runs cost: rows of a comparison with other experiments.
    fn costs<'a>(&self) -> Vec<Score<'a>> {
        Vec::new()
    }

    /// Columns of `summary.csv` beside those of single figures, and what stands there for a run and
    /// seed.
    fn summary(&self, _experiment: &ExperimentReport) -> Vec<&'static str> {
        Vec::new()
    }

    /// The cells of [`View::summary`].
    fn summarise(
        &self,
        _experiment: &ExperimentReport,
        _run: &RunReport,
        _seed: &SeedReport,
    ) -> Vec<String> {
        Vec::new()
    }

    /// The column of `summary.csv` for a figure; none where [`View::summary`] has it.
    fn summary_column(
        &self,
        experiment: &ExperimentReport,
        evaluation: &str,
        metric: &str,
    ) -> Option<String>;

    /// What the figures are, and which of their differences may be noise.
    fn remarks(&self, _experiment: &ExperimentReport) -> Vec<String> {
        Vec::new()
    }

    /// Stems of the plots that compare runs.
    fn stems(&self) -> &'static [&'static str] {
        &[]
    }

    /// The plots that compare runs.
    fn plots(&self, _experiment: &ExperimentReport) -> Vec<Plot> {
        Vec::new()
    }

    /// The plots of one run with one seed.
    fn plots_of_seed(
        &self,
        _experiment: &ExperimentReport,
        _run: &RunReport,
        _seed: &SeedReport,
    ) -> Vec<Plot> {
        Vec::new()
    }

    /// What the page shows of a run with a seed beside its metrics.
    fn details(&self, _seed: &SeedReport) -> Vec<Detail> {
        Vec::new()
    }

    /// The figure that the page's line on a run ends with, and its name.
    fn headline(&self, _seed: &SeedReport, _evaluation: &str) -> Option<(&'static str, Estimate)> {
        None
    }

    /// A figure by which the best run is chosen, the higher the better.
    fn best_by(&self, _seed: &SeedReport, _metric: &str, _evaluation: &str) -> Option<f64> {
        None
    }

    /// A table beside `summary.csv`: its name and content.
    ///
    /// # Errors
    /// Those of the CSV writer.
    fn table_beside(
        &self,
        _experiment: &ExperimentReport,
    ) -> csv::Result<Option<(&'static str, Vec<u8>)>> {
        Ok(None)
    }
}

/// A figure of a run under its titles.
pub(super) struct Score<'a> {
    /// In the terminal's table.
    pub title: String,
    /// On the page.
    pub page: String,
    /// In a comparison with other experiments, where it has a place there.
    pub compared: Option<String>,
    /// Whether it is followed by its interval.
    pub interval: bool,
    /// Where it stands among what a narrow terminal leaves out, the lowest first; never left out
    /// without.
    pub dispensable: Option<u8>,
    /// In words; none where the run does not have it.
    pub figure: Figure<'a>,
}

/// A figure of a run in words.
type Figure<'a> = Box<dyn Fn(&RunReport) -> Option<String> + 'a>;

impl<'a> Score<'a> {
    fn new(title: impl Into<String>, figure: impl Fn(&RunReport) -> Option<String> + 'a) -> Self {
        let title = title.into();
        Self {
            page: title.clone(),
            title,
            compared: None,
            interval: false,
            dispensable: None,
            figure: Box::new(figure),
        }
    }

    fn page(self, page: impl Into<String>) -> Self {
        Self {
            page: page.into(),
            ..self
        }
    }

    fn compared(self, title: impl Into<String>) -> Self {
        Self {
            compared: Some(title.into()),
            ..self
        }
    }

    fn dispensable(self, place: u8) -> Self {
        Self {
            dispensable: Some(place),
            ..self
        }
    }
}

/// A table on the page about one run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Detail {
    pub title: String,
    /// The head, empty where there is none.
    pub head: Vec<Cell>,
    pub rows: Vec<Vec<Cell>>,
    /// A sentence below the table.
    pub note: Option<String>,
}

/// A cell with the class of its style.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Cell {
    pub class: &'static str,
    pub text: String,
}

impl Cell {
    pub(super) fn plain(text: impl Into<String>) -> Self {
        Self::of("", text)
    }

    pub(super) fn of(class: &'static str, text: impl Into<String>) -> Self {
        let text = text.into();
        Self { class, text }
    }
}

/// The views by the kind's word in records and plans: the only place that knows which kinds there
/// are.
const VIEWS: [(&str, &dyn View); 4] = [
    ("lora", &lora::VIEW),
    ("prompt", &prompt::VIEW),
    ("rag", &rag::Retrieval),
    ("model-search", &model_search::Found),
];

/// The view of a kind; a generic one of a kind that only a newer version knows.
pub(super) fn of(kind: &str) -> &'static dyn View {
    let known = VIEWS.iter().find(|(word, _)| *word == kind);
    known.map_or(&generic::Generic, |(_, view)| *view)
}

/// The evaluation that an experiment's runs are compared on: the first of its kind's that there is,
/// else the first of all.
pub(super) fn main_evaluation(experiment: &ExperimentReport) -> String {
    let mut names: Vec<&str> = experiment
        .seeds()
        .flat_map(|(_, seed)| seed.evaluations())
        .collect();
    let known = of(&experiment.kind).evaluations();
    let place = |name: &str| known.iter().position(|known| *known == name);
    names.sort_by_key(|&name| place(name).unwrap_or(known.len()));
    names.first().map_or("test", |&name| name).to_owned()
}

/// Stems of the plots that compare runs, of all kinds.
pub(super) fn stems() -> impl Iterator<Item = &'static str> {
    VIEWS.iter().flat_map(|(_, view)| view.stems()).copied()
}

/// A figure as `summary.csv` has it.
pub(super) fn number(value: Option<f64>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}
