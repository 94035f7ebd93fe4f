//! The accuracy of the best of many runs on rows that played no part in choosing it.

use super::Estimate;
use crate::metrics::{self, DRAWS, Pool, Trainings, on_fresh_rows};
use crate::report::figures;

/// Seed of the resamples: any will do, as long as it stays.
const RESAMPLING_SEED: u64 = 42;

/// A run that may be the best.
pub(in crate::report) struct Contender<R> {
    /// What it measured.
    pub run: Trainings,
    /// Whether each of its trainings got each row right; the rows are those of all contenders.
    pub right: Vec<R>,
}

/// The best of several runs.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::report) struct Fresh {
    /// Its name.
    pub best: String,
    /// Its accuracy on the rows that it was chosen by.
    pub seen: Estimate,
    /// Runs that it was chosen among.
    pub among: usize,
    /// The accuracy to be expected on fresh rows; none where the predictions do not say it.
    pub corrected: Option<Estimate>,
    /// The runs, the best ones, that were chosen among again and again to find that.
    pub resampled: usize,
}

impl Fresh {
    /// Of the best of `among` runs, the first of `contenders`.
    pub(in crate::report) fn new<R: AsRef<[bool]>>(
        best: &str,
        seen: Estimate,
        among: usize,
        contenders: &[Contender<R>],
        pool: &Pool,
    ) -> Self {
        Self {
            best: best.to_owned(),
            seen,
            among,
            corrected: resampled(contenders, pool),
            resampled: contenders.len(),
        }
    }

    /// In a sentence.
    pub(in crate::report) fn text(&self, evaluation: &str) -> String {
        let seen = format!(
            "{} is the best of {} runs on “{evaluation}”: {}",
            self.best,
            figures::group(&self.among.to_string()),
            figures::with_interval(&self.seen)
        );
        match self.corrected {
            Some(fresh) => format!("{seen}; {}.", self.on_fresh_rows(&fresh)),
            None => format!(
                "{seen}. Chosen by these rows, it is partly luck; without the predictions of the runs on the same rows, nothing can say how much."
            ),
        }
    }

    /// The figure on fresh rows in words, without its end.
    fn on_fresh_rows(&self, fresh: &Estimate) -> String {
        let found = format!("on fresh rows about {}", figures::with_interval(fresh));
        if self.resampled < self.among {
            format!(
                "{found}, as if chosen among the best {}",
                figures::group(&self.resampled.to_string())
            )
        } else {
            found
        }
    }

    /// `on fresh rows about …`, where that is known.
    pub(in crate::report) fn in_short(&self) -> Option<String> {
        self.corrected.map(|fresh| self.on_fresh_rows(&fresh))
    }
}

/// The figure on fresh rows of the best of contenders, which is the first.
fn resampled<R: AsRef<[bool]>>(contenders: &[Contender<R>], pool: &Pool) -> Option<Estimate> {
    if contenders.len() < 2 {
        return None;
    }
    let judged: Vec<metrics::Contender> = contenders
        .iter()
        .map(|one| metrics::Contender::new(&one.right, pool.variance_of_trainings(&one.run)))
        .collect();
    let value = on_fresh_rows(&judged, DRAWS, RESAMPLING_SEED)?;
    let best = &contenders[0].run;
    Some(Estimate::new(pool.around(value, best), best))
}
