//! What a job tells its parent while it runs: one JSON object a line.

use serde::{Deserialize, Serialize};

/// Something a run reports. Only reporters turn it into text.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// The run began.
    Started {
        /// `experiment/run@seed`.
        run: String,
    },
    /// A new stage of the run, such as `loading the model`.
    Stage {
        /// `experiment/run@seed`.
        run: String,
        /// In words.
        stage: String,
    },
    /// How far the current stage is.
    Progress {
        /// `experiment/run@seed`.
        run: String,
        /// Units done.
        done: u64,
        /// Units in all.
        total: u64,
        /// What a unit is: `steps`, `rows`.
        unit: String,
        /// The latest loss, in training.
        loss: Option<f64>,
    },
    /// An epoch ended.
    Epoch {
        /// `experiment/run@seed`.
        run: String,
        /// From 1.
        epoch: usize,
        /// Epochs in all.
        epochs: usize,
        /// The split that loss and accuracy are of: `validation`, or `test` where there is none.
        split: String,
        /// As in `epochs.csv`.
        #[serde(with = "crate::record::number")]
        train_loss: f64,
        /// As in `epochs.csv`.
        #[serde(with = "crate::record::number")]
        validation_loss: f64,
        /// As in `epochs.csv`.
        #[serde(with = "crate::record::number")]
        accuracy: f64,
    },
    /// Something the user should know.
    Note {
        /// `experiment/run@seed`.
        run: String,
        /// In words.
        text: String,
    },
    /// Another runner is at it: nothing was done.
    Busy {
        /// `experiment/run@seed`.
        run: String,
    },
    /// Another runner ended it after the plan was made: nothing was done.
    Found {
        /// `experiment/run@seed`.
        run: String,
        /// How.
        status: crate::record::Status,
    },
    /// A finished result of the same identity took the run's place: nothing was computed.
    Adopted {
        /// `experiment/run@seed`.
        run: String,
        /// The run that it was computed as.
        from: String,
    },
    /// The run's folder cannot be written, so its process gives up.
    Lost {
        /// `experiment/run@seed`.
        run: String,
        /// Why.
        reason: String,
    },
    /// The run ended; its record is on disk.
    Finished {
        /// `experiment/run@seed`.
        run: String,
        /// How.
        status: crate::record::Status,
        /// One line: the main metrics, or the error.
        summary: String,
    },
}

impl Event {
    /// The run that it is about: `experiment/run@seed`.
    #[must_use]
    pub fn run(&self) -> &str {
        match self {
            Self::Started { run }
            | Self::Stage { run, .. }
            | Self::Progress { run, .. }
            | Self::Epoch { run, .. }
            | Self::Note { run, .. }
            | Self::Busy { run }
            | Self::Found { run, .. }
            | Self::Adopted { run, .. }
            | Self::Lost { run, .. }
            | Self::Finished { run, .. } => run,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_diverged_epoch_survives_the_pipe() {
        let event = Event::Epoch {
            run: "x/base@1".into(),
            epoch: 1,
            epochs: 2,
            split: "test".into(),
            train_loss: f64::NAN,
            validation_loss: f64::INFINITY,
            accuracy: 0.5,
        };
        let line = serde_json::to_string(&event).unwrap();
        let back: Event = serde_json::from_str(&line).unwrap();
        assert_eq!(format!("{back:?}"), format!("{event:?}"));
    }
}
