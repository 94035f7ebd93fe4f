//! The page's templates, with what they share, its style and its scripts.

use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Serde, Value};
use minijinja::{AutoEscape, Environment, Output, State};
use serde::Serialize;

use crate::report::html::{breakable, escape};

const INDEX: &str = concat!(
    include_str!("../templates/macros.html"),
    include_str!("../templates/index.html")
);
const RUN: &str = concat!(
    include_str!("../templates/macros.html"),
    include_str!("../templates/run.html")
);
const STYLE: &str = include_str!("../templates/page.css");
const THEME: &str = include_str!("../templates/theme.js");
/// Tables alone are all that a run's page has.
const RUN_SCRIPT: &str = concat!(
    include_str!("../templates/table.js"),
    include_str!("../templates/start.js")
);
const INDEX_SCRIPT: &str = concat!(
    include_str!("../templates/table.js"),
    include_str!("../templates/statistics.js"),
    include_str!("../templates/chart.js"),
    include_str!("../templates/compare.js"),
    include_str!("../templates/start.js")
);

/// The templates, ready to be filled.
pub(super) struct Templates(Environment<'static>);

impl Templates {
    /// # Errors
    /// When one of them cannot be read.
    pub(super) fn new() -> Result<Self, minijinja::Error> {
        let mut environment = Environment::new();
        let mut syntax = SyntaxConfig::builder();
        syntax.trim_blocks(true).lstrip_blocks(true);
        environment.set_syntax(syntax.keep_trailing_newline(true).build()?);
        environment.set_auto_escape_callback(|_| AutoEscape::Html);
        environment.set_formatter(write_escaped);
        environment.add_filter("breakable", |text: &str| {
            Value::from_safe_string(breakable(text))
        });
        for (name, text) in [
            ("style", STYLE),
            ("theme", THEME),
            ("run_script", RUN_SCRIPT),
            ("index_script", INDEX_SCRIPT),
        ] {
            environment.add_global(name, Value::from_safe_string(text.to_owned()));
        }
        environment.add_template("index", INDEX)?;
        environment.add_template("run", RUN)?;
        Ok(Self(environment))
    }

    /// The page of all experiments.
    ///
    /// # Errors
    /// When the template and what it is given do not fit.
    pub(super) fn index(&self, content: impl Serialize) -> Result<String, minijinja::Error> {
        self.0.get_template("index")?.render(Serde(content))
    }

    /// A run's page.
    ///
    /// # Errors
    /// As [`Self::index`].
    pub(super) fn run(&self, content: impl Serialize) -> Result<String, minijinja::Error> {
        self.0.get_template("run")?.render(Serde(content))
    }
}

/// Escapes as in SVG, where control characters are forbidden.
fn write_escaped(
    output: &mut Output<'_>,
    _: &mut State<'_, '_>,
    value: &Value,
) -> Result<(), minijinja::Error> {
    let text = value.to_string();
    let text = if value.is_safe() { text } else { escape(&text) };
    output.write_str(&text).map_err(minijinja::Error::from)
}
