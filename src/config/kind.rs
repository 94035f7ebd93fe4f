//! What a kind of experiment says about itself; each kind answers in the file of its settings.

use schemars::{JsonSchema, Schema, generate::SchemaSettings};

use super::model::Model;

/// What all experiments of a kind have in common.
#[derive(Debug, Clone, Copy)]
pub(super) struct Facts {
    /// The word in a TOML.
    pub word: &'static str,
    /// Raised whenever the same settings, seed and inputs begin to give other results.
    pub numerics: u32,
    /// Whether its runs give each row of a data set a class.
    pub classifies: bool,
    /// JSON Schema of its settings with everything inlined, as the structs describe them.
    pub schema: fn() -> Schema,
}

/// What the settings of one run say, whatever their kind.
pub(super) trait KindSettings {
    /// Rows that go through the network at once, where fewer would change results by no more than
    /// rounding.
    fn rows_at_once(&self) -> Option<usize> {
        None
    }

    /// The models that the run loads, each with the table it is set in.
    fn models(&self) -> Vec<(&'static str, &Model)>;

    /// The same models, to be changed.
    fn models_mut(&mut self) -> Vec<&mut Model>;
}

/// JSON Schema of a struct with everything inlined.
pub(super) fn inlined<T: JsonSchema>() -> Schema {
    SchemaSettings::draft07()
        .with(|settings| settings.inline_subschemas = true)
        .into_generator()
        .into_root_schema_for::<T>()
}
