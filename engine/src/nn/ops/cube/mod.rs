//! The operations on `CubeCL`'s runtimes, of which CUDA is the one in use: one kernel each, generic
//! over the runtime.
//!
//! Kernels read and write the tensors' own float type and compute in 32-bit floats. Launches are
//! the checked ones, so that an index that is wrong reads a zero instead of another tensor. What is
//! not here is served by the trait's defaults.

#![allow(
    clippy::cast_possible_truncation,
    clippy::trivially_copy_pass_by_ref,
    clippy::used_underscore_binding,
    reason = "how kernels are written: what they pass are names of device memory, and positions there have 32 bits"
)]

mod attention;
mod dropout;
mod fusion;
mod gelu;
mod launch;
mod norm;
mod reduce;
mod rows;
mod trial;
mod watch;

pub use trial::trial;
pub use watch::{ALL_WELL, LAUNCHED, NAME_KERNELS, names_kernels, watch_kernels};

use burn::tensor::backend::Backend;
use burn::tensor::ops::{FloatTensor, IntTensor};
use burn_cubecl::{BoolElement, CubeBackend, CubeRuntime, FloatElement, IntElement};

use cubecl::ir::{ElemType, FloatKind, StorageType};

use super::{
    AttentionOptions, Decoding, DeviceMemory, Dropout, LayerNormGradients, Operations, Ragged,
    Selection, defaults,
};

impl<R, F, I, B> Decoding for CubeBackend<R, F, I, B>
where
    R: CubeRuntime,
    F: FloatElement,
    I: IntElement,
    B: BoolElement,
{
}

impl<R, F, I, B> Operations for CubeBackend<R, F, I, B>
where
    R: CubeRuntime,
    F: FloatElement,
    I: IntElement,
    B: BoolElement,
{
    fn exact_gelu(input: FloatTensor<Self>) -> FloatTensor<Self> {
        gelu::forward(input)
    }

    fn exact_gelu_backward(
        input: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        gelu::backward(input, gradient)
    }

    fn token_norm(
        input: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        epsilon: f64,
    ) -> FloatTensor<Self> {
        norm::forward(input, weight, bias, epsilon)
    }

    fn token_norm_backward(
        input: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        epsilon: f64,
        gradient: FloatTensor<Self>,
        affine: bool,
    ) -> LayerNormGradients<Self> {
        if affine {
            // Sums over tokens, which only a trained norm asks for.
            return defaults::layer_norm_backward::<Self>(input, weight, epsilon, gradient, affine);
        }
        LayerNormGradients {
            input: norm::backward(input, weight, epsilon, gradient),
            affine: None,
        }
    }

    fn token_dropout(input: FloatTensor<Self>, dropout: &Dropout) -> FloatTensor<Self> {
        dropout::apply(input, dropout)
    }

    fn pack(input: FloatTensor<Self>, selection: &Selection<Self>) -> FloatTensor<Self> {
        rows::pick(input, selection.rows.clone())
    }

    fn unpack(packed: FloatTensor<Self>, selection: &Selection<Self>) -> FloatTensor<Self> {
        rows::put_back(packed, selection.picked.clone(), selection.left_out.clone())
    }

    fn attention_probabilities(
        scores: FloatTensor<Self>,
        texts: [&Ragged<Self>; 2],
        options: &AttentionOptions,
    ) -> FloatTensor<Self> {
        attention::probabilities(scores, starts(texts), options)
    }

    fn attention_scores_gradient(
        probabilities: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
        texts: [&Ragged<Self>; 2],
        options: &AttentionOptions,
    ) -> FloatTensor<Self> {
        attention::scores_gradient(probabilities, gradient, starts(texts), options)
    }

    fn device_memory(device: &Self::Device) -> Option<DeviceMemory> {
        let usage = R::client(device).memory_usage().ok()?;
        Some(DeviceMemory {
            in_use_bytes: usage.bytes_in_use,
            reserved_bytes: usage.bytes_reserved,
        })
    }

    fn may_use_tf32(device: &Self::Device) -> Option<bool> {
        // As cubek-matmul's `adjust_dtypes`: whatever runs on matrix units reads f32 as TF32 there,
        // where they have it.
        let client = R::client(device);
        let units = &client.properties().features.matmul;
        let tf32 = StorageType::from(ElemType::Float(FloatKind::TF32));
        let mut kinds = units.cmma.iter().chain(&units.mma);
        Some(kinds.any(|kind| kind.a_type == tf32))
    }
}

/// Where each text's queries and keys begin.
fn starts<B: Backend>(texts: [&Ragged<B>; 2]) -> [IntTensor<B>; 2] {
    texts.map(|ragged| ragged.starts.clone())
}
