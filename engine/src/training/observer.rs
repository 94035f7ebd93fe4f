//! Who watches a training, and may stop it.

use super::{Epoch, LogRow, State};

/// Whether to go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Control {
    /// Go on.
    Continue,
    /// Stop after the current step.
    Stop,
}

/// Follows a training as it proceeds.
pub trait Observer {
    /// A step ended.
    fn step(&mut self, done: usize, total: usize, loss: f64) -> Control;
    /// A row of the log is complete.
    fn log(&mut self, row: &LogRow);
    /// Some of the validation examples have been evaluated.
    fn evaluated(&mut self, done: usize, total: usize) -> Control;
    /// An epoch ended.
    fn epoch(&mut self, epoch: &Epoch);
    /// A good moment to keep the training's state, which costs something to make.
    fn checkpoint(&mut self, state: &mut dyn FnMut() -> State);
}

/// Lets a training run unobserved.
#[derive(Debug, Clone, Copy)]
pub struct Unobserved;

impl Observer for Unobserved {
    fn step(&mut self, _: usize, _: usize, _: f64) -> Control {
        Control::Continue
    }

    fn log(&mut self, _: &LogRow) {}

    fn evaluated(&mut self, _: usize, _: usize) -> Control {
        Control::Continue
    }

    fn epoch(&mut self, _: &Epoch) {}

    fn checkpoint(&mut self, _: &mut dyn FnMut() -> State) {}
}
