//! Colours, dashes and markers that stay apart in print and for every kind of colour vision. The
//! hues are those of Okabe and Ito (2008, <https://jfly.uni-koeln.de/color/>), without the yellow,
//! which white swallows.

use super::scene::{Point, Scene};

pub(crate) use super::scene::Colour;

/// Text and strong lines.
pub(crate) const INK: Colour = (0x22, 0x22, 0x22);
/// Secondary text.
pub(crate) const MUTED: Colour = (0x5c, 0x5c, 0x5c);
/// Axis lines and ticks.
pub(crate) const AXIS: Colour = (0x8a, 0x8a, 0x8a);
/// Grid lines.
pub(crate) const GRID: Colour = (0xe6, 0xe6, 0xe6);
/// Lines that are there for context only.
pub(crate) const CONTEXT: Colour = (0xcf, 0xcf, 0xcf);
/// The first hue, also for single series.
pub(crate) const BLUE: Colour = (0x00, 0x72, 0xb2);
/// The second hue.
pub(crate) const VERMILION: Colour = (0xd5, 0x5e, 0x00);
/// Paper.
pub(crate) const WHITE: Colour = (0xff, 0xff, 0xff);
/// Text on a light shade, and on a dark one: shades stay what they are on dark paper, and so does
/// what stands on them.
pub(crate) const ON_LIGHT: Colour = (0x22, 0x22, 0x21);
/// See [`ON_LIGHT`].
pub(crate) const ON_DARK: Colour = (0xff, 0xff, 0xfe);

/// The colours that a page may replace for another kind of paper, with the word that its style knows
/// each by.
pub(crate) const REPLACED: [(&str, Colour); 19] = [
    ("ink", INK),
    ("muted", MUTED),
    ("axis", AXIS),
    ("grid", GRID),
    ("context", CONTEXT),
    ("paper", WHITE),
    ("blue", BLUE),
    ("vermilion", VERMILION),
    ("green", GREEN),
    ("pink", PINK),
    ("orange", ORANGE),
    ("sky", SKY),
    ("pale-blue", pale(BLUE)),
    ("pale-vermilion", pale(VERMILION)),
    ("pale-green", pale(GREEN)),
    ("pale-pink", pale(PINK)),
    ("pale-ink", pale(INK)),
    ("pale-orange", pale(ORANGE)),
    ("pale-sky", pale(SKY)),
];

/// What a page's style calls a colour; nothing for one that stays what it is.
pub(crate) fn word(colour: Colour) -> Option<&'static str> {
    let known = REPLACED.iter().find(|(_, known)| *known == colour);
    known.map(|(word, _)| *word)
}

const GREEN: Colour = (0x00, 0x9e, 0x73);
const PINK: Colour = (0xcc, 0x79, 0xa7);
const ORANGE: Colour = (0xe6, 0x9f, 0x00);
const SKY: Colour = (0x56, 0xb4, 0xe9);

/// The colour on its way to white.
pub(crate) const fn pale((red, green, blue): Colour) -> Colour {
    const fn mix(channel: u8) -> u8 {
        channel + (u8::MAX - channel) / 5 * 3
    }
    (mix(red), mix(green), mix(blue))
}

/// How one of several series looks.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Look {
    /// Its colour.
    pub colour: Colour,
    /// Its dash pattern; empty means solid.
    pub dash: &'static [f64],
    /// Its marker.
    pub marker: Marker,
}

/// The shape of a data point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Marker {
    /// A filled circle.
    Disc,
    /// A filled square.
    Square,
    /// A filled triangle, point up.
    Triangle,
    /// A filled square on its corner.
    Diamond,
    /// A filled triangle, point down.
    Wedge,
    /// A circle with a white middle.
    Ring,
    /// A diagonal cross.
    Cross,
}

/// Looks for series that share a panel.
pub(crate) const LOOKS: [Look; 7] = [
    Look {
        colour: BLUE,
        dash: &[],
        marker: Marker::Disc,
    },
    Look {
        colour: VERMILION,
        dash: &[7.0, 3.0],
        marker: Marker::Square,
    },
    Look {
        colour: GREEN,
        dash: &[2.5, 2.5],
        marker: Marker::Triangle,
    },
    Look {
        colour: PINK,
        dash: &[9.0, 3.0, 2.0, 3.0],
        marker: Marker::Diamond,
    },
    Look {
        colour: INK,
        dash: &[],
        marker: Marker::Ring,
    },
    Look {
        colour: ORANGE,
        dash: &[5.0, 2.0],
        marker: Marker::Wedge,
    },
    Look {
        colour: SKY,
        dash: &[12.0, 3.0],
        marker: Marker::Cross,
    },
];

