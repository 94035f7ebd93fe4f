//! In which language a question is asked, where that is beyond doubt: by its script, its letters
//! and its commonest words.

use std::collections::HashSet;
use std::sync::LazyLock;

use super::fold::fold;

/// A language that questions are told apart by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Language {
    English,
    Spanish,
    Portuguese,
    French,
    Italian,
    German,
    Dutch,
    Russian,
    Chinese,
    Japanese,
    Korean,
}

/// Letters and words by which a language is known. Words stand in lower case; one that several
/// languages have stands with all of them.
struct Marks {
    language: Language,
    letters: &'static str,
    words: &'static str,
}

const MARKS: [Marks; 8] = [
    Marks {
        language: Language::English,
        letters: "",
        words: "a about an and any are at be been by can could did do does for from had has have how i if in is it its many me much must my not of on or should that the their there these they this to we were what when where which who whose why will with would you your",
    },
    Marks {
        language: Language::Spanish,
        letters: "¿¡",
        words: "a al como con cual cuales cuando cuanta cuantas cuanto cuantos cuánto cuántos cuánta cuántas cuándo cuál cuáles cómo de del debe desde donde dónde el en es esta este está están estos hace hacer hacen hay la las le lo los más muy no o para pero por porque puede pueden puedo que qué quien quién quiénes se ser si sin sirve sobre son su sus también tiene tienen un una y",
    },
    Marks {
        language: Language::Portuguese,
        letters: "ãõ",
        words: "a ao as com como da das de do dos e é em essa esse esta este fazer faz há isso mais mas muito na não nas no nos o onde os ou para pela pelo pode podem por porque posso qual quais quando quanta quanto quantos que quem se ser seu sua são sem sobre também tem têm um uma",
    },
    Marks {
        language: Language::French,
        letters: "œ",
        words: "a à au aux avec ce ces cette combien comment dans de des dois doit du elle en est et faire fait faut il ils je la le les leur mais ne nous on ou où par pas peut peuvent plus pour pourquoi puis qu quand que quel quelle quelles quels qui quoi sa sans se ses son sont sur un une vous y",
    },
    Marks {
        language: Language::Italian,
        letters: "",
        words: "a ai al alla anche che chi ci come con cosa da dal dalla degli dei del della delle deve di dopo dove e è fa fare gli ha hanno i il in la le lo ma nel nella non o per perché più posso può quale quali quando quanta quante quanti quanto se si sono su sul sulla un una uno",
    },
    Marks {
        language: Language::German,
        letters: "ß",
        words: "als am an auch auf aus bei das dass dem den der des die ein eine einem einen einer es für gibt hat ich im in ist kann können man mit muss nach nicht oder sich sie sind um und vom von vor wann warum was welche welchem welchen welcher welches wem wen wenn wer werden wie wieviel wird wo womit wozu zu zum zur über",
    },
    Marks {
        language: Language::Dutch,
        letters: "",
        words: "aan als bij dat de deze die dit door een en er heeft het hij hoe hoeveel ik in is kan kunnen maar met moet naar niet of om ook op over te tot uit van voor waar waarom wanneer wat we welk welke wie worden wordt ze zijn",
    },
    Marks {
        language: Language::Russian,
        letters: "ыэёъ",
        words: "в во где для до его если ли же за и из или их как какая какие какой когда кто который куда может можно мы на не но нужно о об она они оно от по почему при с сколько так то у что чтобы чем это я",
    },
];

/// What a word counts that one language alone has; others count one.
const OWN_WORD: usize = 2;
/// What a letter counts that one language alone has.
const OWN_LETTER: usize = 3;
/// How far a language must be ahead of every other.
const AHEAD: usize = 3;

