//! One figure per epoch for all runs of an experiment: in one panel while the lines can be told apart, else one small panel for each run.

use super::axis::{Axis, count_f64};
use super::multiples;
use super::palette::{Colour, INK, LOOKS, MUTED};
use super::panel::{self, NAME_SIZE, NOTE_LINE, Panel};
use super::scene::{Anchor, Scene, Style};
use super::text::{self, CAPITALS};
use crate::metrics::{self, Interval};

/// The course of one run, once for each of its seeds.
#[derive(Debug, Clone)]
pub(in crate::report) struct Course {
    /// The run's name.
    pub name: String,
    /// (epoch, value) in the order of the epochs, for each seed.
    pub seeds: Vec<Vec<(usize, f64)>>,
    /// What to say behind the name, such as that the run failed.
    pub remark: Option<&'static str>,
}

/// What is drawn over the epochs.
#[derive(Debug, Clone)]
pub(in crate::report) struct Measure {
    /// With its unit, for the axis.
    pub name: String,
    /// What it is drawn over: `epoch`, `rank`.
    pub place: &'static str,
    /// Whether the last value says how good a run is.
    pub judged: bool,
    /// Whether it is a share, the higher the better, instead of a loss, the lower the better.
    pub share: bool,
}

pub(in crate::report) const MARGIN: f64 = 18.0;
const PLOT_WIDTH: f64 = 560.0;
const PLOT_HEIGHT: f64 = 340.0;
const LEGEND_WIDTH: f64 = 220.0;
const LEGEND_SAMPLE: f64 = 40.0;
/// Distance between the bars of two runs at the same epoch.
const BESIDE: f64 = 3.0;
const LEGEND_LINE: f64 = NAME_SIZE * 1.25;

impl Measure {
    pub(in crate::report) fn axis(&self, values: &[f64], ticks: usize) -> Axis {
        if self.share {
            Axis::around_shares(values.iter().copied(), ticks)
        } else {
            Axis::around_losses(values, ticks)
        }
    }
}

impl Course {
    /// The mean over the seeds for each epoch that any of them reached; seeds without a finite value there do not count.
    pub(in crate::report) fn mean(&self) -> Vec<(f64, f64)> {
        let last = self
            .seeds
            .iter()
            .flatten()
            .map(|point| point.0)
            .max()
            .unwrap_or(0);
        let first = self
            .seeds
            .iter()
            .flatten()
            .map(|point| point.0)
            .min()
            .unwrap_or(1);
        (first..=last)
            .filter_map(|epoch| {
                let here: Vec<f64> = self
                    .seeds
                    .iter()
                    .flatten()
                    .filter(|point| point.0 == epoch)
                    .map(|point| point.1)
                    .collect();
                if here.is_empty() {
                    return None;
                }
                let finite: Vec<f64> = here.into_iter().filter(|value| value.is_finite()).collect();
                let mean = if finite.is_empty() {
                    f64::NAN
                } else {
                    finite.iter().sum::<f64>() / count_f64(finite.len())
                };
                Some((count_f64(epoch), mean))
            })
            .collect()
    }

    /// The 95 % t-interval of the mean for each epoch that three seeds or more reached. Of two it would dwarf every curve.
    pub(in crate::report) fn intervals(&self) -> Vec<(f64, Interval)> {
        let mut epochs: Vec<usize> = self.seeds.iter().flatten().map(|point| point.0).collect();
        epochs.sort_unstable();
        epochs.dedup();
        let interval = |epoch: usize| {
            let points = self.seeds.iter().flatten();
            let here: Vec<f64> = points
                .filter(|point| point.0 == epoch && point.1.is_finite())
                .map(|point| point.1)
                .collect();
            let interval = metrics::mean_interval(&here).filter(|_| here.len() > 2)?;
            Some((count_f64(epoch), interval))
        };
        epochs.into_iter().filter_map(interval).collect()
    }

    /// The name with its remark.
    pub(in crate::report) fn label(&self) -> String {
        match self.remark {
            Some(remark) => format!("{} ({remark})", self.name),
            None if self.has_values() => self.name.clone(),
            None => format!("{} (no values)", self.name),
        }
    }

