//! Numbers in a grid, each on a shade for its share: confusion matrices, heat maps, agreement of
//! runs.

use super::axis::count_f64;
use super::labels::Labels;
use super::palette::{AXIS, INK, MUTED, WHITE, shade, text_on};
use super::panel::{self, NAME_SIZE, NOTE_LINE, NOTE_SIZE, TICK_SIZE};
use super::scene::{Anchor, Scene, Style};
use super::text::{self, CAPITALS};

const MARGIN: f64 = 18.0;
/// Room for a row's name, and for a column's that reads upwards.
const LABEL_WIDTH: f64 = 190.0;
const LABEL_LINE: f64 = TICK_SIZE * 1.25;
/// Room for the scale of shades, its texts not counted.
const SCALE_ROOM: f64 = 44.0;
/// Below this size of a number, it would not be readable.
const READABLE: f64 = 7.5;
/// Columns from this width on have names that lie flat.
const FLAT: f64 = 90.0;
/// Shortened names up to which all are told in full below.
const TOLD: usize = 8;

/// What is drawn.
#[derive(Debug, Clone)]
pub(crate) struct Matrix {
    pub title: String,
    /// What the rows and the columns are.
    pub names: (String, String),
    pub rows: Vec<String>,
    pub columns: Vec<String>,
    /// Row after row.
    pub cells: Vec<Vec<Cell>>,
    /// Texts of the scale at 1, 1/2 and 0.
    pub scale: [String; 3],
    /// Whether rows and columns are the same things, so that its cells are squares.
    pub square: bool,
    /// The longest side of a cell.
    pub largest: f64,
}

/// One number.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Cell {
    /// What sets the shade, from 0 to 1; white without one.
    pub share: Option<f64>,
    pub text: String,
    /// A second text, smaller.
    pub below: String,
}

impl Matrix {
    /// Width and height of a cell.
    pub(crate) fn cell_size(&self) -> (f64, f64) {
        let (rows, columns) = (
            count_f64(self.rows.len().max(1)),
            count_f64(self.columns.len().max(1)),
        );
        if self.square {
            let side = (520.0 / rows.max(columns)).clamp(12.0, self.largest);
            return (side, side);
        }
        (
            (520.0 / columns).clamp(16.0, self.largest),
            (600.0 / rows).clamp(16.0, 0.6 * self.largest),
        )
    }

    /// Whether its cells have room for numbers.
    pub(crate) fn has_numbers(&self) -> bool {
        let (width, height) = self.cell_size();
        let longest = self
            .cells
            .iter()
            .flatten()
            .map(|cell| text::width(&cell.text, 1.0, false));
        let longest = longest.fold(0.0, f64::max);
        height >= 14.0 && (width - 6.0) / longest.max(0.1) >= READABLE
    }

    /// The figure, with notes below it; None without a cell.
    pub(crate) fn draw(&self, notes: &[String]) -> Option<Scene> {
        if self.rows.is_empty() || self.columns.is_empty() {
            return None;
        }
        let names = Names::new(self);
        let (wide, high) = names.cell;
        let (across, down) = (
            wide * count_f64(self.columns.len()),
            high * count_f64(self.rows.len()),
        );
        let left = MARGIN + 20.0 + names.rows.width(TICK_SIZE, false) + 12.0;
        let scale_texts = self
            .scale
            .iter()
            .map(|label| text::width(label, NOTE_SIZE, false));
        let scale_room = SCALE_ROOM + scale_texts.fold(0.0, f64::max);
        // A name that reads upwards or lies flat never passes its cell; that of all columns may.
        let name = text::width(&self.names.1, NAME_SIZE, false);
        let width = (left + across.max(name) + scale_room + MARGIN).max(4.0 * self.largest);
        let mut notes = notes.to_vec();
        notes.extend(names.told(self));
        let note_lines = panel::note_lines(&notes, width - 2.0 * MARGIN);
        let mut scene = Scene::new(width, 0.0);
        let title_height = panel::title(
            &mut scene,
            &self.title,
            (MARGIN, MARGIN - 4.0),
            width - 2.0 * MARGIN,
        );
        let y = MARGIN + 20.0 + title_height;
        let name_style = Style::new(NAME_SIZE, INK);
        scene.text(
            (left + across.max(name) / 2.0, y),
            &self.names.1,
            name_style,
            Anchor::Middle,
        );
        let top = y + names.columns_height + 16.0;
        // The rows' name needs the height that it needs.
        let row_name =
            text::fit(&self.names.0, NAME_SIZE, false, down.max(60.0) + 30.0, 1).concat();
        let at = (MARGIN + CAPITALS * NAME_SIZE, top + down / 2.0);
        scene.text_upwards(at, &row_name, name_style, Anchor::Middle);
        names.draw(&mut scene, (left, top));
        for (row, cells) in self.cells.iter().enumerate() {
            for (column, content) in cells.iter().enumerate() {
                let at = (left + count_f64(column) * wide, top + count_f64(row) * high);
                draw_cell(&mut scene, at, names.cell, content);
            }
        }
        let (bottom, right) = (top + down, left + across);
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
        let scale = down.clamp(60.0, 200.0);
        draw_scale(&mut scene, (right + 22.0, top), scale, &self.scale);
        let half_name = text::width(&row_name, NAME_SIZE, false) / 2.0;
        let end = bottom.max(top + scale).max(top + down / 2.0 + half_name);
        panel::draw_notes(&mut scene, &note_lines, (MARGIN, end + 12.0));
        scene.height = end + 24.0 + count_f64(note_lines.len()) * NOTE_LINE;
        Some(scene)
    }
}

