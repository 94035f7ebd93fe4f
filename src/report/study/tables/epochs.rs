//! Loss and accuracy after each epoch.

use std::collections::BTreeSet;

use super::super::compare::{Basis, numbers};
use super::super::context::Context;
use super::super::losses;
use super::super::nature::Nature;
use super::super::ours::Subject;
use super::super::table::{Cell, Table};
use crate::record::EpochRow;
use crate::report::seed::SeedReport;
use crate::study::{EpochRow as Published, Figure, Printed};

const COLUMNS: [&str; 3] = ["training loss", "validation loss", "accuracy"];

pub(super) fn table(context: &Context<'_>, _: &Figure, subjects: &[Subject<'_>]) -> Table {
    let many = subjects.len() > 1;
    let labels: &[&str] = if many { &["run", "epoch"] } else { &["epoch"] };
    let mut table = Table::new(labels, &COLUMNS);
    for subject in subjects {
        let published: Vec<&Published> = context.published().epochs_of(subject.name).collect();
        let own = subject.seeds().iter().flat_map(|seed| seed.epochs());
        let own = own.filter_map(|row| u64::try_from(row.epoch).ok());
        let numbers: BTreeSet<u64> = published.iter().map(|row| row.epoch).chain(own).collect();
        let basis = Bases::of(context, subject);
        for number in numbers {
            let printed = published.iter().find(|row| row.epoch == number);
            let ours = |value: fn(&EpochRow) -> f64| -> Vec<f64> {
                let of_seed = subject.seeds().iter().filter_map(|seed| {
                    let mut rows = seed.epochs().iter();
                    rows.find(|row| u64::try_from(row.epoch) == Ok(number))
                });
                of_seed.map(value).collect()
            };
            let cell = |printed: Option<&Printed>, nature, ours: &[f64], basis| {
                let text = printed.map(|printed| printed.text.as_str());
                Cell::Value(self::numbers(subject, nature, (text, printed), ours, basis))
            };
            let cells = vec![
                cell(
                    printed.and_then(|row| row.train_loss.as_ref()),
                    Nature::Loss,
                    &ours(|row| row.train_loss),
                    basis.logged,
                ),
                cell(
                    printed.and_then(|row| row.validation_loss.as_ref()),
                    Nature::Loss,
                    &ours(|row| row.validation_loss),
                    basis.evaluated,
                ),
                cell(
                    printed.and_then(|row| row.accuracy.as_ref()),
                    Nature::Share,
                    &ours(|row| row.accuracy),
                    basis.evaluated,
                ),
            ];
            let run = many.then(|| subject.name.to_owned());
            let labels = run.into_iter().chain([number.to_string()]);
            table.push(labels, cells, subject.command_if_due());
        }
    }
    table
}

/// What losses and accuracies are judged on.
struct Bases {
    /// Of the mean over the last steps that were logged.
    logged: Basis,
    /// Of the rows that are evaluated after an epoch.
    evaluated: Basis,
}

impl Bases {
    #[allow(clippy::cast_precision_loss, reason = "row counts")]
    fn of(context: &Context<'_>, subject: &Subject<'_>) -> Self {
        let split = subject.first().map_or("test", SeedReport::epoch_split);
        let deviation = subject
            .first()
            .and_then(|seed| losses::deviation(seed, split));
        let setting = |key: &str| -> Option<f64> { subject.setting(key)?.parse().ok() };
        let logged = setting("training.logging_steps")
            .zip(setting("training.batch_size"))
            .map(|(steps, batch)| steps * batch);
        let published = context.published().rows(subject.name, split);
        Self {
            logged: Basis {
                published_rows: logged,
                rows: logged,
                deviation,
            },
            evaluated: Basis {
                published_rows: published.map(|rows| rows as f64),
                rows: subject.rows(split).map(|rows| rows as f64),
                deviation,
            },
        }
    }
}
