//! What can be seen of answers, case by case.

use super::*;

const SPANISH: [Passage<'static>; 2] = [
    Passage {
        number: 7,
        text: "La orden umask fija la máscara de creación de ficheros.",
    },
    Passage {
        number: 3,
        text: "Con cd se cambia el directorio de trabajo.",
    },
];

fn judged(question: &str, answer: &str) -> Judgement {
    let bench = Bench {
        question,
        others: &[],
        fragments: &SPANISH,
        not_found: None,
        citation: None,
        right: None,
    };
    Judgement::of(answer, &bench)
}

fn close(found: Option<f64>, expected: f64) {
    let near = found.is_some_and(|found| (found - expected).abs() < 1e-12);
    assert!(near, "{found:?} {expected}");
}

#[test]
fn a_good_answer_is_short_in_the_questions_language_and_stands_in_what_it_cites() {
    let found = judged(
        "¿Qué hace umask? Responde en menos de 12 palabras",
        "La orden umask fija la máscara de creación. [Contexto 7]",
    );
    assert_eq!((found.words, found.word_limit), (8, Some(11)));
    assert_eq!(found.within_limit(), Some(true));
    assert_eq!(
        (found.language, found.same_language),
        (Some("es"), Some(true))
    );
    assert_eq!(found.cited, [7]);
    close(found.cited_in_context, 1.0);
    close(found.supported, 1.0);
    close(found.repeated, 0.0);
    assert!(!found.abstained);
    assert_eq!((found.token_f1, found.rouge_l), (None, None));
}

#[test]
fn what_is_wrong_with_an_answer_shows() {
    let found = judged(
        "¿Qué hace umask? Responde en menos de 5 palabras",
        "Umask é um comando que não faz o que você quer, umask é um comando que não faz nada [Contexto 7, 9]",
    );
    assert_eq!(found.within_limit(), Some(false));
    assert_eq!(
        (found.language, found.same_language),
        (Some("pt"), Some(false))
    );
    assert_eq!(found.cited, [7, 9]);
    close(found.cited_in_context, 0.5);
    assert!(found.repeated.unwrap() > 0.2, "{found:?}");
    assert!(found.supported.unwrap() < 0.5, "{found:?}");
}

#[test]
fn an_abstention_is_known_by_its_phrase_and_is_no_claim() {
    let ask = "¿Que hace el comando grep en Bash?";
    for answer in [
        "No encuentro esa información en los fragmentos.",
        "  «no encuentro esa informacion en los fragmentos» [Contexto 3]",
    ] {
        let found = judged(ask, answer);
        assert!(found.abstained, "{answer}");
        assert_eq!(found.supported, None, "{answer}");
    }
    let found = judged(ask, "No lo encuentro. Grep busca.");
    assert!(!found.abstained);
    let bench = Bench {
        question: ask,
        others: &[],
        fragments: &SPANISH,
        not_found: Some("Ni idea."),
        citation: None,
        right: None,
    };
    assert!(Judgement::of("Pues ni idea", &bench).abstained);
    assert!(!Judgement::of("No encuentro esa información en los fragmentos.", &bench).abstained);
}

#[test]
fn of_an_empty_answer_nothing_is_claimed() {
    for answer in ["", " \n", "…", "[Contexto 7]"] {
        let found = judged("¿Qué hace umask? En menos de 5 palabras", answer);
        assert_eq!(found.words, 0, "{answer}");
        assert_eq!(found.within_limit(), Some(true));
        assert_eq!((found.language, found.same_language), (None, None));
        assert_eq!((found.supported, found.repeated), (None, None));
        assert!(!found.abstained);
    }
}

#[test]
fn without_fragments_nothing_is_supported() {
    let bench = Bench {
        question: "¿Qué hace umask?",
        others: &[],
        fragments: &[],
        not_found: None,
        citation: Some("(§{number})"),
        right: None,
    };
    let found = Judgement::of("Umask fija la máscara (§4)", &bench);
    close(found.supported, 0.0);
    close(found.cited_in_context, 0.0);
}

#[test]
fn chinese_answers_are_judged_letter_by_letter() {
    let fragments = [Passage {
        number: 4,
        text: "每年的费用是六十欧元。要获得地块，请加入名单。",
    }];
    let bench = Bench {
        question: "费用是多少？请在10字以内回答",
        others: &[],
        fragments: &fragments,
        not_found: None,
        citation: None,
        right: Some("六十欧元"),
    };
    let found = Judgement::of("费用是六十欧元。 [片段 4]", &bench);
    assert_eq!((found.words, found.word_limit), (7, Some(10)));
    assert_eq!(
        (found.language, found.same_language),
        (Some("zh"), Some(true))
    );
    close(found.supported, 1.0);
    close(found.cited_in_context, 1.0);
    close(found.token_f1, 8.0 / 11.0);
    close(found.rouge_l, 8.0 / 11.0);
    assert!(Judgement::of("这些片段中没有相关信息。", &bench).abstained);
}

#[test]
fn a_short_answer_is_in_the_questions_language_if_nothing_speaks_against_it() {
    for (answer, language) in [
        ("La orden umask fija la máscara de creación.", Some("es")),
        ("cd /tmp", None),
        (
            "Il comando cambia la cartella che è nella lista",
            Some("it"),
        ),
        ("Set it", None),
    ] {
        assert_eq!(
            judged("¿Qué hace umask?", answer).language,
            language,
            "{answer}"
        );
    }
}

#[test]
fn the_other_questions_tell_the_language_of_a_short_one() {
    let bench = Bench {
        question: "umask",
        others: &["¿Qué hace cd?", "¿Cómo se sale de bash?"],
        fragments: &SPANISH,
        not_found: None,
        citation: None,
        right: None,
    };
    let found = Judgement::of(
        "It is what sets the mode of the files that you make",
        &bench,
    );
    assert_eq!(
        (found.language, found.same_language),
        (Some("en"), Some(false))
    );
    let alone = Bench {
        others: &[],
        ..bench
    };
    assert_eq!(
        Judgement::of("It is what sets the mode", &alone).same_language,
        None
    );
}
