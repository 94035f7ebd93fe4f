//! Event files of `TensorBoard`: the curves of a training, the final figures, and the settings as
//! hyperparameters. `tensorboard --logdir` names runs by their folders.

mod frames;
mod messages;

use std::path::PathBuf;

use jiff::Timestamp;

use super::Seed;
use super::curves::Curves;
use crate::record::RecordError;
use messages::Message;

/// Longer settings, such as templates and texts, would be columns that nobody reads.
const LONGEST_SETTING: usize = 100;

/// `<run>/seed-<n>/events.out.tfevents.<seconds>.ensayo`.
pub(super) fn files(seed: &Seed<'_>) -> Result<Vec<(PathBuf, Vec<u8>)>, RecordError> {
    let curves = Curves::read(seed)?;
    // The logs have no clock, so that all events have the time at which the run began.
    let began = seed.record.started.parse::<Timestamp>();
    let began = began.map_or(0, Timestamp::as_second);
    let name = format!("events.out.tfevents.{:010}.ensayo", began.max(0));
    let mut file = Vec::new();
    for event in events(seed, &curves, began) {
        frames::push(&mut file, event.as_bytes());
    }
    Ok(vec![(seed.place().join(name), file)])
}

fn events(seed: &Seed<'_>, curves: &Curves, began: i64) -> Vec<Message> {
    #[expect(clippy::cast_precision_loss, reason = "seconds of this age")]
    let time = began as f64;
    let settings = seed.report.settings.iter();
    let settings = settings.filter(|(_, value)| value.chars().count() <= LONGEST_SETTING);
    let settings = settings.map(|(key, value)| (key.as_str(), value.as_str()));
    let group = format!("{}/{}", seed.experiment, seed.run);
    let mut events = vec![
        messages::version(time),
        messages::begins(time, &group, settings),
    ];
    let mut scalar = |step: usize, tag: &str, value: f64| {
        events.push(messages::scalar(time, step, tag, value));
    };
    for row in &curves.log {
        scalar(row.step, "train/loss", row.loss);
        scalar(row.step, "train/learning_rate", row.learning_rate);
        scalar(row.step, "train/gradient_norm", row.gradient_norm);
    }
    let split = seed.report.epoch_split();
    for row in &curves.epochs {
        let step = curves.end_of(row.epoch).unwrap_or(row.epoch);
        scalar(step, "epoch/train_loss", row.train_loss);
        scalar(step, "epoch/train_loss_mean", row.train_loss_mean);
        scalar(step, &format!("epoch/{split}_loss"), row.validation_loss);
        scalar(step, &format!("epoch/{split}_accuracy"), row.accuracy);
    }
    let last = curves.last_step();
    for row in &seed.record.metrics {
        let tag = format!("final/{}/{}", row.evaluation, row.metric);
        scalar(last, &tag, row.value);
    }
    events.push(messages::ends(time + seed.record.wall_seconds));
    events
}
