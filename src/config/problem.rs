//! What is wrong with a configuration, shown so that the place and the fix are plain. Knows nothing
//! of what is checked.

use std::fmt;
use std::path::{Path, PathBuf};

use miette::{GraphicalReportHandler, GraphicalTheme, LabeledSpan, NamedSource};

use super::source::Span;

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The experiment's file, which is not where the labels point if the fault is on the command
    /// line. Empty if the fault is not one experiment's.
    pub owner: PathBuf,
    /// What is wrong, as a lower-case fragment.
    pub message: String,
    /// Where, the main place first, each with a word about it (which may be empty). All in the same
    /// source.
    pub labels: Vec<(Span, String)>,
    /// How to mend it.
    pub help: Option<String>,
    /// The environment variable that is not set, if that is all that is wrong.
    pub unset: Option<String>,
}

impl Problem {
    /// A problem of a file, without a place yet.
    #[must_use]
    pub fn new(owner: &Path, message: impl Into<String>) -> Self {
        Self {
            owner: owner.to_owned(),
            message: message.into(),
            labels: Vec::new(),
            help: None,
            unset: None,
        }
    }

    /// Says that the fault is an environment variable that is not set.
    pub(super) fn unset(self, variable: &str) -> Self {
        Self {
            unset: Some(variable.to_owned()),
            ..self
        }
    }

    /// Adds a place. One in another source than the first is named in the help, since one excerpt
    /// shows one text.
    #[must_use]
    pub fn at(mut self, span: &Span, label: impl Into<String>) -> Self {
        let label = label.into();
        match self.labels.first() {
            Some((first, _)) if first.source != span.source => {
                self.help(format!("{label} at {span}"))
            }
            _ => {
                self.labels.push((span.clone(), label));
                self
            }
        }
    }

    /// Adds to how to mend it.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        let help = help.into();
        self.help = Some(match self.help {
            Some(before) => format!("{before}\n{help}"),
            None => help,
        });
        self
    }

    /// The name of the experiment it concerns; `None` if it is no single experiment's.
    #[must_use]
    pub fn experiment(&self) -> Option<&str> {
        self.owner.file_stem().and_then(|stem| stem.to_str())
    }

    fn same_fault(&self, other: &Self) -> bool {
        self.message == other.message && self.labels == other.labels
    }
}

/// Everything that is wrong, each fault once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Problems {
    list: Vec<Problem>,
}

/// How problems are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// With colours, for a terminal.
    Colour,
    /// Without colours, for a file, a pipe or a terminal with `NO_COLOR`.
    Plain,
}

impl Problems {
    /// Adds a problem, unless the same experiment has it already.
    pub fn push(&mut self, problem: Problem) {
        if !self
            .list
            .iter()
            .any(|known| known.owner == problem.owner && known.same_fault(&problem))
        {
            self.list.push(problem);
        }
    }

    /// Adds all of `others`.
    pub fn extend(&mut self, others: impl IntoIterator<Item = Problem>) {
        others.into_iter().for_each(|problem| self.push(problem));
    }

    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// The problems, file by file.
    pub fn iter(&self) -> impl Iterator<Item = &Problem> {
        self.list.iter()
    }

    /// Only the problems that concern one experiment: its file's, and those that are no single
    /// experiment's.
    #[must_use]
    pub fn of(&self, owner: &Path) -> Self {
        Self {
            list: self
                .list
                .iter()
                .filter(|problem| problem.owner == owner || problem.owner.as_os_str().is_empty())
                .cloned()
                .collect(),
        }
    }

    /// Text for a person: each fault once, with its file, line and column, the place underlined,
    /// and how to mend it. `width` is in columns.
    #[must_use]
    pub fn render(&self, look: Look, width: usize) -> String {
        self.render_of(["experiment", "experiments"], look, width)
    }

