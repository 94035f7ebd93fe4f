//! Checkpoint folders, sound and broken.

use std::collections::HashMap;
use std::fs;

use engine::models::{Initial, draw};
use engine::shapes::Shapes;
use safetensors::Dtype;
use safetensors::tensor::TensorView;

use crate::place::{CONFIG, Place};

/// A tensor to be stored.
pub struct Stored {
    pub name: String,
    pub shape: Vec<usize>,
    pub values: Vec<f32>,
}

/// Writes a model folder with drawn weights and a head of `classes`, without the tensors whose names begin with one of `left_out`.
pub fn write(place: &Place, name: &str, classes: usize, left_out: &[&str]) {
    write_changed(place, name, CONFIG, classes, |stored| {
        stored.retain(|tensor| {
            !left_out
                .iter()
                .any(|prefix| tensor.name.starts_with(prefix))
        });
    });
}

/// The same with a configuration of its own, and with whatever `change` does to the tensors.
pub fn write_changed(
    place: &Place,
    name: &str,
    config: &str,
    classes: usize,
    change: impl FnOnce(&mut Vec<Stored>),
) {
    let mut stored = drawn(classes);
    change(&mut stored);
    let bytes: Vec<Vec<u8>> = stored
        .iter()
        .map(|tensor| {
            let values = tensor.values.iter().copied();
            values.flat_map(f32::to_le_bytes).collect()
        })
        .collect();
    let tensors = stored.iter().zip(&bytes);
    let views =
        tensors.map(|(tensor, bytes)| (&*tensor.name, &*tensor.shape, &**bytes, Dtype::F32));
    save(place, name, config, views);
}

/// Writes a model folder with these tensors: name, shape, bytes and format.
pub fn save<'a>(
    place: &Place,
    name: &str,
    config: &str,
    tensors: impl Iterator<Item = (&'a str, &'a [usize], &'a [u8], Dtype)>,
) {
    let folder = place.model(name, config);
    let views = tensors.map(|(name, shape, bytes, format)| {
        let view = TensorView::new(format, shape.to_vec(), bytes).unwrap();
        (name, view)
    });
    let format = HashMap::from([("format".to_owned(), "pt".to_owned())]);
    let file = safetensors::serialize(views, Some(format)).unwrap();
    fs::write(folder.join("model.safetensors"), file).unwrap();
}

/// All tensors of the small network with a head of `classes`.
pub fn drawn(classes: usize) -> Vec<Stored> {
    let shapes = Shapes::read(CONFIG, classes).unwrap();
    let tensors = shapes.tensors.into_iter().map(|tensor| {
        let initial = if tensor.name.ends_with("LayerNorm.weight") {
            Initial::Constant(1.0)
        } else {
            Initial::Normal(0.1)
        };
        let count = tensor.shape.iter().product();
        Stored {
            values: draw(5, &tensor.name, count, initial),
            name: tensor.name,
            shape: tensor.shape,
        }
    });
    tensors.collect()
}
