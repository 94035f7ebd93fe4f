//! The course of one run: loss and learning rate over its optimiser steps.

use crate::draw::axis::{Axis, Notation, count_f64};
use crate::draw::palette::{AXIS, BLUE, GRID, Look, MUTED, Marker, VERMILION};
use crate::draw::panel::{self, NAME_SIZE, NOTE_LINE, Panel, TICK_SIZE};
use crate::draw::scene::{Anchor, Scene, Style};
use crate::draw::text::{self, CAPITALS};
use crate::record::{EpochRow, TrainingLogRow};

const WIDTH: f64 = 840.0;
const LOSS_HEIGHT: f64 = 270.0;
const RATE_HEIGHT: f64 = 120.0;
const MARGIN: f64 = 18.0;
/// Rows up to which each is a dot.
const DOTS: usize = 60;

const TRAINING: Look = Look {
    colour: BLUE,
    dash: &[],
    marker: Marker::Disc,
};
const EVALUATION: Look = Look {
    colour: VERMILION,
    dash: &[6.0, 3.0],
    marker: Marker::Diamond,
};

/// What is drawn, against the axis that both panels share.
struct Course<'a> {
    training: Vec<(f64, f64)>,
    evaluation: Vec<(f64, f64)>,
    rates: Vec<(f64, f64)>,
    epochs: &'a [EpochRow],
    /// Length of an epoch on the axis.
    per_epoch: f64,
    /// Whether the axis counts optimiser steps; with epochs alone, they are not known.
    steps: bool,
    /// What the epochs were evaluated on.
    split: &'a str,
}

/// Loss and learning rate of a run. `split` names what the epochs were evaluated on, such as
/// `validation`. None if nothing was logged.
pub(in crate::report) fn draw(
    title: &str,
    log: &[TrainingLogRow],
    epochs: &[EpochRow],
    split: &str,
) -> Option<Scene> {
    if log.is_empty() && epochs.is_empty() {
        return None;
    }
    let course = Course::new(log, epochs, split);
    let losses: Vec<f64> = course
        .training
        .iter()
        .chain(&course.evaluation)
        .map(|point| point.1)
        .collect();
    let loss_axis = Axis::around_losses(&losses, 5);
    let rates = course.rates.iter().map(|point| point.1).chain([0.0]);
    let rate_axis = Axis::around(rates, 3, Notation::Scientific);
    let x = course.axis();

    let note_lines = panel::note_lines(&course.notes(), WIDTH - 2.0 * MARGIN);
    let mut scene = Scene::new(WIDTH, 0.0);
    let mut y = MARGIN - 4.0;
    y += panel::title(&mut scene, title, (MARGIN, y), WIDTH - 2.0 * MARGIN) + 10.0;
    y += course.legend(&mut scene, y) + 26.0;
    let left = MARGIN + 16.0 + Panel::tick_room(&loss_axis).max(Panel::tick_room(&rate_axis));
    let width = WIDTH - MARGIN - left;
    let loss = Panel {
        left,
        top: y,
        width,
        height: LOSS_HEIGHT,
        x: x.clone(),
        y: loss_axis,
    };
    course.draw_losses(&mut scene, &loss);
    y += LOSS_HEIGHT;
    let lowest = if course.rates.is_empty() {
        loss
    } else {
        let rate = Panel {
            left,
            top: y + 26.0,
            width,
            height: RATE_HEIGHT,
            x,
            y: rate_axis,
        };
        course.draw_rates(&mut scene, &rate);
        y += 26.0 + RATE_HEIGHT;
        rate
    };
    lowest.name_x(
        &mut scene,
        if course.steps {
            "optimiser steps"
        } else {
            "epoch"
        },
    );
    y += 46.0;
    panel::draw_notes(&mut scene, &note_lines, (MARGIN, y));
    let below = if note_lines.is_empty() { 0.0 } else { 10.0 };
    scene.height = y + count_f64(note_lines.len()) * NOTE_LINE + below;
    Some(scene)
}

