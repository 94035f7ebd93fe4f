//! The names of a classifier's classes, as the `config.json` beside a head tells them.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::{Map, Value};

/// Why a `config.json` tells no names.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClassesError {
    /// Not JSON, or `id2label` is no table of names.
    #[error("not a readable config.json: {0}")]
    Json(String),
    /// A number that is left out.
    #[error("`id2label` names {count} classes, but none of them has the number {number}")]
    Missing {
        /// Names that it has.
        count: usize,
        /// The lowest number without one.
        number: usize,
    },
    /// A name that stands twice.
    #[error("`id2label` gives two classes the name `{0}`")]
    Twice(String),
}

/// The class names of a `config.json` in the order of the head's outputs. `None` where it has none
/// or only those that transformers makes up: `LABEL_0`, `LABEL_1` and so on.
///
/// # Errors
/// When the text is not JSON, or `id2label` leaves out a number or gives a name twice.
pub fn class_names(config_json: &str) -> Result<Option<Vec<String>>, ClassesError> {
    #[derive(Deserialize)]
    struct Keys {
        id2label: Option<Map<String, Value>>,
    }
    let keys: Keys =
        serde_json::from_str(config_json).map_err(|error| ClassesError::Json(error.to_string()))?;
    let Some(by_number) = keys.id2label.filter(|names| !names.is_empty()) else {
        return Ok(None);
    };
    let count = by_number.len();
    let mut names = Vec::new();
    for number in 0..count {
        match by_number.get(&number.to_string()) {
            Some(Value::String(name)) => names.push(name.clone()),
            Some(other) => names.push(other.to_string()),
            None => return Err(ClassesError::Missing { count, number }),
        }
    }
    let mut seen = BTreeSet::new();
    if let Some(twice) = names.iter().find(|name| !seen.insert(name.as_str())) {
        return Err(ClassesError::Twice(twice.clone()));
    }
    let made_up = names
        .iter()
        .enumerate()
        .all(|(number, name)| *name == format!("LABEL_{number}"));
    Ok((!made_up).then_some(names))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stand_in_the_order_of_their_numbers() {
        let many: Vec<String> = (0..11)
            .rev()
            .map(|number| format!(r#""{number}": "name {number}""#))
            .collect();
        let text = format!(r#"{{"id2label": {{{}}}}}"#, many.join(", "));
        let names = class_names(&text).unwrap().unwrap();
        assert_eq!(names[2], "name 2");
        assert_eq!(names[10], "name 10");
        // Some checkpoints name classes by numbers.
        let numbers = r#"{"id2label": {"0": 1, "1": 5}}"#;
        let expected = vec!["1".to_owned(), "5".to_owned()];
        assert_eq!(class_names(numbers), Ok(Some(expected)));
    }

    #[test]
    fn made_up_names_are_none() {
        for text in [
            "{}",
            r#"{"id2label": null}"#,
            r#"{"id2label": {}}"#,
            r#"{"id2label": {"0": "LABEL_0", "1": "LABEL_1"}}"#,
        ] {
            assert_eq!(class_names(text), Ok(None), "{text}");
        }
        let swapped = r#"{"id2label": {"0": "LABEL_1", "1": "LABEL_0"}}"#;
        assert!(class_names(swapped).unwrap().is_some());
    }

    #[test]
    fn broken_lists_of_names_are_refused() {
        let missing = r#"{"id2label": {"0": "a", "2": "b"}}"#;
        let error = ClassesError::Missing {
            count: 2,
            number: 1,
        };
        assert_eq!(class_names(missing), Err(error));
        let twice = r#"{"id2label": {"0": "a", "1": "a"}}"#;
        assert_eq!(class_names(twice), Err(ClassesError::Twice("a".to_owned())));
        assert!(matches!(
            class_names(r#"{"id2label": ["a"]}"#),
            Err(ClassesError::Json(_))
        ));
    }
}
