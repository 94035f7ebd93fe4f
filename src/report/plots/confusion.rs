//! A confusion matrix: counts, and each count's share of its true class.

use super::axis::{count_f64, group};
use super::palette::{AXIS, INK, MUTED, WHITE, shade, text_on};
use super::panel::{self, NAME_SIZE, NOTE_LINE, NOTE_SIZE, TICK_SIZE};
use super::scene::{Anchor, Scene, Style};
use super::text::{self, CAPITALS};
use crate::report::predictions::Confusion;

const MARGIN: f64 = 18.0;
const LABEL_WIDTH: f64 = 130.0;
const LABEL_LINE: f64 = TICK_SIZE * 1.25;
/// Room for the scale of shades.
const SCALE_ROOM: f64 = 84.0;
/// Below this cell size, numbers would not be readable.
const READABLE: f64 = 26.0;

/// The figure; None without classes.
pub(super) fn draw(title: &str, confusion: &Confusion) -> Option<Scene> {
    if confusion.classes.is_empty() {
        return None;
    }
    let names = Names::new(&confusion.classes);
    let (cell, side) = (names.cell, names.cell * count_f64(confusion.classes.len()));
    let left = MARGIN + 20.0 + names.rows_width + 12.0;
    let width = (left + side + SCALE_ROOM + MARGIN).max(480.0);
    let note_lines = panel::note_lines(&notes(confusion, cell), width - 2.0 * MARGIN);
    let mut scene = Scene::new(width, 0.0);
    let title_height = panel::title(
        &mut scene,
        title,
        (MARGIN, MARGIN - 4.0),
        width - 2.0 * MARGIN,
    );
    let y = MARGIN + 20.0 + title_height;
    let name_style = Style::new(NAME_SIZE, INK);
    scene.text(
        (left + side / 2.0, y),
        "predicted class",
        name_style,
        Anchor::Middle,
    );
    let top = y + names.columns_height + 16.0;
    let at = (MARGIN + CAPITALS * NAME_SIZE, top + side / 2.0);
    scene.text_upwards(at, "true class", name_style, Anchor::Middle);
    names.draw(&mut scene, (left, top));
    for (row, counts) in confusion.counts.iter().enumerate() {
        let total: u64 = counts.iter().sum();
        for (column, &count) in counts.iter().enumerate() {
            let at = (left + count_f64(column) * cell, top + count_f64(row) * cell);
            draw_cell(&mut scene, at, cell, count, total);
        }
    }
    let (bottom, right) = (top + side, left + side);
    scene.line(
        &[
            (left, top),
            (right, top),
            (right, bottom),
            (left, bottom),
            (left, top),
        ],
        AXIS,
        1.0,
    );
    draw_scale(&mut scene, (right + 22.0, top), side.min(200.0));
    panel::draw_notes(&mut scene, &note_lines, (MARGIN, bottom + 12.0));
    scene.height = bottom + 24.0 + count_f64(note_lines.len()) * NOTE_LINE;
    Some(scene)
}

/// The classes' names on both sides of the matrix, and the size of a cell.
struct Names {
    cell: f64,
    rows: Vec<Vec<String>>,
    rows_width: f64,
    columns: Vec<Vec<String>>,
    columns_height: f64,
    /// Whether the columns' names lie flat instead of reading upwards.
    flat: bool,
}

impl Names {
    fn new(classes: &[String]) -> Self {
        let cell = (520.0 / count_f64(classes.len())).clamp(12.0, 120.0);
        let lines = if cell > 30.0 { 2 } else { 1 };
        let rows: Vec<Vec<String>> = classes
            .iter()
            .map(|name| text::fit(name, TICK_SIZE, false, LABEL_WIDTH, lines))
            .collect();
        // Column names lie flat where they fit.
        let flat = classes.iter().all(|name| width(name) <= cell - 6.0) || cell >= 90.0;
        let (room, lines) = if flat {
            (cell - 6.0, 2)
        } else {
            (LABEL_WIDTH, 1)
        };
        let columns: Vec<Vec<String>> = classes
            .iter()
            .map(|name| text::fit(name, TICK_SIZE, false, room, lines))
            .collect();
        let columns_height = if flat {
            count_f64(columns.iter().map(Vec::len).max().unwrap_or(1)) * LABEL_LINE
        } else {
            widest(&columns)
        };
        Self {
            cell,
            rows_width: widest(&rows),
            rows,
            columns,
            columns_height,
            flat,
        }
    }

