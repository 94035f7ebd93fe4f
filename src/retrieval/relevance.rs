//! Which chunks are right answers to a question, by patterns that a right chunk contains.

use regex::{Regex, RegexBuilder};

use super::fold::fold;
use super::scripts::{is_running, is_unbounded, unbounded_class};
use crate::data::document::study;

/// A pattern that cannot be used.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say what is what")]
pub enum RelevanceError {
    #[error("the pattern `{0}` is empty")]
    Empty(String),
    #[error("the pattern `{pattern}` is not a regular expression: {reason}")]
    Expression { pattern: String, reason: String },
}

/// Patterns of which a right chunk contains one.
///
/// A pattern is plain text, or a regular expression between slashes. Neither accents nor case nor
/// white space count, and a full stop counts with all the white space and full stops after it, so
/// that a pattern means the same whatever the document's cleaning did. Plain text begins and ends
/// with a word where it begins and ends with a letter or digit: `cat` is not found in `catálogo`.
/// Where a script has no spaces between words, and in Korean, a word may begin and end anywhere.
#[derive(Debug, Clone)]
pub struct Patterns {
    expressions: Vec<Regex>,
}

impl Patterns {
    /// Reads patterns.
    ///
    /// # Errors
    /// When one is empty or no regular expression.
    pub fn new<S: AsRef<str>>(patterns: &[S]) -> Result<Self, RelevanceError> {
        let expressions = patterns.iter().map(|pattern| expression(pattern.as_ref()));
        Ok(Self {
            expressions: expressions.collect::<Result<_, _>>()?,
        })
    }

    /// For each text whether it contains one of the patterns.
    #[must_use]
    pub fn judge<S: AsRef<str>>(&self, texts: &[S]) -> Vec<bool> {
        let judge = |text: &S| {
            let text = plain(text.as_ref());
            self.expressions
                .iter()
                .any(|expression| expression.is_match(&text))
        };
        texts.iter().map(judge).collect()
    }

    /// Whether there are none, so that nothing can be judged.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.expressions.is_empty()
    }
}

/// A text as patterns see it. A line break within Chinese parts no words.
fn plain(text: &str) -> String {
    let spaced = study(&fold(text));
    if !spaced.chars().any(is_running) {
        return spaced;
    }
    let mut joined = String::with_capacity(spaced.len());
    let mut letters = spaced.chars().peekable();
    while let Some(letter) = letters.next() {
        let parts = |beside: Option<char>| beside.is_some_and(is_running);
        if letter != ' ' || !parts(joined.chars().next_back()) || !parts(letters.peek().copied()) {
            joined.push(letter);
        }
    }
    joined
}

fn expression(pattern: &str) -> Result<Regex, RelevanceError> {
    let inner = pattern
        .strip_prefix('/')
        .and_then(|rest| rest.strip_suffix('/'));
    let source = match inner {
        // Folding would make `\S` and `\D` their opposites.
        Some(expression) => without_accents(expression),
        None => bounded(plain(pattern).trim()),
    };
    if source.is_empty() {
        return Err(RelevanceError::Empty(pattern.to_owned()));
    }
    let expression = RegexBuilder::new(&source).case_insensitive(true).build();
    expression.map_err(|error| RelevanceError::Expression {
        pattern: pattern.to_owned(),
        reason: error
            .to_string()
            .lines()
            .last()
            .unwrap_or_default()
            .trim_start_matches("error: ")
            .to_owned(),
    })
}

fn without_accents(expression: &str) -> String {
    let fold_one = |letter: char| {
        if letter.is_ascii() {
            letter.to_string()
        } else {
            fold(&letter.to_string())
        }
    };
    expression.chars().map(fold_one).collect()
}

/// An expression that finds a text between words. The edges of a word take the letter beside it
/// into the match, which is of no account where only finding counts.
fn bounded(text: &str) -> String {
    let ends_a_word =
        |letter: Option<char>| letter.is_some_and(|it| it.is_alphanumeric() && !is_unbounded(it));
    let (Some(first), last) = (text.chars().next(), text.chars().next_back()) else {
        return String::new();
    };
    let beside = format!(r"[\W{}]", unbounded_class());
    let before = if ends_a_word(Some(first)) {
        format!("(?:^|{beside})")
    } else {
        String::new()
    };
    let after = if ends_a_word(last) {
        format!("(?:{beside}|$)")
    } else {
        String::new()
    };
    format!("{before}{}{after}", regex::escape(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(pattern: &str, text: &str) -> bool {
        Patterns::new(&[pattern]).unwrap().judge(&[text])[0]
    }

    #[test]
    fn neither_accents_nor_case_nor_white_space_count() {
        assert!(judge(
            "intérprete de órdenes",
            "El INTE\u{301}RPRETE\n  de ordenes"
        ));
        assert!(judge("Sec. 3. Uno", "sec.3.uno") && judge("sec.3.uno", "Sec.  3. . Uno"));
        assert!(!judge("cat", "el catálogo") && judge("cat", "`cat`") && judge("$HOME", "a$home"));
    }

    #[test]
    fn text_without_spaces_contains_plain_patterns() {
        assert!(judge("九十欧元", "社区花园每年的费用是九十欧元。"));
        assert!(judge("Python", "请使用Python编写代码") && judge("60欧元", "费用是60欧元"));
        assert!(!judge("Python", "使用CPython3编写") && !judge("0欧元", "费用是60欧元"));
        assert!(judge("회비", "연간 회비는 육십 유로") && !judge("か", "が"));
        assert!(judge("堆肥", "你可以把果皮放进堆\n  肥吗") && judge("堆 肥", "堆肥"));
    }

    #[test]
    fn expressions_stand_between_slashes() {
        assert!(
            judge(r"/máscara\s+(de|del) modo/", "Mascara del modo")
                && !judge(r"/^\S+$/", "dos palabras")
        );
        let said = Patterns::new(&["/(/"]).unwrap_err().to_string();
        assert!(
            said.contains("`/(/`") && said.contains("unclosed group"),
            "{said}"
        );
        for empty in ["", "//", " "] {
            assert!(Patterns::new(&[empty]).is_err(), "{empty:?}");
        }
    }

    #[test]
    fn any_of_the_patterns_will_do() {
        let patterns = Patterns::new(&["uno", "dos"]).unwrap();
        assert_eq!(patterns.judge(&["uno", "tres", "Dos"]), [true, false, true]);
        assert!(Patterns::new::<&str>(&[]).unwrap().is_empty());
    }
}
