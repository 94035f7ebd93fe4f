//! A text in a template: written as it is, it is its text; its fields say more of it.

use std::fmt;
use std::sync::Arc;

use minijinja::value::{Enumerator, Object, ObjectRepr, Value};

/// A text with fields: a review with its number, an example with its label, a fragment with its
/// score.
#[derive(Debug, Clone)]
pub struct Piece {
    text: String,
    fields: Vec<(&'static str, Value)>,
}

impl Piece {
    /// A text, which templates also know as the field `text`.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        let text = text.into();
        let fields = vec![("text", Value::from(text.clone()))];
        Self { text, fields }
    }

    /// Fields without a text of their own.
    #[must_use]
    pub(super) fn of_fields(fields: impl IntoIterator<Item = (&'static str, Value)>) -> Self {
        Self {
            text: String::new(),
            fields: fields.into_iter().collect(),
        }
    }

    /// The same with a further field.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        self.fields.push((name, value.into()));
        self
    }

    /// The value that templates see.
    #[must_use]
    pub fn value(self) -> Value {
        Value::from_object(self)
    }
}

impl Object for Piece {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Map
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let key = key.as_str()?;
        let field = self.fields.iter().find(|(name, _)| *name == key);
        field.map(|(_, value)| value.clone())
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        let names = self.fields.iter().map(|(name, _)| Value::from(*name));
        Enumerator::Values(names.collect())
    }

    fn render(self: &Arc<Self>, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}
