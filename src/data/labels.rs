//! The classes of a task: the distinct labels of its main file, in a fixed order. Knows nothing of
//! files.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use unicode_normalization::UnicodeNormalization;

use super::error::{listed, short};
use crate::config::Label;

/// Class names and their indices.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LabelMap {
    names: Vec<String>,
    indices: HashMap<String, usize>,
}

impl LabelMap {
    /// The classes of a set of labels: integers ascending, then strings ascending.
    pub fn new<'a>(labels: impl IntoIterator<Item = &'a Label>) -> Self {
        let distinct: BTreeSet<&Label> = labels.into_iter().collect();
        Self::from_names(distinct.into_iter().map(name).collect())
    }

    /// The classes of these names, in this order. Of a repeated name the first place counts.
    #[must_use]
    pub fn from_names(names: Vec<String>) -> Self {
        let mut indices = HashMap::new();
        for (index, name) in names.iter().enumerate() {
            indices.entry(name.clone()).or_insert(index);
        }
        Self { names, indices }
    }

    /// The class of a label. `1` and `"1"` are the same: a file whose other labels are words has
    /// only strings.
    #[must_use]
    pub fn index_of(&self, label: &Label) -> Option<usize> {
        self.indices.get(&name(label)).copied()
    }

    /// Class names in the order of their indices.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Class names that may be slips: several that look alike, and those that stand for nothing.
    #[must_use]
    pub fn warnings(&self) -> Vec<String> {
        const SHOWN: usize = 5;
        let mut alike: BTreeMap<String, Vec<&str>> = BTreeMap::new();
        for name in &self.names {
            alike.entry(likeness(name)).or_default().push(name);
        }
        let group = |names: &Vec<&str>| {
            let names: Vec<String> = names.iter().map(|name| written(name)).collect();
            names.join(" and ")
        };
        let alike: Vec<String> = alike
            .values()
            .filter(|names| names.len() > 1)
            .map(group)
            .collect();
        let mut warnings: Vec<String> = alike
            .iter()
            .take(SHOWN)
            .map(|names| format!("the labels {names} are different classes: write them alike if they mean the same"))
            .collect();
        if alike.len() > SHOWN {
            let more = alike.len() - SHOWN;
            warnings.push(format!(
                "{more} more groups of labels are as near to each other"
            ));
        }
        let absent = |name: &&String| ABSENT.contains(&likeness(name).as_str());
        let absent: Vec<String> = self.names.iter().filter(absent).cloned().collect();
        if !absent.is_empty() {
            warnings.push(format!(
                "{} is a class like any other: if it stands for a missing label, remove its rows",
                listed(&absent)
            ));
        }
        warnings
    }

    /// The class that a label may have been meant for.
    pub(super) fn near(&self, label: &Label) -> Option<&str> {
        let wanted = likeness(&name(label));
        let near = self.names.iter().find(|name| likeness(name) == wanted);
        near.map(String::as_str)
    }
}

/// What programs write for a value that is not there, as [`likeness`] has it.
const ABSENT: [&str; 9] = ["", "nan", "na", "n/a", "#n/a", "null", "none", "<na>", "-"];

/// What names have in common that look alike: case, composed and decomposed accents, full-width
/// letters, spaces, invisible characters and the ways to write a number do not count.
fn likeness(name: &str) -> String {
    let folded = name.nfkc().flat_map(char::to_lowercase).collect::<String>();
    let visible = folded.nfc().filter(|letter| !is_invisible(*letter));
    let visible: String = visible.collect();
    let words: Vec<&str> = visible.split_whitespace().collect();
    let joined = words.join(" ");
    match joined.parse::<f64>() {
        // Neither `nan` nor `infinity` is a number that somebody wrote.
        Ok(number) if number.is_finite() => (number + 0.0).to_string(),
        _ => joined,
    }
}

/// Characters that no one sees: zero-width spaces and joiners, soft hyphens, marks of direction.
fn is_invisible(letter: char) -> bool {
    matches!(
        letter,
        '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2064}' | '\u{feff}'
    ) || letter.is_control() && !letter.is_whitespace()
}

