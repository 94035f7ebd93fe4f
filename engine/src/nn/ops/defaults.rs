//! Every operation of the trait in terms of burn's own, for backends that have nothing better.
//!
//! Of 16-bit floats, only products are taken as they are. Everything else is computed in f32, by
//! the backend's own version, and rounded once.

use burn::tensor::activation::softmax;
use burn::tensor::backend::Backend;
use burn::tensor::ops::FloatTensor;
use burn::tensor::{Bool, DType, FloatDType, Tensor, TensorData, TensorMetadata};

use super::{
    AttentionGradients, AttentionOptions, Dropout, LayerNormGradients, Mask, Operations, Ragged,
    Selection, probability_feature, unwrap, wrap,
};

/// The error function's argument is `x / sqrt 2`.
const FRAC_1_SQRT_2: f32 = std::f32::consts::FRAC_1_SQRT_2;

/// Height of the normal density at 0.
const INVERSE_SQRT_2_PI: f32 = 0.398_942_3;

/// A float tensor to compute in: f32 instead of 16 bits.
pub(super) fn wide<B: Operations>(tensor: FloatTensor<B>) -> FloatTensor<B> {
    match tensor.dtype() {
        DType::F16 | DType::BF16 => B::float_cast(tensor, FloatDType::F32),
        _ => tensor,
    }
}

/// The opposite of [`wide`].
pub(super) fn narrow<B: Backend>(tensor: FloatTensor<B>, dtype: DType) -> FloatTensor<B> {
    if tensor.dtype() == dtype {
        tensor
    } else {
        B::float_cast(tensor, FloatDType::from(dtype))
    }
}

/// Whether a type has 16 bits.
pub(super) fn is_half(dtype: DType) -> bool {
    matches!(dtype, DType::F16 | DType::BF16)
}

pub(super) fn gelu<B: Operations>(input: FloatTensor<B>) -> FloatTensor<B> {
    let dtype = input.dtype();
    if is_half(dtype) {
        return narrow::<B>(B::exact_gelu(wide::<B>(input)), dtype);
    }
    let halved = B::float_mul_scalar(input.clone(), 0.5_f32.into());
    B::float_mul(halved, double_distribution::<B>(input))
}

/// Twice the normal distribution function: `1 + erf(x / sqrt 2)`.
fn double_distribution<B: Operations>(input: FloatTensor<B>) -> FloatTensor<B> {
    let erf = B::float_erf(B::float_mul_scalar(input, FRAC_1_SQRT_2.into()));
    B::float_add_scalar(erf, 1.0_f32.into())
}

pub(super) fn gelu_backward<B: Operations>(
    input: FloatTensor<B>,
    gradient: FloatTensor<B>,
) -> FloatTensor<B> {
    let dtype = input.dtype();
    if is_half(dtype) {
        let [input, gradient] = [input, gradient].map(wide::<B>);
        return narrow::<B>(B::exact_gelu_backward(input, gradient), dtype);
    }
    let distribution = B::float_mul_scalar(double_distribution::<B>(input.clone()), 0.5_f32.into());
    let square = B::float_mul(input.clone(), input.clone());
    let density = B::float_mul_scalar(
        B::float_exp(B::float_mul_scalar(square, (-0.5_f32).into())),
        INVERSE_SQRT_2_PI.into(),
    );
    let derivative = B::float_add(distribution, B::float_mul(input, density));
    B::float_mul(derivative, gradient)
}

/// Each row less its mean, and the reciprocal of its standard deviation: `[tokens, features]` and
/// `[tokens, 1]`.
fn centred<B: Operations>(input: Tensor<B, 2>, epsilon: f64) -> (Tensor<B, 2>, Tensor<B, 2>) {
    let centred = input.clone() - input.mean_dim(1);
    let variance = (centred.clone() * centred.clone()).mean_dim(1);
    (centred, (variance + epsilon).sqrt().recip())
}

pub(super) fn layer_norm<B: Operations>(
    input: FloatTensor<B>,
    weight: FloatTensor<B>,
    bias: FloatTensor<B>,
    epsilon: f64,
) -> FloatTensor<B> {
    let dtype = input.dtype();
    if is_half(dtype) {
        return narrow::<B>(
            B::token_norm(wide::<B>(input), weight, bias, epsilon),
            dtype,
        );
    }
    let (weight, bias): (Tensor<B, 1>, Tensor<B, 1>) = (wrap(weight), wrap(bias));
    let (centred, inverse) = centred::<B>(wrap(input), epsilon);
    unwrap(centred * inverse * weight.unsqueeze::<2>() + bias.unsqueeze::<2>())
}

