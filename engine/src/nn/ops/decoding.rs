//! What decoders need beside products: norms, turned positions, gated activations, and attention to
//! keys and values that were kept.
//!
//! Activations are f32 throughout; weights, keys and values may have 16 bits. The defaults are made
//! of burn's operations and serve any backend. There are no backward passes: decoders are not
//! trained.

use std::sync::OnceLock;

use burn::tensor::activation::silu;
use burn::tensor::backend::Backend;
use burn::tensor::ops::FloatTensor;
use burn::tensor::{DType, FloatDType, Int, Tensor, TensorData, TensorMetadata};

use super::defaults::narrow;
use super::{AttentionOptions, Mask, Operations, Ragged, Segments, unwrap, wrap};

/// Tokens whose keys and values lie together.
pub const BLOCK: usize = 32;

/// How decoders attend.
#[derive(Debug, Clone, Copy)]
pub struct CachedOptions {
    /// Heads of queries.
    pub heads: usize,
    /// Heads of keys and values, each of which serves as many heads of queries.
    pub key_heads: usize,
    /// What the products of queries and keys are multiplied by.
    pub scale: f32,
    /// Tokens that a query sees at most, its own included.
    pub window: Option<usize>,
    /// What the queries are.
    pub rows: Rows,
}

/// What the rows of a product, or the queries of attention, are. On the processor the two go different ways, each of which gives
/// a row the same bits whatever the other rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rows {
    /// One token of each of several texts, or a few: the weights are read once and dominate.
    OfSeveralTexts,
    /// Many tokens of one text.
    OfOneText,
}

/// Where the tokens of several texts are kept, and which of them are asked for now.
#[derive(Debug)]
pub struct Contexts<B: Backend> {
    /// The queries: the last tokens of each text.
    pub queries: Segments,
    /// For each text the first row of each of its blocks of [`BLOCK`] rows, in order.
    pub blocks: Vec<Vec<usize>>,
    /// For each text its tokens, those of the queries included.
    pub lengths: Vec<usize>,
    device: B::Device,
    indices: OnceLock<Indices<B>>,
}

/// [`Contexts`] on a device.
#[derive(Debug)]
struct Indices<B: Backend> {
    queries: Ragged<B>,
    keys: Ragged<B>,
    rows: Tensor<B, 1, Int>,
}

impl<B: Backend> Contexts<B> {
    /// Texts of given blocks and lengths, whose last tokens ask.
    #[must_use]
    pub fn new(
        queries: Segments,
        blocks: Vec<Vec<usize>>,
        lengths: Vec<usize>,
        device: &B::Device,
    ) -> Self {
        Self {
            queries,
            blocks,
            lengths,
            device: device.clone(),
            indices: OnceLock::new(),
        }
    }

    /// The row of a token of a text.
    #[must_use]
    pub fn row(&self, text: usize, token: usize) -> usize {
        self.blocks[text][token / BLOCK] + token % BLOCK
    }

    /// The rows of the queries' tokens, as stretches `(first row, first query, tokens)`.
    #[must_use]
    pub fn stretches(&self) -> Vec<(usize, usize, usize)> {
        let mut stretches = Vec::new();
        for (text, (start, count)) in self.queries.iter().enumerate() {
            let before = self.lengths[text] - count;
            let mut done = 0;
            while done < count {
                let token = before + done;
                let length = (BLOCK - token % BLOCK).min(count - done);
                stretches.push((self.row(text, token), start + done, length));
                done += length;
            }
        }
        stretches
    }

    fn indices(&self) -> &Indices<B> {
        self.indices.get_or_init(|| {
            let texts = self.lengths.iter().enumerate();
            #[expect(clippy::cast_possible_wrap, reason = "rows of a store in memory")]
            let rows = texts.flat_map(|(text, &length)| {
                (0..length).map(move |token| self.row(text, token) as i64)
            });
            let rows: Vec<i64> = rows.collect();
            let count = rows.len();
            Indices {
                queries: Ragged::new(self.queries.clone(), &self.device),
                keys: Ragged::new(Segments::new(&self.lengths), &self.device),
                rows: Tensor::from_data(TensorData::new(rows, [count]), &self.device),
            }
        })
    }
}

/// The operations.
pub trait Decoding: Backend {
    /// Root-mean-square normalisation (arXiv 1910.07467) of each row of `input`
    /// `[tokens, features]`, with `weight` `[features]`, both f32.
    fn rms_norm(
        input: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        epsilon: f64,
    ) -> FloatTensor<Self> {
        let (input, weight): (Tensor<Self, 2>, Tensor<Self, 1>) = (wrap(input), wrap(weight));
        let square = (input.clone() * input.clone()).mean_dim(1);
        unwrap(input * (square + epsilon).sqrt().recip() * weight.unsqueeze::<2>())
    }

    /// Turns the first `2 angles` features of each head of `input` `[tokens, heads * size]`: feature
    /// `i` and feature `i + angles` are a pair, turned by the angle whose cosine and sine stand in
    /// `[tokens, angles]` (arXiv 2104.09864).
    fn turn(
        input: FloatTensor<Self>,
        cosines: FloatTensor<Self>,
        sines: FloatTensor<Self>,
        size: usize,
    ) -> FloatTensor<Self> {
        let input: Tensor<Self, 2> = wrap(input);
        let [tokens, width] = input.dims();
        let heads = width / size;
        let (cosines, sines): (Tensor<Self, 2>, Tensor<Self, 2>) = (wrap(cosines), wrap(sines));
        let angles = cosines.dims()[1];
        let spread = |table: Tensor<Self, 2>| {
            let table = table.reshape([tokens, 1, angles]);
            table.expand([tokens, heads, angles])
        };
        let (cosines, sines) = (spread(cosines), spread(sines));
        let split = input.reshape([tokens, heads, size]);
        let part = |from: usize, to: usize| split.clone().slice([0..tokens, 0..heads, from..to]);
        let (first, second) = (part(0, angles), part(angles, 2 * angles));
        let mut parts = vec![
            first.clone() * cosines.clone() - second.clone() * sines.clone(),
            second * cosines + first * sines,
        ];
        if 2 * angles < size {
            parts.push(part(2 * angles, size));
        }
        unwrap(Tensor::cat(parts, 2).reshape([tokens, width]))
    }

