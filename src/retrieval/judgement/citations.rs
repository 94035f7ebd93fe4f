//! Which fragments an answer cites.

use std::sync::LazyLock;

use regex::Regex;

use super::super::citation::NUMBER;

/// What fragments are called where nothing says what to call them.
const WORDS: &str = "contextos?|contexts?|sources?|fuentes?|fragmentos?|fragments?|fragmento|frammento|frammenti|extraits?|abschnitte?|quellen?|bronn?e?n?|documentos?|documents?|chunks?|passages?|pasajes?|trechos?|fontes?|fonti?|фрагменты?|источники?|контекст|片段|断片|文档|資料|资料|来源|출처|발췌|문서";
/// What stands between the numbers of one citation.
const BETWEEN: &str = r"\s*(?:,|;|/|&|、|，|\by\b|\be\b|\bet\b|\band\b|\bund\b|\ben\b|и|和|与|と|와|과|,?\s*\b(?:y|and)\b)\s*";

/// How an answer cites.
#[derive(Debug, Clone)]
pub(super) struct Citations {
    /// None where the pattern is too long to be looked for.
    expression: Option<Regex>,
}

static DIGITS: LazyLock<Regex> = LazyLock::new(|| expression(r"\d+"));

fn expression(pattern: &str) -> Regex {
    Regex::new(pattern).expect("a sound expression")
}

impl Citations {
    /// By a pattern with `{number}` in it; without one, by what fragments are commonly called, in
    /// brackets.
    pub(super) fn new(pattern: Option<&str>) -> Self {
        let (before, after) = match pattern.map(|pattern| pattern.split_once(NUMBER)) {
            Some(Some((before, after))) => {
                let after: Vec<String> = after.split(NUMBER).map(loose).collect();
                (loose(before), after.join(r"\d+"))
            }
            _ => (
                format!(r"[\[\(【（［]\s*(?:{WORDS})\s*(?:n[.º°o]*\s*|#\s*)?:?\s*"),
                r"\s*[\]\)】）］]".to_owned(),
            ),
        };
        // A list may name the fragment's word again before each number.
        let again = before.trim_start_matches(r"\[").trim_start_matches(r"\(");
        let again = if pattern.is_some() && again.chars().any(char::is_alphabetic) {
            format!("(?:{again})?")
        } else if pattern.is_none() {
            format!(r"(?:(?:{WORDS})\s*)?")
        } else {
            String::new()
        };
        let whole = format!(r"(?i){before}(\d+(?:{BETWEEN}{again}\d+)*){after}");
        Self {
            expression: Regex::new(&whole).ok(),
        }
    }

    /// The numbers that a text cites, each once, in the order in which they come.
    pub(super) fn of(&self, text: &str) -> Vec<usize> {
        let mut cited = Vec::new();
        let found = self.expression.iter();
        for found in found.flat_map(|expression| expression.captures_iter(text)) {
            let numbers = DIGITS.find_iter(&found[1]);
            for number in numbers.filter_map(|number| number.as_str().parse().ok()) {
                if !cited.contains(&number) {
                    cited.push(number);
                }
            }
        }
        cited
    }

    /// A text without its citations.
    pub(super) fn without(&self, text: &str) -> String {
        match &self.expression {
            Some(expression) => expression.replace_all(text, " ").into_owned(),
            None => text.to_owned(),
        }
    }
}

/// A part of a pattern, whatever white space its copy has.
fn loose(part: &str) -> String {
    let words = part.split_whitespace().map(regex::escape);
    let words = words.collect::<Vec<_>>().join(r"\s+");
    let edge = |there: bool| if there { r"\s*" } else { "" };
    let (before, after) = (
        part.starts_with(char::is_whitespace),
        part.ends_with(char::is_whitespace),
    );
    if words.is_empty() {
        return edge(before || after).to_owned();
    }
    format!("{}{words}{}", edge(before), edge(after))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn citations_are_found_by_their_pattern() {
        for (pattern, text, cited) in [
            (
                "[Contexto {number}]",
                "Uno. [Contexto 7] Dos [contexto  3], y otra vez [Contexto 7].",
                vec![7, 3],
            ),
            (
                "[Contexto {number}]",
                "[Contexto 1, 2 y 5] [Contexto 8; Contexto 9]",
                vec![1, 2, 5, 8, 9],
            ),
            (
                "[Contexto {number}]",
                "[Contexto N] Contexto 4 [4] (Contexto 4)",
                vec![],
            ),
            ("(§{number})", "a (§3) b (§ 4) (§12, 13)", vec![3, 12, 13]),
            ("[{number}]", "a [3][4] [5, 6] 7", vec![3, 4, 5, 6]),
            ("(§{number}, {number})", "a (§4, 4)", vec![4]),
            (
                "Fragment {number}",
                "see fragment 3 and Fragment 14.",
                vec![3, 14],
            ),
            (
                "[片段 {number}]",
                "费用。[片段 4]，[片段5、6]",
                vec![4, 5, 6],
            ),
            ("[Contexto {number}]", "", vec![]),
            (
                "[Contexto {number}]",
                "[Contexto 99999999999999999999999]",
                vec![],
            ),
        ] {
            assert_eq!(Citations::new(Some(pattern)).of(text), cited, "{text}");
        }
    }

    #[test]
    fn without_a_pattern_the_common_words_in_brackets_cite() {
        let citations = Citations::new(None);
        for (text, cited) in [
            ("a [Source 3] b (fuente 4) [Fragment #5]", vec![3, 4, 5]),
            ("[Contexto 1 y Contexto 2]", vec![1, 2]),
            ("费用。【片段 4】", vec![4]),
            ("the source 3 [3] (see 4)", vec![]),
        ] {
            assert_eq!(citations.of(text), cited, "{text}");
        }
    }

    #[test]
    fn no_pattern_is_too_much() {
        for pattern in ["{number}", "[({number})*+?", "", "{number}{number}", "\\"] {
            Citations::new(Some(pattern)).of("[Contexto 7] (*+? 3 4");
        }
        let long = format!("[{} {{number}}]", "contexto ".repeat(100_000));
        let citations = Citations::new(Some(&long));
        assert_eq!(citations.without("a [Contexto 7]"), "a [Contexto 7]");
    }

    #[test]
    fn a_text_without_its_citations_is_the_rest() {
        let citations = Citations::new(Some("[Contexto {number}]"));
        let rest = citations.without("Uno. [Contexto 7] Dos.[Contexto 3]");
        assert_eq!(
            rest.split_whitespace().collect::<Vec<_>>(),
            ["Uno.", "Dos."]
        );
    }
}
