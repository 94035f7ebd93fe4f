//! What kind of value a name stands for: whether it must be exact, may vary by chance, or is a
//! machine's.

use crate::study::Reference;

/// What kind of value it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Nature {
    /// A setting, compared as text or number.
    Setting,
    /// A count, a share of parameters, a score that nothing random goes into.
    Exact,
    /// A share of rows.
    Share,
    /// A loss.
    Loss,
    /// A time, a speed, memory.
    Measured,
}

const MEASURED: [&str; 3] = ["_seconds", "_per_second", "_bytes"];
const SHARES: [&str; 4] = ["accuracy", "_precision", "_recall", "_f1"];

impl Nature {
    pub(super) fn of(reference: &Reference) -> Self {
        let name = reference.name();
        match reference {
            Reference::Setting(_) => Self::Setting,
            _ if MEASURED.iter().any(|end| name.ends_with(end)) || name == "seconds" => {
                Self::Measured
            }
            _ if SHARES.iter().any(|end| name.ends_with(end)) => Self::Share,
            _ if name == "loss" || name.ends_with("_loss") || name.contains("_loss_") => Self::Loss,
            _ => Self::Exact,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_say_what_kind_of_value_they_are() {
        let of = |text: &str| Nature::of(&Reference::parse(text).unwrap());
        assert_eq!(of("lora.rank"), Nature::Setting);
        assert_eq!(of("trainable_percent"), Nature::Exact);
        assert_eq!(of("chunks"), Nature::Exact);
        assert_eq!(of("q/best_score"), Nature::Exact);
        assert_eq!(of("test/accuracy"), Nature::Share);
        assert_eq!(of("test/macro_f1"), Nature::Share);
        assert_eq!(of("train_loss_mean"), Nature::Loss);
        assert_eq!(of("test/loss"), Nature::Loss);
        assert_eq!(of("train_seconds"), Nature::Measured);
        assert_eq!(of("train_samples_per_second"), Nature::Measured);
        assert_eq!(of("peak_memory_bytes"), Nature::Measured);
    }
}
