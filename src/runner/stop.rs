//! The wish to stop, shared between whoever has it and whoever has to act on it.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Raised once: stop cleanly, after the current step. Raised again: stop at once. Clones share one flag.
#[derive(Debug, Clone, Default)]
pub struct StopFlag(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    raised: AtomicUsize,
    closing: Mutex<()>,
}

impl StopFlag {
    /// A flag that is not raised.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Raises the flag, once more if it is raised already.
    pub fn raise(&self) {
        self.0.raised.fetch_add(1, Ordering::SeqCst);
    }

    /// Whether to stop after the current step.
    #[must_use]
    pub fn is_raised(&self) -> bool {
        self.0.raised.load(Ordering::SeqCst) > 0
    }

    /// Whether to stop at once.
    #[must_use]
    pub fn is_urgent(&self) -> bool {
        self.0.raised.load(Ordering::SeqCst) > 1
    }

    /// To be held while a run's record is written and takes its place: whoever ends the process waits for it.
    pub(super) fn closing(&self) -> MutexGuard<'_, ()> {
        self.0
            .closing
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clones_share_the_flag_and_the_second_raise_is_urgent() {
        let flag = StopFlag::new();
        let other = flag.clone();
        other.raise();
        assert!(flag.is_raised() && !flag.is_urgent());
        other.raise();
        assert!(flag.is_urgent());
    }
}
