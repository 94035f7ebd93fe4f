//! What can be said of an answer by looking at it, at its question and at the fragments that it was
//! to be made of: no model judges here.

mod citations;
mod limit;

use std::collections::BTreeSet;

use super::citation::pattern;
use super::extract::Passage;
use super::fold::terms;
use super::language::{Language, is_function_word};
use super::scripts::{is_mark, units};
use crate::metrics::{repetition, rouge_l, token_f1};
use citations::Citations;
use limit::Limit;

/// Words of a run that repetition is measured by.
const RUN: usize = 4;

/// What an answer is judged by.
#[derive(Debug, Clone, Copy)]
pub struct Bench<'a> {
    /// The question.
    pub question: &'a str,
    /// Others that were asked with it: they help where a short question does not tell its language.
    pub others: &'a [&'a str],
    /// What the generator was given.
    pub fragments: &'a [Passage<'a>],
    /// What an answer is to say when the fragments do not have one. By default the phrase of the
    /// question's language.
    pub not_found: Option<&'a str>,
    /// How an answer is to cite: a word, or a pattern with `{number}` in it. By default what
    /// fragments are commonly called, in brackets.
    pub citation: Option<&'a str>,
    /// A right answer, where one is known.
    pub right: Option<&'a str>,
}

/// What can be said of an answer. What cannot be said of it is missing.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Judgement {
    /// Its words, citations aside; letters where the question counts letters.
    pub words: usize,
    /// How many the question allows at most.
    pub word_limit: Option<usize>,
    /// Its language.
    pub language: Option<&'static str>,
    /// Whether that is the question's.
    pub same_language: Option<bool>,
    /// The numbers of the fragments that it cites, in the order in which they come.
    pub cited: Vec<usize>,
    /// The share of these that it was given.
    pub cited_in_context: Option<f64>,
    /// Whether it says that the fragments do not have an answer.
    pub abstained: bool,
    /// The share of its different content words that stand in the fragments, citations and
    /// abstention aside.
    pub supported: Option<f64>,
    /// The share of its runs of four words that were there before.
    pub repeated: Option<f64>,
    /// F1 of its words and those of the right answer.
    pub token_f1: Option<f64>,
    /// ROUGE-L of the same.
    pub rouge_l: Option<f64>,
}

impl Judgement {
    /// Judges an answer.
    #[must_use]
    pub fn of(answer: &str, bench: &Bench<'_>) -> Self {
        let citations = Citations::new(bench.citation.map(pattern).as_deref());
        let cited = citations.of(answer);
        let bare = citations.without(answer);
        let asked_in = Language::told(bench.question, bench.others.iter().copied());
        let not_found = bench
            .not_found
            .unwrap_or_else(|| asked_in.unwrap_or(Language::English).not_found());
        let (said, abstained) = without_phrase(terms(&bare), &terms(not_found));
        let language = Language::of_answer(&bare, asked_in);
        let limit = Limit::of(bench.question);
        let here = |number: &&usize| bench.fragments.iter().any(|part| part.number == **number);
        let plain = lower_words(&bare);
        Self {
            words: limit.map_or_else(|| words(&bare).len(), |limit| limit.taken(&bare)),
            word_limit: limit.map(|limit| limit.count),
            language: language.map(Language::code),
            same_language: language.zip(asked_in).map(|(one, other)| one == other),
            cited_in_context: share(cited.iter().filter(here).count(), cited.len()),
            cited,
            abstained,
            supported: supported(&said, bench.fragments),
            repeated: repetition(&plain, RUN),
            token_f1: bench
                .right
                .map(|right| token_f1(&squad_words(&bare), &squad_words(right))),
            rouge_l: bench
                .right
                .map(|right| rouge_l(&plain, &lower_words(right))),
        }
    }

    /// Whether it is as short as the question asks.
    #[must_use]
    pub fn within_limit(&self) -> Option<bool> {
        self.word_limit.map(|limit| self.words <= limit)
    }
}

/// The words of a text: runs between white space that have a letter or a digit, and each letter of
/// a script without spaces.
fn words(text: &str) -> Vec<&str> {
    let has_letter = |word: &&str| word.chars().any(char::is_alphanumeric);
    let units = units(text).into_iter().map(|unit| unit.0);
    units.filter(has_letter).collect()
}

/// Words in lower case, parted by whatever is no letter or digit: those of the `rouge-score`
/// package, for all scripts.
fn lower_words(text: &str) -> Vec<String> {
    parted(text, |letter| if is_word(letter) { letter } else { ' ' })
}

/// Words in lower case without punctuation, as `SQuAD` compares them, for all scripts and without
/// leaving out the articles of one language.
fn squad_words(text: &str) -> Vec<String> {
    let kept: String = text
        .chars()
        .filter(|&letter| is_word(letter) || letter.is_whitespace())
        .collect();
    parted(&kept, |letter| letter)
}

fn is_word(letter: char) -> bool {
    letter.is_alphanumeric() || is_mark(letter)
}

fn parted(text: &str, change: impl Fn(char) -> char) -> Vec<String> {
    let changed: String = text
        .chars()
        .flat_map(char::to_lowercase)
        .map(change)
        .collect();
    words(&changed).into_iter().map(str::to_owned).collect()
}

/// The terms of an answer without those of the phrase for no answer, and whether it says it.
fn without_phrase(mut terms: Vec<String>, phrase: &[String]) -> (Vec<String>, bool) {
    let mut said = false;
    while let Some(start) = (!phrase.is_empty())
        .then(|| terms.windows(phrase.len()).position(|run| run == phrase))
        .flatten()
    {
        terms.drain(start..start + phrase.len());
        said = true;
    }
    (terms, said)
}

fn supported(said: &[String], fragments: &[Passage<'_>]) -> Option<f64> {
    let content: BTreeSet<&String> = said.iter().filter(|term| !is_function_word(term)).collect();
    let known: BTreeSet<String> = fragments
        .iter()
        .flat_map(|fragment| terms(fragment.text))
        .collect();
    let there = content.iter().filter(|term| known.contains(**term));
    share(there.count(), content.len())
}

#[expect(clippy::cast_precision_loss, reason = "numbers of words")]
fn share(part: usize, whole: usize) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

#[cfg(test)]
mod tests;
