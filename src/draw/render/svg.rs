//! A scene as SVG text: for a page, which may restyle it, and as a file of its own.

use std::fmt::Write;

use super::super::palette;
use super::super::scene::{Anchor, Colour, Point, Scene, Shape, Style};
use super::super::text;
use super::super::xml::escape;

/// The scene as an SVG document. Its title is the scene's; `description` says in words what it
/// shows. Colours that a page may want to replace have classes: `f-ink` fills, `s-ink` strokes.
pub(crate) fn svg(scene: &Scene, description: &str) -> String {
    let (width, height) = (number(scene.width), number(scene.height));
    let mut svg = String::new();
    // Writing to a String cannot fail, here and below.
    let _ = writeln!(
        svg,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"picture\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"0 0 {width} {height}\" role=\"img\" font-family=\"{}\">",
        escape(text::FAMILY)
    );
    for (tag, words) in [("title", scene.title.as_str()), ("desc", description)] {
        if !words.is_empty() {
            let _ = writeln!(svg, "<{tag}>{}</{tag}>", escape(words));
        }
    }
    let _ = writeln!(
        svg,
        "<rect width=\"{width}\" height=\"{height}\"{}/>",
        fill(palette::WHITE)
    );
    let mut rest = scene.shapes.as_slice();
    while let Some(shape) = rest.first() {
        let taken = if let Shape::Line { colour, width, .. } = shape {
            lines(&mut svg, rest, *colour, *width)
        } else {
            one(&mut svg, shape);
            1
        };
        rest = &rest[taken.max(1)..];
    }
    svg.push_str("</svg>\n");
    svg
}

/// Lines that look alike become one path. Returns how many there are.
fn lines(svg: &mut String, shapes: &[Shape], colour: Colour, width: f64) -> usize {
    let mut path = String::new();
    let mut count = 0;
    for shape in shapes {
        match shape {
            Shape::Line {
                points,
                colour: other,
                width: of_other,
            } if *other == colour && of_other.to_bits() == width.to_bits() => {
                for (command, point) in std::iter::once('M')
                    .chain(std::iter::repeat('L'))
                    .zip(points)
                {
                    path.push(command);
                    path.push_str(&place(*point));
                }
                count += 1;
            }
            _ => break,
        }
    }
    let _ = writeln!(
        svg,
        "<path d=\"{path}\" fill=\"none\"{} stroke-width=\"{}\" stroke-linejoin=\"round\"/>",
        paint("stroke", "s", colour),
        number(width)
    );
    count
}

fn one(svg: &mut String, shape: &Shape) {
    match shape {
        Shape::Line { .. } => {}
        Shape::Area { points, colour } => match points[..] {
            [a, b, c, d] if level(a, b) && level(c, d) && upright(a, d) && upright(b, c) => {
                let _ = writeln!(
                    svg,
                    "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"{}/>",
                    number(a.0.min(c.0)),
                    number(a.1.min(c.1)),
                    number((c.0 - a.0).abs()),
                    number((c.1 - a.1).abs()),
                    fill(*colour)
                );
            }
            _ => {
                let points: Vec<String> = points.iter().map(|&point| place(point)).collect();
                let _ = writeln!(
                    svg,
                    "<polygon points=\"{}\"{}/>",
                    points.join(" "),
                    fill(*colour)
                );
            }
        },
        Shape::Disc {
            centre,
            radius,
            colour,
        } => {
            let _ = writeln!(
                svg,
                "<circle cx=\"{}\" cy=\"{}\" r=\"{}\"{}/>",
                number(centre.0),
                number(centre.1),
                number(*radius),
                fill(*colour)
            );
        }
        Shape::Text {
            at,
            text,
            style,
            anchor,
            upwards,
        } => words(svg, *at, text, *style, *anchor, *upwards),
    }
}

/// Whether two corners stand at one height.
fn level(one: Point, other: Point) -> bool {
    one.1.to_bits() == other.1.to_bits()
}

/// Whether one corner stands above another.
fn upright(one: Point, other: Point) -> bool {
    one.0.to_bits() == other.0.to_bits()
}

fn words(svg: &mut String, at: Point, text: &str, style: Style, anchor: Anchor, upwards: bool) {
    let (x, y) = (number(at.0), number(at.1));
    let turned = if upwards {
        format!(" transform=\"rotate(-90 {x} {y})\"")
    } else {
        String::new()
    };
    let anchor = match anchor {
        Anchor::Start => "",
        Anchor::Middle => " text-anchor=\"middle\"",
        Anchor::End => " text-anchor=\"end\"",
    };
    let bold = if style.bold {
        " font-weight=\"bold\""
    } else {
        ""
    };
    let _ = writeln!(
        svg,
        "<text x=\"{x}\" y=\"{y}\" font-size=\"{}\"{anchor}{bold}{turned}{}>{}</text>",
        number(style.size),
        fill(style.colour),
        escape(text)
    );
}

fn fill(colour: Colour) -> String {
    paint("fill", "f", colour)
}

fn paint(attribute: &str, kind: &str, colour: Colour) -> String {
    let (red, green, blue) = colour;
    let class =
        palette::word(colour).map_or_else(String::new, |word| format!(" class=\"{kind}-{word}\""));
    format!(" {attribute}=\"#{red:02x}{green:02x}{blue:02x}\"{class}")
}

fn place((x, y): Point) -> String {
    format!("{},{}", number(x), number(y))
}

/// To a hundredth of a point. What is no number is 0, and what is no place in any picture stops at
/// a million, so that no figure can break a plot.
fn number(value: f64) -> String {
    let value = if value.is_nan() {
        0.0
    } else {
        value.clamp(-1e6, 1e6)
    };
    let text = format!("{value:.2}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" { "0" } else { text }.to_owned()
}