/// A name in backticks; where it has characters that no one sees, or accents of their own, with
/// their numbers.
fn written(name: &str) -> String {
    let is_hidden = |letter: char| {
        is_invisible(letter)
            || unicode_normalization::char::is_combining_mark(letter)
            || letter.is_whitespace() && letter != ' '
    };
    if name.chars().any(is_hidden) {
        let shown = |letter: char| match letter {
            hidden if is_hidden(hidden) => hidden.escape_unicode().to_string(),
            plain => plain.to_string(),
        };
        format!("`{}`", name.chars().map(shown).collect::<String>())
    } else {
        format!("`{}`", short(name))
    }
}

/// A label as text.
pub(super) fn name(label: &Label) -> String {
    match label {
        Label::Integer(integer) => integer.to_string(),
        Label::Text(text) => text.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_are_ordered_by_value() {
        let labels = [10, 2, -1, 2].map(Label::Integer);
        let map = LabelMap::new(&labels);
        assert_eq!(map.names(), ["-1", "2", "10"]);
        assert_eq!(map.index_of(&Label::Integer(10)), Some(2));
    }

    #[test]
    fn strings_are_ordered_by_their_letters() {
        let labels = ["positive", "negative", "mixed", "negative"]
            .map(|label| Label::Text(label.to_owned()));
        assert_eq!(
            LabelMap::new(&labels).names(),
            ["mixed", "negative", "positive"]
        );
    }

    fn warnings(names: &[&str]) -> Vec<String> {
        let names = names.iter().map(|name| (*name).to_owned()).collect();
        LabelMap::from_names(names).warnings()
    }

    #[test]
    fn labels_that_look_alike_are_warned_of() {
        for (one, other) in [
            ("1", "1.0"),
            ("-0", "0"),
            ("1e3", "1000"),
            ("True", "true"),
            ("café", "cafe\u{301}"),
            ("very good", "very  good"),
            ("good", "good\u{200b}"),
            ("ＯＫ", "ok"),
            ("straße", "Straße"),
        ] {
            let said = warnings(&[one, "other", other]);
            assert!(
                said.len() == 1 && said[0].contains("are different classes"),
                "{one} {other}: {said:?}"
            );
        }
        insta::assert_snapshot!(
            warnings(&["1", "1.0", "cafe\u{301}", "café"]).join("\n"),
            @r"
        the labels `1` and `1.0` are different classes: write them alike if they mean the same
        the labels `cafe\u{301}` and `café` are different classes: write them alike if they mean the same
        "
        );
        assert!(warnings(&["1", "2", "good", "bad", "año", "ano", "1.5", "infinity"]).is_empty());
        let many: Vec<String> = (0..20)
            .flat_map(|n| [format!("a{n}"), format!("A{n}")])
            .collect();
        let said = LabelMap::from_names(many).warnings();
        assert_eq!(said.len(), 6);
        assert_eq!(
            said[5],
            "15 more groups of labels are as near to each other"
        );
    }

    #[test]
    fn labels_that_stand_for_nothing_are_warned_of() {
        for name in ["nan", "NaN", "None", "NULL", "N/A", "#N/A", "-", "\u{200b}"] {
            let said = warnings(&["good", name]);
            assert!(
                said.len() == 1 && said[0].contains("is a class like any other"),
                "{name}: {said:?}"
            );
        }
    }

    #[test]
    fn the_class_that_was_meant_is_found() {
        let map = LabelMap::from_names(vec!["0".to_owned(), "True".to_owned()]);
        assert_eq!(map.near(&Label::Text("true".to_owned())), Some("True"));
        assert_eq!(map.near(&Label::Text("0.0".to_owned())), Some("0"));
        assert_eq!(map.near(&Label::Integer(2)), None);
    }

    #[test]
    fn integer_and_its_text_are_one_class() {
        let map = LabelMap::from_names(vec!["0".to_owned(), "1".to_owned()]);
        assert_eq!(map.index_of(&Label::Text("1".to_owned())), Some(1));
        assert_eq!(map.index_of(&Label::Integer(1)), Some(1));
        assert_eq!(map.index_of(&Label::Integer(2)), None);
    }
}