    /// The same where the files are something else: its noun for one and for several.
    #[must_use]
    pub fn render_of(&self, nouns: [&str; 2], look: Look, width: usize) -> String {
        let theme = match look {
            Look::Colour => GraphicalTheme::unicode(),
            Look::Plain => GraphicalTheme::unicode_nocolor(),
        };
        let handler = GraphicalReportHandler::new_themed(theme)
            .with_links(false)
            .with_width(width)
            .with_context_lines(1);
        let mut shown: Vec<&Problem> = Vec::new();
        for problem in &self.list {
            if !shown.iter().any(|known| known.same_fault(problem)) {
                shown.push(problem);
            }
        }
        shown.sort_by_key(|problem| {
            (
                &problem.owner,
                problem
                    .labels
                    .first()
                    .map(|(span, _)| (&span.source.name, span.start)),
            )
        });
        let mut text = String::new();
        for problem in shown.iter().take(MOST_SHOWN) {
            // Writing to a String cannot fail, and a diagnostic whose span miette cannot read still
            // has its message.
            if handler
                .render_report(&mut text, &Shown::new(problem))
                .is_err()
            {
                text.push_str(&problem.message);
            }
            text.push('\n');
        }
        if let Some(more) = shown.len().checked_sub(MOST_SHOWN).filter(|more| *more > 0) {
            text.push_str("and ");
            text.push_str(&more.to_string());
            text.push_str(" more\n");
        }
        let mut owners: Vec<&Path> = shown
            .iter()
            .map(|problem| problem.owner.as_path())
            .collect();
        owners.retain(|owner| !owner.as_os_str().is_empty());
        owners.dedup();
        text.push_str(&counted(shown.len(), ["problem", "problems"]));
        if !owners.is_empty() {
            text.push_str(" in ");
            text.push_str(&counted(owners.len(), nouns));
        }
        text.push('\n');
        text
    }
}

fn counted(count: usize, nouns: [&str; 2]) -> String {
    format!("{count} {}", nouns[usize::from(count != 1)])
}

impl fmt::Display for Problems {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.render(Look::Plain, 100))
    }
}

impl std::error::Error for Problems {}

impl IntoIterator for Problems {
    type Item = Problem;
    type IntoIter = std::vec::IntoIter<Problem>;

    fn into_iter(self) -> Self::IntoIter {
        self.list.into_iter()
    }
}

/// Problems that are shown; who has more has one mistake that repeats itself.
const MOST_SHOWN: usize = 100;
/// Bytes of the longest excerpt that is shown. A line of a hundred thousand letters shows nothing,
/// and miette panics at it.
const LONGEST_EXCERPT: usize = 8192;

/// A problem in the form miette renders.
#[derive(Debug)]
struct Shown<'a> {
    problem: &'a Problem,
    source: Option<NamedSource<String>>,
}

impl<'a> Shown<'a> {
    fn new(problem: &'a Problem) -> Self {
        let source = problem
            .labels
            .first()
            .filter(|_| excerpt(&problem.labels) <= LONGEST_EXCERPT)
            .map(|(span, _)| NamedSource::new(&span.source.name, span.source.text.clone()));
        Self { problem, source }
    }
}

/// Bytes of the lines that an excerpt with these places has: from the line before the first to the
/// line after the last.
fn excerpt(labels: &[(Span, String)]) -> usize {
    let Some((first, _)) = labels.first() else {
        return 0;
    };
    let text = first.source.text.as_bytes();
    let start = labels.iter().map(|(span, _)| span.start).min().unwrap_or(0);
    let end = labels.iter().map(|(span, _)| span.end).max().unwrap_or(0);
    let is_break = |byte: &u8| *byte == b'\n';
    let before = text[..start.min(text.len())]
        .rsplitn(3, is_break)
        .take(2)
        .map(|line| line.len() + 1);
    let after = text[end.min(text.len())..]
        .splitn(3, is_break)
        .take(2)
        .map(|line| line.len() + 1);
    before.chain(after).sum::<usize>() + end.saturating_sub(start)
}

impl fmt::Display for Shown<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Without an excerpt the file would not be named anywhere.
        match self.problem.labels.first() {
            None => write!(formatter, "{}: ", self.problem.owner.display())?,
            Some((span, _)) if self.source.is_none() => write!(formatter, "{span}: ")?,
            Some(_) => {}
        }
        formatter.write_str(&self.problem.message)
    }
}

impl std::error::Error for Shown<'_> {}

impl miette::Diagnostic for Shown<'_> {
    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.problem
            .help
            .as_ref()
            .map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn miette::SourceCode> {
        self.source
            .as_ref()
            .map(|source| source as &dyn miette::SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        self.source.as_ref()?;
        let labels = self
            .problem
            .labels
            .iter()
            .enumerate()
            .map(|(index, (span, label))| {
                let range = (span.start, span.end - span.start);
                let label = (!label.is_empty()).then(|| label.clone());
                if index == 0 {
                    LabeledSpan::new_primary_with_span(label, range)
                } else {
                    LabeledSpan::new_with_span(label, range)
                }
            });
        Some(Box::new(labels))
    }
}
