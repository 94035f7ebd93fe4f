//! One spelling for what looks the same.
//!
//! Texts taken from PDF files often have decomposed accents, and LaTeX sets the accent of an í over
//! a dotless ı: the sequence ı, combining acute. Unicode does not compose that, since the dotless ı
//! is a letter of its own. Here a dotless ı (or ȷ) that carries a mark above it becomes a plain i
//! (or j) first, which is what the sequence looks like; without such a mark it stays, as in
//! Turkish.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::{canonical_combining_class, is_combining_mark};

/// The combining class of marks that stand above their letter.
const ABOVE: u8 = 230;

/// Normalisation form C, with dotless letters below an accent mended.
#[must_use]
pub fn composed(text: &str) -> String {
    dotted(text).nfc().collect()
}

/// Normalisation form KC, with dotless letters below an accent mended: ligatures and the like
/// become plain letters, too.
#[must_use]
pub fn composed_compatible(text: &str) -> String {
    dotted(text).nfkc().collect()
}

/// The text with `i` and `j` for their dotless forms wherever a mark stands above those.
fn dotted(text: &str) -> String {
    let letters: Vec<char> = text.chars().collect();
    let accented = |index: usize| {
        letters[index + 1..]
            .iter()
            .take_while(|&&mark| is_combining_mark(mark))
            .any(|&mark| canonical_combining_class(mark) == ABOVE)
    };
    let plain = |(index, &letter): (usize, &char)| match letter {
        'ı' if accented(index) => 'i',
        'ȷ' if accented(index) => 'j',
        other => other,
    };
    letters.iter().enumerate().map(plain).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accents_are_composed_even_over_a_dotless_i() {
        assert_eq!(
            composed("inte\u{301}rprete de o\u{301}rdenes"),
            "intérprete de órdenes"
        );
        assert_eq!(composed("Especı\u{301}fica"), "Específica");
        assert_eq!(composed("ı\u{323}\u{301}"), "\u{1ecb}\u{301}");
    }

    #[test]
    fn a_dotless_i_without_an_accent_above_stays() {
        assert_eq!(composed("ılık, ı\u{323}"), "ılık, ı\u{323}");
    }

    #[test]
    fn compatible_forms_become_plain_letters_only_on_demand() {
        assert_eq!(composed("\u{fb01}chero"), "\u{fb01}chero");
        assert_eq!(composed_compatible("\u{fb01}chero ı\u{301}"), "fichero í");
    }
}
