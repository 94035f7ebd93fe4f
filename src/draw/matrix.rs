//! Numbers in a grid, each on a shade for its share: confusion matrices, heat maps, agreement of
//! runs.

use super::axis::count_f64;
use super::palette::{AXIS, INK, MUTED, WHITE, shade, text_on};
use super::panel::{self, NAME_SIZE, NOTE_LINE, NOTE_SIZE, TICK_SIZE};
use super::scene::{Anchor, Scene, Style};
use super::text::{self, CAPITALS};

const MARGIN: f64 = 18.0;
const LABEL_WIDTH: f64 = 130.0;
const LABEL_LINE: f64 = TICK_SIZE * 1.25;
/// Room for the scale of shades.
const SCALE_ROOM: f64 = 84.0;
/// Below this cell size, numbers would not be readable.
pub(crate) const READABLE: f64 = 26.0;

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
    pub scale: [&'static str; 3],
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
    /// Side of a cell.
    pub(crate) fn cell_size(&self) -> f64 {
        let most = self.rows.len().max(self.columns.len());
        (520.0 / count_f64(most.max(1))).clamp(12.0, 120.0)
    }

    /// The figure, with notes below it; None without a cell.
    pub(crate) fn draw(&self, notes: &[String]) -> Option<Scene> {
        if self.rows.is_empty() || self.columns.is_empty() {
            return None;
        }
        let names = Names::new(self);
        let cell = names.cell;
        let (across, down) = (
            cell * count_f64(self.columns.len()),
            cell * count_f64(self.rows.len()),
        );
        let left = MARGIN + 20.0 + names.rows_width + 12.0;
        let width = (left + across + SCALE_ROOM + MARGIN).max(480.0);
        let note_lines = panel::note_lines(notes, width - 2.0 * MARGIN);
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
            (left + across / 2.0, y),
            &self.names.1,
            name_style,
            Anchor::Middle,
        );
        let top = y + names.columns_height + 16.0;
        let at = (MARGIN + CAPITALS * NAME_SIZE, top + down / 2.0);
        scene.text_upwards(at, &self.names.0, name_style, Anchor::Middle);
        names.draw(&mut scene, (left, top));
        for (row, cells) in self.cells.iter().enumerate() {
            for (column, content) in cells.iter().enumerate() {
                let at = (left + count_f64(column) * cell, top + count_f64(row) * cell);
                draw_cell(&mut scene, at, cell, content);
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
        draw_scale(&mut scene, (right + 22.0, top), scale, self.scale);
        let end = bottom.max(top + scale);
        panel::draw_notes(&mut scene, &note_lines, (MARGIN, end + 12.0));
        scene.height = end + 24.0 + count_f64(note_lines.len()) * NOTE_LINE;
        Some(scene)
    }
}

/// The names on both sides of the matrix, and the size of a cell.
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
    fn new(matrix: &Matrix) -> Self {
        let cell = matrix.cell_size();
        let lines = if cell > 30.0 { 2 } else { 1 };
        let rows: Vec<Vec<String>> = matrix
            .rows
            .iter()
            .map(|name| text::fit(name, TICK_SIZE, false, LABEL_WIDTH, lines))
            .collect();
        // Column names lie flat where they fit.
        let flat = matrix.columns.iter().all(|name| width(name) <= cell - 6.0) || cell >= 90.0;
        let (room, lines) = if flat {
            (cell - 6.0, 2)
        } else {
            (LABEL_WIDTH, 1)
        };
        let columns: Vec<Vec<String>> = matrix
            .columns
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
        let middle = |index: usize| (count_f64(index) + 0.5) * self.cell;
        for (index, row) in self.rows.iter().enumerate() {
            let first = top + middle(index) - count_f64(row.len() - 1) * LABEL_LINE / 2.0
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
        for (index, column) in self.columns.iter().enumerate() {
            let middle = middle(index);
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

fn draw_cell(scene: &mut Scene, (x, y): (f64, f64), cell: f64, content: &Cell) {
    let colour = content.share.map_or(WHITE, shade);
    // A hairline of paper between neighbours.
    scene.rectangle((x + 0.5, y + 0.5), cell - 1.0, cell - 1.0, colour);
    if cell < READABLE || content.text.is_empty() {
        return;
    }
    let ink = if content.share.is_some() {
        text_on(colour)
    } else {
        MUTED
    };
    let middle = x + cell / 2.0;
    // As large as fits, up to 20 points.
    let fitting = |text: &str, largest: f64| {
        largest.min((cell - 6.0) / text::width(text, 1.0, false).max(0.1))
    };
    let (size, below_size) = (
        fitting(&content.text, (cell * 0.24).min(20.0)),
        fitting(&content.below, (cell * 0.17).min(13.0)),
    );
    if below_size < 7.0 || content.below.is_empty() {
        let baseline = y + cell / 2.0 + CAPITALS * size / 2.0;
        return scene.text(
            (middle, baseline),
            &content.text,
            Style::new(size, ink),
            Anchor::Middle,
        );
    }
    let block = CAPITALS * (size + below_size) + below_size * 0.6;
    let first = y + (cell - block) / 2.0 + CAPITALS * size;
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
fn draw_scale(scene: &mut Scene, (x, top): (f64, f64), height: f64, labels: [&str; 3]) {
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
    for (share, label) in [1.0, 0.5, 0.0].into_iter().zip(labels) {
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
