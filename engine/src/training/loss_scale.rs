//! Loss scaling for 16-bit floats (arXiv 1710.03740), with the rules and constants of PyTorch's
//! `GradScaler` (<https://github.com/pytorch/pytorch/blob/main/torch/amp/grad_scaler.py>).

use serde::{Deserialize, Serialize};

/// What the loss is multiplied by, so that small gradients do not vanish in f16. It grows while all
/// goes well and shrinks on overflow.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LossScale {
    /// The factor, a power of two.
    pub factor: f64,
    /// Steps in a row since the factor changed.
    good_steps: usize,
    /// Steps that were skipped since a gradient was not finite.
    pub skipped_steps: usize,
}

/// Good steps after which the factor doubles.
const GROWTH_INTERVAL: usize = 2000;

impl Default for LossScale {
    fn default() -> Self {
        Self {
            factor: 65_536.0,
            good_steps: 0,
            skipped_steps: 0,
        }
    }
}

impl LossScale {
    /// Adjusts the scale after a step whose gradients were finite or not; returns whether to take
    /// the step.
    ///
    /// `GradScaler` would go on halving for ever. Gradients that overflow without being scaled are
    /// beyond help: then this answers `None`.
    pub fn heed(&mut self, finite: bool) -> Option<bool> {
        if finite {
            self.good_steps += 1;
            if self.good_steps == GROWTH_INTERVAL {
                self.factor *= 2.0;
                self.good_steps = 0;
            }
            return Some(true);
        }
        if self.factor <= 1.0 {
            return None;
        }
        self.factor *= 0.5;
        self.good_steps = 0;
        self.skipped_steps += 1;
        Some(false)
    }
}

#[cfg(test)]
impl LossScale {
    /// A scale that begins with another factor.
    pub(super) fn of(factor: f64) -> Self {
        Self {
            factor,
            ..Self::default()
        }
    }
}

#[cfg(test)]
#[allow(clippy::float_cmp, reason = "powers of two are exact")]
mod tests {
    use super::*;

    #[test]
    fn the_factor_doubles_after_2000_good_steps_in_a_row_and_halves_on_overflow() {
        let mut scale = LossScale::default();
        for _ in 0..1999 {
            assert_eq!(scale.heed(true), Some(true));
        }
        assert_eq!(scale.factor, 65_536.0);
        assert_eq!(scale.heed(false), Some(false));
        assert_eq!((scale.factor, scale.skipped_steps), (32_768.0, 1));
        for _ in 0..1999 {
            scale.heed(true);
        }
        assert_eq!(scale.factor, 32_768.0);
        scale.heed(true);
        assert_eq!((scale.factor, scale.good_steps), (65_536.0, 0));
    }

    #[test]
    fn gradients_that_overflow_unscaled_are_given_up() {
        let mut scale = LossScale::default();
        for _ in 0..16 {
            assert_eq!(scale.heed(false), Some(false));
        }
        assert_eq!((scale.factor, scale.heed(false)), (1.0, None));
        assert_eq!(scale.skipped_steps, 16);
    }
}
