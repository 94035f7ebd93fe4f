//! How the learning rate moves, as transformers' schedules do
//! (<https://github.com/huggingface/transformers/blob/main/src/transformers/optimization.py>).

/// The shape of the learning rate over a run, after warm-up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decay {
    /// Down to 0 in a straight line.
    Linear,
    /// Down to 0 along half a cosine.
    Cosine,
    /// None.
    Constant,
}

/// A learning rate that rises to its peak and then decays.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Schedule {
    /// The highest learning rate.
    pub peak: f64,
    /// Steps over which it rises from 0.
    pub warmup_steps: usize,
    /// Steps in all.
    pub total_steps: usize,
    /// What happens after warm-up.
    pub decay: Decay,
}

impl Schedule {
    /// The learning rate of a step, counted from 0.
    #[must_use]
    #[allow(clippy::cast_precision_loss)]
    pub fn at(&self, step: usize) -> f64 {
        if step < self.warmup_steps {
            return self.peak * step as f64 / self.warmup_steps as f64;
        }
        let after = (step - self.warmup_steps) as f64;
        let whole = self.total_steps.saturating_sub(self.warmup_steps).max(1) as f64;
        let factor = match self.decay {
            Decay::Linear => (1.0 - after / whole).max(0.0),
            Decay::Cosine => (0.5 * (1.0 + (std::f64::consts::PI * after / whole).cos())).max(0.0),
            Decay::Constant => 1.0,
        };
        self.peak * factor
    }
}
