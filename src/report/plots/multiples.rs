//! Small panels with shared axes, one for each run: that run strong, all others pale behind it.

use super::courses::{Course, MARGIN, Measure};
use crate::draw::axis::{Axis, count_f64};
use crate::draw::palette::{BLUE, CONTEXT, INK, LOOKS, Look, MUTED, VERMILION, pale};
use crate::draw::panel::{self, NAME_SIZE, NOTE_LINE, Panel};
use crate::draw::scene::{Anchor, Scene, Style};
use crate::draw::text::{self, CAPITALS};

const PANEL_WIDTH: f64 = 186.0;
const PANEL_HEIGHT: f64 = 112.0;
const BETWEEN: f64 = 20.0;
const HEAD_SIZE: f64 = 10.5;
const HEAD_LINE: f64 = HEAD_SIZE * 1.25;
const X_TEXTS: f64 = 24.0;

/// The figure for more runs than one panel can hold apart.
pub(super) fn draw(
    title: &str,
    courses: &[Course],
    measure: &Measure,
    span: (usize, usize),
    values: &[f64],
    notes: &[String],
) -> Scene {
    let columns = columns(courses.len());
    let y_axis = measure.axis(values, 5);
    let left = MARGIN + 16.0 + Panel::tick_room(&y_axis);
    let width = left + count_f64(columns) * (PANEL_WIDTH + BETWEEN) - BETWEEN + MARGIN;
    let judged = measure.judged.then(|| best(courses, measure));
    let best = judged.flatten();
    let mut notes = notes.to_vec();
    notes.insert(0, "Blue: the run named above the panel; grey: all the other runs; all panels have the same axes.".to_owned());
    let note_lines = panel::note_lines(&notes, width - 2.0 * MARGIN);
    let mut scene = Scene::new(width, 0.0);
    let mut y = MARGIN - 4.0
        + panel::title(
            &mut scene,
            title,
            (MARGIN, MARGIN - 4.0),
            width - 2.0 * MARGIN,
        )
        + 10.0;
    let (panels_top, means): (f64, Vec<_>) = (y, courses.iter().map(Course::mean).collect());
    let room = (count_f64(span.1 - span.0) * 0.05).clamp(0.2, 1.0);
    let x_axis = Axis::integers(span.0, span.1, room, 6);
    let mut last_bottom = y;
    for (row, in_row) in courses.chunks(columns).enumerate() {
        let heads: Vec<Vec<String>> = in_row
            .iter()
            .map(|course| text::fit(&course.label(), HEAD_SIZE, true, PANEL_WIDTH, 3))
            .collect();
        let head_lines = heads.iter().map(Vec::len).max().unwrap_or(1);
        let top = y + count_f64(head_lines + 1) * HEAD_LINE + 6.0;
        for (column, (course, head)) in in_row.iter().zip(&heads).enumerate() {
            let index = row * columns + column;
            let panel = Panel {
                left: left + count_f64(column) * (PANEL_WIDTH + BETWEEN),
                top,
                width: PANEL_WIDTH,
                height: PANEL_HEIGHT,
                x: x_axis.clone(),
                y: y_axis.clone(),
            };
            // A column's lowest panel carries the epochs' numbers.
            panel.frame(&mut scene, index + columns >= courses.len(), column == 0);
            for (_, mean) in means
                .iter()
                .enumerate()
                .filter(|(other, _)| *other != index)
            {
                panel.curve(&mut scene, mean, CONTEXT, 1.0, &[]);
                panel.lone_points(&mut scene, mean, CONTEXT);
            }
            if course.seeds.len() > 1 {
                course
                    .lines()
                    .for_each(|line| panel.curve(&mut scene, &line, pale(BLUE), 1.0, &[]));
            }
            let look = Look {
                colour: BLUE,
                ..LOOKS[0]
            };
            panel.curve(&mut scene, &means[index], look.colour, 2.0, &[]);
            panel.bars(&mut scene, &course.intervals(), look.colour, 0.0);
            if means[index].len() <= 30 {
                panel.marks(&mut scene, &means[index], look, 2.8);
            }
            let best = best == Some(index);
            head_of(
                &mut scene,
                &panel,
                head,
                &summary(course, measure, best || !measure.judged),
                best,
            );
        }
        last_bottom = top + PANEL_HEIGHT;
        y = last_bottom
            + if (row + 1) * columns >= courses.len() {
                X_TEXTS
            } else {
                14.0
            };
    }
    // The last row may be shorter: numbers under the panels above its gap need room, too, which the
    // next row's heads leave.
    let middle = left + (width - MARGIN - left) / 2.0;
    scene.text(
        (middle, last_bottom + 38.0),
        measure.place,
        Style::new(NAME_SIZE, INK),
        Anchor::Middle,
    );
    let name = if y_axis.logarithmic {
        format!("{}, log scale", measure.name)
    } else {
        measure.name.clone()
    };
    let at = (
        MARGIN + CAPITALS * NAME_SIZE,
        f64::midpoint(panels_top, last_bottom),
    );
    scene.text_upwards(at, &name, Style::new(NAME_SIZE, INK), Anchor::Middle);
    y = last_bottom + 48.0;
    panel::draw_notes(&mut scene, &note_lines, (MARGIN, y));
    scene.height = y + count_f64(note_lines.len()) * NOTE_LINE + 12.0;
    scene
}

