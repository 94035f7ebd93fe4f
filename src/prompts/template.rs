//! The templates of `[prompt]`: minijinja, strict, so that a placeholder without a value is an error
//! and never an empty place in a prompt.

use std::collections::BTreeSet;

use minijinja::syntax::SyntaxConfig;
use minijinja::{AutoEscape, Environment, ErrorKind, UndefinedBehavior, Value};

use super::python;

/// A template whose syntax is sound.
#[derive(Debug)]
pub struct Template {
    environment: Environment<'static>,
}

/// What is wrong with a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateError {
    /// The line of the template, from 1, where it is known.
    pub line: Option<usize>,
    /// What is wrong there.
    pub message: String,
}

impl std::fmt::Display for TemplateError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.line {
            Some(line) => write!(formatter, "line {line}: {}", self.message),
            None => formatter.write_str(&self.message),
        }
    }
}

impl std::error::Error for TemplateError {}

impl From<minijinja::Error> for TemplateError {
    fn from(error: minijinja::Error) -> Self {
        let detail = error.detail().map(str::to_owned);
        Self {
            line: error.line(),
            message: match (error.kind(), detail) {
                (ErrorKind::SyntaxError, Some(detail)) => detail,
                (kind, Some(detail)) => format!("{kind}: {detail}"),
                (kind, None) => kind.to_string(),
            },
        }
    }
}

/// The only template of its environment.
const NAME: &str = "template";

impl Template {
    /// Reads a template.
    ///
    /// # Errors
    /// When its syntax is broken.
    pub fn parse(source: &str) -> Result<Self, TemplateError> {
        let mut environment = environment(UndefinedBehavior::Strict);
        environment.add_template_owned(NAME, source.to_owned())?;
        Ok(Self { environment })
    }

    /// The placeholders that it asks for, apart from functions that every template has.
    #[must_use]
    pub fn placeholders(&self) -> BTreeSet<String> {
        let Ok(template) = self.environment.get_template(NAME) else {
            return BTreeSet::new();
        };
        let asked = template.undeclared_variables(false).into_iter();
        let globals: BTreeSet<&str> = self.environment.globals().map(|(name, _)| name).collect();
        asked
            .filter(|name| !globals.contains(name.as_str()))
            .collect()
    }

    /// Fills it in.
    ///
    /// # Errors
    /// When a placeholder has no value, or something cannot be done with its value.
    pub fn render(&self, values: &Value) -> Result<String, TemplateError> {
        Ok(self.environment.get_template(NAME)?.render(values)?)
    }
}

/// An environment in which blocks on lines of their own leave no empty lines, nothing is escaped,
/// and Python's methods of strings work.
pub(super) fn environment(undefined: UndefinedBehavior) -> Environment<'static> {
    let mut environment = Environment::new();
    let mut syntax = SyntaxConfig::builder();
    syntax.trim_blocks(true).lstrip_blocks(true);
    if let Ok(syntax) = syntax.build() {
        environment.set_syntax(syntax);
    }
    environment.set_auto_escape_callback(|_| AutoEscape::None);
    environment.set_undefined_behavior(undefined);
    environment.set_unknown_method_callback(python::method);
    environment
}

#[cfg(test)]
mod tests {
    use minijinja::context;

    use super::super::Piece;
    use super::*;

    #[test]
    fn blocks_on_their_own_lines_leave_no_lines_behind() {
        let template = Template::parse(
            "Reviews:\n{% for review in reviews %}\n{{ review.number }}. {{ review }}\n{% endfor %}\nAnswer:\n",
        )
        .unwrap();
        let reviews = ["good <b>", "bad"]
            .into_iter()
            .enumerate()
            .map(|(number, text)| Piece::new(text).with("number", number + 1).value());
        let reviews: Vec<Value> = reviews.collect();
        assert_eq!(
            template.render(&context! { reviews }).unwrap(),
            "Reviews:\n1. good <b>\n2. bad\nAnswer:"
        );
    }

    #[test]
    fn placeholders_are_what_a_template_does_not_set_itself() {
        let template = Template::parse(
            "{% set n = range(3) %}{% for x in reviews %}{{ x.text }}{{ loop.index }}{{ n }}{{ count }}{% endfor %}",
        )
        .unwrap();
        let placeholders: Vec<String> = template.placeholders().into_iter().collect();
        assert_eq!(placeholders, ["count", "reviews"]);
    }

    #[test]
    fn broken_syntax_and_missing_values_name_their_line() {
        let error = Template::parse("a\nb {% for x in %}").unwrap_err();
        assert_eq!(error.line, Some(2));
        let template = Template::parse("a\n\n{{ reviews[0].txt }}").unwrap();
        let reviews = vec![Piece::new("good").value()];
        let error = template.render(&context! { reviews }).unwrap_err();
        assert_eq!(error.line, Some(3), "{error}");
    }
}
