//! A plotting area with its axes, grid and axis names, and marks in data coordinates.

use super::axis::Axis;
use super::palette::{AXIS, Colour, GRID, INK, Look, MUTED};
use super::scene::{Anchor, Point, Scene, Style};
use super::text::{self, CAPITALS};

/// Size of tick texts.
pub(crate) const TICK_SIZE: f64 = 11.0;
/// Size of axis names, legends and notes.
pub(crate) const NAME_SIZE: f64 = 12.0;
/// Size of titles.
pub(crate) const TITLE_SIZE: f64 = 15.0;
/// Size of remarks under a plot.
pub(crate) const NOTE_SIZE: f64 = 11.0;

/// Where data is drawn.
#[derive(Debug, Clone)]
pub(crate) struct Panel {
    /// Left edge.
    pub left: f64,
    /// Upper edge.
    pub top: f64,
    /// Width.
    pub width: f64,
    /// Height.
    pub height: f64,
    /// Horizontal axis.
    pub x: Axis,
    /// Vertical axis.
    pub y: Axis,
}

impl Panel {
    /// Room that the vertical axis' tick texts need to the left of a panel, its name not counted.
    pub(crate) fn tick_room(axis: &Axis) -> f64 {
        axis.ticks
            .iter()
            .map(|(_, tick)| text::width(tick, TICK_SIZE, false))
            .fold(0.0, f64::max)
            + 8.0
    }

    /// A place in data coordinates.
    pub(crate) fn place(&self, x: f64, y: f64) -> Point {
        (
            self.left + self.x.position(x) * self.width,
            self.top + (1.0 - self.y.position(y)) * self.height,
        )
    }

    /// Grid and axis lines, and tick texts where asked for: as many as there is room for.
    pub(crate) fn frame(&self, scene: &mut Scene, x_texts: bool, y_texts: bool) {
        let (bottom, right) = (self.top + self.height, self.left + self.width);
        let style = Style::new(TICK_SIZE, MUTED);
        let across: Vec<(f64, f64)> = self
            .y
            .ticks
            .iter()
            .map(|(value, _)| (self.place(0.0, *value).1, TICK_SIZE))
            .collect();
        let every = apart(&across, 3.0);
        for (index, ((_, tick), (y, _))) in self.y.ticks.iter().zip(across).enumerate() {
            scene.line(&[(self.left, y), (right, y)], GRID, 1.0);
            if y_texts && index % every == 0 {
                scene.text(
                    (self.left - 6.0, y + CAPITALS * TICK_SIZE / 2.0),
                    tick,
                    style,
                    Anchor::End,
                );
            }
        }
        let most = if scene.width > 0.0 {
            scene.width - 2.0
        } else {
            right
        };
        let along: Vec<(f64, f64)> = self
            .x
            .ticks
            .iter()
            .map(|(value, tick)| {
                let width = text::width(tick, TICK_SIZE, false);
                let x = self.left + self.x.position(*value) * self.width;
                (x.min(most - width / 2.0).max(2.0 + width / 2.0), width)
            })
            .collect();
        let every = apart(&along, 6.0);
        for (index, ((value, tick), (middle, _))) in self.x.ticks.iter().zip(along).enumerate() {
            let x = self.left + self.x.position(*value) * self.width;
            scene.line(&[(x, bottom), (x, bottom + 4.0)], AXIS, 1.0);
            if x_texts && index % every == 0 {
                scene.text(
                    (middle, bottom + 7.0 + CAPITALS * TICK_SIZE),
                    tick,
                    style,
                    Anchor::Middle,
                );
            }
        }
        scene.line(
            &[(self.left, self.top), (self.left, bottom), (right, bottom)],
            AXIS,
            1.0,
        );
    }

    /// Vertical lines at the horizontal axis' ticks.
    pub(crate) fn grid_x(&self, scene: &mut Scene) {
        for (value, _) in &self.x.ticks {
            let x = self.left + self.x.position(*value) * self.width;
            scene.line(&[(x, self.top), (x, self.top + self.height)], GRID, 1.0);
        }
    }

    /// The horizontal axis' name, below the ticks. A logarithmic axis says so.
    pub(crate) fn name_x(&self, scene: &mut Scene, name: &str) {
        let name = with_scale(name, &self.x);
        let middle = self.left + self.width / 2.0;
        // As wide as the picture lets it be.
        let room = if scene.width > 0.0 {
            2.0 * (scene.width - middle).min(middle) - 4.0
        } else {
            self.width
        };
        let name = text::fit(&name, NAME_SIZE, false, room, 1).concat();
        let at = (middle, self.top + self.height + 36.0);
        scene.text(at, &name, Style::new(NAME_SIZE, INK), Anchor::Middle);
    }

    /// The vertical axis' name, its baseline at `x`, left of the ticks. A logarithmic axis says so.
    pub(crate) fn name_y(&self, scene: &mut Scene, x: f64, name: &str) {
        let name = with_scale(name, &self.y);
        let name = text::fit(&name, NAME_SIZE, false, self.height + 40.0, 1).concat();
        scene.text_upwards(
            (x, self.top + self.height / 2.0),
            &name,
            Style::new(NAME_SIZE, INK),
            Anchor::Middle,
        );
    }

