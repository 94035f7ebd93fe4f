//! The curves of a training, each point at its step.

use super::Seed;
use crate::record::{EpochRow, RecordError, RunRecord, TrainingLogRow, read_rows};

/// What a training left step by step and epoch by epoch.
pub(super) struct Curves {
    /// The rows of `training_log.csv`.
    pub(super) log: Vec<TrainingLogRow>,
    /// The rows of `epochs.csv`.
    pub(super) epochs: Vec<EpochRow>,
    /// Optimiser steps in an epoch; all have as many.
    pub(super) steps_per_epoch: Option<usize>,
}

impl Curves {
    /// Reads them; of a run that trained nothing, there are no rows.
    ///
    /// # Errors
    /// When a file is not what it should be.
    pub(super) fn read(seed: &Seed<'_>) -> Result<Self, RecordError> {
        let log = read_rows(&seed.folder)?;
        let epochs = read_rows(&seed.folder)?;
        let steps_per_epoch = steps_per_epoch(seed.record, &log, &epochs);
        Ok(Self {
            log,
            epochs,
            steps_per_epoch,
        })
    }

    /// The step that an epoch ends with.
    pub(super) fn end_of(&self, epoch: usize) -> Option<usize> {
        Some(self.steps_per_epoch?.saturating_mul(epoch))
    }

    /// The last step.
    pub(super) fn last_step(&self) -> usize {
        let logged = self.log.last().map_or(0, |row| row.step);
        let ended = self.epochs.last().and_then(|row| self.end_of(row.epoch));
        logged.max(ended.unwrap_or(0))
    }
}

/// From the number of all steps, or where the record does not have it, from what the log says of
/// its last row.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "counts of steps, between 0 and what a training has"
)]
fn steps_per_epoch(
    record: &RunRecord,
    log: &[TrainingLogRow],
    epochs: &[EpochRow],
) -> Option<usize> {
    let by_record = record.metric("run", "steps").zip(epochs.last());
    let by_record = by_record.map(|(steps, last)| steps / last.epoch as f64);
    let by_log = log.last().map(|last| last.step as f64 / last.epoch);
    let steps = by_record.or(by_log)?.round();
    (1.0..1e15).contains(&steps).then_some(steps as usize)
}
