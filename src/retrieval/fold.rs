//! Words as the lexical methods and the relevance patterns compare them.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// A text without what people leave out when they type a question: compatible forms become plain,
/// letters lower case, accents are dropped and the dotless ı, also below an accent, becomes i. The
/// tilde of an ñ stays, since año and ano are different words.
#[must_use]
pub fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for letter in text.nfkd().flat_map(char::to_lowercase) {
        match letter {
            '\u{303}' if folded.ends_with('n') => {
                folded.pop();
                folded.push('ñ');
            }
            // A capital İ in lower case leaves its dot behind.
            mark if is_combining_mark(mark) => {}
            'ı' => folded.push('i'),
            other => folded.push(other),
        }
    }
    folded
}

/// The terms of a text: its runs of letters and digits, folded. No stemming, no stop words;
/// whatever else there is parts terms.
#[must_use]
pub fn terms(text: &str) -> Vec<String> {
    let folded = fold(text);
    let parts = folded.split(|letter: char| !letter.is_alphanumeric());
    parts
        .filter(|term| !term.is_empty())
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accents_and_case_do_not_count_but_the_enye_does() {
        assert_eq!(
            fold("INTÉRPRETE de o\u{301}rdenes"),
            "interprete de ordenes"
        );
        assert_eq!(fold("Especı\u{301}fica pingüino"), "especifica pinguino");
        assert_eq!(fold("Año an\u{303}o ano"), "año año ano");
        assert_eq!(fold("\u{fb01}chero İ ılık"), "fichero i ilik");
    }

    #[test]
    fn terms_are_runs_of_letters_and_digits() {
        assert_eq!(
            terms("¿Para qué sirve `umask -S 022`?"),
            ["para", "que", "sirve", "umask", "s", "022"]
        );
        assert_eq!(terms("… — !"), [""; 0]);
    }
}
