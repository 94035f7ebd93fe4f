//! What the runner asks of the work itself: one call per run.

use std::error::Error;
use std::fmt;
use std::path::Path;

use super::{Event, StopFlag};
use crate::plan::RunSpec;
use crate::record::{Environment, MeasurementRow, MetricRow};

/// The work of a run, of whatever kind.
pub trait Execute: Sync {
    /// Executes a run in the calling process, writing its files into `context.folder`, which is empty but for `run.toml` and
    /// `run.log`. The record, `metrics.csv` and `measurements.csv` are written afterwards from the outcome.
    ///
    /// # Errors
    /// Whatever keeps the run from completing; it ends up in the record. To be stopped is no error: see
    /// [`Outcome::interrupted`].
    fn execute(&self, spec: &RunSpec, context: &mut Context<'_>) -> Result<Outcome, ExecuteError>;
}

/// What a run may use while it goes on.
pub struct Context<'a> {
    /// The run's folder.
    pub folder: &'a Path,
    /// `auto`, `cpu` or `cuda:N`, as asked for.
    pub device: &'a str,
    /// How often the run ran out of memory before: each time halves the rows that are to go through a network at once.
    pub halvings: u32,
    /// Where to report to.
    pub events: &'a mut dyn FnMut(Event),
    /// To be looked at after every step.
    pub stop: &'a StopFlag,
}

impl fmt::Debug for Context<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Context")
            .field("folder", &self.folder)
            .field("device", &self.device)
            .field("stop", &self.stop)
            .finish_non_exhaustive()
    }
}

/// What a run has to say at its end.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Outcome {
    /// Every scalar of the result.
    pub metrics: Vec<MetricRow>,
    /// What was measured rather than computed; `wall_seconds` is put before it.
    pub measurements: Vec<MeasurementRow>,
    /// Class names in the order of their indices.
    pub labels: Vec<String>,
    /// Warnings a reader of the results should know of.
    pub notes: Vec<String>,
    /// On what it ran. `content` is filled in from the plan where it is left empty.
    pub environment: Environment,
    /// Whether it stopped early because `context.stop` was raised.
    pub interrupted: bool,
}

/// Why a run failed: any error, with the errors behind it.
///
/// Like a boxed error it is made from any error with `?`, and therefore is none itself.
pub struct ExecuteError(Box<dyn Error + Send + Sync>);

impl ExecuteError {
    /// A failure in words.
    #[must_use]
    pub fn message(text: impl Into<String>) -> Self {
        Self(text.into().into())
    }
}

impl<E: Error + Send + Sync + 'static> From<E> for ExecuteError {
    fn from(error: E) -> Self {
        Self(Box::new(error))
    }
}

impl fmt::Display for ExecuteError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut said = self.0.to_string();
        formatter.write_str(&said)?;
        let mut source = self.0.source();
        while let Some(error) = source {
            // Many errors quote their cause already.
            let text = error.to_string();
            if !said.contains(&text) {
                write!(formatter, ": {text}")?;
            }
            said = text;
            source = error.source();
        }
        Ok(())
    }
}

impl fmt::Debug for ExecuteError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("the outer thing failed")]
    struct Outer(#[source] std::io::Error);

    #[test]
    fn causes_are_said_once() {
        let error = ExecuteError::from(Outer(std::io::Error::other("disk full")));
        assert_eq!(error.to_string(), "the outer thing failed: disk full");
        assert_eq!(ExecuteError::message("no rows").to_string(), "no rows");
    }
}