impl<'a> Course<'a> {
    fn new(log: &[TrainingLogRow], epochs: &'a [EpochRow], split: &'a str) -> Self {
        let steps_per_epoch = steps_per_epoch(log, epochs);
        let per_epoch = steps_per_epoch.unwrap_or(1.0);
        let of_log = |value: fn(&TrainingLogRow) -> f64| {
            log.iter()
                .map(|row| (count_f64(row.step), value(row)))
                .collect::<Vec<_>>()
        };
        let of_epochs = |value: fn(&EpochRow) -> f64| {
            epochs
                .iter()
                .map(|row| (count_f64(row.epoch) * per_epoch, value(row)))
                .collect()
        };
        Self {
            training: if log.is_empty() {
                of_epochs(|row| row.train_loss_mean)
            } else {
                of_log(|row| row.loss)
            },
            evaluation: of_epochs(|row| row.validation_loss),
            rates: of_log(|row| row.learning_rate),
            epochs,
            per_epoch,
            steps: steps_per_epoch.is_some(),
            split,
        }
    }

    fn axis(&self) -> Axis {
        let last = self
            .training
            .iter()
            .chain(&self.evaluation)
            .map(|point| point.0)
            .fold(1.0, f64::max);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a step count"
        )]
        Axis::integers(0, last.ceil() as usize, last * 0.015, 8)
    }

    fn draw_losses(&self, scene: &mut Scene, panel: &Panel) {
        epoch_lines(scene, panel, self.epochs, self.per_epoch, true);
        panel.frame(scene, self.rates.is_empty(), true);
        panel.name_y(scene, MARGIN + CAPITALS * NAME_SIZE, "loss (nats)");
        panel.curve(scene, &self.training, TRAINING.colour, 1.6, TRAINING.dash);
        // A dot for each row while they can be told apart; a line alone would not show a single
        // one.
        if self.training.len() <= DOTS {
            panel.marks(scene, &self.training, TRAINING, 2.2);
        } else {
            panel.lone_points(scene, &self.training, TRAINING.colour);
        }
        panel.curve(
            scene,
            &self.evaluation,
            EVALUATION.colour,
            1.4,
            EVALUATION.dash,
        );
        panel.marks(scene, &self.evaluation, EVALUATION, 4.2);
    }

    fn draw_rates(&self, scene: &mut Scene, panel: &Panel) {
        epoch_lines(scene, panel, self.epochs, self.per_epoch, false);
        panel.frame(scene, true, true);
        panel.name_y(scene, MARGIN + CAPITALS * NAME_SIZE, "learning rate");
        panel.curve(scene, &self.rates, TRAINING.colour, 1.6, &[]);
        if self.rates.len() <= DOTS {
            panel.marks(scene, &self.rates, TRAINING, 2.2);
        } else {
            panel.lone_points(scene, &self.rates, TRAINING.colour);
        }
    }

    /// One row of samples and names above the panels. Returns its height.
    fn legend(&self, scene: &mut Scene, top: f64) -> f64 {
        let training = match (&self.training[..], self.steps) {
            ([first, second, ..], true) => {
                format!("training loss, mean over each {} steps", second.0 - first.0)
            }
            (_, true) => "training loss".to_owned(),
            (_, false) => "training loss, mean over the epoch".to_owned(),
        };
        let mut entries = vec![(TRAINING, 2.4, training)];
        if !self.evaluation.is_empty() {
            entries.push((
                EVALUATION,
                4.2,
                format!("{} loss, at the end of each epoch", self.split),
            ));
        }
        let (mut x, y) = (MARGIN, top + 10.0);
        for (look, radius, name) in entries {
            let middle = y - CAPITALS * NAME_SIZE / 2.0;
            scene.dashed(
                &[(x, middle), (x + 30.0, middle)],
                look.colour,
                1.6,
                look.dash,
            );
            look.marker
                .draw(scene, (x + 15.0, middle), radius, look.colour);
            scene.text(
                (x + 37.0, y),
                &name,
                Style::new(NAME_SIZE, MUTED),
                Anchor::Start,
            );
            x += 37.0 + text::width(&name, NAME_SIZE, false) + 28.0;
        }
        12.0
    }

    /// What is left out.
    fn notes(&self) -> Vec<String> {
        let place = if self.steps { "step" } else { "epoch" };
        let evaluation = format!("{} losses", self.split);
        let mut notes = Vec::new();
        for (points, name) in [
            (&self.training, "training losses"),
            (&self.evaluation, &evaluation),
            (&self.rates, "learning rates"),
        ] {
            let missing = points.iter().filter(|point| !point.1.is_finite()).count();
            if let Some((first, _)) = points.iter().find(|point| !point.1.is_finite()) {
                let verb = if missing == 1 { "is" } else { "are" };
                notes.push(format!("{missing} of {} {name} {verb} not finite and left out, the first at {place} {first}.", points.len()));
            }
        }
        notes
    }
}

