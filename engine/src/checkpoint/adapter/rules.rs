//! What PEFT does to each module under an adapter's configuration.

use regex::Regex;

use super::config::{ALL_LINEAR, AdapterConfig, TargetModules};
use crate::shapes::{ExpressionError, whole_match};

/// What an adapter does to each module, as PEFT decides it.
#[derive(Debug)]
pub struct Rules {
    targets: Targets,
    saved: Vec<Regex>,
    ranks: Vec<(Regex, usize)>,
    alphas: Vec<(Regex, f64)>,
    rank: usize,
    alpha: f64,
    rank_stabilised: bool,
}

#[derive(Debug)]
enum Targets {
    AllLinear,
    Names(Vec<String>),
    Expression(Regex),
}

impl Rules {
    pub(super) fn new(config: &AdapterConfig) -> Result<Self, ExpressionError> {
        let saved = config.modules_to_save.as_deref().unwrap_or_default();
        let (ranks, alphas) = (&config.rank_pattern.0, &config.alpha_pattern.0);
        let count = 1 + saved.len() + ranks.len() + alphas.len();
        // A pattern may begin after any dot.
        let pattern = |pattern: &str| whole_match(&format!(r"(?:.*\.)?(?:{pattern})"), count);
        Ok(Self {
            targets: match &config.target_modules {
                TargetModules::Names(names) => Targets::Names(names.clone()),
                TargetModules::Expression(word) if word == ALL_LINEAR => Targets::AllLinear,
                TargetModules::Expression(expression) => {
                    Targets::Expression(whole_match(expression, count)?)
                }
            },
            saved: saved
                .iter()
                .map(|name| pattern(&format!(r"(?:{name})(?:\..*)?")))
                .collect::<Result<_, _>>()?,
            ranks: compiled(ranks, pattern)?,
            alphas: compiled(alphas, pattern)?,
            rank: config.r,
            alpha: config.lora_alpha,
            rank_stabilised: config.use_rslora,
        })
    }

    /// Whether a linear layer below the head is adapted. One that is saved whole is not.
    #[must_use]
    pub fn targets(&self, module: &str) -> bool {
        let targeted = match &self.targets {
            Targets::AllLinear => true,
            Targets::Names(names) => names.iter().any(|name| {
                module
                    .strip_suffix(name.as_str())
                    .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
            }),
            Targets::Expression(expression) => expression.is_match(module),
        };
        targeted && !self.saves(module)
    }

    /// Whether a module is saved whole.
    #[must_use]
    pub fn saves(&self, module: &str) -> bool {
        self.saved.iter().any(|name| name.is_match(module))
    }

    /// The rank of a module's adapter.
    #[must_use]
    pub fn rank(&self, module: &str) -> usize {
        first_match(&self.ranks, module).unwrap_or(self.rank)
    }

    /// What a module's update is multiplied by.
    #[must_use]
    pub fn scaling(&self, module: &str) -> f64 {
        let alpha = first_match(&self.alphas, module).unwrap_or(self.alpha);
        alpha / divisor(self.rank(module), self.rank_stabilised)
    }
}

/// What alpha is divided by: the rank, or its root (arXiv 2312.03732).
#[must_use]
#[allow(clippy::cast_precision_loss)]
pub fn divisor(rank: usize, rank_stabilised: bool) -> f64 {
    if rank_stabilised {
        (rank as f64).sqrt()
    } else {
        rank as f64
    }
}

/// Patterns with their values, compiled.
fn compiled<T: Copy>(
    patterns: &[(String, T)],
    compile: impl Fn(&str) -> Result<Regex, ExpressionError>,
) -> Result<Vec<(Regex, T)>, ExpressionError> {
    let patterns = patterns.iter();
    patterns
        .map(|(pattern, value)| Ok((compile(pattern)?, *value)))
        .collect()
}

fn first_match<T: Copy>(patterns: &[(Regex, T)], module: &str) -> Option<T> {
    patterns
        .iter()
        .find(|(pattern, _)| pattern.is_match(module))
        .map(|(_, value)| *value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(more: &str) -> AdapterConfig {
        AdapterConfig::parse(&format!(
            r#"{{"peft_type": "LORA", "r": 4, "lora_alpha": 8, "target_modules": ["query"], {more}}}"#
        ))
        .unwrap()
    }

    fn rules(more: &str) -> Rules {
        config(more).rules().unwrap()
    }

    #[test]
    fn the_first_pattern_of_the_file_decides() {
        let rules = rules(
            r#""rank_pattern": {"z.query": 2, "query": 6, "a.query": 3}, "alpha_pattern": {"a\\.query": 5}"#,
        );
        assert_eq!(
            ["z.query", "x.z.query", "a.query", "xz.query", "value"]
                .map(|module| rules.rank(module)),
            [2, 2, 6, 6, 4]
        );
        assert!((rules.scaling("a.query") - 5.0 / 6.0).abs() < 1e-12);
        assert!((rules.scaling("z.query") - 8.0 / 2.0).abs() < 1e-12);
    }

    #[test]
    fn all_linear_means_every_layer_that_is_not_saved_whole() {
        let config = r#"{"peft_type": "LORA", "r": 4, "lora_alpha": 8, "target_modules": "all-linear", "modules_to_save": ["pooler"]}"#;
        let rules = AdapterConfig::parse(config).unwrap().rules().unwrap();
        assert!(rules.targets("layer.0.query") && rules.targets("layer.1.output.dense"));
        assert!(!rules.targets("pooler.dense"));
    }

    #[test]
    fn saved_modules_are_not_adapted() {
        let rules = rules(r#""modules_to_save": ["self"]"#);
        assert!(rules.targets("layer.0.query") && rules.targets("query"));
        assert!(!rules.targets("layer.0.self.query") && !rules.targets("xquery"));
        assert!(rules.saves("self") && !rules.saves("myself"));
    }
}
