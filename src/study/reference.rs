//! Which value of a run a table shows.

use std::fmt;

/// A value of a run, by name.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Reference {
    /// A metric or measurement of the run as a whole.
    Run(String),
    /// A metric of one evaluation.
    In {
        /// Which evaluation.
        evaluation: String,
        /// Which metric.
        metric: String,
    },
    /// A setting, by its dotted key.
    Setting(String),
}

impl Reference {
    /// Reads `metric`, `evaluation/metric` or `dotted.key`; an error says what is wrong.
    ///
    /// # Errors
    /// When a part of it is empty.
    pub fn parse(text: &str) -> Result<Self, String> {
        let is_bad = |part: &str| part.is_empty() || part.trim() != part;
        if let Some((evaluation, metric)) = text.split_once('/') {
            if is_bad(evaluation) || is_bad(metric) {
                return Err(format!(
                    "`{text}` is no `evaluation/metric`: one of the two is empty"
                ));
            }
            return Ok(Self::of(evaluation, metric));
        }
        if text.split('.').any(is_bad) {
            return Err(format!(
                "`{text}` is neither a metric nor a setting's dotted key"
            ));
        }
        Ok(Self::of("run", text))
    }

    /// The value of an evaluation; one of evaluation `run` belongs to none, and with a dot it is a
    /// setting.
    #[must_use]
    pub fn of(evaluation: &str, name: &str) -> Self {
        match evaluation {
            "run" | "" if name.contains('.') => Self::Setting(name.to_owned()),
            "run" | "" => Self::Run(name.to_owned()),
            _ => Self::In {
                evaluation: evaluation.to_owned(),
                metric: name.to_owned(),
            },
        }
    }

    /// The name without its evaluation.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Run(name) | Self::Setting(name) => name,
            Self::In { metric, .. } => metric,
        }
    }
}

/// As a person writes it.
impl fmt::Display for Reference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Run(name) | Self::Setting(name) => formatter.write_str(name),
            Self::In { evaluation, metric } => write!(formatter, "{evaluation}/{metric}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_known_by_its_form() {
        assert_eq!(
            Reference::parse("steps"),
            Ok(Reference::Run("steps".into()))
        );
        assert_eq!(
            Reference::parse("lora.rank"),
            Ok(Reference::Setting("lora.rank".into()))
        );
        let accuracy = Reference::parse("test/accuracy").unwrap();
        assert_eq!(accuracy, Reference::of("test", "accuracy"));
        assert_eq!(accuracy.to_string(), "test/accuracy");
        assert_eq!(Reference::parse("run/steps"), Reference::parse("steps"));
    }

    #[test]
    fn half_a_name_is_refused() {
        for text in ["", "/", "test/", "/accuracy", "lora.", ".rank", " steps"] {
            assert!(Reference::parse(text).is_err(), "{text}");
        }
    }
}
