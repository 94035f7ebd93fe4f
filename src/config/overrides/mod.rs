//! `--set key=value`: a setting from the command line, which wins over everything a file says.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use toml::de::DeValue;

use super::problem::Problem;
use super::rules::Rule;
use super::source::{Source, Span};
use super::tree::{Node, Origin, Value};

/// A `--set` argument.
#[derive(Debug, Clone)]
pub(super) struct Override {
    /// As typed, without `--set`.
    pub text: String,
    /// The dotted key.
    pub key: String,
    /// The key's place.
    pub key_span: Span,
    /// The value as TOML reads it, or as a plain string where TOML cannot.
    node: Node,
    /// The value as typed.
    raw: String,
}

impl Override {
    /// Takes an argument apart.
    ///
    /// # Errors
    /// When it has no `=` or no key.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        const FLAG: &str = "--set ";
        let source = Arc::new(Source {
            name: "command line".to_owned(),
            text: format!("{FLAG}{text}"),
            folder: PathBuf::new(),
        });
        let span = |start: usize, end: usize| Span {
            source: Arc::clone(&source),
            start: FLAG.len() + start,
            end: FLAG.len() + end,
        };
        let whole = span(0, text.len());
        let Some((key, raw)) = text.split_once('=') else {
            let problem = Problem::new(Path::new(""), "`--set` needs a key and a value")
                .at(&whole, "has no `=`");
            return Err(problem.help("write it as --set training.epochs=1"));
        };
        let value_start = text.len() - raw.trim_start().len();
        let (key, raw) = (key.trim(), raw.trim());
        if key.is_empty() {
            let problem =
                Problem::new(Path::new(""), "`--set` needs a key before the `=`").at(&whole, "");
            return Err(problem.help("write it as --set training.epochs=1"));
        }
        let value_span = span(value_start, value_start + raw.len());
        let origin = Origin {
            source: Arc::clone(&source),
            offset: FLAG.len() + value_start,
        };
        let node = match DeValue::parse(raw) {
            Ok(value) => Node {
                span: value_span,
                ..origin.node(value.get_ref(), value.span())
            },
            Err(_) => Node {
                value: Value::Text(raw.to_owned()),
                span: value_span,
            },
        };
        let key_span = span(0, key.len().max(1));
        Ok(Self {
            text: text.to_owned(),
            key: key.to_owned(),
            key_span,
            node,
            raw: raw.to_owned(),
        })
    }

    /// The value for a setting with this rule: what a shell leaves without quotes may still be a
    /// string.
    pub fn value(&self, rule: &Rule) -> Node {
        match (rule, &self.node.value) {
            (Rule::Text | Rule::Path(_) | Rule::Word(_), Value::Text(_)) => self.node.clone(),
            (Rule::Text | Rule::Path(_) | Rule::Word(_), _) => Node {
                value: Value::Text(self.raw.clone()),
                span: self.node.span.clone(),
            },
            _ => self.node.clone(),
        }
    }
}

#[cfg(test)]
mod tests;
