//! A picture as a list of shapes in a plane of points, y downwards. Layout happens here and in its
//! callers; backends are `render`'s affair.

/// Red, green and blue.
pub(crate) type Colour = (u8, u8, u8);

/// A picture of `width` x `height` points on white.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Scene {
    /// Width in points.
    pub width: f64,
    /// Height in points.
    pub height: f64,
    /// Its heading, for those who cannot see it.
    pub title: String,
    /// Later shapes cover earlier ones.
    pub shapes: Vec<Shape>,
}

/// A place in the plane.
pub(crate) type Point = (f64, f64);

/// Something to draw.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Shape {
    /// An open polyline.
    Line {
        /// Its corners; at least two.
        points: Vec<Point>,
        /// Its colour.
        colour: Colour,
        /// Its width in points.
        width: f64,
    },
    /// A filled polygon.
    Area {
        /// Its corners.
        points: Vec<Point>,
        /// Its colour.
        colour: Colour,
    },
    /// A filled circle.
    Disc {
        /// Its centre.
        centre: Point,
        /// Its radius in points.
        radius: f64,
        /// Its colour.
        colour: Colour,
    },
    /// A line of text.
    Text {
        /// The point that `anchor` names, on the baseline.
        at: Point,
        /// The text, without control characters.
        text: String,
        /// How it looks.
        style: Style,
        /// Which of its ends stands at `at`.
        anchor: Anchor,
        /// Whether it reads upwards instead of to the right.
        upwards: bool,
    },
}

/// How a text looks.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Style {
    /// Points per em.
    pub size: f64,
    /// Its colour.
    pub colour: Colour,
    /// Bold instead of regular.
    pub bold: bool,
}

/// Which point of a text is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Anchor {
    /// Where it begins.
    Start,
    /// Its middle.
    Middle,
    /// Where it ends.
    End,
}

impl Style {
    /// Regular text.
    pub(crate) fn new(size: f64, colour: Colour) -> Self {
        Self {
            size,
            colour,
            bold: false,
        }
    }

    /// The same in bold.
    pub(crate) fn bold(self) -> Self {
        Self { bold: true, ..self }
    }
}

impl Scene {
    /// An empty picture.
    pub(crate) fn new(width: f64, height: f64) -> Self {
        Self {
            width,
            height,
            title: String::new(),
            shapes: Vec::new(),
        }
    }

    /// Draws another picture into this one, its upper left corner at `to`.
    pub(crate) fn include(&mut self, other: Self, to: Point) {
        let moved = |(x, y): Point| (x + to.0, y + to.1);
        for mut shape in other.shapes {
            match &mut shape {
                Shape::Line { points, .. } | Shape::Area { points, .. } => {
                    for point in points {
                        *point = moved(*point);
                    }
                }
                Shape::Disc { centre, .. } => *centre = moved(*centre),
                Shape::Text { at, .. } => *at = moved(*at),
            }
            self.shapes.push(shape);
        }
    }

    /// A polyline; one with fewer than two points draws nothing.
    pub(crate) fn line(&mut self, points: &[Point], colour: Colour, width: f64) {
        if points.len() > 1 {
            self.shapes.push(Shape::Line {
                points: points.to_vec(),
                colour,
                width,
            });
        }
    }

    /// A polyline of dashes: lengths of strokes and gaps in turn, in points. No pattern means
    /// solid.
    pub(crate) fn dashed(&mut self, points: &[Point], colour: Colour, width: f64, pattern: &[f64]) {
        if pattern.is_empty() {
            return self.line(points, colour, width);
        }
        let mut place = 0;
        let mut left = pattern[0];
        let mut stroke: Vec<Point> = points.first().copied().into_iter().collect();
        for pair in points.windows(2) {
            let (mut from, to) = (pair[0], pair[1]);
            loop {
                let length = (to.0 - from.0).hypot(to.1 - from.1);
                if length <= left {
                    left -= length;
                    stroke.push(to);
                    break;
                }
                let share = left / length;
                from = (
                    from.0 + share * (to.0 - from.0),
                    from.1 + share * (to.1 - from.1),
                );
                stroke.push(from);
                if place % 2 == 0 {
                    self.line(&stroke, colour, width);
                }
                stroke = vec![from];
                place = (place + 1) % pattern.len();
                left = pattern[place];
            }
        }
        if place % 2 == 0 {
            self.line(&stroke, colour, width);
        }
    }

    /// A filled rectangle.
    pub(crate) fn rectangle(&mut self, (x, y): Point, width: f64, height: f64, colour: Colour) {
        let points = vec![
            (x, y),
            (x + width, y),
            (x + width, y + height),
            (x, y + height),
        ];
        self.shapes.push(Shape::Area { points, colour });
    }

    /// A filled polygon.
    pub(crate) fn area(&mut self, points: &[Point], colour: Colour) {
        self.shapes.push(Shape::Area {
            points: points.to_vec(),
            colour,
        });
    }

    /// A filled circle.
    pub(crate) fn disc(&mut self, centre: Point, radius: f64, colour: Colour) {
        self.shapes.push(Shape::Disc {
            centre,
            radius,
            colour,
        });
    }

