//! Layer normalisation and its gradients, row by row.

use burn::tensor::TensorMetadata;
use burn_flex::FlexTensor;
use rayon::prelude::*;

use super::vector::{self, moments, sum};
use super::{BLOCK, owned, tensor};
use crate::nn::ops::LayerNormGradients;
use burn::backend::Flex;

#[allow(clippy::cast_possible_truncation)]
pub(super) fn forward(
    input: FlexTensor,
    weight: &FlexTensor,
    bias: &FlexTensor,
    epsilon: f64,
) -> FlexTensor {
    let (weight, bias) = (weight.to_contiguous(), bias.to_contiguous());
    let (weight, bias): (&[f32], &[f32]) = (weight.storage(), bias.storage());
    let width = weight.len();
    let mut output = owned(input);
    output
        .storage_mut::<f32>()
        .par_chunks_mut(width * (BLOCK / width).max(1))
        .for_each(|rows| vector::norm(rows, weight, bias, epsilon as f32));
    output
}

#[allow(clippy::cast_possible_truncation, clippy::cast_precision_loss)]
pub(super) fn backward(
    input: &FlexTensor,
    weight: &FlexTensor,
    epsilon: f64,
    gradient: &FlexTensor,
    affine: bool,
) -> LayerNormGradients<Flex> {
    let (input, weight, gradient) = (
        input.to_contiguous(),
        weight.to_contiguous(),
        gradient.to_contiguous(),
    );
    let (values, scale): (&[f32], &[f32]) = (input.storage(), weight.storage());
    let (width, epsilon) = (scale.len(), epsilon as f32);
    let mut output = gradient.storage::<f32>().to_vec();
    output
        .par_chunks_mut(width)
        .zip(values.par_chunks(width))
        .for_each(|(out, row)| {
            let (mean, inverse) = moments(row, epsilon);
            for (out, scale) in out.iter_mut().zip(scale) {
                *out *= scale;
            }
            let shift = sum(width, |i| out[i]) / width as f32;
            let slope = sum(width, |i| out[i] * ((row[i] - mean) * inverse)) / width as f32;
            for (out, value) in out.iter_mut().zip(row) {
                *out = (*out - shift - (value - mean) * inverse * slope) * inverse;
            }
        });
    let affine = affine.then(|| {
        // Sequential over rows, so that the order of the sums is fixed; only needed where norms are
        // trained.
        let (mut weights, mut biases) = (vec![0.0_f32; width], vec![0.0_f32; width]);
        for (row, gradient) in values
            .chunks(width)
            .zip(gradient.storage::<f32>().chunks(width))
        {
            let (mean, inverse) = moments(row, epsilon);
            for i in 0..width {
                weights[i] += gradient[i] * (row[i] - mean) * inverse;
                biases[i] += gradient[i];
            }
        }
        [
            tensor(weights, [width].into()),
            tensor(biases, [width].into()),
        ]
    });
    LayerNormGradients {
        input: tensor(output, input.shape()),
        affine,
    }
}
