//! `[[runs]]`: runs with names, each a few settings laid over the tables above.

use super::reader::Reader;
use super::source::Span;
use super::tree::Entry;
use super::{NamedRun, names};

impl Reader<'_> {
    /// The named runs, each checked as written; one with the name of another is left out.
    pub fn read_runs(&mut self, entry: Option<Entry>) -> Vec<NamedRun> {
        let Some(entry) = entry else {
            return Vec::new();
        };
        let Some(list) = entry.node.as_list() else {
            let problem = self
                .problem("`runs` must be a list of tables")
                .at(&entry.key_span, entry.node.noun());
            self.push(problem.help("write each run under a `[[runs]]` header, with a `name`"));
            return Vec::new();
        };
        let mut runs: Vec<NamedRun> = Vec::new();
        for node in list {
            let Some(table) = node.as_table() else {
                self.push(
                    self.problem(format!("a run must be a table, not {}", node.noun()))
                        .at(&node.span, ""),
                );
                continue;
            };
            let mut layer = table.clone();
            let name = layer.remove("name");
            let fields = self.fields;
            self.structure().table(&mut layer, fields, "");
            let Some((name, span)) = self.read_run_name(name, &node.span) else {
                continue;
            };
            if let Some(known) = runs
                .iter()
                .find(|run| run.name.to_lowercase() == name.to_lowercase())
            {
                let first = &known.span;
                let message = if known.name == name {
                    format!("two runs are called `{name}`")
                } else {
                    format!(
                        "the runs `{}` and `{name}` would share a folder where case does not count",
                        known.name
                    )
                };
                self.push(
                    self.problem(message)
                        .at(&span, "the second")
                        .at(first, "the first"),
                );
                continue;
            }
            runs.push(NamedRun { name, span, layer });
        }
        runs
    }

    fn read_run_name(&mut self, name: Option<Entry>, header: &Span) -> Option<(String, Span)> {
        let Some(entry) = name else {
            self.push(self.problem("a run has no `name`").at(header, "this run"));
            return None;
        };
        let span = entry.node.span.clone();
        let Some(name) = entry.node.as_text() else {
            self.push(
                self.problem(format!(
                    "a run's name must be a string, not {}",
                    entry.node.noun()
                ))
                .at(&span, ""),
            );
            return None;
        };
        if let Some(fault) = names::run_fault(name) {
            self.push(self.problem(format!("a run's name {fault}")).at(&span, ""));
        }
        Some((name.to_owned(), span))
    }
}
