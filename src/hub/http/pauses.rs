//! The pauses between attempts: doubling, bounded, longer where the server says so.

use std::time::Duration;

use super::{HttpFault, Settings};
use crate::hub::{Event, Observer};

/// A stop is noticed after this long.
const SLICE: Duration = Duration::from_millis(200);

/// Counts the attempts of one request.
pub(crate) struct Pauses<'a> {
    settings: &'a Settings,
    observer: &'a dyn Observer,
    made: u32,
}

impl<'a> Pauses<'a> {
    pub(crate) fn new(settings: &'a Settings, observer: &'a dyn Observer) -> Self {
        Self {
            settings,
            observer,
            made: 1,
        }
    }

    /// There was progress: earlier failures no longer count.
    pub(crate) fn reset(&mut self) {
        self.made = 1;
    }

    /// How many attempts were made.
    pub(crate) fn made(&self) -> u32 {
        self.made
    }

    /// Waits before the next attempt; `false` if there is none left. A connection that was refused
    /// is tried once more only, so that a machine without network learns it soon.
    ///
    /// # Errors
    /// When the observer stops the work, or the server wants a longer wait than allowed.
    pub(crate) fn next(
        &mut self,
        host: &str,
        reason: &str,
        told: Option<Duration>,
        most: u32,
    ) -> Result<bool, HttpFault> {
        if let Some(told) = told.filter(|told| *told > self.settings.longest_told_wait) {
            return Err(HttpFault::RateLimited {
                host: host.to_owned(),
                seconds: told.as_secs(),
            });
        }
        if self.made >= most.min(self.settings.attempts) {
            return Ok(false);
        }
        let doubled = self.settings.first_pause * 2_u32.saturating_pow(self.made - 1).min(1 << 16);
        let wait = told.unwrap_or(doubled.min(self.settings.longest_pause));
        self.made += 1;
        self.observer.event(&Event::Waiting {
            host,
            reason,
            seconds: wait.as_secs_f64(),
            told: told.is_some(),
        });
        let mut left = wait;
        while !left.is_zero() {
            if self.observer.stopped() {
                return Err(HttpFault::Stopped);
            }
            let slice = left.min(SLICE);
            self.settings.pause.spend(slice);
            left -= slice;
        }
        Ok(true)
    }
}
