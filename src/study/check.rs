//! What must hold of a manifest beyond its form: names that fit, and what each kind of table needs.

use std::collections::{BTreeMap, BTreeSet};

use super::manifest::{Figure, TableKind};
use super::reference::Reference;
use super::whole::{Study, elements};
use crate::config::{Node, Problem, Problems, Span, Table, nearest_word};

/// Problems of a manifest, but for what depends on the published numbers.
pub(super) fn check(study: &Study) -> Problems {
    let mut problems = Problems::default();
    name(study, &mut problems);
    runs(study, &mut problems);
    figures(study, &mut problems);
    for (index, claim) in study.manifest.claims.iter().enumerate() {
        let place = element(study, "claims", index);
        let better = std::slice::from_ref(&claim.better);
        known_runs(
            study,
            "claims.better",
            better,
            place.at("better"),
            &mut problems,
        );
        known_runs(
            study,
            "claims.than",
            &claim.than,
            place.at("than"),
            &mut problems,
        );
        if claim.than.contains(&claim.better) {
            let message = format!("`{}` is said to be better than itself", claim.better);
            problems.push(place.problem(study, "than", message));
        }
    }
    problems
}

/// Claims whose numbers are not there.
pub(super) fn claims(study: &Study) -> Problems {
    let mut problems = Problems::default();
    for (index, claim) in study.manifest.claims.iter().enumerate() {
        let Some(metric) = claim.metric() else {
            continue;
        };
        let reference = Reference::of(claim.evaluation(), metric);
        let missing = claim
            .runs()
            .filter(|run| study.run(run).is_some())
            .find(|run| study.published.number(run, &reference).is_none());
        if let Some(run) = missing {
            let message =
                format!("the claim needs `{reference}` of `{run}`, which is not published");
            let problem = element(study, "claims", index).problem(study, "text", message);
            problems.push(problem.help(
                "add it to the published numbers, or write `by = \"none\"` for a claim without numbers",
            ));
        }
    }
    problems
}

/// Runs of the manifest that no experiment has: of experiments that are known with all their runs,
/// and of those that are not known at all. `known` has the runs by experiment; none of one whose
/// runs cannot be told.
#[must_use]
pub fn unknown_runs(study: &Study, known: &BTreeMap<String, Option<BTreeSet<String>>>) -> Problems {
    let mut problems = Problems::default();
    for (index, run) in study.manifest.runs.iter().enumerate() {
        let (experiment, name) = run.parts();
        let place = element(study, "runs", index);
        let (message, near) = match known.get(experiment) {
            None => (
                format!("there is no experiment `{experiment}`"),
                nearest_word(experiment, known.keys().map(String::as_str)).map(str::to_owned),
            ),
            Some(Some(runs)) if !runs.contains(name) => (
                format!("`{experiment}` has no run `{name}`"),
                nearest_word(name, runs.iter().map(String::as_str))
                    .map(|near| format!("{experiment}/{near}")),
            ),
            Some(_) => continue,
        };
        let problem = place.problem(study, "run", message);
        problems.push(match near {
            Some(near) => problem.help(format!("did you mean `{near}`?")),
            None => problem,
        });
    }
    problems
}

fn name(study: &Study, problems: &mut Problems) {
    let stem = study.path.file_stem().unwrap_or_default().to_string_lossy();
    let Some(entry) = study.places.entry("name") else {
        return;
    };
    if study.manifest.name != stem {
        let message = format!(
            "the study is called `{}`, but its file `{stem}.toml`",
            study.manifest.name
        );
        let problem = Problem::new(&study.path, message).at(&entry.node.span, "differs");
        problems.push(problem.help(format!("write `name = \"{stem}\"`, or rename the file")));
    }
}