impl Language {
    /// The language of a question. Where the question alone does not tell, that of the others it
    /// stands with, if nothing speaks against it; else English.
    pub(super) fn of<'a>(question: &str, others: impl IntoIterator<Item = &'a str>) -> Self {
        Self::told(question, others).unwrap_or(Self::English)
    }

    /// The same; none where neither the question nor the others tell.
    pub(super) fn told<'a>(
        question: &str,
        others: impl IntoIterator<Item = &'a str>,
    ) -> Option<Self> {
        if let Some(language) = Self::sure(question) {
            return Some(language);
        }
        let mut around = others.into_iter().filter_map(Self::sure);
        let first = around.next()?;
        let fits = first.score(question).is_some();
        (fits && around.all(|language| language == first)).then_some(first)
    }

    /// How much speaks for a language, where for no other more does.
    fn score(self, text: &str) -> Option<usize> {
        let scores = scores(text);
        let own = scores.iter().find(|score| score.1 == self)?.0;
        scores.iter().all(|score| score.0 <= own).then_some(own)
    }

    /// The language of an answer: where it is not beyond doubt, that of its question, if something
    /// speaks for it and nothing against it.
    pub(super) fn of_answer(answer: &str, asked_in: Option<Self>) -> Option<Self> {
        let likely = || asked_in.filter(|asked| asked.score(answer).is_some_and(|score| score > 0));
        Self::sure(answer).or_else(likely)
    }

    /// The language of a text, where it is beyond doubt.
    pub(super) fn sure(text: &str) -> Option<Self> {
        if let Some(language) = Self::by_script(text) {
            return Some(language);
        }
        let mut scores = scores(text);
        scores.sort_by_key(|score| std::cmp::Reverse(score.0));
        (scores[0].0 >= scores[1].0 + AHEAD).then_some(scores[0].1)
    }

    /// Languages with a script of their own. A name in Latin letters changes nothing, a Chinese
    /// word in an English question does not make it Chinese.
    fn by_script(text: &str) -> Option<Self> {
        let [mut all, mut kana, mut hangul, mut han] = [0, 0, 0, 0];
        for letter in text.chars().filter(|letter| letter.is_alphabetic()) {
            match letter {
                '\u{3040}'..='\u{30ff}' | '\u{ff66}'..='\u{ff9f}' => kana += 1,
                '\u{1100}'..='\u{11ff}' | '\u{3131}'..='\u{318e}' | '\u{ac00}'..='\u{d7a3}' => {
                    hangul += 1;
                }
                '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3fffd}' => {
                    han += 1;
                }
                _ => {}
            }
            all += 1;
        }
        // Such a letter says as much as three of an alphabet.
        let eastern = kana + hangul + han;
        if eastern == 0 || 4 * eastern <= all {
            None
        } else if hangul > kana + han {
            Some(Self::Korean)
        } else if kana > 0 {
            Some(Self::Japanese)
        } else {
            (hangul == 0).then_some(Self::Chinese)
        }
    }

    /// Its code (ISO 639-1).
    pub(super) fn code(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Spanish => "es",
            Self::Portuguese => "pt",
            Self::French => "fr",
            Self::Italian => "it",
            Self::German => "de",
            Self::Dutch => "nl",
            Self::Russian => "ru",
            Self::Chinese => "zh",
            Self::Japanese => "ja",
            Self::Korean => "ko",
        }
    }

    /// What an answer says when no sentence has anything to do with the question.
    pub(super) fn not_found(self) -> &'static str {
        match self {
            Self::English => "The fragments do not say.",
            Self::Spanish => "No encuentro esa información en los fragmentos.",
            Self::Portuguese => "Não encontro essa informação nos fragmentos.",
            Self::French => "Je ne trouve pas cette information dans les extraits.",
            Self::Italian => "Non trovo questa informazione nei frammenti.",
            Self::German => "In den Abschnitten steht dazu nichts.",
            Self::Dutch => "Die informatie staat niet in de fragmenten.",
            Self::Russian => "В этих фрагментах такой информации нет.",
            Self::Chinese => "这些片段中没有相关信息。",
            Self::Japanese => "該当する情報は見つかりませんでした。",
            Self::Korean => "해당 정보를 찾을 수 없습니다.",
        }
    }

    /// What a fragment is called where it is cited.
    pub(super) fn fragment(self) -> &'static str {
        match self {
            Self::English | Self::Dutch => "Fragment",
            Self::Spanish | Self::Portuguese => "Contexto",
            Self::French => "Extrait",
            Self::Italian => "Frammento",
            Self::German => "Abschnitt",
            Self::Russian => "Фрагмент",
            Self::Chinese => "片段",
            Self::Japanese => "断片",
            Self::Korean => "발췌",
        }
    }
}

