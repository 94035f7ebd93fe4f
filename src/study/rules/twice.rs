//! The same run printed twice, with other numbers.

use super::Finding;
use crate::study::{Report, Study};

pub(super) fn find(study: &Study) -> Vec<Finding> {
    let mut found = Vec::new();
    for (index, run) in study.manifest.runs.iter().enumerate() {
        let same = |other: &&super::super::NamedRun| other.run == run.run;
        for other in study.manifest.runs[..index].iter().filter(same) {
            found.extend(of_pair(study, &other.name, &run.name));
        }
    }
    found
}

fn of_pair(study: &Study, first: &str, second: &str) -> Vec<Finding> {
    let reports = &study.published.reports;
    let of = |run: &str| {
        let run = run.to_owned();
        reports.iter().filter(move |report| report.run == run)
    };
    let pairs = of(first).filter_map(|one| {
        let other = of(second).find(|other| other.evaluation == one.evaluation)?;
        differs(one, other)
    });
    pairs
        .map(|(evaluation, one, other)| {
            let text = format!(
                "{first} and {second} are the same run, but print an accuracy of {one} and {other} in `{evaluation}`."
            );
            Finding::new("the same run with other numbers", [first, second], text)
        })
        .collect()
}

fn differs<'a>(one: &'a Report, other: &'a Report) -> Option<(&'a str, &'a str, &'a str)> {
    let (first, second) = (one.accuracy()?, other.accuracy()?);
    (!first.may_equal(second)).then_some((&one.evaluation, &first.text, &second.text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::study::sample::{Sample, report};

    #[test]
    fn one_run_under_two_names_has_one_accuracy() {
        let found = |second: [[u64; 2]; 2]| {
            let sample = Sample {
                reports: [
                    report("a", "custom", [[2, 0], [0, 2]]),
                    report("b", "custom", second),
                    report("c", "custom", [[1, 1], [1, 1]]),
                ]
                .concat(),
                ..Sample::default()
            };
            let mut study = sample.study();
            study.manifest.runs[1].run = study.manifest.runs[0].run.clone();
            find(&study)
        };
        assert_eq!(found([[2, 0], [0, 2]]), []);
        let found = found([[2, 0], [1, 1]]);
        assert_eq!(found.len(), 1);
        assert!(found[0].text.contains("1.00 and 0.75"), "{found:?}");
    }
}