fn runs(study: &Study, problems: &mut Problems) {
    for (index, run) in study.manifest.runs.iter().enumerate() {
        let place = element(study, "runs", index);
        let before = &study.manifest.runs[..index];
        if before.iter().any(|other| other.name == run.name) {
            let message = format!("two runs are called `{}`", run.name);
            problems.push(place.problem(study, "name", message));
        }
        let (experiment, name) = run.parts();
        if experiment.is_empty() || name.is_empty() {
            let message = format!("`{}` is no run", run.run);
            let problem = place.problem(study, "run", message);
            problems.push(problem.help("write `experiment/run`, as `ensayo list` shows them"));
        }
        let environment = run.environment.as_deref().unwrap_or_default();
        if environment.contains(['\n', '\r']) {
            let message = "`runs.environment` goes on over lines".to_owned();
            problems.push(place.problem(study, "environment", message));
        }
    }
}

fn figures(study: &Study, problems: &mut Problems) {
    for (index, figure) in study.manifest.figures.iter().enumerate() {
        let place = element(study, "figures", index);
        let before = &study.manifest.figures[..index];
        if before.iter().any(|other| other.number == figure.number) {
            let message = format!("figure {} is there twice", figure.number);
            problems.push(place.problem(study, "number", message));
        }
        known_runs(
            study,
            "figures.runs",
            &figure.runs,
            place.at("runs"),
            problems,
        );
        values(study, figure, &place, problems);
        let takes_questions = matches!(
            figure.kind,
            TableKind::Answers | TableKind::Embedding | TableKind::Similarity
        );
        if !figure.questions.is_empty() && !takes_questions {
            let message = "a table of this kind is about no questions".to_owned();
            let problem = place.problem(study, "questions", message);
            problems.push(problem.help("leave `questions` out"));
        }
    }
}

/// The values that a figure names, where its kind has a choice.
fn values(study: &Study, figure: &Figure, place: &Place<'_>, problems: &mut Problems) {
    let chooses = matches!(
        figure.kind,
        TableKind::Values
            | TableKind::Comparison
            | TableKind::Parameters
            | TableKind::Training
            | TableKind::Inspection
            | TableKind::Dataset
    );
    if figure.kind == TableKind::Values && figure.values.is_empty() {
        let message = format!(
            "figure {} does not say which values it shows",
            figure.number
        );
        let problem = place.problem(study, "kind", message);
        problems.push(problem.help("add `values = [\"steps\", \"test/accuracy\", \"lora.rank\"]`"));
    }
    if !figure.values.is_empty() && !chooses {
        let message = "a table of this kind has columns of its own".to_owned();
        let problem = place.problem(study, "values", message);
        problems.push(problem.help("leave `values` out"));
        return;
    }
    if figure.kind == TableKind::Inspection {
        // Facts of models, which have spaces in their names.
        return;
    }
    for value in &figure.values {
        if let Err(message) = Reference::parse(value) {
            problems.push(place.problem(study, "values", message));
        }
    }
}

/// Complains of runs that the manifest does not have.
fn known_runs(
    study: &Study,
    key: &str,
    runs: &[String],
    span: Option<&Span>,
    problems: &mut Problems,
) {
    for run in runs.iter().filter(|run| study.run(run).is_none()) {
        let problem = Problem::new(&study.path, format!("`{key}` names no run `{run}`"));
        let problem = match span {
            Some(span) => problem.at(span, "not among `[[runs]]`"),
            None => problem,
        };
        problems.push(match nearest_word(run, study.names()) {
            Some(near) => problem.help(format!("did you mean `{near}`?")),
            None => problem.help(format!(
                "the runs are {}",
                study.names().collect::<Vec<_>>().join(", ")
            )),
        });
    }
}

/// Where a table of a list was written.
struct Place<'a>(Option<&'a Table>);

fn element<'a>(study: &'a Study, list: &str, index: usize) -> Place<'a> {
    Place(
        elements(&study.places, list)
            .get(index)
            .and_then(Node::as_table),
    )
}

