//! One figure per epoch for all runs of an experiment: in one panel while the lines can be told
//! apart, else one small panel for each run.

use super::courses::{Course, MARGIN, Measure};
use super::multiples;
use crate::draw::axis::{Axis, count_f64};
use crate::draw::palette::{INK, LOOKS, MUTED, pale};
use crate::draw::panel::{self, NAME_SIZE, NOTE_LINE, Panel};
use crate::draw::scene::{Anchor, Scene, Style};
use crate::draw::text::{self, CAPITALS};

const PLOT_WIDTH: f64 = 560.0;
const PLOT_HEIGHT: f64 = 340.0;
const LEGEND_WIDTH: f64 = 220.0;
const LEGEND_SAMPLE: f64 = 40.0;
/// Distance between the bars of two runs at the same epoch.
const BESIDE: f64 = 3.0;
const LEGEND_LINE: f64 = NAME_SIZE * 1.25;

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
        .flat_map(|(_, ends)| ends)
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
    // Markers last, so that no line hides one; where values are equal, the later runs' stand inside
    // the earlier ones'.
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
        assert!((epoch - 1.0).abs() < 1e-12 && (interval[1] - 0.8484).abs() < 1e-4);
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
