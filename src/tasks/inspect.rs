//! A look at the inputs of runs before anything runs: whatever would fail in a run's first seconds
//! is found here, for all runs at once.

use std::collections::HashMap;

use serde::Serialize;

use crate::config::Settings;

/// What looking at an input came to: facts worth telling, or why it cannot be used.
pub type Look = Result<Vec<String>, String>;

/// Looks at inputs, at each of them once however many runs share it.
#[derive(Debug, Default)]
pub struct Inspection {
    looks: HashMap<String, Look>,
}

impl Inspection {
    /// Looks at everything that a run with these settings reads.
    ///
    /// # Errors
    /// With everything that is wrong with it.
    pub fn look(&mut self, settings: &Settings) -> Result<Vec<String>, Vec<String>> {
        let looks = super::of(settings).look(self);
        let (mut facts, mut faults) = (Vec::new(), Vec::new());
        for look in looks {
            match look {
                Ok(said) => facts.extend(said),
                Err(fault) => faults.push(fault),
            }
        }
        if faults.is_empty() {
            Ok(facts)
        } else {
            Err(faults)
        }
    }

    /// The look at an input that is described by `key`, taken now or before.
    pub(super) fn once(&mut self, key: &impl Serialize, look: impl FnOnce() -> Look) -> Look {
        let key = serde_json::to_string(key).unwrap_or_default();
        self.looks.entry(key).or_insert_with(look).clone()
    }
}
