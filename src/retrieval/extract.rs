//! An answer without a language model: the best sentences of the fragments, each with where it
//! stands.

use std::collections::BTreeSet;

use super::bm25::Bm25;
use super::citation::{NUMBER, pattern};
use super::fold::terms;
use super::language::Language;
use super::scripts::is_unbounded;
use super::sentences::sentences;
use crate::data::document::words;

/// Sentences in an answer.
const SENTENCES: usize = 3;
/// Words of a sentence beyond which it is a table or a list that only looks like one.
const LONGEST: usize = 60;

/// A fragment that was found.
#[derive(Debug, Clone, Copy)]
pub struct Passage<'a> {
    /// What it is cited by.
    pub number: usize,
    /// What it says.
    pub text: &'a str,
}

/// What stands in an answer beside the sentences of the fragments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Phrases {
    not_found: String,
    citation: String,
}

impl Phrases {
    /// The phrases that the settings give, and for those that they do not, the ones of the
    /// question's language. The `others` that were asked help where a short question does not tell.
    ///
    /// A citation with `{number}` in it is a pattern, any other the word for a fragment: `Source`
    /// is `[Source {number}]`.
    #[must_use]
    pub fn new<'a>(
        not_found: Option<&str>,
        citation: Option<&str>,
        question: &str,
        others: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        let language = Language::of(question, others);
        let citation = citation.unwrap_or(language.fragment());
        Self {
            not_found: not_found.unwrap_or(language.not_found()).to_owned(),
            citation: pattern(citation),
        }
    }

    /// What an answer says when there is none in the fragments.
    #[must_use]
    pub fn not_found(&self) -> &str {
        &self.not_found
    }

    /// The pattern of citations, with `{number}` in it.
    #[must_use]
    pub fn citation(&self) -> &str {
        &self.citation
    }

    /// How the fragment of this number is cited.
    #[must_use]
    pub fn cite(&self, number: usize) -> String {
        self.citation.replace(NUMBER, &number.to_string())
    }
}

/// The three sentences that BM25 likes best among all sentences of the fragments, each with its
/// citation; in the order of the fragments, and within one in its own order. A sentence that
/// fragments share stands once, under the first of them. Sentences that ask, and those of more than
/// 60 words, are left out.
#[must_use]
pub fn extract(question: &str, passages: &[Passage<'_>], phrases: &Phrases) -> String {
    let mut seen = BTreeSet::new();
    let mut candidates: Vec<(usize, &str)> = Vec::new();
    for passage in passages {
        for sentence in sentences(passage.text) {
            let found = terms(sentence);
            let asks = sentence.ends_with(['?', '？', '\u{61f}']);
            if !asks && found.len() > 1 && length(&found) <= LONGEST && seen.insert(found) {
                candidates.push((passage.number, sentence));
            }
        }
    }
    let texts: Vec<&str> = candidates.iter().map(|candidate| candidate.1).collect();
    let mut chosen: Vec<usize> = Bm25::new(&texts)
        .search(question, SENTENCES)
        .iter()
        .map(|hit| hit.chunk)
        .collect();
    chosen.sort_unstable();
    if chosen.is_empty() {
        return phrases.not_found.clone();
    }
    let cited = chosen.iter().map(|&index| {
        let (number, sentence) = candidates[index];
        let spaced: Vec<&str> = words(sentence).collect();
        format!("{} {}", spaced.join(" "), phrases.cite(number))
    });
    cited.collect::<Vec<_>>().join(" ")
}

/// About how many words a sentence has; one of Chinese has half as many as pairs of letters.
fn length(terms: &[String]) -> usize {
    let pairs = terms.iter().filter(|term| term.chars().any(is_unbounded));
    terms.len() - pairs.count() / 2
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(question: &str, passages: &[Passage<'_>]) -> String {
        extract(question, passages, &Phrases::new(None, None, question, []))
    }

    #[test]
    fn an_answer_is_made_of_the_best_sentences_with_their_sources() {
        let passages = [
            Passage {
                number: 7,
                text: "El gato duerme. La orden umask fija la\nmáscara de creación. Nada más.",
            },
            Passage {
                number: 3,
                text: "La orden umask fija la máscara de creación. ¿Qué hace umask? Con umask se ven los permisos.",
            },
        ];
        assert_eq!(
            answer("¿Qué hace umask?", &passages),
            "La orden umask fija la máscara de creación. [Contexto 7] Con umask se ven los permisos. [Contexto 3]"
        );
    }

    #[test]
    fn the_best_sentences_of_all_fragments_are_chosen_not_those_of_the_first() {
        let weak: Vec<String> = (0..20)
            .map(|number| format!("The weather of day {number} was fine. The shop was open."))
            .collect();
        let mut passages: Vec<Passage<'_>> = (0..)
            .zip(&weak)
            .map(|(number, text)| Passage { number, text })
            .collect();
        passages.push(Passage {
            number: 20,
            text: "Nothing here. The yearly fee of a plot is ninety euros. The fee is due in May.",
        });
        assert_eq!(
            answer("How much is the yearly fee of a plot?", &passages[18..]),
            "The weather of day 18 was fine. [Fragment 18] The yearly fee of a plot is ninety euros. [Fragment 20] The fee is due in May. [Fragment 20]"
        );
        let all = answer("How much is the yearly fee of a plot?", &passages);
        assert!(
            all.ends_with("The yearly fee of a plot is ninety euros. [Fragment 20] The fee is due in May. [Fragment 20]"),
            "{all}"
        );
    }

    #[test]
    fn fragments_without_an_answer_say_so_in_the_questions_language() {
        let passages = [Passage {
            number: 0,
            text: "El gato duerme.",
        }];
        for (question, said) in [
            (
                "¿Qué hace grep?",
                "No encuentro esa información en los fragmentos.",
            ),
            ("grep?", "The fragments do not say."),
            ("grep 是什么？", "这些片段中没有相关信息。"),
        ] {
            assert_eq!(answer(question, &passages), said);
            assert_eq!(answer(question, &[]), said);
        }
    }

    #[test]
    fn the_settings_phrases_come_before_the_languages() {
        let passages = [Passage {
            number: 4,
            text: "费用是六十欧元。要获得地块，请加入名单。",
        }];
        let ask = |question, not_found, citation| {
            let phrases = Phrases::new(not_found, citation, question, []);
            extract(question, &passages, &phrases)
        };
        assert_eq!(ask("费用是多少", None, None), "费用是六十欧元。 [片段 4]");
        assert_eq!(
            ask("费用是多少", Some("no"), Some("Source")),
            "费用是六十欧元。 [Source 4]"
        );
        assert_eq!(
            ask("费用是多少", None, Some("(§{number}, {number})")),
            "费用是六十欧元。 (§4, 4)"
        );
        assert_eq!(ask("grep", Some("no idea"), None), "no idea");
    }
}
