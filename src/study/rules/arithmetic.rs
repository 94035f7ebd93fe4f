//! Numbers that do not follow from others of the same run: shares, steps, speeds.

use super::Finding;
use crate::study::{Printed, Study};

pub(super) fn find(study: &Study) -> Vec<Finding> {
    let rules = [percent, steps, samples, steps_per_second];
    let of_run = |run| rules.iter().filter_map(move |rule| rule(study, run));
    study.names().flat_map(of_run).collect()
}

fn percent(study: &Study, run: &str) -> Option<Finding> {
    let [trained, total, percent] = [
        "trainable_parameters",
        "total_parameters",
        "trainable_percent",
    ]
    .map(|name| study.run_number(run, name));
    let (trained, total, percent) = (trained?, total?, percent?);
    let share = 100.0 * trained.value / total.value;
    let fits = total.value > 0.0 && percent.is_of(share);
    let text = || {
        format!(
            "{run} prints {} % of parameters as trained, but {} of {} are {share:.*} %.",
            percent.text,
            trained.text,
            total.text,
            decimals(&percent)
        )
    };
    (!fits).then(|| Finding::new("a share that does not follow", [run], text()))
}

fn steps(study: &Study, run: &str) -> Option<Finding> {
    let rows = study.run_number(run, "train_rows")?.value;
    let steps = study.run_number(run, "steps")?;
    let setting = |key: &str| study.setting(run, key).and_then(Printed::parse);
    let epochs = setting("training.epochs")?.value;
    let batch = setting("training.batch_size")?.value;
    let accumulated = setting("training.gradient_accumulation").map_or(1.0, |steps| steps.value);
    if batch <= 0.0 || accumulated <= 0.0 {
        return None;
    }
    // A last batch that is not full is a step, too; with accumulation the last ones may be dropped.
    let batches = (rows / batch).ceil();
    let wanted = [
        (batches / accumulated).ceil(),
        (batches / accumulated).floor(),
    ];
    let wanted = wanted.map(|steps| steps * epochs);
    let text = || {
        format!(
            "{run} prints {} steps, but {epochs} epochs of {rows} rows in batches of {batch} are {}.",
            steps.text, wanted[0]
        )
    };
    let fits = wanted.iter().any(|wanted| steps.is_of(*wanted));
    (!fits).then(|| Finding::new("steps that do not follow", [run], text()))
}

fn samples(study: &Study, run: &str) -> Option<Finding> {
    let rows = study.run_number(run, "train_rows")?.value;
    let epochs = Printed::parse(study.setting(run, "training.epochs")?)?.value;
    let speed = study.run_number(run, "train_samples_per_second")?;
    let what = format!("{epochs} epochs of {rows} rows");
    product(study, run, &speed, rows * epochs, &what)
}

fn steps_per_second(study: &Study, run: &str) -> Option<Finding> {
    let steps = study.run_number(run, "steps")?;
    let speed = study.run_number(run, "train_steps_per_second")?;
    product(
        study,
        run,
        &speed,
        steps.value,
        &format!("{} steps", steps.text),
    )
}

/// A speed that does not give `wanted` in the printed time.
fn product(study: &Study, run: &str, speed: &Printed, wanted: f64, what: &str) -> Option<Finding> {
    let time = study.run_number(run, "train_seconds")?;
    let ((slow, fast), (short, long)) = (speed.range(), time.range());
    let fits = wanted >= slow * short * (1.0 - 1e-12) && wanted <= fast * long * (1.0 + 1e-12);
    let text = || {
        format!(
            "{run} prints {} a second over {} s, which is {:.0}, not {what}.",
            speed.text,
            time.text,
            speed.value * time.value
        )
    };
    (!fits).then(|| Finding::new("a speed that does not follow", [run], text()))
}

/// Digits after the point to show a value with, beside a printed one.
fn decimals(printed: &Printed) -> usize {
    usize::try_from(printed.decimals).unwrap_or(0).min(12)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::study::sample::Sample;

    fn found(values: &[(&str, &str)]) -> Vec<String> {
        let lines = values
            .iter()
            .map(|(name, value)| format!("a,run,{name},{value}\n"));
        let sample = Sample {
            values: lines.collect(),
            ..Sample::default()
        };
        let found = find(&sample.study()).into_iter();
        found.map(|finding| finding.text).collect()
    }

    #[test]
    fn a_share_follows_from_its_counts_to_the_printed_digits() {
        let of = |percent| {
            found(&[
                ("trainable_parameters", "296450"),
                ("total_parameters", "184423682"),
                ("trainable_percent", percent),
            ])
        };
        assert_eq!(of("0.160744"), [""; 0]);
        assert_eq!(of("0.16"), [""; 0]);
        assert!(of("0.160745")[0].contains("0.160744 %"));
        assert_eq!(of("0.00160744").len(), 1);
    }

    #[test]
    fn steps_and_speeds_follow_from_rows_epochs_and_time() {
        let of = |steps, seconds| {
            found(&[
                ("train_rows", "1001"),
                ("training.epochs", "2"),
                ("training.batch_size", "8"),
                ("steps", steps),
                ("train_seconds", seconds),
                ("train_samples_per_second", "20.02"),
                ("train_steps_per_second", "2.52"),
            ])
        };
        assert_eq!(of("252", "100"), [""; 0]);
        assert!(of("250", "100")[0].contains("are 252"));
        assert_eq!(of("252", "300").len(), 2);
    }

    #[test]
    fn nothing_follows_from_nothing() {
        assert_eq!(
            found(&[
                ("trainable_parameters", "5"),
                ("total_parameters", "0"),
                ("trainable_percent", "1")
            ])
            .len(),
            1
        );
        assert_eq!(
            found(&[
                ("train_rows", "8"),
                ("training.epochs", "1"),
                ("training.batch_size", "0"),
                ("steps", "1")
            ]),
            [""; 0]
        );
    }
}