pub(super) fn layer_norm_backward<B: Operations>(
    input: FloatTensor<B>,
    weight: FloatTensor<B>,
    epsilon: f64,
    gradient: FloatTensor<B>,
    affine: bool,
) -> LayerNormGradients<B> {
    let dtype = input.dtype();
    if is_half(dtype) {
        let [input, gradient] = [input, gradient].map(wide::<B>);
        let gradients = B::token_norm_backward(input, weight, epsilon, gradient, affine);
        return LayerNormGradients {
            input: narrow::<B>(gradients.input, dtype),
            affine: gradients.affine,
        };
    }
    let (gradient, weight): (Tensor<B, 2>, Tensor<B, 1>) = (wrap(gradient), wrap(weight));
    let (centred, inverse) = centred::<B>(wrap(input), epsilon);
    let normal = centred * inverse.clone();
    let affine = affine.then(|| {
        [gradient.clone() * normal.clone(), gradient.clone()]
            .map(|terms| unwrap(terms.sum_dim(0).squeeze_dim::<1>(0)))
    });
    let scaled = gradient * weight.unsqueeze::<2>();
    let mean = scaled.clone().mean_dim(1);
    let projection = (scaled.clone() * normal.clone()).mean_dim(1);
    let input = unwrap((scaled - mean - normal * projection) * inverse);
    LayerNormGradients { input, affine }
}

pub(super) fn dropout<B: Operations>(input: FloatTensor<B>, dropout: &Dropout) -> FloatTensor<B> {
    let dtype = input.dtype();
    if is_half(dtype) {
        return narrow::<B>(B::token_dropout(wide::<B>(input), dropout), dtype);
    }
    let shape = input.shape();
    let factors = TensorData::new(dropout.factors(shape[1]), shape);
    let factors = like::<B>(factors, &input);
    B::float_mul(input, factors)
}

/// 32-bit values on the device of another tensor and in its float type, if that is wide.
fn like<B: Operations>(values: TensorData, other: &FloatTensor<B>) -> FloatTensor<B> {
    let tensor = B::float_from_data(values, &B::float_device(other));
    match other.dtype() {
        DType::F16 | DType::BF16 => tensor,
        dtype => narrow::<B>(tensor, dtype),
    }
}

pub(super) fn pack<B: Operations>(
    input: FloatTensor<B>,
    selection: &Selection<B>,
) -> FloatTensor<B> {
    B::float_select(input, 0, selection.rows.clone())
}

pub(super) fn unpack<B: Operations>(
    packed: FloatTensor<B>,
    selection: &Selection<B>,
) -> FloatTensor<B> {
    let features = packed.shape()[1];
    let rows = selection.picked.shape()[0];
    let filled = B::float_select(packed, 0, selection.picked.clone());
    let column = B::bool_reshape(selection.left_out.clone(), [rows, 1].into());
    let mask = B::bool_expand(column, [rows, features].into());
    B::float_mask_fill(filled, mask, 0.0_f32.into())
}

/// `[tokens, heads * size]` to `[rows, heads, longest, size]`.
pub(super) fn split_heads<B: Operations>(
    packed: FloatTensor<B>,
    ragged: &Ragged<B>,
    heads: usize,
) -> Tensor<B, 4> {
    let size = packed.shape()[1] / heads;
    let (rows, longest) = (ragged.segments.rows(), ragged.segments.longest());
    wrap::<B, 2>(B::unpack(packed, &ragged.tokens))
        .reshape([rows, longest, heads, size])
        .swap_dims(1, 2)
}

/// The opposite of [`split_heads`].
pub(super) fn join_heads<B: Operations>(
    padded: Tensor<B, 4>,
    ragged: &Ragged<B>,
) -> FloatTensor<B> {
    let [rows, heads, longest, size] = padded.dims();
    let flat: Tensor<B, 2> = padded
        .swap_dims(1, 2)
        .reshape([rows * longest, heads * size]);
    B::pack(unwrap(flat), &ragged.tokens)
}

/// `[rows, heads, queries, keys]`: the factors of dropout on probabilities, 1 at padding.
fn probability_factors<B: Operations>(
    dropout: &Dropout,
    [queries, keys]: [&Ragged<B>; 2],
    heads: usize,
) -> TensorData {
    let (rows, places) = (queries.segments.rows(), queries.segments.longest());
    let width = keys.segments.longest();
    let scale = dropout.scale();
    let mut factors = vec![1.0_f32; rows * heads * places * width];
    for (row, (start, length)) in queries.segments.iter().enumerate() {
        for head in 0..heads {
            for position in 0..length {
                let draws = dropout.row(start + position);
                let first = ((row * heads + head) * places + position) * width;
                for key in 0..keys.segments.length(row) {
                    factors[first + key] = draws.factor(probability_feature(head, key), scale);
                }
            }
        }
    }
    TensorData::new(factors, [rows, heads, places, width])
}

/// `values` `[rows, heads, queries, keys]` after the dropout of `options`.
fn drop_probabilities<B: Operations>(
    values: FloatTensor<B>,
    texts: [&Ragged<B>; 2],
    options: &AttentionOptions,
) -> FloatTensor<B> {
    match &options.dropout {
        Some(dropout) => {
            let factors = probability_factors(dropout, texts, options.heads);
            let factors = like::<B>(factors, &values);
            B::float_mul(values, factors)
        }
        None => values,
    }
}

