//! The classification loss.

use burn::tensor::activation::log_softmax;
use burn::tensor::backend::Backend;
use burn::tensor::{Tensor, TensorData};

/// The sum over texts of the cross entropy of `logits` `[texts, classes]` with their labels, in
/// nats.
#[must_use]
pub fn summed_cross_entropy<B: Backend>(logits: Tensor<B, 2>, labels: &[usize]) -> Tensor<B, 1> {
    let [texts, classes] = logits.dims();
    // A product with ones at the labels: the backward pass of a gather is slow on CUDA, and this is
    // a few numbers.
    let mut chosen = vec![0.0_f32; texts * classes];
    for (row, &label) in labels.iter().enumerate() {
        chosen[row * classes + label] = 1.0;
    }
    let chosen = Tensor::from_data(TensorData::new(chosen, [texts, classes]), &logits.device());
    (log_softmax(logits, 1) * chosen).sum().neg()
}
