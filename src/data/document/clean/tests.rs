//! Tests of `clean`.

use super::*;

#[test]
fn the_studys_cleaning_is_its_two_expressions() {
    // re.sub(r"(\.\s*)+", ".", re.sub(r"\s+", " ", text))
    assert_eq!(study("a \t\r\n b\u{c}\u{a0}c"), "a b c");
    assert_eq!(study("Uno. . . .  1\n Dos.\n\nTres ."), "Uno.1 Dos.Tres .");
    assert_eq!(study(" . cd .. x... "), " .cd .x.");
    assert_eq!(study("\u{1c}a\u{1d}\u{2029}b"), " a b");
    assert_eq!(study(""), "");
}

#[test]
fn prose_keeps_sentences_and_paragraphs_apart() {
    let text = "Uno dos.  Tres\n cuatro...\n\n \nCinco \u{c}seis: cd ..\r\n\r\nfin";
    assert_eq!(
        prose(text),
        "Uno dos. Tres cuatro...\n\nCinco seis: cd ..\n\nfin"
    );
}

#[test]
fn prose_joins_divided_words_and_shortens_leaders() {
    assert_eq!(
        prose("la ver-\n  sion y Front-\nCover y a -\nb"),
        "la version y Front- Cover y a - b"
    );
    assert_eq!(
        prose("1 Introducción . . . . . . 1\nDos........2"),
        "1 Introducción … 1 Dos…2"
    );
}
