//! The wish to stop, shared between whoever has it and whoever has to act on it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Raised once: stop cleanly, after the current step. Raised again: stop at once. Clones share one flag.
#[derive(Debug, Clone, Default)]
pub struct StopFlag(Arc<AtomicUsize>);

impl StopFlag {
    /// A flag that is not raised.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Raises the flag, once more if it is raised already.
    pub fn raise(&self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }

    /// Whether to stop after the current step.
    #[must_use]
    pub fn is_raised(&self) -> bool {
        self.0.load(Ordering::SeqCst) > 0
    }

    /// Whether to stop at once.
    #[must_use]
    pub fn is_urgent(&self) -> bool {
        self.0.load(Ordering::SeqCst) > 1
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