impl<'a> Place<'a> {
    fn at(&self, key: &str) -> Option<&'a Span> {
        self.0?.get(key).map(|node| &node.span)
    }

    fn problem(&self, study: &Study, key: &str, message: String) -> Problem {
        let problem = Problem::new(&study.path, message);
        match self.at(key) {
            Some(span) => problem.at(span, ""),
            None => problem,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::load::read;
    use super::*;

    const SOUND: &str = r#"
name = "mine"
title = "A study"
[[runs]]
name = "first"
run = "x/a"
[[runs]]
name = "second"
run = "x/b"
[[figures]]
number = 1
caption = "What is trained"
kind = "parameters"
runs = ["first"]
"#;

    fn said(text: &str) -> String {
        let mut problems = Problems::default();
        let _ = read(Path::new("studies/mine.toml"), text, &mut problems);
        if problems.is_empty() {
            String::new()
        } else {
            problems.to_string()
        }
    }

    fn after(from: &str, to: &str) -> String {
        assert!(SOUND.contains(from), "{from}");
        said(&SOUND.replacen(from, to, 1))
    }

    #[test]
    fn nothing_is_wrong_with_a_sound_manifest() {
        assert_eq!(said(SOUND), "");
    }

    #[test]
    fn names_that_do_not_fit_are_said_with_the_near_one() {
        for (from, to, wanted) in [
            ("\"mine\"", "\"other\"", "write `name = \"mine\"`"),
            ("[\"first\"]", "[\"frist\"]", "did you mean `first`?"),
            ("\"second\"", "\"first\"", "two runs are called `first`"),
            ("\"x/b\"", "\"x\"", "write `experiment/run`"),
            (
                "\"parameters\"",
                "\"parameter\"",
                "did you mean \"parameters\"?",
            ),
            ("\"parameters\"", "\"values\"", "does not say which values"),
            ("caption", "captoin", "did you mean `caption`?"),
            ("number = 1", "number = -1", "at least 0"),
            (
                "runs = [\"first\"]",
                "runs = [\"first\"]\nvalues = [\"/x\"]",
                "one of the two is empty",
            ),
            (
                "runs = [\"first\"]",
                "runs = [\"first\"]\nquestions = [\"q\"]",
                "about no questions",
            ),
        ] {
            let said = after(from, to);
            assert!(
                said.contains(wanted) && said.contains("mine.toml:"),
                "{wanted}\n{said}"
            );
        }
    }

    #[test]
    fn claims_need_runs_and_numbers_that_are_there() {
        let claim = |lines: &str| said(&format!("{SOUND}[[claims]]\ntext = \"a\"\n{lines}"));
        let said = claim("better = \"first\"\nthan = [\"second\"]\n");
        assert!(said.contains("needs `test/accuracy` of `first`"), "{said}");
        assert_eq!(
            claim("better = \"first\"\nthan = [\"second\"]\nby = \"none\"\n"),
            ""
        );
        let said = claim("better = \"first\"\nthan = [\"first\"]\nby = \"none\"\n");
        assert!(said.contains("better than itself"), "{said}");
    }

    #[test]
    fn runs_that_no_experiment_has_are_named() {
        let mut problems = Problems::default();
        let study = read(Path::new("studies/mine.toml"), SOUND, &mut problems).unwrap();
        let runs = |names: &[&str]| Some(names.iter().map(|name| (*name).to_owned()).collect());
        let unknown = |known: &[(&str, Option<BTreeSet<String>>)]| {
            let known = known
                .iter()
                .map(|(name, runs)| ((*name).to_owned(), runs.clone()));
            unknown_runs(&study, &known.collect()).to_string()
        };
        let said = unknown(&[("x", runs(&["a", "c"]))]);
        assert!(said.contains("`x` has no run `b`"), "{said}");
        let said = unknown(&[("y", runs(&["a"]))]);
        assert!(said.contains("there is no experiment `x`"), "{said}");
        // Whose runs cannot be told, since a variable is not set.
        assert!(!unknown(&[("x", None)]).contains("no run"));
    }
}
