//! Passes a training's progress on: to the parent as events, to the run's folder as rows.

use std::path::Path;
use std::time::{Duration, Instant};

use engine::training::{Control, Epoch, History, LogRow, Observer, State};

use super::checkpoint;
use crate::record::{EpochRow, RecordError, RowWriter, TrainingLogRow};
use crate::runner::{Event, StopFlag};

/// Time between two progress events.
const INTERVAL: Duration = Duration::from_millis(200);

/// Sends progress events, not too many.
pub struct Progress<'a> {
    run: String,
    events: &'a mut dyn FnMut(Event),
    stop: &'a StopFlag,
    last: Option<Instant>,
}

impl<'a> Progress<'a> {
    /// Progress of the run with this label.
    pub fn new(run: String, events: &'a mut dyn FnMut(Event), stop: &'a StopFlag) -> Self {
        Self {
            run,
            events,
            stop,
            last: None,
        }
    }

    /// A new stage began.
    pub fn stage(&mut self, stage: &str) {
        self.last = None;
        (self.events)(Event::Stage {
            run: self.run.clone(),
            stage: stage.to_owned(),
        });
    }

    /// Something the user should know.
    pub fn note(&mut self, text: &str) {
        (self.events)(Event::Note {
            run: self.run.clone(),
            text: text.to_owned(),
        });
    }

    /// Some of the stage is done; says whether to go on.
    pub fn advance(&mut self, done: usize, total: usize, unit: &str, loss: Option<f64>) -> Control {
        if done == total || self.last.is_none_or(|last| last.elapsed() >= INTERVAL) {
            self.last = Some(Instant::now());
            (self.events)(Event::Progress {
                run: self.run.clone(),
                done: done as u64,
                total: total as u64,
                unit: unit.to_owned(),
                loss,
            });
        }
        self.control()
    }

    /// Whether to go on.
    #[must_use]
    pub fn control(&self) -> Control {
        if self.stop.is_raised() {
            Control::Stop
        } else {
            Control::Continue
        }
    }
}

/// Watches a training: its log and epochs are on disk as soon as they are known.
pub struct Watch<'a, 'b> {
    /// Where progress goes.
    pub progress: &'a mut Progress<'b>,
    /// `training_log.csv`.
    pub log: RowWriter<TrainingLogRow>,
    /// `epochs.csv`.
    pub epochs: RowWriter<EpochRow>,
    /// Epochs in all.
    pub total_epochs: usize,
    /// The split that epochs are judged by.
    pub split: &'a str,
    /// The run's folder.
    pub folder: &'a Path,
    /// The run's identity, which its checkpoints carry.
    pub identity: &'a str,
    /// Why a row could not be written.
    pub failure: Option<RecordError>,
}

impl Watch<'_, '_> {
    /// Writes what an interrupted training had written when it left this state.
    pub fn repeat(&mut self, history: &History) {
        for row in &history.log {
            self.log(row);
        }
        for epoch in &history.epochs {
            let result = self.epochs.push(&epoch_row(epoch));
            self.keep(result);
        }
    }

    fn keep(&mut self, result: Result<(), RecordError>) {
        if let Err(error) = result {
            self.failure.get_or_insert(error);
        }
    }

    fn control(&self, control: Control) -> Control {
        if self.failure.is_some() {
            Control::Stop
        } else {
            control
        }
    }
}

impl Observer for Watch<'_, '_> {
    fn step(&mut self, done: usize, total: usize, loss: f64) -> Control {
        let control = self.progress.advance(done, total, "steps", Some(loss));
        self.control(control)
    }

    fn log(&mut self, row: &LogRow) {
        let result = self.log.push(&TrainingLogRow {
            step: row.step,
            epoch: row.epoch,
            loss: row.loss,
            learning_rate: row.learning_rate,
            gradient_norm: row.gradient_norm,
        });
        self.keep(result);
    }

    fn evaluated(&mut self, _: usize, _: usize) -> Control {
        let control = self.progress.control();
        self.control(control)
    }

    fn epoch(&mut self, epoch: &Epoch) {
        let row = epoch_row(epoch);
        let result = self.epochs.push(&row);
        self.keep(result);
        (self.progress.events)(Event::Epoch {
            run: self.progress.run.clone(),
            epoch: row.epoch,
            epochs: self.total_epochs,
            split: self.split.to_owned(),
            train_loss: row.train_loss,
            validation_loss: row.validation_loss,
            accuracy: row.accuracy,
        });
    }

    fn checkpoint(&mut self, state: &mut dyn FnMut() -> State) {
        let result = checkpoint::write(self.folder, self.identity, &state());
        self.keep(result);
    }
}

fn epoch_row(epoch: &Epoch) -> EpochRow {
    EpochRow {
        epoch: epoch.epoch,
        train_loss: epoch.logged_loss.unwrap_or(f64::NAN),
        train_loss_mean: epoch.mean_loss,
        validation_loss: epoch.validation_loss,
        accuracy: epoch.accuracy,
    }
}