    /// A line through the finite points, with gaps where a value is not finite.
    pub(crate) fn curve(
        &self,
        scene: &mut Scene,
        points: &[(f64, f64)],
        colour: Colour,
        width: f64,
        dash: &[f64],
    ) {
        for stretch in points.split(|(x, y)| !x.is_finite() || !y.is_finite()) {
            let places: Vec<Point> = stretch.iter().map(|&(x, y)| self.place(x, y)).collect();
            scene.dashed(&places, colour, width, dash);
        }
    }

    /// Markers on the finite points.
    pub(crate) fn marks(&self, scene: &mut Scene, points: &[(f64, f64)], look: Look, radius: f64) {
        for &(x, y) in points
            .iter()
            .filter(|(x, y)| x.is_finite() && y.is_finite())
        {
            look.marker
                .draw(scene, self.place(x, y), radius, look.colour);
        }
    }

    /// Vertical bars from low to high at each x, `aside` to the right; what passes the panel is
    /// cut.
    pub(crate) fn bars(
        &self,
        scene: &mut Scene,
        bars: &[(f64, [f64; 2])],
        colour: Colour,
        aside: f64,
    ) {
        for &(at, [low, high]) in bars {
            let end = |value: f64| {
                let (x, y) = self.place(at, value.clamp(self.y.from, self.y.to));
                (x + aside, y)
            };
            let (low, high) = (end(low), end(high));
            scene.line(&[low, high], colour, 1.3);
            for (x, y) in [low, high] {
                scene.line(&[(x - 3.0, y), (x + 3.0, y)], colour, 1.3);
            }
        }
    }

    /// Dots on finite points that stand alone between gaps, which a line would not show.
    pub(crate) fn lone_points(&self, scene: &mut Scene, points: &[(f64, f64)], colour: Colour) {
        for stretch in points.split(|(x, y)| !x.is_finite() || !y.is_finite()) {
            if let [(x, y)] = stretch {
                scene.disc(self.place(*x, *y), 2.0, colour);
            }
        }
    }
}

fn with_scale(name: &str, axis: &Axis) -> String {
    if axis.logarithmic {
        format!("{name}, log scale")
    } else {
        name.to_owned()
    }
}

/// Which of the texts in a row may be written, each the so-manieth, so that they stay so far apart.
/// Given are the middles and the lengths.
fn apart(texts: &[(f64, f64)], between: f64) -> usize {
    let free = |every: &usize| {
        let kept: Vec<&(f64, f64)> = texts.iter().step_by(*every).collect();
        kept.windows(2).all(|pair| {
            (pair[1].0 - pair[0].0).abs() >= f64::midpoint(pair[0].1, pair[1].1) + between
        })
    };
    (1..=texts.len()).find(free).unwrap_or(1)
}

/// Draws a title in up to two lines from `top` and returns the height it took. It becomes the
/// picture's.
pub(crate) fn title(scene: &mut Scene, title: &str, (left, top): Point, max_width: f64) -> f64 {
    title.clone_into(&mut scene.title);
    let lines = text::fit(title, TITLE_SIZE, true, max_width, 2);
    let mut y = top;
    for line in &lines {
        y += TITLE_SIZE * 1.25;
        scene.text(
            (left, y - TITLE_SIZE * 0.25),
            line,
            Style::new(TITLE_SIZE, INK).bold(),
            Anchor::Start,
        );
    }
    y - top
}

/// Lines that remarks take at `max_width`.
pub(crate) fn note_lines(notes: &[String], max_width: f64) -> Vec<String> {
    notes
        .iter()
        .flat_map(|note| text::fit(note, NOTE_SIZE, false, max_width, 6))
        .collect()
}

/// Draws remarks, one line each, the first one's top at `top`.
pub(crate) fn draw_notes(scene: &mut Scene, lines: &[String], (left, top): Point) {
    let mut y = top;
    for line in lines {
        y += NOTE_LINE;
        scene.text(
            (left, y - 4.0),
            line,
            Style::new(NOTE_SIZE, MUTED),
            Anchor::Start,
        );
    }
}

/// Distance between the baselines of two remarks.
pub(crate) const NOTE_LINE: f64 = NOTE_SIZE * 1.4;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::axis::Notation;
    use super::*;

    proptest! {
        #[test]
        fn tick_texts_never_overlap_and_stay_in_the_picture(
            (x1, x2, y1, y2) in (prop::num::f64::NORMAL, -1e6..1e6, -1.0..1.0, prop::num::f64::ANY),
            (width, height) in (60.0..700.0, 40.0..400.0),
            (columns, rows) in (1_usize..12, 1_usize..12),
        ) {
            let y = Axis::around([y1, y2], rows, Notation::Decimal);
            for x in [
                Axis::around([x1, x2], columns, Notation::Scientific),
                Axis::around_costs(&[x1.abs(), x2.abs()], columns),
                Axis::integers(0, 123_456, 0.0, columns),
            ] {
                let left = 18.0 + 16.0 + Panel::tick_room(&y);
                let mut scene = Scene::new(left + width + 18.0, height + 120.0);
                let panel = Panel { left, top: 40.0, width, height, x, y: y.clone() };
                panel.frame(&mut scene, true, true);
                panel.name_x(&mut scene, "a rather long name of an axis (with its unit)");
                panel.name_y(&mut scene, 26.0, "another name (unit)");
                scene.assert_sound("panel");
            }
        }
    }
}