    /// `silu(gate) * input`, of equal shapes.
    fn gated_silu(gate: FloatTensor<Self>, input: FloatTensor<Self>) -> FloatTensor<Self> {
        let (gate, input): (Tensor<Self, 2>, Tensor<Self, 2>) = (wrap(gate), wrap(input));
        unwrap(silu(gate) * input)
    }

    /// `x Wᵀ` for `input` `[rows, inputs]` in f32 and `weight` `[outputs, inputs]` in any format:
    /// f32 of the precision that the format has.
    fn widened_product(
        input: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        _rows: Rows,
    ) -> FloatTensor<Self> {
        let input = narrow::<Self>(input, weight.dtype());
        let product = wrap::<Self, 2>(input).matmul(wrap::<Self, 2>(weight).transpose());
        narrow::<Self>(unwrap(product), DType::F32)
    }

    /// Puts the rows of `values` `[tokens, features]` to where the queries' tokens are kept in
    /// `store` `[rows, features]`, rounded to its format.
    fn keep(
        store: FloatTensor<Self>,
        values: FloatTensor<Self>,
        contexts: &Contexts<Self>,
    ) -> FloatTensor<Self> {
        let values = narrow::<Self>(values, store.dtype());
        let (mut store, values): (Tensor<Self, 2>, Tensor<Self, 2>) = (wrap(store), wrap(values));
        let width = values.dims()[1];
        for (row, start, length) in contexts.stretches() {
            let stretch = values.clone().slice([start..start + length, 0..width]);
            store = store.slice_assign([row..row + length, 0..width], stretch);
        }
        unwrap(store)
    }

    /// Causal softmax attention of each text's queries `[tokens, heads * size]` to its keys and
    /// values, kept in `[rows, key heads * size]`.
    fn cached_attention(
        query: FloatTensor<Self>,
        keys: FloatTensor<Self>,
        values: FloatTensor<Self>,
        contexts: &Contexts<Self>,
        options: &CachedOptions,
    ) -> FloatTensor<Self>
    where
        Self: Operations,
    {
        let indices = contexts.indices();
        let gather = |store: FloatTensor<Self>| {
            let found = wrap::<Self, 2>(store).select(0, indices.rows.clone());
            let [tokens, width] = found.dims();
            let size = width / options.key_heads;
            let group = options.heads / options.key_heads;
            let found = found.cast(FloatDType::F32);
            let found = found.reshape([tokens, options.key_heads, 1, size]);
            let found = found.expand([tokens, options.key_heads, group, size]);
            unwrap(found.reshape([tokens, options.heads * size]))
        };
        let attention = AttentionOptions {
            heads: options.heads,
            scale: options.scale,
            mask: Mask::Causal {
                window: options.window,
            },
            dropout: None,
        };
        let texts = [&indices.queries, &indices.keys];
        Self::ragged_attention(query, gather(keys), gather(values), texts, &attention)
    }
}

/// [`Decoding::rms_norm`].
#[must_use]
pub fn rms_norm<B: Decoding>(
    input: Tensor<B, 2>,
    weight: Tensor<B, 1>,
    epsilon: f64,
) -> Tensor<B, 2> {
    wrap(B::rms_norm(unwrap(input), unwrap(weight), epsilon))
}

/// [`Decoding::turn`].
#[must_use]
pub fn turn<B: Decoding>(
    input: Tensor<B, 2>,
    [cosines, sines]: [Tensor<B, 2>; 2],
    size: usize,
) -> Tensor<B, 2> {
    wrap(B::turn(unwrap(input), unwrap(cosines), unwrap(sines), size))
}

/// [`Decoding::gated_silu`].
#[must_use]
pub fn gated_silu<B: Decoding>(gate: Tensor<B, 2>, input: Tensor<B, 2>) -> Tensor<B, 2> {
    wrap(B::gated_silu(unwrap(gate), unwrap(input)))
}

/// [`Decoding::widened_product`].
#[must_use]
pub fn widened_product<B: Decoding>(
    input: Tensor<B, 2>,
    weight: Tensor<B, 2>,
    rows: Rows,
) -> Tensor<B, 2> {
    wrap(B::widened_product(unwrap(input), unwrap(weight), rows))
}

/// [`Decoding::keep`].
#[must_use]
pub fn keep<B: Decoding>(
    store: Tensor<B, 2>,
    values: Tensor<B, 2>,
    contexts: &Contexts<B>,
) -> Tensor<B, 2> {
    wrap(B::keep(unwrap(store), unwrap(values), contexts))
}

/// [`Decoding::cached_attention`].
#[must_use]
pub fn cached_attention<B: Operations>(
    query: Tensor<B, 2>,
    [keys, values]: [Tensor<B, 2>; 2],
    contexts: &Contexts<B>,
    options: &CachedOptions,
) -> Tensor<B, 2> {
    wrap(B::cached_attention(
        unwrap(query),
        unwrap(keys),
        unwrap(values),
        contexts,
        options,
    ))
}
