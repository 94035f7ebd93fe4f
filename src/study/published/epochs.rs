//! Epochs: `run,epoch,train_loss,validation_loss,accuracy`, as records have them.

use std::path::Path;

use super::sheet::{self, Bounds};
use crate::config::Problems;
use crate::study::Printed;

const COLUMNS: [&str; 5] = ["run", "epoch", "train_loss", "validation_loss", "accuracy"];

/// An epoch of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct EpochRow {
    /// The study's name of the run.
    pub run: String,
    /// From 1.
    pub epoch: u64,
    /// Loss over the last steps logged in it.
    pub train_loss: Option<Printed>,
    /// Loss on the evaluated rows.
    pub validation_loss: Option<Printed>,
    /// Accuracy on the same.
    pub accuracy: Option<Printed>,
}

pub(super) fn read(
    path: &Path,
    text: &str,
    names: &[&str],
    problems: &mut Problems,
) -> Vec<EpochRow> {
    let mut rows: Vec<EpochRow> = Vec::new();
    for line in sheet::read(path, text, &COLUMNS, problems) {
        let run = line.run(names, problems);
        let epoch = line.count("epoch", problems);
        let row = |run, epoch, problems: &mut Problems| EpochRow {
            run,
            epoch,
            train_loss: line.number("train_loss", Bounds::Any, problems),
            validation_loss: line.number("validation_loss", Bounds::Any, problems),
            accuracy: line.number("accuracy", Bounds::Share, problems),
        };
        let (Some(run), Some(epoch)) = (run, epoch) else {
            continue;
        };
        if rows.iter().any(|row| row.run == run && row.epoch == epoch) {
            let message = format!("`{run}` has epoch {epoch} twice");
            problems.push(line.problem(message).help("remove one"));
            continue;
        }
        rows.push(row(run, epoch, problems));
    }
    rows.sort_by_key(|row| row.epoch);
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn epochs_come_in_their_order_and_each_once() {
        let mut problems = Problems::default();
        let text = "run,epoch,train_loss,validation_loss,accuracy\na,2,0.1,,0.9\na,1,0.5,0.4,0.8\na,2,,,\na,x,,,\n";
        let rows = read(Path::new("e.csv"), text, &["a"], &mut problems);
        let epochs: Vec<u64> = rows.iter().map(|row| row.epoch).collect();
        assert_eq!(epochs, [1, 2]);
        assert_eq!(rows[1].validation_loss, None);
        let said = problems.to_string();
        assert!(
            said.contains("epoch 2 twice") && said.contains("no count"),
            "{said}"
        );
    }
}
