//! Tests of `sentences`.

use super::*;

#[test]
fn sentences_end_where_a_new_one_begins() {
    let text = "¿Qué es? Un intérprete (de órdenes). «Así.» 3 cosas más... y siguen. ¡Ya!  Fin";
    assert_eq!(
        sentences(text),
        [
            "¿Qué es?",
            "Un intérprete (de órdenes).",
            "«Así.»",
            "3 cosas más... y siguen.",
            "¡Ya!",
            "Fin"
        ]
    );
}

#[test]
fn abbreviations_initials_numbers_and_names_of_files_do_not_end_one() {
    for text in [
        "El Sr. Pérez vino.",
        "Por J. Maldonado.",
        "Véase la pág. 3.",
        "Mide 3.5 m.",
        "Abra el fichero notas.txt ahora.",
    ] {
        assert_eq!(sentences(text), [text]);
    }
}

#[test]
fn blank_lines_end_one_and_single_line_ends_do_not() {
    assert_eq!(
        sentences("Un título\n \nUna\nfrase"),
        ["Un título", "Una\nfrase"]
    );
    assert_eq!(sentences(" \n\n"), [""; 0]);
}

#[test]
fn glued_sentences_are_told_apart() {
    assert_eq!(
        sentences("Una frase.Otra (así).Fin de GNU.Si no"),
        ["Una frase.", "Otra (así).", "Fin de GNU.Si no"]
    );
}

#[test]
fn sentences_of_scripts_without_spaces_end_at_their_marks() {
    assert_eq!(
        sentences("费用是60欧元。要获得地块，请加入等候名单！你可以吗？可以。"),
        [
            "费用是60欧元。",
            "要获得地块，请加入等候名单！",
            "你可以吗？",
            "可以。"
        ]
    );
    assert_eq!(
        sentences("彼は「行く。」と言った！？本当だ｡ はい"),
        ["彼は「行く。」", "と言った！？", "本当だ｡", "はい"]
    );
    assert_eq!(
        sentences("用!水管?好.版本v2.版3.5米……走了"),
        ["用!", "水管?", "好.", "版本v2.版3.5米……走了"]
    );
    assert_eq!(
        sentences("यह एक है। वह दो है। ما هذا؟ هذا كتاب."),
        ["यह एक है।", "वह दो है।", "ما هذا؟", "هذا كتاب."]
    );
}
