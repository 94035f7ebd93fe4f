//! Draws a scene's shapes on the pixels of a plotters backend.

use plotters::backend::DrawingBackend;
use plotters::coord::Shift;
use plotters::drawing::{DrawingArea, DrawingAreaErrorKind};
use plotters::element::{Circle, Polygon, Rectangle};
use plotters::style::{Color, RGBColor};

use super::scene::{Anchor, Colour, Point, Scene, Shape, Style};
use super::text;

/// A plot that could not be drawn.
#[derive(Debug, thiserror::Error)]
#[error("could not draw a plot: {0}")]
pub struct DrawError(pub(crate) String);

/// Where and how to draw.
pub(crate) struct Painter<'a, B: DrawingBackend> {
    /// The surface.
    pub area: &'a DrawingArea<B, Shift>,
    /// Backend units per point.
    pub scale: f64,
}

type Drawn<B> = Result<(), DrawingAreaErrorKind<<B as DrawingBackend>::ErrorType>>;

/// A place in backend units.
type Place = (i32, i32);

impl<B: DrawingBackend> Painter<'_, B> {
    /// Draws the scene.
    ///
    /// # Errors
    /// When the backend refuses.
    pub(crate) fn draw(&self, scene: &Scene) -> Result<(), DrawError> {
        let mut shapes = scene.shapes.iter();
        let all = shapes.try_for_each(|shape| self.shape(shape));
        all.map_err(|error| DrawError(error.to_string()))
    }

    fn shape(&self, shape: &Shape) -> Drawn<B> {
        match shape {
            Shape::Line {
                points,
                colour,
                width,
            } => self.line(points, *colour, *width),
            Shape::Area { points, colour } => self.polygon(points, *colour),
            Shape::Disc {
                centre,
                radius,
                colour,
            } => {
                let radius = whole(radius * self.scale).max(1);
                self.area.draw(&Circle::new(
                    self.place(*centre),
                    radius,
                    rgb(*colour).filled(),
                ))
            }
            Shape::Text {
                at,
                text,
                style,
                anchor,
                upwards,
            } => self.text(*at, text, *style, *anchor, *upwards),
        }
    }

    fn place(&self, (x, y): Point) -> Place {
        // Nothing is drawn so far outside, and everything in between would be tried pixel by pixel.
        let (width, height) = self.area.dim_in_pixel();
        let near = |value: f64, size: u32| {
            let size = f64::from(size);
            whole((value * self.scale).clamp(-size, 2.0 * size))
        };
        (near(x, width), near(y, height))
    }

    fn line(&self, points: &[Point], colour: Colour, width: f64) -> Drawn<B> {
        let stroke_width = whole(width * self.scale).unsigned_abs().max(1);
        // Plotters' own polylines have spikes at sharp corners.
        for pair in points.windows(2) {
            if let Some(corners) = stroke(pair[0], pair[1], width) {
                self.polygon(&corners, colour)?;
            }
        }
        // Round joints.
        for &corner in points.iter().skip(1).take(points.len().saturating_sub(2)) {
            self.area.draw(&Circle::new(
                self.place(corner),
                stroke_width / 2,
                rgb(colour).filled(),
            ))?;
        }
        Ok(())
    }

    fn polygon(&self, points: &[Point], colour: Colour) -> Drawn<B> {
        let points: Vec<Place> = points.iter().map(|&point| self.place(point)).collect();
        let style = rgb(colour).filled();
        match points[..] {
            [a, b, c, d] if a.0 == d.0 && b.0 == c.0 && a.1 == b.1 && c.1 == d.1 => {
                self.area.draw(&Rectangle::new([a, c], style))
            }
            _ => self.area.draw(&Polygon::new(points, style)),
        }
    }

    fn text(&self, at: Point, text: &str, style: Style, anchor: Anchor, upwards: bool) -> Drawn<B> {
        let size = style.size * self.scale;
        let share_before = match anchor {
            Anchor::Start => 0.0,
            Anchor::Middle => 0.5,
            Anchor::End => 1.0,
        };
        let before = whole(share_before * text::width(text, size, style.bold));
        let (left, baseline) = self.place(at);
        let mut result = Ok(());
        text::rasterise(text, size, style.bold, |x, below, coverage| {
            let along = x - before;
            let at = if upwards {
                (left + below, baseline - along)
            } else {
                (left + along, baseline + below)
            };
            if result.is_ok() && at.0 >= 0 && at.1 >= 0 {
                result = self
                    .area
                    .draw_pixel(at, &rgb(style.colour).mix(f64::from(coverage).min(1.0)));
            }
        });
        result
    }
}

/// To the nearest backend unit. Saturates, and a NaN becomes 0, so that no figure can break a plot.
#[expect(clippy::cast_possible_truncation)]
pub(crate) fn whole(value: f64) -> i32 {
    value.round() as i32
}

/// The corners of a straight stroke; None if it has no direction. Plotters' own are rounded before
/// they are spread, which makes slanted thin lines thinner than level ones.
fn stroke(from: Point, to: Point, width: f64) -> Option<[Point; 4]> {
    let length = (to.0 - from.0).hypot(to.1 - from.1);
    if !length.is_normal() {
        return None;
    }
    let across = (
        (from.1 - to.1) / length * width / 2.0,
        (to.0 - from.0) / length * width / 2.0,
    );
    let (plus, minus) = (
        |p: Point| (p.0 + across.0, p.1 + across.1),
        |p: Point| (p.0 - across.0, p.1 - across.1),
    );
    Some([plus(from), plus(to), minus(to), minus(from)])
}

fn rgb((red, green, blue): Colour) -> RGBColor {
    RGBColor(red, green, blue)
}