/// Whether a folded word is one of a language's commonest, which say nothing of what a text is about.
pub(super) fn is_function_word(term: &str) -> bool {
    static WORDS: LazyLock<HashSet<String>> = LazyLock::new(|| {
        let words = MARKS.iter().flat_map(|marks| marks.words.split(' '));
        words.map(fold).collect()
    });
    WORDS.contains(term)
}

/// How much speaks for each language with words of its own.
fn scores(text: &str) -> Vec<(usize, Language)> {
    let text = text.to_lowercase();
    let mut words: Vec<&str> = text
        .split(|letter: char| !letter.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .collect();
    words.sort_unstable();
    words.dedup();
    let has = |marks: &Marks, word: &str| marks.words.split(' ').any(|known| known == word);
    let weight = |marks: &Marks, word: &str| {
        let others = MARKS.iter().filter(|other| has(other, word)).count();
        match (has(marks, word), others) {
            (false, _) => 0,
            (true, 1) => OWN_WORD,
            (true, _) => 1,
        }
    };
    let score = |marks: &Marks| {
        let letters = text
            .chars()
            .filter(|&letter| marks.letters.contains(letter));
        let of_words: usize = words.iter().map(|word| weight(marks, word)).sum();
        (of_words + OWN_LETTER * letters.count(), marks.language)
    };
    MARKS.iter().map(score).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_are_told_apart_by_script_letters_and_words() {
        for (question, language) in [
            ("How much does a plot cost?", Language::English),
            ("What is the fee of the garden", Language::English),
            ("¿Qué hace umask?", Language::Spanish),
            ("Que hace umask y cuando hay que usarlo", Language::Spanish),
            (
                "cuanto cuesta la parcela y que hay que pagar",
                Language::Spanish,
            ),
            (
                "Quanto custa um talhão e onde é que se paga?",
                Language::Portuguese,
            ),
            ("Não há água?", Language::Portuguese),
            (
                "Combien coûte une parcelle et où faut-il payer ?",
                Language::French,
            ),
            (
                "Quanto costa un orto e dove si può pagare?",
                Language::Italian,
            ),
            ("Wie hoch ist die Gebühr für ein Beet?", Language::German),
            (
                "Hoeveel kost het tuintje en wanneer moet ik betalen?",
                Language::Dutch,
            ),
            (
                "Сколько стоит участок и где это можно оплатить?",
                Language::Russian,
            ),
            ("每年的费用是多少", Language::Chinese),
            ("Bash 是什么？", Language::Chinese),
            ("年会費はいくらですか", Language::Japanese),
            ("연회비는 얼마입니까?", Language::Korean),
        ] {
            assert_eq!(Language::of(question, []), language, "{question}");
        }
    }

    #[test]
    fn what_is_in_doubt_is_english() {
        for question in [
            "",
            "cuota",
            "umask 022",
            "no",
            "a o e",
            "Ile kosztuje działka?",
            "What does 水 mean in the manual?",
            "Яка плата?",
            "El Niño effects",
            "Para que se utiliza awk en procesamiento de texto",
        ] {
            assert_eq!(Language::of(question, []), Language::English, "{question}");
        }
    }

    #[test]
    fn the_other_questions_settle_what_is_in_doubt() {
        let spanish = ["¿Qué hace umask?", "cuota", "¿Cómo consigo una parcela?"];
        for question in ["cuota", "Mi montón de compost huele mal", "umask 022"] {
            assert_eq!(
                Language::of(question, spanish),
                Language::Spanish,
                "{question}"
            );
        }
        assert_eq!(Language::of("What is umask?", spanish), Language::English);
        let mixed = ["¿Qué hace umask?", "Wie hoch ist die Gebühr für ein Beet?"];
        assert_eq!(Language::of("cuota", mixed), Language::English);
    }
}
