//! `trainer_state.json`, which transformers' `Trainer` leaves beside a checkpoint, and which tools
//! draw curves from.

use std::path::PathBuf;

use super::Seed;
use super::curves::Curves;
use crate::record::RecordError;

/// `<run>/seed-<n>/trainer_state.json`; nothing of a run that trained nothing.
pub(super) fn files(seed: &Seed<'_>) -> Result<Vec<(PathBuf, Vec<u8>)>, RecordError> {
    let curves = Curves::read(seed)?;
    if curves.log.is_empty() && curves.epochs.is_empty() {
        return Ok(Vec::new());
    }
    let path = seed.place().join("trainer_state.json");
    Ok(vec![(path, state(seed, &curves).into_bytes())])
}

/// Keys and values of an object, in the order in which they are written. Values are JSON as Python
/// writes and reads it: `NaN` and `Infinity` are numbers there, and the losses of a training that
/// diverged are such.
type Object = Vec<(&'static str, String)>;

fn state(seed: &Seed<'_>, curves: &Curves) -> String {
    let steps = curves.last_step();
    let setting = |key: &str| seed.report.settings.get(key).cloned();
    let count = |key: &str| {
        let value = setting(key)?.parse::<usize>().ok()?;
        Some(value)
    };
    let epochs = count("training.epochs").unwrap_or(curves.epochs.len());
    let per_epoch = curves.steps_per_epoch.unwrap_or(steps);
    let best = best(seed, curves);
    let or_null = |value: Option<String>| value.unwrap_or_else(|| "null".to_owned());
    let history: Vec<String> = history(seed, curves)
        .iter()
        .map(|row| object(row, 4))
        .collect();
    let state: Object = vec![
        (
            "best_global_step",
            or_null(best.map(|best| best.0.to_string())),
        ),
        ("best_metric", or_null(best.map(|best| number(best.1)))),
        ("best_model_checkpoint", or_null(None)),
        ("epoch", number(epoch_reached(curves))),
        ("eval_steps", per_epoch.to_string()),
        ("global_step", steps.to_string()),
        ("is_hyper_param_search", "false".to_owned()),
        ("is_local_process_zero", "true".to_owned()),
        ("is_world_process_zero", "true".to_owned()),
        (
            "log_history",
            format!("[\n    {}\n  ]", history.join(",\n    ")),
        ),
        (
            "logging_steps",
            or_null(count("training.logging_steps").map(|steps| steps.to_string())),
        ),
        ("max_steps", per_epoch.saturating_mul(epochs).to_string()),
        ("num_input_tokens_seen", or_null(tokens(seed))),
        ("num_train_epochs", epochs.to_string()),
        ("save_steps", per_epoch.to_string()),
        ("stateful_callbacks", "{}".to_owned()),
        ("total_flos", "0.0".to_owned()),
        (
            "train_batch_size",
            or_null(count("training.batch_size").map(|size| size.to_string())),
        ),
        ("trial_name", or_null(None)),
        ("trial_params", or_null(None)),
    ];
    // transformers has defaults of its own for what is not known here.
    let is_known =
        |(key, value): &(&'static str, String)| value != "null" || NULLABLE.contains(key);
    let state: Object = state.into_iter().filter(is_known).collect();
    format!("{}\n", object(&state, 2))
}

/// Keys that may be null to transformers.
const NULLABLE: [&str; 6] = [
    "best_global_step",
    "best_metric",
    "best_model_checkpoint",
    "train_batch_size",
    "trial_name",
    "trial_params",
];

/// What was logged, in the order of the steps: a row for the losses, one for each evaluation after
/// them, and at the end one for the whole training.
fn history(seed: &Seed<'_>, curves: &Curves) -> Vec<Object> {
    let mut rows: Vec<(usize, Object)> = Vec::new();
    for row in &curves.log {
        let object = vec![
            ("epoch", number(row.epoch)),
            ("grad_norm", number(row.gradient_norm)),
            ("learning_rate", number(row.learning_rate)),
            ("loss", number(row.loss)),
            ("step", row.step.to_string()),
        ];
        rows.push((row.step, object));
    }
    for row in &curves.epochs {
        let step = curves.end_of(row.epoch).unwrap_or(row.epoch);
        let object = vec![
            ("epoch", format!("{}.0", row.epoch)),
            ("eval_accuracy", number(row.accuracy)),
            ("eval_loss", number(row.validation_loss)),
            ("step", step.to_string()),
        ];
        rows.push((step, object));
    }
    // Stable: at the same step, the losses come before the evaluation.
    rows.sort_by_key(|(step, _)| *step);
    let mut rows: Vec<Object> = rows.into_iter().map(|(_, row)| row).collect();
    let measured = |name: &str| {
        let mut rows = seed.record.measurements.iter();
        Some(rows.find(|row| row.metric == name)?.value)
    };
    let whole = [
        ("train_loss", seed.record.metric("run", "train_loss_mean")),
        ("train_runtime", measured("train_seconds")),
        (
            "train_samples_per_second",
            measured("train_samples_per_second"),
        ),
        ("train_steps_per_second", measured("train_steps_per_second")),
    ];
    let whole = whole
        .into_iter()
        .filter_map(|(key, value)| Some((key, number(value?))));
    let mut last = vec![
        ("epoch", number(epoch_reached(curves))),
        ("step", curves.last_step().to_string()),
    ];
    last.extend(whole);
    rows.push(last);
    rows
}

/// The step and the loss of the epoch whose weights were kept, where the best ones were.
fn best(seed: &Seed<'_>, curves: &Curves) -> Option<(usize, f64)> {
    let keep = seed.report.settings.get("training.keep")?;
    let kept = seed.record.metric("run", "kept_epoch")?;
    let is_kept = |number: usize| number.to_string() == kept.to_string();
    let row = curves.epochs.iter().find(|row| is_kept(row.epoch))?;
    (keep == "best").then_some((curves.end_of(row.epoch)?, row.validation_loss))
}

#[expect(clippy::cast_precision_loss, reason = "a count of epochs")]
fn epoch_reached(curves: &Curves) -> f64 {
    let logged = curves.log.last().map_or(0.0, |row| row.epoch);
    let ended = curves.epochs.last().map_or(0, |row| row.epoch);
    logged.max(ended as f64)
}

fn tokens(seed: &Seed<'_>) -> Option<String> {
    let tokens = seed.record.metric("run", "train_tokens")?;
    (tokens.is_finite() && tokens >= 0.0).then(|| format!("{tokens:.0}"))
}

/// A number as Python's JSON has it.
fn number(value: f64) -> String {
    if value.is_nan() {
        "NaN".to_owned()
    } else if value.is_infinite() {
        let sign = if value < 0.0 { "-" } else { "" };
        format!("{sign}Infinity")
    } else {
        format!("{value:?}")
    }
}

/// An object whose keys are indented by so many columns.
fn object(pairs: &Object, indent: usize) -> String {
    let (inner, outer) = if indent > 2 {
        (" ".repeat(indent + 2), " ".repeat(indent))
    } else {
        (" ".repeat(indent), String::new())
    };
    let lines: Vec<String> = pairs
        .iter()
        .map(|(key, value)| format!("{inner}\"{key}\": {value}"))
        .collect();
    format!("{{\n{}\n{outer}}}", lines.join(",\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_those_of_pythons_json() {
        let written = [0.5, 1.0, -2e-7, f64::NAN, f64::INFINITY, f64::NEG_INFINITY].map(number);
        assert_eq!(
            written,
            ["0.5", "1.0", "-2e-7", "NaN", "Infinity", "-Infinity"]
        );
    }
}