/// Optimiser steps in an epoch, from the log's last row, which knows it best. None without a log.
fn steps_per_epoch(log: &[TrainingLogRow], epochs: &[EpochRow]) -> Option<f64> {
    let last = log.last()?;
    let passed = if last.epoch.is_finite() && last.epoch > 0.0 {
        last.epoch
    } else {
        count_f64(epochs.len().max(1))
    };
    Some((count_f64(last.step) / passed).round().max(1.0))
}

/// Where epochs end, numbered above the upper panel; as many as there is room for.
fn epoch_lines(
    scene: &mut Scene,
    panel: &Panel,
    epochs: &[EpochRow],
    per_epoch: f64,
    numbered: bool,
) {
    let apart = (panel.x.position(per_epoch) - panel.x.position(0.0)) * panel.width;
    let Some(last) = epochs.last() else { return };
    let room = text::width(&format!("epoch {}", last.epoch), TICK_SIZE, false) + 14.0;
    let every = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000]
        .into_iter()
        .find(|&every| apart * count_f64(every) > room);
    for row in epochs {
        if epochs.len() > 1 && every.is_none_or(|every| row.epoch % every != 0) {
            continue;
        }
        let x = panel.left + panel.x.position(count_f64(row.epoch) * per_epoch) * panel.width;
        scene.dashed(
            &[(x, panel.top), (x, panel.top + panel.height)],
            if numbered { AXIS } else { GRID },
            0.8,
            &[2.0, 3.0],
        );
        if numbered {
            let name = format!("epoch {}", row.epoch);
            let furthest = panel.left + panel.width - text::width(&name, TICK_SIZE, false) / 2.0;
            scene.text(
                (x.min(furthest), panel.top - 6.0),
                &name,
                Style::new(TICK_SIZE, MUTED),
                Anchor::Middle,
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(step: usize, epoch: f64, loss: f64) -> TrainingLogRow {
        TrainingLogRow {
            step,
            epoch,
            loss,
            learning_rate: 1e-4,
            gradient_norm: 1.0,
        }
    }

    fn epoch(epoch: usize, loss: f64) -> EpochRow {
        EpochRow {
            epoch,
            train_loss: 0.5,
            train_loss_mean: 0.6,
            validation_loss: loss,
            accuracy: 0.5,
        }
    }

    #[test]
    fn epochs_stand_at_their_steps() {
        let (log, epochs) = (
            [row(50, 0.5, 0.7), row(100, 1.0, 0.6)],
            [epoch(1, 0.65), epoch(2, 0.6)],
        );
        let course = Course::new(&log, &epochs, "test");
        assert_eq!(course.evaluation, [(100.0, 0.65), (200.0, 0.6)]);
    }

    #[test]
    fn without_a_log_the_axis_counts_epochs() {
        let epochs = [epoch(1, 0.65), epoch(2, 0.6)];
        let course = Course::new(&[], &epochs, "test");
        assert_eq!(course.training, [(1.0, 0.6), (2.0, 0.6)]);
        assert!(!course.steps && course.rates.is_empty());
        draw("t", &[], &epochs, "test")
            .unwrap()
            .assert_sound("epochs only");
        assert!(draw("t", &[], &[], "test").is_none());
    }

    #[test]
    fn losses_that_are_not_finite_are_counted_with_their_first_step() {
        let log = [
            row(1, 0.1, 0.7),
            row(2, 0.2, f64::NAN),
            row(3, 0.3, f64::INFINITY),
        ];
        assert_eq!(
            Course::new(&log, &[], "test").notes(),
            ["2 of 3 training losses are not finite and left out, the first at step 2."]
        );
    }
}
