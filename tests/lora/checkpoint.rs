//! Checkpoint folders, sound and broken.

use std::collections::HashMap;
use std::fs;

use engine::models::{Initial, draw};
use engine::shapes::Shapes;
use safetensors::Dtype;
use safetensors::tensor::TensorView;

use crate::place::{CONFIG, Place};

/// Writes a model folder with drawn weights and a head of `classes`, without the tensors whose names begin with one of `left_out`.
pub fn write(place: &Place, name: &str, classes: usize, left_out: &[&str]) {
    let folder = place.model(name, CONFIG);
    let shapes = Shapes::read(CONFIG, classes).unwrap();
    let kept = shapes.tensors.iter().filter(|tensor| {
        !left_out
            .iter()
            .any(|prefix| tensor.name.starts_with(prefix))
    });
    let tensors: Vec<(&str, &[usize], Vec<u8>)> = kept
        .map(|tensor| {
            let initial = if tensor.name.ends_with("LayerNorm.weight") {
                Initial::Constant(1.0)
            } else {
                Initial::Normal(0.1)
            };
            let count = tensor.shape.iter().product();
            let values = draw(5, &tensor.name, count, initial);
            let bytes = values.into_iter().flat_map(f32::to_le_bytes).collect();
            (tensor.name.as_str(), tensor.shape.as_slice(), bytes)
        })
        .collect();
    let views = tensors.iter().map(|(name, shape, bytes)| {
        let view = TensorView::new(Dtype::F32, shape.to_vec(), bytes).unwrap();
        (*name, view)
    });
    let format = HashMap::from([("format".to_owned(), "pt".to_owned())]);
    let file = safetensors::serialize(views, Some(format)).unwrap();
    fs::write(folder.join("model.safetensors"), file).unwrap();
}
