//! How wide a text is, and how to make a long one fit. Owns the embedded font; knows nothing of
//! plots.

use std::fmt::Write;
use std::sync::OnceLock;

use ab_glyph::{Font, FontRef, Glyph, ScaleFont, point};
use unicode_normalization::UnicodeNormalization;

/// The family as an SVG names it: the embedded font, fonts of the same widths, and whatever else
/// there is.
pub(crate) const FAMILY: &str = "Arimo, Arial, Helvetica, 'Liberation Sans', sans-serif";
/// Height of capitals in em.
pub(crate) const CAPITALS: f64 = 0.716;

const REGULAR: &[u8] = include_bytes!("../../assets/Arimo-Regular.ttf");
const BOLD: &[u8] = include_bytes!("../../assets/Arimo-Bold.ttf");

/// The embedded fonts. The bytes are part of the program and a test reads them; broken ones would
/// leave plots without text, not the program dead.
fn font(bold: bool) -> Option<&'static FontRef<'static>> {
    static FONTS: OnceLock<[Option<FontRef<'static>>; 2]> = OnceLock::new();
    FONTS.get_or_init(|| [REGULAR, BOLD].map(|bytes| FontRef::try_from_slice(bytes).ok()))
        [usize::from(bold)]
    .as_ref()
}

/// A text as the font can show it: characters that it lacks are told by their numbers, as in
/// `U+6F22`, apart from what stands beside them. Where a reader brings other fonts, as for an SVG,
/// the text itself is shown in at most as much room.
fn drawable(text: &str, font: &FontRef<'_>) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut after_number = false;
    for character in text.nfc() {
        let is_there = font.glyph_id(character).0 != 0;
        let apart = !shown.is_empty() && !shown.ends_with(' ') && character != ' ';
        if apart && (after_number || !is_there) {
            shown.push(' ');
        }
        if is_there {
            shown.push(character);
        } else {
            // Writing to a String cannot fail.
            let _ = write!(shown, "U+{:04X}", u32::from(character));
        }
        after_number = !is_there;
    }
    shown
}

/// The glyphs of a line of text that starts at the origin, on their baseline, and the line's width.
/// `size` is in units per em.
fn layout(text: &str, size: f64, bold: bool) -> Option<(Vec<Glyph>, f64)> {
    let font = font(bold)?;
    #[expect(clippy::cast_possible_truncation, reason = "a type size")]
    let scaled = font.as_scaled(font.pt_to_px_scale(size as f32 * POINTS_PER_PIXEL)?);
    let (mut x, mut previous, mut glyphs) = (0.0_f32, None, Vec::new());
    for character in drawable(text, font).chars() {
        let mut glyph = scaled.scaled_glyph(character);
        if let Some(previous) = previous {
            x += scaled.kern(previous, glyph.id);
        }
        glyph.position = point(x, 0.0);
        x += scaled.h_advance(glyph.id);
        previous = Some(glyph.id);
        glyphs.push(glyph);
    }
    Some((glyphs, f64::from(x)))
}

/// `ab_glyph` assumes 96 pixels to the inch, of which a point is the 72nd part.
const POINTS_PER_PIXEL: f32 = 72.0 / 96.0;

/// Width of `text` in points at `size` points per em.
pub(crate) fn width(text: &str, size: f64, bold: bool) -> f64 {
    layout(text, size, bold).map_or(0.0, |(_, width)| width)
}

/// Calls `paint(x, y, coverage)` for each pixel that a line of text touches: x to the right of its
/// start, y below its baseline, `size` in pixels per em.
pub(crate) fn rasterise(text: &str, size: f64, bold: bool, mut paint: impl FnMut(i32, i32, f32)) {
    let (Some(font), Some((glyphs, _))) = (font(bold), layout(text, size, bold)) else {
        return;
    };
    for glyph in glyphs {
        let Some(outline) = font.outline_glyph(glyph) else {
            continue;
        };
        let bounds = outline.px_bounds();
        #[expect(clippy::cast_possible_truncation, reason = "pixels of a picture")]
        let (left, top) = (bounds.min.x as i32, bounds.min.y as i32);
        outline
            .draw(|x, y, coverage| paint(left + x.cast_signed(), top + y.cast_signed(), coverage));
    }
}

/// Breaks `text` into at most `lines` lines of at most `max_width` points, after a separator where
/// one is near; what is too long for that loses its middle, because names of cells differ at both
/// ends.
pub(crate) fn fit(text: &str, size: f64, bold: bool, max_width: f64, lines: usize) -> Vec<String> {
    fit_around(text, size, bold, max_width, lines, 4)
}

/// Like [`fit`], with `head` of eight parts of what is kept before what goes.
pub(super) fn fit_around(
    text: &str,
    size: f64,
    bold: bool,
    max_width: f64,
    lines: usize,
    head: usize,
) -> Vec<String> {
    let all = wrap(text, size, bold, max_width);
    if all.len() <= lines.max(1) {
        return all;
    }
    let characters: Vec<char> = text.chars().collect();
    let shortened = |kept: usize| {
        let head = (kept * head).div_ceil(8);
        let mut short: String = characters[..head].iter().collect();
        short.push('…');
        short.extend(&characters[characters.len() - (kept - head)..]);
        short
    };
    // The longest that fits; at worst, the ellipsis alone.
    let (mut fits, mut too_long) = (0, characters.len());
    while too_long - fits > 1 {
        let kept = usize::midpoint(fits, too_long);
        if wrap(&shortened(kept), size, bold, max_width).len() <= lines.max(1) {
            fits = kept;
        } else {
            too_long = kept;
        }
    }
    wrap(&shortened(fits), size, bold, max_width)
}

/// Greedy lines of at most `max_width`, each of at least one character.
fn wrap(text: &str, size: f64, bold: bool, max_width: f64) -> Vec<String> {
    let mut lines = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let mut end = rest.len();
        if width(rest, size, bold) > max_width {
            // The last place before the margin, and the last good place among those.
            let mut margin = rest.chars().next().map_or(1, char::len_utf8);
            let mut good = None;
            let mut used = 0.0;
            for (at, character) in rest.char_indices() {
                used += width(character.encode_utf8(&mut [0; 4]), size, bold);
                if used > max_width {
                    break;
                }
                margin = margin.max(at + character.len_utf8());
                let after = at + character.len_utf8();
                // `1e-4` and `0.5` stay whole.
                let in_number = matches!(character, '-' | '.')
                    && rest[after..].starts_with(|next: char| next.is_ascii_digit());
                if matches!(
                    character,
                    ' ' | ',' | '/' | '+' | '-' | '_' | '=' | '.' | ';' | ':' | '@'
                ) && !in_number
                {
                    good = Some(after);
                }
            }
            end = good.filter(|&good| good * 2 > margin).unwrap_or(margin);
        }
        let (line, after) = rest.split_at(end);
        lines.push(line.trim_end().to_owned());
        rest = after.trim_start();
    }
    if lines.is_empty() {
        lines.push(String::new());
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAME: &str = "rank=16,alpha=32,targets=query+key+value+attention_output+intermediate+output,learning_rate=0.0002,e1";

    #[test]
    fn the_embedded_fonts_measure_text() {
        // Arial's widths: 0.556 em for a digit, 0.278 for a space.
        assert!((width("0 0", 10.0, false) - 13.9).abs() < 0.1);
        assert!(width("wide", 10.0, true) > width("wide", 10.0, false));
    }

    #[test]
    fn characters_that_the_font_lacks_are_told_by_their_numbers() {
        let font = font(false).unwrap();
        let shown = |text: &str| drawable(text, font);
        assert_eq!(shown("\u{6f22}\u{5b57}"), "U+6F22 U+5B57");
        assert_eq!(shown("a\u{1f44d}b c"), "a U+1F44D b c");
        // An accent of its own becomes part of its letter.
        assert_eq!(
            shown("rank=4, gr\u{f6}\u{df}e, \u{416}, e\u{301}"),
            "rank=4, gr\u{f6}\u{df}e, \u{416}, \u{e9}"
        );
        for text in ["\u{6f22}", "\u{627}", "\u{1f44d}\u{fe0f}"] {
            let glyphs = layout(text, 10.0, false).unwrap().0;
            assert!(glyphs.iter().all(|glyph| glyph.id.0 != 0), "{text}");
        }
    }

    #[test]
    fn short_texts_stay_whole() {
        assert_eq!(fit("rank=4", 11.0, false, 200.0, 2), ["rank=4"]);
        assert_eq!(fit("", 11.0, false, 200.0, 2), [""]);
    }

    #[test]
    fn long_names_break_after_separators_and_stay_within_the_width() {
        let lines = fit(NAME, 11.0, false, 220.0, 4);
        assert_eq!(lines.concat(), NAME);
        assert!(lines.len() > 1);
        assert!(
            lines.iter().all(|line| width(line, 11.0, false) <= 220.0),
            "{lines:?}"
        );
        assert!(
            lines[..lines.len() - 1]
                .iter()
                .all(|line| line.ends_with(['+', ',', '=', '_'])),
            "{lines:?}"
        );
        let rate = fit(
            "learning_rate=1e-4",
            11.0,
            false,
            width("learning_rate=1e-", 11.0, false) + 1.0,
            2,
        );
        assert_eq!(rate, ["learning_rate=", "1e-4"]);
    }

    #[test]
    fn names_too_long_for_the_lines_lose_their_middle() {
        let lines = fit(NAME, 11.0, false, 120.0, 2);
        let joined = lines.concat();
        assert!(lines.len() <= 2 && joined.contains('…'));
        assert!(
            joined.starts_with("rank=16") && joined.ends_with(",e1"),
            "{joined}"
        );
    }

    #[test]
    fn a_name_without_separators_breaks_anywhere() {
        let name = "ñ".repeat(50);
        let lines = fit(&name, 11.0, false, 100.0, 9);
        assert_eq!(lines.concat(), name);
        assert!(lines.len() > 1);
        assert_eq!(fit("abc", 11.0, false, 0.5, 1).len(), 1);
    }
}
