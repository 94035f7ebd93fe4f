//! How answers are to cite fragments.

use std::sync::LazyLock;

use regex::Regex;

/// What a fragment's number replaces in a citation.
pub(super) const NUMBER: &str = "{number}";

/// The pattern that a setting of citations means: a word is one in brackets.
pub(super) fn pattern(citation: &str) -> String {
    if citation.contains(NUMBER) {
        citation.to_owned()
    } else {
        format!("[{citation} {NUMBER}]")
    }
}

/// How a prompt template asks for citations, where it does so in brackets: `[Source 3]`, `[Source
/// N]` and `[Source {{ fragment.number }}]` are all `[Source {number}]`.
#[must_use]
pub fn citation_in(template: &str) -> Option<String> {
    static ASKED: LazyLock<Regex> = LazyLock::new(|| {
        let expression =
            r"\[(\p{L}[\p{L} ]{0,30}?)[ _]?(?:[NnXx#]|\d+|\{\{[^{}]*number[^{}]*\}\})\]";
        Regex::new(expression).expect("a sound expression")
    });
    let word = &ASKED.captures(template)?[1];
    Some(pattern(word.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_shows_how_it_wants_to_be_cited() {
        for (template, citation) in [
            ("Cita como [Contexto N].", Some("[Contexto {number}]")),
            (
                "{% for part in fragments %}[Source {{ part.number }}] {{ part.text }}",
                Some("[Source {number}]"),
            ),
            ("Cite like this: [Source 3]", Some("[Source {number}]")),
            ("用【片段】[片段 N]", Some("[片段 {number}]")),
            ("{{ fragments[0].text }} [] [1]", None),
            ("", None),
        ] {
            assert_eq!(citation_in(template).as_deref(), citation, "{template}");
        }
    }
}
