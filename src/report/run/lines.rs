//! Text in the columns of a terminal: wrapped, indented, and without what a terminal would obey.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::report::terminal::padded;

/// Names are not padded beyond this width.
const WIDEST_NAME: usize = 34;

/// A text in lines of at most `width` columns, broken between words where that is possible. White
/// space becomes one space; other control characters become the replacement character.
pub(super) fn wrapped(text: &str, width: usize) -> Vec<String> {
    let width = width.max(8);
    let mut lines: Vec<String> = Vec::new();
    let mut line = String::new();
    for word in text.split_whitespace() {
        let word: String = word.chars().map(visible).collect();
        for piece in pieces(&word, width) {
            let gap = usize::from(!line.is_empty());
            if line.width() + gap + piece.width() > width {
                lines.push(std::mem::take(&mut line));
            }
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(&piece);
        }
    }
    if !line.is_empty() || lines.is_empty() {
        lines.push(line);
    }
    lines
}

fn visible(character: char) -> char {
    // Marks of direction would turn round what follows them.
    let turns = matches!(character, '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}');
    if character.is_control() || turns {
        '\u{FFFD}'
    } else {
        character
    }
}

/// A word in pieces that fit, after a joint of it where there is one.
fn pieces(word: &str, width: usize) -> Vec<String> {
    let (mut pieces, mut piece, mut taken) = (Vec::new(), String::new(), 0);
    for character in word.chars() {
        let wide = character.width().unwrap_or(0);
        if taken + wide > width {
            let joint = piece.rfind([',', '/', '+', '-']).map(|place| place + 1);
            let joint = joint.filter(|place| *place > piece.len() / 2);
            let rest = piece.split_off(joint.unwrap_or(piece.len()));
            pieces.push(std::mem::replace(&mut piece, rest));
            taken = piece.width();
        }
        piece.push(character);
        taken += wide;
    }
    pieces.push(piece);
    pieces
}

/// A text below an indent, at most `most` lines of it.
pub(super) fn indented(text: &str, indent: usize, columns: usize, most: usize) -> String {
    let mut lines = wrapped(text, columns.saturating_sub(indent));
    if lines.len() > most {
        lines.truncate(most);
        if let Some(last) = lines.last_mut() {
            let fits = columns.saturating_sub(indent + 2).max(1);
            while last.width() > fits && last.pop().is_some() {}
            last.push_str(" …");
        }
    }
    let margin = " ".repeat(indent);
    let mut text = String::new();
    for line in lines {
        text.push_str(&margin);
        text.push_str(&line);
        text.push('\n');
    }
    text
}

/// Names and what belongs to each, beside them or, of a long name, below; the latter wrapped.
pub(super) fn pairs(rows: &[(String, String)], columns: usize) -> String {
    let names: Vec<String> = rows.iter().map(|(name, _)| visibly(name)).collect();
    let widths = names.iter().map(|name| name.width());
    let width = widths.max().unwrap_or(0).min(WIDEST_NAME).min(columns / 2);
    let mut text = String::new();
    for (name, (_, value)) in names.iter().zip(rows) {
        let mut lines = wrapped(value, columns.saturating_sub(width + 4)).into_iter();
        let beside = (name.width() <= width).then(|| lines.next()).flatten();
        let first = format!(
            "  {}  {}",
            padded(name, width, false),
            beside.unwrap_or_default()
        );
        text.push_str(first.trim_end());
        text.push('\n');
        for line in lines {
            text.push_str(&" ".repeat(width + 4));
            text.push_str(&line);
            text.push('\n');
        }
    }
    text
}

fn visibly(text: &str) -> String {
    text.chars().map(visible).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn words_are_wrapped_and_terminals_are_told_nothing() {
        assert_eq!(
            wrapped("one two\nthree  four", 9),
            ["one two", "three", "four"]
        );
        assert_eq!(wrapped("a\u{1b}[31mred", 20), ["a\u{FFFD}[31mred"]);
        assert_eq!(wrapped("aaaa,bbbbbb", 8), ["aaaa,", "bbbbbb"]);
        assert_eq!(wrapped("", 8), [""]);
    }

    #[test]
    fn long_values_hang_below_their_names() {
        let rows = [("rank", "8"), ("targets", "query, value, key")];
        let rows = rows.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(
            pairs(&rows, 24),
            "  rank     8\n  targets  query, value,\n           key\n"
        );
    }

    proptest! {
        #[test]
        fn no_line_is_wider_than_it_may_be(text in ".{0,200}", width in 8_usize..100) {
            for line in wrapped(&text, width) {
                prop_assert!(line.width() <= width, "{line:?}");
                prop_assert!(!line.chars().any(char::is_control));
            }
        }
    }
}
