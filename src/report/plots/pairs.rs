//! A figure for each two settings together: heat maps of means over all others.

use crate::draw::axis::{count_f64, range};
use crate::draw::matrix::{Cell, Matrix};
use crate::draw::panel::{self, NOTE_LINE};
use crate::draw::scene::Scene;

/// Two settings and the figure for each two of their values.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::report) struct Pair {
    /// Names of the settings: of the rows, and of the columns.
    pub names: (String, String),
    /// Values of the first.
    pub rows: Vec<String>,
    /// Values of the second.
    pub columns: Vec<String>,
    /// Mean and number of runs, where there are any.
    pub cells: Vec<Vec<Option<(f64, usize)>>>,
}

const MARGIN: f64 = 18.0;
/// Heat maps beside one another.
const COLUMNS: usize = 2;
const LARGEST_CELL: f64 = 96.0;

/// All pairs on one scale of shades; none without any.
pub(in crate::report) fn draw(title: &str, pairs: &[Pair], notes: &[String]) -> Option<Scene> {
    let means = || {
        pairs
            .iter()
            .flat_map(|pair| pair.cells.iter().flatten().flatten())
    };
    let (low, high) = range(means().map(|cell| cell.0))?;
    let share = |value: f64| {
        if high > low {
            (value - low) / (high - low)
        } else {
            0.5
        }
    };
    let cell = |cell: &Option<(f64, usize)>, uneven: bool| match cell {
        None => Cell {
            share: None,
            text: "–".to_owned(),
            below: String::new(),
        },
        Some((mean, runs)) => Cell {
            share: Some(share(*mean)),
            text: format!("{mean:.3}"),
            below: match runs {
                _ if !uneven => String::new(),
                1 => "1 run".to_owned(),
                runs => format!("{runs} runs"),
            },
        },
    };
    let written = |value: f64| format!("{value:.3}");
    let scale = [
        written(high),
        written(f64::midpoint(low, high)),
        written(low),
    ];
    let matrix = |pair: &Pair| {
        let counts = pair.cells.iter().flatten().flatten();
        let uneven = range(counts.map(|cell| count_f64(cell.1))).is_some_and(|(a, b)| a < b);
        let matrix = Matrix {
            title: if pairs.len() > 1 {
                format!("{} × {}", pair.names.0, pair.names.1)
            } else {
                title.to_owned()
            },
            names: pair.names.clone(),
            rows: pair.rows.clone(),
            columns: pair.columns.clone(),
            cells: pair
                .cells
                .iter()
                .map(|row| row.iter().map(|content| cell(content, uneven)).collect())
                .collect(),
            scale: scale.clone(),
            square: false,
            largest: LARGEST_CELL,
        };
        matrix.draw(if pairs.len() > 1 { &[] } else { notes })
    };
    let scenes: Vec<Scene> = pairs.iter().filter_map(matrix).collect();
    if scenes.len() < 2 {
        return scenes.into_iter().next();
    }
    Some(arranged(title, scenes, notes))
}

/// Pictures beside and below one another, under one title.
fn arranged(title: &str, scenes: Vec<Scene>, notes: &[String]) -> Scene {
    let widest = scenes.iter().map(|scene| scene.width).fold(0.0, f64::max);
    let width = widest * count_f64(COLUMNS.min(scenes.len()));
    let note_lines = panel::note_lines(notes, width - 2.0 * MARGIN);
    let mut whole = Scene::new(width, 0.0);
    let at = (MARGIN, MARGIN - 4.0);
    let mut y = at.1 + panel::title(&mut whole, title, at, width - 2.0 * MARGIN) + 8.0;
    let mut in_row = 0.0;
    for (index, scene) in scenes.into_iter().enumerate() {
        let column = index % COLUMNS;
        if column == 0 {
            y += in_row;
            in_row = 0.0;
        }
        in_row = f64::max(in_row, scene.height);
        whole.include(scene, (widest * count_f64(column), y));
    }
    y += in_row;
    panel::draw_notes(&mut whole, &note_lines, (MARGIN, y));
    whole.height = y + count_f64(note_lines.len()) * NOTE_LINE + 12.0;
    whole
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(rows: usize, columns: usize) -> Pair {
        let value = |row: usize, column: usize| {
            (row + column > 0).then(|| (0.5 + count_f64(row * column) / 100.0, row + 1))
        };
        let name = |index: usize| "a long value, ".repeat(index % 4) + &index.to_string();
        Pair {
            names: ("rank".to_owned(), "a setting with a long name".to_owned()),
            rows: (0..rows).map(name).collect(),
            columns: (0..columns).map(name).collect(),
            cells: (0..rows)
                .map(|row| (0..columns).map(|column| value(row, column)).collect())
                .collect(),
        }
    }

    #[test]
    fn any_number_of_pairs_of_any_size_stays_a_readable_picture() {
        for pairs in [
            vec![pair(2, 2)],
            vec![pair(12, 12), pair(2, 12), pair(12, 2)],
            (2..8).map(|size| pair(size, 9 - size)).collect(),
        ] {
            let scene = draw("title", &pairs, &["A note.".to_owned()]).unwrap();
            scene.assert_sound(&format!("{} pairs", pairs.len()));
            assert_eq!(scene.title, "title");
        }
        assert!(draw("title", &[], &[]).is_none());
        assert!(
            draw(
                "title",
                &[Pair {
                    cells: vec![vec![None]],
                    ..pair(1, 1)
                }],
                &[]
            )
            .is_none()
        );
    }
}
