//! A model's table that has keys of its own beside those of the model.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::{DeserializeOwned, Error};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use super::Model;

/// A model, and what its table says beside that.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct WithModel<E> {
    /// The model.
    #[serde(flatten)]
    pub model: Model,
    /// The other keys.
    #[serde(flatten)]
    pub own: E,
}

/// The keys that stand beside a model's.
pub trait OwnKeys {
    /// Their names.
    const KEYS: &'static [&'static str];
}

/// Each part gets its keys and refuses others, which a flattened struct would let pass.
impl<'de, E: DeserializeOwned + OwnKeys> Deserialize<'de> for WithModel<E> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let table = Map::<String, Value>::deserialize(deserializer)?;
        let (own, model): (Map<_, _>, Map<_, _>) = table
            .into_iter()
            .partition(|(key, _)| E::KEYS.contains(&key.as_str()));
        Ok(Self {
            model: serde_json::from_value(Value::Object(model)).map_err(D::Error::custom)?,
            own: serde_json::from_value(Value::Object(own)).map_err(D::Error::custom)?,
        })
    }
}

/// The model's schema with the other keys among its properties.
impl<E: JsonSchema> JsonSchema for WithModel<E> {
    fn schema_name() -> Cow<'static, str> {
        format!("ModelWith{}", E::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let own = E::json_schema(generator).to_value();
        let mut schema = Model::json_schema(generator);
        let properties = schema.ensure_object().get_mut("properties");
        if let (Some(Value::Object(properties)), Some(own)) =
            (properties, own["properties"].as_object())
        {
            properties.extend(own.clone());
        }
        schema
    }
}
