//! Words as the lexical methods and the relevance patterns compare them.

use unicode_normalization::UnicodeNormalization;

use super::scripts::{is_mark, is_unbounded};

/// A text without what people leave out when they type a question: compatible forms become plain,
/// letters lower case, accents are dropped and the dotless ı, also below an accent, becomes i. The
/// tilde of an ñ stays, since año and ano are different words, and so do the marks of kana; Korean
/// syllables stay whole.
#[must_use]
pub fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for letter in text.nfkd().flat_map(char::to_lowercase) {
        match letter {
            '\u{303}' if folded.ends_with('n') => {
                folded.pop();
                folded.push('ñ');
            }
            // Of kana: か and が are different letters.
            '\u{3099}' | '\u{309a}' => folded.push(letter),
            // A capital İ in lower case leaves its dot behind.
            mark if is_mark(mark) => {}
            'ı' => folded.push('i'),
            other => folded.push(other),
        }
    }
    // Nothing else is left to compose.
    if folded.chars().any(is_unbounded) {
        folded.nfc().collect()
    } else {
        folded
    }
}

/// The terms of a text: its runs of letters and digits, folded. No stemming, no stop words;
/// whatever else there is parts terms. Where a script has no spaces between words, and in Korean,
/// each pair of neighbouring letters is a term.
#[must_use]
pub fn terms(text: &str) -> Vec<String> {
    let folded = fold(text);
    let parts = folded.split(|letter: char| !letter.is_alphanumeric());
    let mut terms = Vec::new();
    for part in parts.filter(|part| !part.is_empty()) {
        let letters: Vec<(usize, char)> = part.char_indices().collect();
        for run in letters.chunk_by(|one, next| is_unbounded(one.1) == is_unbounded(next.1)) {
            let end = |letter: &(usize, char)| letter.0 + letter.1.len_utf8();
            let width = if is_unbounded(run[0].1) { 2 } else { run.len() };
            if let Some(last) = run.last().filter(|_| run.len() <= width) {
                terms.push(part[run[0].0..end(last)].to_owned());
            } else {
                let pairs = run.windows(width);
                terms.extend(pairs.map(|pair| part[pair[0].0..end(&pair[1])].to_owned()));
            }
        }
    }
    terms
}

/// Whether [`terms`] makes pairs of letters of a text.
#[must_use]
pub fn has_pairs(text: &str) -> bool {
    text.chars().any(is_unbounded)
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

    #[test]
    fn letters_of_scripts_without_spaces_are_taken_in_pairs() {
        assert_eq!(
            terms("费用是60欧元。水"),
            ["费用", "用是", "60", "欧元", "水"]
        );
        assert_eq!(terms("Pythonを使う"), ["python", "を使", "使う"]);
        assert_eq!(terms("ガラスとカラス")[..2], ["ガラ", "ラス"]);
        assert_eq!(terms("회비는 한국"), ["회비", "비는", "한국"]);
        assert!(has_pairs("한 year") && !has_pairs("¿Qué? naïve Ωμέγα"));
    }
}