    fn has_values(&self) -> bool {
        self.seeds.iter().flatten().any(|point| point.1.is_finite())
    }

    /// Each seed's points.
    pub(in crate::report) fn lines(&self) -> impl Iterator<Item = Vec<(f64, f64)>> + '_ {
        self.seeds.iter().map(|seed| {
            seed.iter()
                .map(|&(epoch, value)| (count_f64(epoch), value))
                .collect()
        })
    }
}

/// The figure; None when no run has an epoch.
pub(in crate::report) fn draw(title: &str, courses: &[Course], measure: &Measure) -> Option<Scene> {
    let points = || {
        courses
            .iter()
            .flat_map(|course| course.seeds.iter().flatten())
    };
    let first = points().map(|point| point.0).min()?;
    let last = points().map(|point| point.0).max()?;
    let mut values: Vec<f64> = points().map(|point| point.1).collect();
    let mut notes = Vec::new();
    let missing = values.iter().filter(|value| !value.is_finite()).count();
    if missing > 0 {
        let verb = if missing == 1 {
            "value is"
        } else {
            "values are"
        };
        notes.push(format!(
            "{missing} of {} {verb} not finite and left out.",
            values.len()
        ));
    }
    if courses.iter().any(|course| course.seeds.len() > 1) {
        notes.push("Several seeds: pale lines; their mean: the strong line.".to_owned());
    }
    let ends: Vec<f64> = courses
        .iter()
        .flat_map(Course::intervals)
        .flat_map(|(_, interval)| [interval.low, interval.high])
        .collect();
    if !ends.is_empty() {
        notes.push(
            "Bars: the mean's 95 % t-interval over the seeds, from three seeds on; beside one another where there are several."
                .to_owned(),
        );
    }
    // What no accuracy and no loss can be needs no room.
    values.extend(
        ends.into_iter()
            .filter(|end| *end > 0.0 && (!measure.share || *end < 1.0)),
    );
    if courses.len() > LOOKS.len() {
        return Some(multiples::draw(
            title,
            courses,
            measure,
            (first, last),
            &values,
            &notes,
        ));
    }
    Some(together(
        title,
        courses,
        measure,
        (first, last),
        &values,
        &notes,
    ))
}

fn together(
    title: &str,
    courses: &[Course],
    measure: &Measure,
    (first, last): (usize, usize),
    values: &[f64],
    notes: &[String],
) -> Scene {
    let y_axis = measure.axis(values, 6);
    let left = MARGIN + 16.0 + Panel::tick_room(&y_axis);
    let names: Vec<Vec<String>> = courses
        .iter()
        .map(|course| text::fit(&course.label(), NAME_SIZE, false, LEGEND_WIDTH, 3))
        .collect();
    let names_width = names
        .iter()
        .flatten()
        .map(|line| text::width(line, NAME_SIZE, false))
        .fold(60.0, f64::max);
    let width = left + PLOT_WIDTH + 24.0 + LEGEND_SAMPLE + names_width + MARGIN;
    let note_lines = panel::note_lines(notes, width - 2.0 * MARGIN);
    let mut scene = Scene::new(width, 0.0);
    let top = MARGIN - 4.0
        + panel::title(
            &mut scene,
            title,
            (MARGIN, MARGIN - 4.0),
            width - 2.0 * MARGIN,
        )
        + 16.0;
    let room = (count_f64(last - first) * 0.04).clamp(0.15, 1.0);
    let x = Axis::integers(first, last, room, 10);
    let panel = Panel {
        left,
        top,
        width: PLOT_WIDTH,
        height: PLOT_HEIGHT,
        x,
        y: y_axis,
    };
    panel.frame(&mut scene, true, true);
    panel.name_x(&mut scene, measure.place);
    panel.name_y(&mut scene, MARGIN + CAPITALS * NAME_SIZE, &measure.name);
    for (course, look) in courses.iter().zip(LOOKS) {
        if course.seeds.len() > 1 {
            for line in course.lines() {
                panel.curve(&mut scene, &line, pale(look.colour), 1.0, &[]);
                panel.lone_points(&mut scene, &line, pale(look.colour));
            }
        }
    }
    for (course, look) in courses.iter().zip(LOOKS) {
        panel.curve(&mut scene, &course.mean(), look.colour, 1.8, look.dash);
    }
    for (i, (course, look)) in courses.iter().zip(LOOKS).enumerate() {
        let aside = (count_f64(i) - count_f64(courses.len() - 1) / 2.0) * BESIDE;
        panel.bars(&mut scene, &course.intervals(), look.colour, aside);
    }
    // Markers last, so that no line hides one; where values are equal, the later runs' stand inside the earlier ones'.
    for (i, (course, look)) in courses.iter().zip(LOOKS).enumerate() {
        panel.marks(&mut scene, &course.mean(), look, 4.6 - 0.25 * count_f64(i));
    }
    let legend_bottom = legend(&mut scene, courses, &names, (left + PLOT_WIDTH + 24.0, top));
    let bottom = (top + PLOT_HEIGHT + 46.0).max(legend_bottom + 10.0);
    panel::draw_notes(&mut scene, &note_lines, (MARGIN, bottom));
    scene.height = bottom
        + count_f64(note_lines.len()) * NOTE_LINE
        + if note_lines.is_empty() { 4.0 } else { 12.0 };
    scene
}

