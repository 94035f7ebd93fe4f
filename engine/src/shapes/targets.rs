//! Which linear layers a target name means. Knows names only; the architectures supply them.

use std::collections::BTreeSet;

use regex::{Regex, RegexBuilder};

use super::{LinearShape, Shapes};

/// A target that cannot carry an adapter.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// No target was given.
    #[error("no targets; the model has: {}", known.join(", "))]
    Empty {
        /// Logical names the model has.
        known: Vec<String>,
    },
    /// Nothing in the model has this name.
    #[error("the model has no linear layer `{target}`; it has: {}", known.join(", "))]
    Unknown {
        /// The name as given.
        target: String,
        /// Logical names the model has.
        known: Vec<String>,
    },
    /// The name means the classification head.
    #[error("`{target}` is the classification head, which is trained in full already")]
    Head {
        /// The name as given.
        target: String,
    },
}

/// A regular expression that names no layers.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExpressionError {
    /// It cannot be read, or looks around or back, which only Python's expressions can.
    #[error("the expression `{expression}` cannot be used: {problem}")]
    Unreadable {
        /// The expression as given.
        expression: String,
        /// What is wrong with it.
        problem: String,
    },
    /// Nothing matches.
    #[error("the expression `{expression}` matches no linear layer of the model")]
    Unmatched {
        /// The expression as given.
        expression: String,
    },
}

/// Bytes that all expressions of one file may take once they are compiled: a few letters can ask
/// for a great deal.
const EXPRESSIONS_BYTES: usize = 16 << 20;

/// A regular expression that has to match from end to end, as Python's `re.fullmatch`. It is one of
/// `count` in its file.
///
/// # Errors
/// When it is no regular expression, needs more than a finite automaton, or too large a one.
pub fn whole_match(expression: &str, count: usize) -> Result<Regex, ExpressionError> {
    let limit = EXPRESSIONS_BYTES / count.max(1);
    RegexBuilder::new(&format!("^(?:{expression})$"))
        .size_limit(limit)
        .dfa_size_limit(limit)
        .build()
        .map_err(|error| ExpressionError::Unreadable {
            expression: expression.to_owned(),
            problem: last_line(&error),
        })
}

/// The parser draws the expression first and says what is wrong in the last line.
fn last_line(error: &regex::Error) -> String {
    let text = error.to_string();
    let line = text.lines().last().unwrap_or_default();
    line.strip_prefix("error: ").unwrap_or(line).to_owned()
}

impl Shapes {
    /// The linear layers that `targets` name, each once, in the order of the forward pass.
    ///
    /// A name is a logical name, a full module name, or the end of one after a dot, as in PEFT:
    /// `dense` means every module called `….dense`.
    ///
    /// # Errors
    /// When there is no target, when one matches nothing, or when one means the classification
    /// head.
    pub fn resolve_targets(&self, targets: &[String]) -> Result<Vec<&LinearShape>, TargetError> {
        if targets.is_empty() {
            return Err(TargetError::Empty {
                known: self.logical_names(),
            });
        }
        for target in targets {
            self.resolve_target(target)?;
        }
        Ok(self
            .linears
            .iter()
            .filter(|linear| targets.iter().any(|target| matches(linear, target)))
            .collect())
    }

    /// The linear layers that one name means, in the order of the forward pass.
    ///
    /// # Errors
    /// When it matches nothing, or means the classification head.
    pub fn resolve_target(&self, target: &str) -> Result<Vec<&LinearShape>, TargetError> {
        let found: Vec<_> = self
            .linears
            .iter()
            .filter(|linear| matches(linear, target))
            .collect();
        if !found.is_empty() {
            return Ok(found);
        }
        let head = self
            .tensors
            .iter()
            .filter(|tensor| tensor.head)
            .filter_map(|tensor| tensor.name.strip_suffix(".weight"))
            .any(|module| {
                is_name_or_end(module, target)
                    || module
                        .strip_prefix(target)
                        .is_some_and(|rest| rest.starts_with('.'))
            });
        if head {
            return Err(TargetError::Head {
                target: target.to_owned(),
            });
        }
        Err(TargetError::Unknown {
            target: target.to_owned(),
            known: self.logical_names(),
        })
    }