/// The names on both sides of the matrix, and the size of a cell.
struct Names {
    cell: (f64, f64),
    rows: Labels,
    columns: Labels,
    columns_height: f64,
    /// Whether the columns' names lie flat instead of reading upwards.
    flat: bool,
}

impl Names {
    fn new(matrix: &Matrix) -> Self {
        let cell = matrix.cell_size();
        let lines = match cell.1 {
            height if height > 3.0 * LABEL_LINE => 3,
            height if height > 2.0 * LABEL_LINE => 2,
            _ => 1,
        };
        let rows = Labels::fit(&matrix.rows, TICK_SIZE, false, LABEL_WIDTH, lines);
        // Column names lie flat where they fit.
        let width = |name: &String| text::width(name, TICK_SIZE, false);
        let flat = cell.0 >= FLAT
            || matrix
                .columns
                .iter()
                .all(|name| width(name) <= cell.0 - 6.0);
        let (room, lines) = if flat {
            (cell.0 - 6.0, 3)
        } else {
            (LABEL_WIDTH, 1)
        };
        let columns = Labels::fit(&matrix.columns, TICK_SIZE, false, room, lines);
        let columns_height = if flat {
            count_f64(columns.most_lines()) * LABEL_LINE
        } else {
            columns.width(TICK_SIZE, false)
        };
        Self {
            cell,
            rows,
            columns,
            columns_height,
            flat,
        }
    }

    /// The names in full that are not drawn so, while there are few.
    fn told(&self, matrix: &Matrix) -> Option<String> {
        let of = |labels: &Labels, names: &[String]| -> Vec<String> {
            let all = labels.lines.iter().zip(names);
            let cut = all.filter(|(lines, name)| {
                let drawn = lines.concat();
                drawn.contains('…') && !name.contains('…')
            });
            cut.map(|(lines, name)| format!("“{}” is “{name}”", lines.concat()))
                .collect()
        };
        let mut told = of(&self.rows, &matrix.rows);
        told.extend(of(&self.columns, &matrix.columns));
        told.sort_unstable();
        told.dedup();
        (!told.is_empty() && told.len() <= TOLD).then(|| format!("{}.", told.join("; ")))
    }

    /// Draws the names around the matrix whose upper left corner is given.
    fn draw(&self, scene: &mut Scene, (left, top): (f64, f64)) {
        let style = Style::new(TICK_SIZE, MUTED);
        for (index, row) in self.rows.lines.iter().enumerate() {
            let middle = (count_f64(index) + 0.5) * self.cell.1;
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
        }
        for (index, column) in self.columns.lines.iter().enumerate() {
            let middle = (count_f64(index) + 0.5) * self.cell.0;
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

fn draw_cell(scene: &mut Scene, (x, y): (f64, f64), cell: (f64, f64), content: &Cell) {
    let (wide, high) = cell;
    let colour = content.share.map_or(WHITE, shade);
    // A hairline of paper between neighbours.
    scene.rectangle((x + 0.5, y + 0.5), wide - 1.0, high - 1.0, colour);
    let ink = if content.share.is_some() {
        text_on(colour)
    } else {
        MUTED
    };
    let middle = x + wide / 2.0;
    // As large as fits.
    let fitting = |text: &str, largest: f64| {
        largest.min((wide - 6.0) / text::width(text, 1.0, true).max(0.1))
    };
    let least = wide.min(high);
    let size = fitting(&content.text, (least * 0.3).clamp(9.0, 20.0));
    if size < READABLE || high < 14.0 || content.text.is_empty() {
        return;
    }
    let below_size = fitting(&content.below, (least * 0.17).clamp(8.0, 13.0));
    let block = CAPITALS * (size + below_size) + below_size * 0.6;
    if below_size < READABLE || content.below.is_empty() || block > high - 6.0 {
        let baseline = y + high / 2.0 + CAPITALS * size / 2.0;
        return scene.text(
            (middle, baseline),
            &content.text,
            Style::new(size, ink),
            Anchor::Middle,
        );
    }
    let first = y + (high - block) / 2.0 + CAPITALS * size;
    scene.text(
        (middle, first),
        &content.text,
        Style::new(size, ink).bold(),
        Anchor::Middle,
    );
    let second = first + below_size * 0.6 + CAPITALS * below_size;
    scene.text(
        (middle, second),
        &content.below,
        Style::new(below_size, ink),
        Anchor::Middle,
    );
}

/// The shades and what they stand for.
fn draw_scale(scene: &mut Scene, (x, top): (f64, f64), height: f64, labels: &[String; 3]) {
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
    for (share, label) in [1.0, 0.5, 0.0].into_iter().zip(labels.iter()) {
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
