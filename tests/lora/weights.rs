//! Weights that are broken, quantised or wrapped are named for what they are, or read.

use safetensors::Dtype;

use crate::checkpoint::{self, drawn};
use crate::place::{CONFIG, Place};

const DATA: &str = "data.path = \"../reviews.csv\"\ndata.test_size = 0.25\n";
const QUERY: &str = "bert.encoder.layer.1.attention.self.query.weight";

fn on_model(place: &Place, folder: &str) {
    let inputs = format!("model.path = \"../{folder}\"\n{DATA}");
    place.experiment_on("trial", &inputs, "");
}

fn refused(place: &Place) -> String {
    let said = place.ensayo_with(&["check"], 2, "");
    assert_eq!(said.code, 2, "{}{}", said.output, said.talk);
    said.talk
}

#[test]
fn weights_that_are_no_numbers_are_named_before_anything_runs() {
    let place = Place::new();
    for (value, word) in [
        (f32::NAN, "NaN"),
        (f32::INFINITY, "an infinite value"),
        (f32::NEG_INFINITY, "an infinite value"),
    ] {
        checkpoint::write_changed(&place, "broken", CONFIG, 2, |stored| {
            let query = stored.iter_mut().find(|tensor| tensor.name == QUERY);
            query.unwrap().values[32 * 3 + 5] = value;
        });
        on_model(&place, "broken");
        let said = refused(&place);
        assert!(
            said.contains("broken/model.safetensors")
                && said.contains(&format!("`{QUERY}` holds {word} at [3, 5]")),
            "{said}"
        );
    }
}

#[test]
fn quantised_weights_are_named_for_what_they_are() {
    let place = Place::new();
    for (format, words) in [
        (Dtype::I8, "8-bit integers (I8)"),
        (Dtype::F8_E4M3, "8-bit floating-point numbers (F8_E4M3)"),
        (Dtype::F8_E5M2, "8-bit floating-point numbers (F8_E5M2)"),
    ] {
        let config = CONFIG.replacen(
            '{',
            "{\"quantization_config\": {\"quant_method\": \"some-method\"},",
            1,
        );
        let stored = drawn(2);
        let bytes: Vec<(Vec<u8>, Dtype)> = stored
            .iter()
            .map(|tensor| {
                if tensor.name == QUERY {
                    return (vec![1; tensor.values.len()], format);
                }
                let values = tensor.values.iter().copied();
                (values.flat_map(f32::to_le_bytes).collect(), Dtype::F32)
            })
            .collect();
        let tensors = stored.iter().zip(&bytes);
        let tensors = tensors
            .map(|(tensor, (bytes, format))| (&*tensor.name, &*tensor.shape, &**bytes, *format));
        checkpoint::save(&place, "packed", &config, tensors);
        on_model(&place, "packed");
        let said = refused(&place);
        assert!(
            said.contains(&format!("`{QUERY}` is stored as {words}"))
                && said.contains("quantised with some-method"),
            "{said}"
        );
    }
}

#[test]
fn a_model_that_something_was_wrapped_around_is_read_as_it_is() {
    let place = Place::new();
    checkpoint::write(&place, "plain", 2, &["classifier."]);
    on_model(&place, "plain");
    place.complete(&[]);
    let expected = place.left("trial/base@1").read("predictions.csv");
    for wrapper in ["module.", "model.", "0.auto_model.", "_orig_mod.module."] {
        checkpoint::write_changed(&place, "wrapped", CONFIG, 2, |stored| {
            stored.retain(|tensor| !tensor.name.starts_with("classifier."));
            for tensor in stored {
                // sentence-transformers holds the bare model.
                let bare = tensor.name.strip_prefix("bert.");
                let name = bare.filter(|_| wrapper.starts_with('0'));
                tensor.name = format!("{wrapper}{}", name.unwrap_or(&tensor.name));
            }
        });
        on_model(&place, "wrapped");
        place.complete(&[]);
        let said = place.left("trial/base@1").read("predictions.csv");
        assert_eq!(said, expected, "{wrapper}");
    }
    checkpoint::write_changed(&place, "twice", CONFIG, 2, |stored| {
        let mut again = drawn(2);
        again.retain(|tensor| tensor.name == QUERY);
        again[0].name = format!("model.{QUERY}");
        stored.extend(again);
    });
    on_model(&place, "twice");
    let said = refused(&place);
    assert!(
        said.contains("model.bert.encoder.layer.1") && said.contains("belongs to no part"),
        "{said}"
    );
}