/// Samples and names to the right of the panel; returns where they end.
fn legend(
    scene: &mut Scene,
    courses: &[Course],
    names: &[Vec<String>],
    (left, top): (f64, f64),
) -> f64 {
    let mut y = top;
    for ((course, name), look) in courses.iter().zip(names).zip(LOOKS) {
        let drawn = course.has_values();
        let middle = y + LEGEND_LINE / 2.0;
        if drawn {
            scene.dashed(
                &[(left, middle), (left + 32.0, middle)],
                look.colour,
                1.8,
                look.dash,
            );
            look.marker
                .draw(scene, (left + 16.0, middle), 4.2, look.colour);
        }
        for line in name {
            let at = (
                left + LEGEND_SAMPLE,
                y + LEGEND_LINE / 2.0 + CAPITALS * NAME_SIZE / 2.0,
            );
            scene.text(
                at,
                line,
                Style::new(NAME_SIZE, if drawn { INK } else { MUTED }),
                Anchor::Start,
            );
            y += LEGEND_LINE;
        }
        y += 7.0;
    }
    y
}

/// The colour on its way to white.
pub(in crate::report) fn pale((red, green, blue): Colour) -> Colour {
    let mix = |channel: u8| channel + (u8::MAX - channel) / 5 * 3;
    (mix(red), mix(green), mix(blue))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mean_over_seeds_leaves_out_what_is_not_finite() {
        let course = Course {
            name: "a".into(),
            remark: None,
            seeds: vec![
                vec![(1, 0.5), (2, f64::NAN)],
                vec![(1, 0.7), (2, 0.8), (3, f64::NAN)],
            ],
        };
        let mean = course.mean();
        assert!((mean[0].1 - 0.6).abs() < 1e-12);
        assert!((mean[1].1 - 0.8).abs() < 1e-12);
        assert!(mean[2].1.is_nan());
    }

    #[test]
    fn bars_begin_with_three_seeds() {
        let course = |seeds: usize| Course {
            name: "a".into(),
            remark: None,
            seeds: [0.5, 0.6, 0.7][..seeds]
                .iter()
                .map(|&value| vec![(1, value)])
                .collect(),
        };
        assert!(course(2).intervals().is_empty());
        let [(epoch, interval)] = course(3).intervals()[..] else {
            panic!("one epoch, one bar")
        };
        // t(0.975, 2) = 4.303, standard error 0.1 / sqrt(3).
        assert!((epoch - 1.0).abs() < 1e-12 && (interval.high - 0.8484).abs() < 1e-4);
    }

    #[test]
    fn no_epochs_make_no_picture() {
        let measure = Measure {
            name: "loss".into(),
            place: "epoch",
            judged: true,
            share: false,
        };
        assert!(draw("t", &[], &measure).is_none());
        assert!(
            draw(
                "t",
                &[Course {
                    name: "a".into(),
                    seeds: vec![vec![]],
                    remark: None
                }],
                &measure
            )
            .is_none()
        );
    }
}