    /// The modules that a regular expression matches from end to end, as PEFT understands one in
    /// place of a list of targets.
    ///
    /// # Errors
    /// When it is no regular expression, or matches no linear layer below the head.
    pub fn resolve_expression(&self, expression: &str) -> Result<Vec<String>, ExpressionError> {
        let whole = whole_match(expression, 1)?;
        let modules: Vec<String> = self
            .linears
            .iter()
            .filter(|linear| whole.is_match(&linear.module))
            .map(|linear| linear.module.clone())
            .collect();
        if modules.is_empty() {
            return Err(ExpressionError::Unmatched {
                expression: expression.to_owned(),
            });
        }
        Ok(modules)
    }

    /// The logical names of the model's linear layers, each once, in the order of the forward pass.
    #[must_use]
    pub fn logical_names(&self) -> Vec<String> {
        let mut seen = BTreeSet::new();
        self.linears
            .iter()
            .filter(|linear| seen.insert(linear.logical))
            .map(|linear| linear.logical.to_owned())
            .collect()
    }
}

fn matches(linear: &LinearShape, target: &str) -> bool {
    linear.logical == target || is_name_or_end(&linear.module, target)
}

fn is_name_or_end(module: &str, target: &str) -> bool {
    module
        .strip_suffix(target)
        .is_some_and(|rest| !target.is_empty() && (rest.is_empty() || rest.ends_with('.')))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn small() -> Shapes {
        let config = r#"{"model_type": "bert", "hidden_size": 8, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 16}"#;
        Shapes::read(config, 2).unwrap()
    }

    fn modules(targets: &[&str]) -> Vec<String> {
        let targets: Vec<String> = targets.iter().map(|&target| target.to_owned()).collect();
        small()
            .resolve_targets(&targets)
            .unwrap()
            .iter()
            .map(|linear| linear.module.clone())
            .collect()
    }

    #[test]
    fn a_logical_name_means_that_layer_of_every_block() {
        assert_eq!(
            modules(&["value"]),
            [
                "bert.encoder.layer.0.attention.self.value",
                "bert.encoder.layer.1.attention.self.value"
            ]
        );
        assert_eq!(
            modules(&["output"]),
            [
                "bert.encoder.layer.0.output.dense",
                "bert.encoder.layer.1.output.dense"
            ]
        );
        assert_eq!(
            modules(&["attention_output"]),
            [
                "bert.encoder.layer.0.attention.output.dense",
                "bert.encoder.layer.1.attention.output.dense"
            ]
        );
    }

    #[test]
    fn a_suffix_matches_whole_segments_as_in_peft() {
        assert_eq!(
            modules(&["dense"]).len(),
            2 * 3 + 1,
            "attention output, intermediate, output of each layer, and the pooler"
        );
        assert_eq!(modules(&["output.dense"]).len(), 4);
        assert_eq!(modules(&["attention.output.dense"]).len(), 2);
        assert!(small().resolve_target("ense").is_err());
        assert!(small().resolve_target("").is_err());
    }

    #[test]
    fn a_full_module_name_means_that_module_alone() {
        assert_eq!(
            modules(&["bert.encoder.layer.1.attention.self.key"]),
            ["bert.encoder.layer.1.attention.self.key"]
        );
    }

    #[test]
    fn overlapping_targets_count_each_layer_once_in_model_order() {
        assert_eq!(
            modules(&["value", "query", "self.value"]),
            [
                "bert.encoder.layer.0.attention.self.query",
                "bert.encoder.layer.0.attention.self.value",
                "bert.encoder.layer.1.attention.self.query",
                "bert.encoder.layer.1.attention.self.value",
            ]
        );
    }

    #[test]
    fn an_unknown_target_lists_what_exists() {
        let error = small().resolve_target("q_proj").unwrap_err();
        assert_eq!(
            error.to_string(),
            "the model has no linear layer `q_proj`; it has: query, key, value, attention_output, intermediate, output, pooler"
        );
    }

    #[test]
    fn the_head_is_refused_as_a_target() {
        assert_eq!(
            small().resolve_target("classifier"),
            Err(TargetError::Head {
                target: "classifier".to_owned()
            })
        );
    }

    #[test]
    fn no_target_is_an_error() {
        assert!(matches!(
            small().resolve_targets(&[]),
            Err(TargetError::Empty { .. })
        ));
    }
}
