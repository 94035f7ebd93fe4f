//! Labelled examples in a prompt that are among the rows it is judged by.

use super::Finding;
use crate::study::Study;

pub(super) fn find(study: &Study) -> Vec<Finding> {
    study.names().filter_map(|run| of_run(study, run)).collect()
}

fn of_run(study: &Study, run: &str) -> Option<Finding> {
    let count = |text: &str| text.parse::<u64>().ok().filter(|count| *count > 0);
    let own_file = study.setting(run, "classification.examples_path").is_none();
    let kept = study.setting(run, "classification.exclude_examples") == Some("false");
    let shown = study
        .setting(run, "classification.examples")
        .and_then(count);
    let shown = shown.filter(|_| own_file && kept);
    let counted = study.run_number(run, "classified_examples");
    let examples = counted.and_then(|printed| count(&printed.text)).or(shown)?;
    let of = match study.published.rows(run, "test") {
        Some(rows) => format!(" of the {rows}"),
        None => String::new(),
    };
    let text = format!(
        "{examples}{of} rows that {run} is judged by stand in its prompt as examples, with their labels."
    );
    Some(Finding::new(
        "examples among the evaluated rows",
        [run],
        text,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::study::sample::Sample;

    fn found(values: &str) -> Vec<Finding> {
        let sample = Sample {
            values: values.to_owned(),
            ..Sample::default()
        };
        find(&sample.study())
    }

    #[test]
    fn examples_that_are_classified_are_found() {
        let settings =
            "a,run,classification.examples,5\na,run,classification.exclude_examples,false\n";
        let found_in = found(&format!("{settings}a,test,rows,60\n"));
        assert!(
            found_in[0].text.starts_with("5 of the 60 rows"),
            "{found_in:?}"
        );
        assert_eq!(found("a,run,classified_examples,3\n").len(), 1);
    }

    #[test]
    fn no_examples_or_other_rows_are_sound() {
        for values in [
            "a,run,classification.examples,0\na,run,classification.exclude_examples,false\n",
            "a,run,classification.examples,5\na,run,classification.exclude_examples,true\n",
            "a,run,classification.examples,5\na,run,classification.exclude_examples,false\na,run,classification.examples_path,x.csv\n",
            "a,run,classified_examples,0\n",
        ] {
            assert_eq!(found(values), [], "{values}");
        }
    }
}
