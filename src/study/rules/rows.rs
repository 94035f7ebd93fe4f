//! Runs that are compared on different rows.

use super::{Finding, listed};
use crate::study::{Report, Study, TableKind};

pub(super) fn find(study: &Study) -> Vec<Finding> {
    let mut sets: Vec<(Vec<&str>, &str)> = Vec::new();
    for claim in study
        .manifest
        .claims
        .iter()
        .filter(|claim| claim.metric().is_some())
    {
        sets.push((claim.runs().collect(), claim.evaluation()));
    }
    for figure in &study.manifest.figures {
        if figure.kind == TableKind::Comparison {
            let runs = figure.runs.iter().map(String::as_str);
            sets.push((runs.collect(), figure.evaluation()));
        }
    }
    let mut found: Vec<Finding> = Vec::new();
    for (runs, evaluation) in sets {
        let finding = of_set(study, &runs, evaluation);
        // The same runs may be compared more than once.
        found.extend(finding.filter(|finding| !found.contains(finding)));
    }
    found
}

fn of_set(study: &Study, runs: &[&str], evaluation: &str) -> Option<Finding> {
    let known: Vec<(&str, String)> = runs
        .iter()
        .filter_map(|run| Some((*run, supports(study, run, evaluation)?)))
        .collect();
    let (_, first) = known.first()?;
    // The rows that most have are the ones that the others differ from.
    let times = |rows: &String| known.iter().filter(|(_, other)| other == rows).count();
    let usual = known
        .iter()
        .map(|(_, rows)| rows)
        .fold(first, |best, rows| {
            if times(rows) > times(best) {
                rows
            } else {
                best
            }
        });
    let others: Vec<&(&str, String)> = known.iter().filter(|(_, rows)| rows != usual).collect();
    let (_, other) = others.first()?;
    let names: Vec<&str> = others.iter().map(|(run, _)| *run).collect();
    let rest: Vec<&str> = known
        .iter()
        .filter(|(_, rows)| rows == usual)
        .map(|(run, _)| *run)
        .collect();
    let text = format!(
        "{} in `{evaluation}` {} evaluated on other rows than {}: {other} against {usual} rows by class. Part of the difference is one of rows.",
        listed(&names),
        if names.len() == 1 { "is" } else { "are" },
        listed(&rest),
    );
    Some(Finding::new("compared on different rows", names, text))
}

/// The rows of each class, or of all.
fn supports(study: &Study, run: &str, evaluation: &str) -> Option<String> {
    let report = study.published.report(run, evaluation);
    let classes = report.into_iter().flat_map(Report::classes);
    let classes: Vec<String> = classes.map(|row| row.support.to_string()).collect();
    if classes.is_empty() {
        return Some(study.published.rows(run, evaluation)?.to_string());
    }
    Some(classes.join(" + "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::study::sample::{Sample, report};

    fn found(third: [[u64; 2]; 2]) -> Vec<Finding> {
        let sample = Sample {
            more: "[[claims]]\ntext = \"t\"\nbetter = \"a\"\nthan = [\"b\", \"c\"]\n",
            reports: [
                report("a", "test", [[180, 20], [20, 180]]),
                report("b", "test", [[170, 30], [20, 180]]),
                report("c", "test", third),
            ]
            .concat(),
            ..Sample::default()
        };
        find(&sample.study())
    }

    #[test]
    fn equal_supports_are_sound() {
        assert_eq!(found([[100, 100], [1, 199]]), []);
    }

    #[test]
    fn other_supports_are_found_though_the_sum_is_the_same() {
        let found = found([[180, 21], [20, 179]]);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].runs, ["c"]);
        let text = &found[0].text;
        assert!(text.contains("201 + 199 against 200 + 200"), "{text}");
        assert!(text.contains("than a and b"), "{text}");
    }
}