/// As square as the page allows: at most five columns.
fn columns(runs: usize) -> usize {
    match runs {
        0..=9 => 3,
        10..=16 => 4,
        _ => 5,
    }
}

/// The run whose last value is the best.
fn best(courses: &[Course], measure: &Measure) -> Option<usize> {
    let last = |course: &Course| {
        course
            .mean()
            .last()
            .map(|point| point.1)
            .filter(|value| value.is_finite())
    };
    let mut best: Option<(usize, f64)> = None;
    for (index, course) in courses.iter().enumerate() {
        if let Some(value) = last(course) {
            let better = best.is_none_or(|(_, so_far)| {
                if measure.share {
                    value > so_far
                } else {
                    value < so_far
                }
            });
            if better {
                best = Some((index, value));
            }
        }
    }
    best.map(|(index, _)| index)
}

/// The last value and, unless it is to be short, the best one with its epoch where that is another.
fn summary(course: &Course, measure: &Measure, short: bool) -> String {
    let mean = course.mean();
    let Some(&(last_epoch, last)) = mean.last() else {
        return "no values".to_owned();
    };
    let last_text = if last.is_finite() {
        format!("last {last:.4}")
    } else {
        "last not finite".to_owned()
    };
    if short {
        return last_text;
    }
    let finite = mean.iter().filter(|point| point.1.is_finite());
    let order = |a: &&(f64, f64), b: &&(f64, f64)| {
        if measure.share {
            a.1.total_cmp(&b.1)
        } else {
            b.1.total_cmp(&a.1)
        }
    };
    match finite.max_by(order) {
        None => "no finite value".to_owned(),
        Some(&(epoch, value))
            if epoch < last_epoch && (!last.is_finite() || (value - last).abs() > 5e-5) =>
        {
            let word = if measure.share { "highest" } else { "lowest" };
            format!("{last_text}, {word} {value:.4} (epoch {epoch})")
        }
        Some(_) => last_text,
    }
}

/// Name and summary above a panel.
fn head_of(scene: &mut Scene, panel: &Panel, name: &[String], summary: &str, best: bool) {
    let mut y = panel.top - 7.0;
    let (colour, summary) = if best {
        (VERMILION, format!("best of all: {summary}"))
    } else {
        (MUTED, summary.to_owned())
    };
    let summary = text::fit(&summary, HEAD_SIZE - 0.5, false, PANEL_WIDTH + 12.0, 1);
    scene.text(
        (panel.left, y),
        &summary[0],
        Style::new(HEAD_SIZE - 0.5, colour),
        Anchor::Start,
    );
    for line in name.iter().rev() {
        y -= HEAD_LINE;
        scene.text(
            (panel.left, y),
            line,
            Style::new(HEAD_SIZE, INK).bold(),
            Anchor::Start,
        );
    }
}
