//! `[compare]`: the experiments and the evaluation that it names must be there.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::config::compare::Compared;
use crate::config::problem::{Problem, Problems};
use crate::config::reader::Reader;
use crate::config::rules::Rule;
use crate::config::source::Span;
use crate::config::tree::{Entry, Node, Table};
use crate::config::{Compare, Experiment, Kind, NamedRun, suggest};

impl Reader<'_> {
    /// The table, if it is there and sound. `base` and `runs` are the file's own settings.
    pub fn read_compare(
        &mut self,
        entry: Option<Entry>,
        kind: Kind,
        base: &Table,
        runs: &[NamedRun],
    ) -> Option<Compared> {
        let mut entry = entry?;
        if !kind.classifies() {
            let problem = self
                .problem(format!("kind \"{kind}\" cannot have `[compare]`"))
                .at(&entry.key_span, "compares classifiers");
            self.push(problem.help(format!(
                "leave it out; kinds {} can have it",
                Kind::classifiers()
            )));
            return None;
        }
        let rule = Rule::of::<Compare>();
        if !self.structure().node(&mut entry.node, &rule, "compare") {
            return None;
        }
        let compare = Compare::deserialize(entry.node.plain()).ok()?;
        let table = entry.node.as_table()?;
        let spans: Vec<Span> = table
            .get("experiments")?
            .as_list()?
            .iter()
            .map(|name| name.span.clone())
            .collect();
        self.check_names(&compare.experiments, &spans);
        if let Some(node) = table.get("evaluation") {
            self.check_evaluation(&compare.evaluation, node, base, runs);
        }
        Some(Compared { compare, spans })
    }

    fn check_names(&mut self, names: &[String], spans: &[Span]) {
        let own = self.path.file_stem().unwrap_or_default().to_string_lossy();
        for (index, (name, span)) in names.iter().zip(spans).enumerate() {
            if *name == own {
                let problem = self
                    .problem(format!("`{name}` cannot be compared with itself"))
                    .at(span, "this very experiment");
                self.push(problem.help(format!(
                    "`ensayo compare {name}` compares its runs with each other"
                )));
            } else if names[..index].contains(name) {
                let problem = self.problem(format!("`compare.experiments` has `{name}` twice"));
                self.push(problem.at(span, "again"));
            }
        }
    }

    fn check_evaluation(&mut self, name: &str, node: &Node, base: &Table, runs: &[NamedRun]) {
        let layers = std::iter::once(base).chain(runs.iter().map(|run| &run.layer));
        let lists = layers.filter_map(|table| table.at("data.evaluations")?.as_list());
        let own = lists
            .flatten()
            .filter_map(|entry| entry.as_table()?.get("name")?.as_text());
        let known: Vec<&str> = ["test", "validation"].into_iter().chain(own).collect();
        if known.contains(&name) {
            return;
        }
        let problem = self
            .problem(format!("there is no evaluation `{name}` to compare on"))
            .at(&node.span, "not an evaluation of this experiment");
        let help = match suggest::nearest(name, known.iter().copied()) {
            Some(near) => format!("did you mean \"{near}\"?"),
            None => format!("it can be {}", known.join(", ")),
        };
        self.push(problem.help(help));
    }
}

/// Checks the names against the experiments that there are, sound or not.
pub(in crate::config) fn check(
    experiments: &[Experiment],
    texts: &[(PathBuf, String)],
    problems: &mut Problems,
) {
    let stems: Vec<String> = texts.iter().filter_map(|(path, _)| stem(path)).collect();
    let kinds: BTreeMap<&str, Kind> = experiments
        .iter()
        .map(|experiment| (experiment.name.as_str(), experiment.kind))
        .collect();
    for experiment in experiments {
        let Some(compared) = &experiment.compared else {
            continue;
        };
        for (name, span) in compared.compare.experiments.iter().zip(&compared.spans) {
            if !stems.contains(name) {
                let others = || {
                    let others = stems.iter().map(String::as_str);
                    others.filter(|other| {
                        *other != experiment.name
                            && kinds.get(other).is_none_or(|kind| kind.classifies())
                    })
                };
                let problem = Problem::new(
                    &experiment.path,
                    format!("no experiment is called `{name}`"),
                )
                .at(span, "nothing to compare with");
                problems.push(problem.help(match suggest::nearest(name, others()) {
                    Some(near) => format!("did you mean \"{near}\"?"),
                    None => match others().collect::<Vec<_>>().join(", ") {
                        none if none.is_empty() => {
                            "there is no other experiment to compare with".to_owned()
                        }
                        names => format!("there are {names}"),
                    },
                }));
            } else if let Some(kind) = kinds.get(name.as_str()).filter(|kind| !kind.classifies()) {
                let message = format!("`{name}` is of kind \"{kind}\" and cannot be compared with");
                let problem = Problem::new(&experiment.path, message).at(span, "not a classifier");
                problems.push(problem.help(format!(
                    "kinds {} can be compared with",
                    Kind::classifiers()
                )));
            }
        }
    }
}

fn stem(path: &Path) -> Option<String> {
    Some(path.file_stem()?.to_string_lossy().into_owned())
}
