//! Floating-point numbers that may be infinite or not a number, in JSON as in CSV (`#[serde(with =
//! "record::number")]`).
//!
//! JSON has no such numbers and `serde_json` writes `null` for them, which would make the record of
//! a diverged run unreadable.

use std::fmt;

use serde::{Deserializer, Serializer, de};

/// Writes a finite number as a number, others as `"NaN"`, `"inf"` or `"-inf"`.
///
/// # Errors
/// Those of the serialiser.
pub fn serialize<S: Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
    if value.is_finite() {
        serializer.serialize_f64(*value)
    } else {
        serializer.collect_str(value)
    }
}

/// Reads what [`serialize`] writes.
///
/// # Errors
/// Those of the deserialiser, and text that is not a number.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    deserializer.deserialize_any(NumberVisitor)
}

struct NumberVisitor;

impl de::Visitor<'_> for NumberVisitor {
    type Value = f64;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a number, \"NaN\", \"inf\" or \"-inf\"")
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<f64, E> {
        Ok(value)
    }

    #[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^53")]
    fn visit_u64<E: de::Error>(self, value: u64) -> Result<f64, E> {
        Ok(value as f64)
    }

    #[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^53")]
    fn visit_i64<E: de::Error>(self, value: i64) -> Result<f64, E> {
        Ok(value as f64)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<f64, E> {
        text.parse()
            .map_err(|_| E::invalid_value(de::Unexpected::Str(text), &self))
    }
}

#[cfg(test)]
mod tests {
    use crate::record::MeasurementRow;

    fn row(value: f64) -> MeasurementRow {
        MeasurementRow {
            metric: "loss".into(),
            value,
        }
    }

    #[test]
    fn numbers_that_are_none_survive_json_and_csv() {
        for value in [0.1, -3.0, 7.0, f64::INFINITY, f64::NEG_INFINITY, f64::NAN] {
            let json = serde_json::to_string(&row(value)).unwrap();
            let back: MeasurementRow = serde_json::from_str(&json).unwrap();
            assert_eq!(back.value.to_string(), value.to_string(), "{json}");

            let mut writer = csv::Writer::from_writer(Vec::new());
            writer.serialize(row(value)).unwrap();
            let bytes = writer.into_inner().unwrap();
            let back: MeasurementRow = csv::Reader::from_reader(bytes.as_slice())
                .deserialize()
                .next()
                .unwrap()
                .unwrap();
            assert_eq!(back.value.to_string(), value.to_string());
        }
    }

    #[test]
    fn other_text_is_refused() {
        assert!(
            serde_json::from_str::<MeasurementRow>(r#"{"metric": "loss", "value": "much"}"#)
                .is_err()
        );
    }
}
