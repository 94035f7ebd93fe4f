//! Single values: `run,evaluation,name,value`. Of evaluation `run`, a name with a dot is a setting,
//! any other a metric or measurement, by the names that records have.

use std::path::Path;

use super::sheet;
use crate::config::Problems;
use crate::study::Reference;

const COLUMNS: [&str; 4] = ["run", "evaluation", "name", "value"];

/// A value of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValueRow {
    /// The study's name of the run.
    pub run: String,
    /// Which value.
    pub reference: Reference,
    /// As printed.
    pub value: String,
}

pub(super) fn read(
    path: &Path,
    text: &str,
    names: &[&str],
    problems: &mut Problems,
) -> Vec<ValueRow> {
    let mut rows: Vec<ValueRow> = Vec::new();
    for line in sheet::read(path, text, &COLUMNS, problems) {
        let run = line.run(names, problems);
        let evaluation = line.needed("evaluation", problems);
        let name = line.needed("name", problems);
        let value = line.needed("value", problems);
        let (Some(run), Some(evaluation), Some(name), Some(value)) = (run, evaluation, name, value)
        else {
            continue;
        };
        let reference = Reference::of(&evaluation, &name);
        if rows
            .iter()
            .any(|row| row.run == run && row.reference == reference)
        {
            let message = format!("`{run}` has `{reference}` twice");
            problems.push(line.problem(message).help("remove one"));
            continue;
        }
        rows.push(ValueRow {
            run,
            reference,
            value,
        });
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_and_metrics_are_told_apart_and_each_stands_once() {
        let mut problems = Problems::default();
        let text = "run,evaluation,name,value\na,run,lora.rank,8\na,test,rows,40\na,run,steps,\na,test,rows,41\n";
        let rows = read(Path::new("v.csv"), text, &["a"], &mut problems);
        let names: Vec<String> = rows.iter().map(|row| row.reference.to_string()).collect();
        assert_eq!(names, ["lora.rank", "test/rows"]);
        let said = problems.to_string();
        assert!(
            said.contains("`value` is empty") && said.contains("`test/rows` twice"),
            "{said}"
        );
    }
}
