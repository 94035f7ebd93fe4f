//! The classes of a task: the distinct labels of its main file, in a fixed order. Knows nothing of
//! files.

use std::collections::{BTreeSet, HashMap};

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

    #[test]
    fn integer_and_its_text_are_one_class() {
        let map = LabelMap::from_names(vec!["0".to_owned(), "1".to_owned()]);
        assert_eq!(map.index_of(&Label::Text("1".to_owned())), Some(1));
        assert_eq!(map.index_of(&Label::Integer(1)), Some(1));
        assert_eq!(map.index_of(&Label::Integer(2)), None);
    }
}