impl Marker {
    /// Draws the marker around `at`; `radius` is that of the circle, the others have about its
    /// area.
    pub(crate) fn draw(self, scene: &mut Scene, at: Point, radius: f64, colour: Colour) {
        let (x, y) = at;
        match self {
            Self::Disc => scene.disc(at, radius, colour),
            Self::Ring => {
                scene.disc(at, radius * 1.1, colour);
                scene.disc(at, radius * 0.6, WHITE);
            }
            Self::Square => {
                let half = radius * 0.9;
                scene.rectangle((x - half, y - half), 2.0 * half, 2.0 * half, colour);
            }
            Self::Diamond => {
                let half = radius * 1.3;
                scene.area(
                    &[(x, y - half), (x + half, y), (x, y + half), (x - half, y)],
                    colour,
                );
            }
            Self::Triangle => {
                scene.area(
                    &[
                        (x, y - radius * 1.3),
                        (x + radius * 1.2, y + radius * 0.9),
                        (x - radius * 1.2, y + radius * 0.9),
                    ],
                    colour,
                );
            }
            Self::Wedge => {
                scene.area(
                    &[
                        (x, y + radius * 1.3),
                        (x + radius * 1.2, y - radius * 0.9),
                        (x - radius * 1.2, y - radius * 0.9),
                    ],
                    colour,
                );
            }
            Self::Cross => {
                scene.line(
                    &[(x - radius, y - radius), (x + radius, y + radius)],
                    colour,
                    1.8,
                );
                scene.line(
                    &[(x - radius, y + radius), (x + radius, y - radius)],
                    colour,
                    1.8,
                );
            }
        }
    }
}

/// Blue on white for a share from 0 to 1.
pub(crate) fn shade(share: f64) -> Colour {
    let share = if share.is_finite() {
        share.clamp(0.0, 1.0)
    } else {
        0.0
    };
    // Between these two, lightness falls evenly; the darker end still carries white text.
    let (light, dark) = ([0xf4_u8, 0xf8, 0xfc], [0x0b_u8, 0x4f, 0x8a]);
    let mix = |i: usize| {
        let value = f64::from(light[i]) + share * (f64::from(dark[i]) - f64::from(light[i]));
        // In 0..=255 by construction.
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let value = value.round() as u8;
        value
    };
    (mix(0), mix(1), mix(2))
}

/// The text colour with the higher contrast on `background`: dark or light.
pub(crate) fn text_on(background: Colour) -> Colour {
    if contrast(background, ON_DARK) > contrast(background, ON_LIGHT) {
        ON_DARK
    } else {
        ON_LIGHT
    }
}

/// Contrast ratio of two colours after WCAG 2.2, from 1 to 21.
fn contrast(a: Colour, b: Colour) -> f64 {
    let (a, b) = (luminance(a), luminance(b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

fn luminance((red, green, blue): Colour) -> f64 {
    let linear = |channel: u8| {
        let value = f64::from(channel) / 255.0;
        if value <= 0.040_45 {
            value / 12.92
        } else {
            ((value + 0.055) / 1.055).powf(2.4)
        }
    };
    0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_on_every_shade_is_readable() {
        for percent in 0..=100 {
            let background = shade(f64::from(percent) / 100.0);
            assert!(
                contrast(background, text_on(background)) >= 4.0,
                "{percent}: {background:?}"
            );
        }
    }

    #[test]
    fn shades_darken_with_the_share() {
        let light: Vec<f64> = (0..=10)
            .map(|i| luminance(shade(f64::from(i) / 10.0)))
            .collect();
        assert!(light.windows(2).all(|pair| pair[0] > pair[1]), "{light:?}");
        assert_eq!(shade(f64::NAN), shade(0.0));
    }

    #[test]
    fn looks_differ_in_colour_and_in_marker() {
        for (i, a) in LOOKS.iter().enumerate() {
            for b in &LOOKS[i + 1..] {
                assert!(a.colour != b.colour && a.marker != b.marker);
            }
            assert!(contrast(a.colour, WHITE) > 2.0, "{a:?}");
        }
    }
}