/// `[rows, 1, queries or 1, keys]`: the keys that a query does not see.
fn hidden_keys<B: Operations>([queries, keys]: [&Ragged<B>; 2], mask: Mask) -> Tensor<B, 4, Bool> {
    let (rows, width) = (keys.segments.rows(), keys.segments.longest());
    if mask == Mask::Full {
        return keys.padding().reshape([rows, 1, 1, width]);
    }
    let places = queries.segments.longest();
    let mut hidden = vec![true; rows * places * width];
    for row in 0..rows {
        let [asked, held] = [queries, keys].map(|texts| texts.segments.length(row));
        for position in 0..asked {
            let first = (row * places + position) * width;
            hidden[first..first + width][mask.visible(position, asked, held)].fill(false);
        }
    }
    let hidden = TensorData::new(hidden, [rows, 1, places, width]);
    Tensor::from_data(hidden, &keys.padding().device())
}

pub(super) fn attention_probabilities<B: Operations>(
    scores: FloatTensor<B>,
    texts: [&Ragged<B>; 2],
    options: &AttentionOptions,
) -> FloatTensor<B> {
    let dtype = scores.dtype();
    let scores: Tensor<B, 4> = wrap::<B, 4>(wide::<B>(scores)) * options.scale;
    let hidden = hidden_keys(texts, options.mask).expand(scores.dims());
    // A number whose exponential is 0.
    let scores = scores.mask_fill(hidden, -30_000.0);
    let dropped = drop_probabilities::<B>(unwrap(softmax(scores, 3)), texts, options);
    narrow::<B>(dropped, dtype)
}

pub(super) fn attention_scores_gradient<B: Operations>(
    probabilities: FloatTensor<B>,
    gradient: FloatTensor<B>,
    texts: [&Ragged<B>; 2],
    options: &AttentionOptions,
) -> FloatTensor<B> {
    let dtype = gradient.dtype();
    let gradient = drop_probabilities::<B>(wide::<B>(gradient), texts, options);
    let probabilities: Tensor<B, 4> = wrap(wide::<B>(probabilities));
    let weighted = wrap::<B, 4>(gradient) * probabilities.clone();
    let scores = (weighted.clone() - probabilities * weighted.sum_dim(3)) * options.scale;
    narrow::<B>(unwrap(scores), dtype)
}

/// Options for scores of queries that were scaled before the product: those of unscaled ones can be
/// more than f16 holds.
pub(super) fn scaled_already(options: &AttentionOptions) -> AttentionOptions {
    AttentionOptions {
        scale: 1.0,
        ..options.clone()
    }
}

pub(super) fn attention<B: Operations>(
    query: FloatTensor<B>,
    key: FloatTensor<B>,
    value: FloatTensor<B>,
    texts: [&Ragged<B>; 2],
    options: &AttentionOptions,
) -> FloatTensor<B> {
    let scaled = scaled_already(options);
    let [queries, keys] = texts;
    let query = split_heads::<B>(query, queries, options.heads);
    let [key, value] = [key, value].map(|packed| split_heads::<B>(packed, keys, options.heads));
    let scores = (query * options.scale).matmul(key.swap_dims(2, 3));
    let probabilities = B::attention_probabilities(unwrap(scores), texts, &scaled);
    join_heads(wrap::<B, 4>(probabilities).matmul(value), queries)
}

pub(super) fn attention_backward<B: Operations>(
    query: FloatTensor<B>,
    key: FloatTensor<B>,
    value: FloatTensor<B>,
    gradient: FloatTensor<B>,
    texts: [&Ragged<B>; 2],
    options: &AttentionOptions,
) -> AttentionGradients<B> {
    let [queries, keys] = texts;
    let split = |packed, ragged| split_heads::<B>(packed, ragged, options.heads);
    let [query, gradient] = [query, gradient].map(|packed| split(packed, queries));
    let [key, value] = [key, value].map(|packed| split(packed, keys));
    let query = query * options.scale;
    let scores = unwrap(query.clone().matmul(key.clone().swap_dims(2, 3)));
    let scaled = scaled_already(options);
    let without = AttentionOptions {
        dropout: None,
        ..scaled.clone()
    };
    let kept = B::attention_probabilities(scores.clone(), texts, &without);
    let used = match options.dropout {
        Some(_) => B::attention_probabilities(scores, texts, &scaled),
        None => kept.clone(),
    };
    let value_gradient = wrap::<B, 4>(used).swap_dims(2, 3).matmul(gradient.clone());
    let above = unwrap(gradient.matmul(value.swap_dims(2, 3)));
    let scores = B::attention_scores_gradient(kept, above, texts, &scaled);
    let scores: Tensor<B, 4> = wrap(scores);
    let query_gradient = scores.clone().matmul(key) * options.scale;
    let key_gradient = scores.swap_dims(2, 3).matmul(query);
    [
        join_heads(query_gradient, queries),
        join_heads(key_gradient, keys),
        join_heads(value_gradient, keys),
    ]
}
