//! An answer without a language model: the best sentences of the fragments, each with where it
//! stands.

use std::collections::BTreeSet;

use super::bm25::Bm25;
use super::fold::terms;
use super::sentences::sentences;
use crate::data::document::words;

/// What an answer says when no sentence has anything to do with the question.
pub const NOTHING_FOUND: &str = "No encuentro esa información en los fragmentos.";

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

/// The three sentences that BM25 likes best among all sentences of the fragments, with citations
/// `[Contexto N]`; in the order of the fragments, and within one in its own order. A sentence that
/// fragments share stands once, under the first of them. Sentences that ask, and those of more than
/// 60 words, are left out.
#[must_use]
pub fn extract(question: &str, passages: &[Passage<'_>]) -> String {
    let mut seen = BTreeSet::new();
    let mut candidates: Vec<(usize, &str)> = Vec::new();
    for passage in passages {
        for sentence in sentences(passage.text) {
            let found = terms(sentence);
            let asks = sentence.ends_with('?');
            if !asks && found.len() > 1 && found.len() <= LONGEST && seen.insert(found) {
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
        return NOTHING_FOUND.to_owned();
    }
    let cited = chosen.iter().map(|&index| {
        let (number, sentence) = candidates[index];
        let spaced: Vec<&str> = words(sentence).collect();
        format!("{} [Contexto {number}]", spaced.join(" "))
    });
    cited.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

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
            extract("¿Qué hace umask?", &passages),
            "La orden umask fija la máscara de creación. [Contexto 7] Con umask se ven los permisos. [Contexto 3]"
        );
    }

    #[test]
    fn fragments_without_an_answer_say_so() {
        assert_eq!(
            extract(
                "¿Qué hace grep?",
                &[Passage {
                    number: 0,
                    text: "El gato duerme."
                }]
            ),
            NOTHING_FOUND
        );
        assert_eq!(extract("¿Qué hace grep?", &[]), NOTHING_FOUND);
    }
}
