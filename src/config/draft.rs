//! One cell on its way from tables to settings, as the checks see it.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use engine::shapes::Shapes;

use super::environment::Environment;
use super::kind::KindSettings;
use super::problem::Problem;
use super::rules::Fields;
use super::source::Span;
use super::tree::Table;

/// Looks at the files that configurations refer to, each checkpoint once.
pub struct Inspector<'a> {
    environment: &'a dyn Environment,
    shapes: RefCell<BTreeMap<PathBuf, Rc<Result<Shapes, String>>>>,
}

impl<'a> Inspector<'a> {
    /// An inspector that has seen nothing yet.
    #[must_use]
    pub fn new(environment: &'a dyn Environment) -> Self {
        Self {
            environment,
            shapes: RefCell::default(),
        }
    }

    pub(super) fn environment(&self) -> &dyn Environment {
        self.environment
    }

    /// What the network of a `config.json` consists of, or why it cannot be read.
    pub(super) fn shapes(&self, config: &Path) -> Rc<Result<Shapes, String>> {
        if let Some(known) = self.shapes.borrow().get(config) {
            return Rc::clone(known);
        }
        // The number of classes is only known once the data is read; nothing that is checked here
        // depends on it.
        let read = match self.environment.read(config) {
            Ok(text) => Shapes::read(&text, 2).map_err(|error| error.to_string()),
            Err(error) => Err(format!("cannot read `{}`: {error}", config.display())),
        };
        let read = Rc::new(read);
        self.shapes
            .borrow_mut()
            .insert(config.to_owned(), Rc::clone(&read));
        read
    }
}

/// The settings of one kind, which complete and check themselves.
pub(super) trait Check: KindSettings {
    /// Fills in the defaults that depend on other settings, and reports what is wrong with the
    /// whole.
    fn check(&mut self, draft: &mut Draft<'_>);
}

/// A cell that is being put together.
pub(super) struct Draft<'a> {
    /// The experiment's file.
    pub path: &'a Path,
    /// The experiment's kind, in a word.
    pub kind: &'static str,
    /// Where the kind is written.
    pub kind_span: &'a Span,
    /// All settings of the kind.
    pub fields: &'a Fields,
    pub inspector: &'a Inspector<'a>,
    pub table: Table,
    /// Dotted keys with a problem that has been reported.
    pub tainted: BTreeSet<String>,
    /// What is wrong with the cell so far.
    pub problems: Vec<Problem>,
}

impl Draft<'_> {
    /// A problem of the cell's experiment.
    pub fn problem(&self, message: impl Into<String>) -> Problem {
        Problem::new(self.path, message)
    }

    pub fn push(&mut self, problem: Problem) {
        self.problems.push(problem);
    }

    /// Declares that nothing may be concluded from a setting, since something is wrong with it.
    pub fn taint(&mut self, key: &str) {
        self.tainted.insert(key.to_owned());
    }

    /// Whether something is known to be wrong with one of the settings, a table that holds it, or a
    /// setting in it.
    pub fn is_tainted(&self, keys: &[&str]) -> bool {
        let holds = |outer: &str, inner: &str| {
            inner == outer
                || inner
                    .strip_prefix(outer)
                    .is_some_and(|rest| rest.starts_with('.'))
        };
        self.tainted.iter().any(|tainted| {
            keys.iter()
                .any(|key| holds(tainted, key) || holds(key, tainted))
        })
    }

    /// Where a setting is written; if it is not, where the table that would hold it is, or else the
    /// experiment's kind.
    pub fn span(&self, key: &str) -> Span {
        match (self.table.at(key), key.rsplit_once('.')) {
            (Some(node), _) => node.span.clone(),
            (None, Some((outer, _))) => self.span(outer),
            (None, None) => self.kind_span.clone(),
        }
    }
}