    /// Draws the names around the matrix whose upper left corner is given.
    fn draw(&self, scene: &mut Scene, (left, top): (f64, f64)) {
        let style = Style::new(TICK_SIZE, MUTED);
        for (index, (row, column)) in self.rows.iter().zip(&self.columns).enumerate() {
            let middle = (count_f64(index) + 0.5) * self.cell;
            let first = top + middle - count_f64(row.len() - 1) * LABEL_LINE / 2.0
                + CAPITALS * TICK_SIZE / 2.0;
            for (place, line) in row.iter().enumerate() {
                scene.text(
                    (left - 8.0, first + count_f64(place) * LABEL_LINE),
                    line,
                    style,
                    Anchor::End,
                );
            }
            if self.flat {
                let first = top - 8.0 - count_f64(column.len() - 1) * LABEL_LINE;
                for (place, line) in column.iter().enumerate() {
                    scene.text(
                        (left + middle, first + count_f64(place) * LABEL_LINE),
                        line,
                        style,
                        Anchor::Middle,
                    );
                }
            } else {
                let at = (left + middle + CAPITALS * TICK_SIZE / 2.0, top - 7.0);
                scene.text_upwards(at, &column.concat(), style, Anchor::Start);
            }
        }
    }
}

fn width(line: &str) -> f64 {
    text::width(line, TICK_SIZE, false)
}

fn widest(names: &[Vec<String>]) -> f64 {
    names
        .iter()
        .flatten()
        .map(|line| width(line))
        .fold(0.0, f64::max)
}

fn draw_cell(scene: &mut Scene, (x, y): (f64, f64), cell: f64, count: u64, total: u64) {
    #[expect(clippy::cast_precision_loss, reason = "rows of a data set")]
    let share = if total == 0 {
        0.0
    } else {
        count as f64 / total as f64
    };
    let colour = shade(share);
    // A hairline of paper between neighbours.
    scene.rectangle(
        (x + 0.5, y + 0.5),
        cell - 1.0,
        cell - 1.0,
        if total == 0 { WHITE } else { colour },
    );
    if cell < READABLE {
        return;
    }
    let ink = if total == 0 { MUTED } else { text_on(colour) };
    let (middle, digits) = (x + cell / 2.0, group(&count.to_string()));
    let percent = if total == 0 {
        "–".to_owned()
    } else {
        format!("{:.1} %", share * 100.0)
    };
    // As large as fits, up to 20 points.
    let fitting = |text: &str, largest: f64| {
        largest.min((cell - 6.0) / text::width(text, 1.0, false).max(0.1))
    };
    let (count_size, percent_size) = (
        fitting(&digits, (cell * 0.24).min(20.0)),
        fitting(&percent, (cell * 0.17).min(13.0)),
    );
    if percent_size < 7.0 {
        let baseline = y + cell / 2.0 + CAPITALS * count_size / 2.0;
        return scene.text(
            (middle, baseline),
            &digits,
            Style::new(count_size, ink),
            Anchor::Middle,
        );
    }
    let block = CAPITALS * (count_size + percent_size) + percent_size * 0.6;
    let first = y + (cell - block) / 2.0 + CAPITALS * count_size;
    scene.text(
        (middle, first),
        &digits,
        Style::new(count_size, ink).bold(),
        Anchor::Middle,
    );
    let second = first + percent_size * 0.6 + CAPITALS * percent_size;
    scene.text(
        (middle, second),
        &percent,
        Style::new(percent_size, ink),
        Anchor::Middle,
    );
}

/// The shades and what they stand for.
fn draw_scale(scene: &mut Scene, (x, top): (f64, f64), height: f64) {
    const STEPS: usize = 50;
    let step = height / count_f64(STEPS);
    for i in 0..STEPS {
        let share = 1.0 - (count_f64(i) + 0.5) / count_f64(STEPS);
        scene.rectangle(
            (x, top + count_f64(i) * step),
            12.0,
            step + 0.5,
            shade(share),
        );
    }
    for (share, label) in [(1.0, "100 %"), (0.5, "50 %"), (0.0, "0 %")] {
        let y = top + (1.0 - share) * height;
        scene.line(&[(x + 12.0, y), (x + 15.0, y)], AXIS, 1.0);
        scene.text(
            (x + 19.0, y + CAPITALS * NOTE_SIZE / 2.0),
            label,
            Style::new(NOTE_SIZE, MUTED),
            Anchor::Start,
        );
    }
}

fn notes(confusion: &Confusion, cell: f64) -> Vec<String> {
    let rows = group(&confusion.rows().to_string());
    let mut notes = vec![if cell < READABLE {
        format!(
            "Shade: share of the true class. {rows} rows. Too many classes for numbers; predictions.csv has them."
        )
    } else {
        format!(
            "Counts, and below them the share of the true class, which also sets the shade. {rows} rows."
        )
    }];
    if confusion.unplaced > 0 {
        let unplaced = group(&confusion.unplaced.to_string());
        notes.push(format!(
            "Not shown: {unplaced} rows whose label or prediction is none of these classes."
        ));
    }
    notes
}
