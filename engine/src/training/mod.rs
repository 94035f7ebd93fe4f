//! The training loop, its optimiser and its learning-rate schedule. Takes plain arguments: it knows
//! no configuration and leaves no files.

mod adamw;
mod checkpointed;
mod diagnosis;
mod evaluate;
mod fine_tune;
mod history;
mod loss;
mod loss_scale;
mod observer;
mod schedule;
mod step;
#[cfg(test)]
mod tests;

pub use adamw::{AdamW, AdamWOptions, clip, global_norm};
pub use diagnosis::Stage;
pub use evaluate::{Predictions, evaluate};
pub use fine_tune::{Options, TrainError, fine_tune, order, steps_per_epoch};
pub use history::{Ended, Epoch, History, LogRow, State};
pub use loss::summed_cross_entropy;
pub use loss_scale::LossScale;
pub use observer::{Control, Observer, Unobserved};
pub use schedule::{Decay, Schedule};

/// A text as training sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Example {
    /// Its tokens, special ones included; at least one.
    pub tokens: Vec<u32>,
    /// Index of its class.
    pub label: usize,
    /// Its row in the data set, by which dropout knows it.
    pub row: usize,
}