    /// A line of text whose baseline passes through `at`.
    pub(crate) fn text(&mut self, at: Point, text: &str, style: Style, anchor: Anchor) {
        self.push_text(at, text, style, anchor, false);
    }

    /// A line of text that reads upwards.
    pub(crate) fn text_upwards(&mut self, at: Point, text: &str, style: Style, anchor: Anchor) {
        self.push_text(at, text, style, anchor, true);
    }

    fn push_text(&mut self, at: Point, text: &str, style: Style, anchor: Anchor, upwards: bool) {
        // Control characters are not allowed in XML, and mean nothing in a plot.
        let text: String = text
            .chars()
            .map(|c| if c.is_control() { '\u{FFFD}' } else { c })
            .collect();
        if !text.is_empty() {
            self.shapes.push(Shape::Text {
                at,
                text,
                style,
                anchor,
                upwards,
            });
        }
    }
}

#[cfg(test)]
impl Scene {
    /// All its texts, one after another.
    pub(crate) fn words(&self) -> String {
        let texts = self.shapes.iter().filter_map(|shape| match shape {
            Shape::Text { text, .. } => Some(text.as_str()),
            _ => None,
        });
        texts.collect::<Vec<_>>().join(" ")
    }

    /// Panics unless all figures are finite, every text lies inside the picture and no two texts
    /// cover each other.
    pub(crate) fn assert_sound(&self, what: &str) {
        assert!(
            self.width.is_finite()
                && self.height.is_finite()
                && self.width > 0.0
                && self.height > 0.0,
            "{what}: no size"
        );
        let mut boxes: Vec<(f64, f64, f64, f64, &str)> = Vec::new();
        for shape in &self.shapes {
            let points = match shape {
                Shape::Line { points, .. } | Shape::Area { points, .. } => points.clone(),
                Shape::Disc { centre, .. } => vec![*centre],
                Shape::Text {
                    at,
                    text,
                    style,
                    anchor,
                    upwards,
                } => {
                    let length = super::text::width(text, style.size, style.bold);
                    let before = match anchor {
                        Anchor::Start => 0.0,
                        Anchor::Middle => length / 2.0,
                        Anchor::End => length,
                    };
                    let (above, below) = (0.7 * style.size, 0.1 * style.size);
                    let (left, top, right, bottom) = if *upwards {
                        (
                            at.0 - above,
                            at.1 + before - length,
                            at.0 + below,
                            at.1 + before,
                        )
                    } else {
                        (
                            at.0 - before,
                            at.1 - above,
                            at.0 - before + length,
                            at.1 + below,
                        )
                    };
                    for &(l, t, r, b, other) in &boxes {
                        let apart = right <= l || r <= left || bottom <= t || b <= top;
                        assert!(apart, "{what}: `{text}` covers `{other}`");
                    }
                    boxes.push((left, top, right, bottom, text));
                    vec![(left, top), (right, bottom)]
                }
            };
            for (x, y) in points {
                let inside = (-0.5..=self.width + 0.5).contains(&x)
                    && (-0.5..=self.height + 0.5).contains(&y);
                assert!(
                    inside,
                    "{what}: ({x}, {y}) of {shape:?} lies outside {} x {}",
                    self.width, self.height
                );
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::palette::INK;
    use super::*;

    fn length(shape: &Shape) -> f64 {
        match shape {
            Shape::Line { points, .. } => points
                .windows(2)
                .map(|p| (p[1].0 - p[0].0).hypot(p[1].1 - p[0].1))
                .sum(),
            _ => 0.0,
        }
    }

    #[test]
    fn dashes_follow_the_pattern_around_corners() {
        let mut scene = Scene::new(100.0, 100.0);
        scene.dashed(
            &[(0.0, 0.0), (7.0, 0.0), (7.0, 13.0)],
            INK,
            1.0,
            &[4.0, 2.0],
        );
        let lengths: Vec<f64> = scene.shapes.iter().map(length).collect();
        assert_eq!(lengths, [4.0, 4.0, 4.0, 2.0]);
        assert!(matches!(&scene.shapes[1], Shape::Line { points, .. } if points.len() == 3));
    }

    #[test]
    fn one_point_makes_no_line() {
        let mut scene = Scene::new(10.0, 10.0);
        scene.line(&[(1.0, 1.0)], INK, 1.0);
        scene.dashed(&[(1.0, 1.0)], INK, 1.0, &[4.0, 2.0]);
        scene.dashed(&[], INK, 1.0, &[4.0, 2.0]);
        assert!(scene.shapes.is_empty());
    }

    #[test]
    fn control_characters_never_reach_the_picture() {
        let mut scene = Scene::new(10.0, 10.0);
        scene.text(
            (0.0, 0.0),
            "a\u{1}b\n",
            Style::new(10.0, INK),
            Anchor::Start,
        );
        assert!(
            matches!(&scene.shapes[0], Shape::Text { text, .. } if text == "a\u{FFFD}b\u{FFFD}")
        );
    }
}
