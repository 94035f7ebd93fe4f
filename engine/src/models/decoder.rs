//! Qwen2 (arXiv 2407.10671), Llama (arXiv 2307.09288) and Phi-3 (arXiv 2404.14219): layers of
//! attention to what came before and of a gated feed-forward block, with a norm before each, as
//! transformers has them
//! (<https://github.com/huggingface/transformers/blob/main/src/transformers/models/llama/modeling_llama.py>).
//!
//! Weights, keys and values are in the format of the network, everything that flows is in f32.
//! Forward only.

use burn::tensor::backend::Backend;
use burn::tensor::{FloatDType, Int, Tensor, TensorData};

use super::block::activate;
use super::weights::{Initial, Weights};
use crate::checkpoint::CheckpointError;
use crate::nn::in_format;
use crate::nn::ops::{
    self, CachedOptions, Contexts, Operations, Rows, cached_attention, gated_silu, rms_norm,
    widened_product,
};
use crate::shapes::bert::Activation;
use crate::shapes::decoder::{DecoderConfig, Projections};

/// A decoder with its head.
#[derive(Debug)]
pub struct Decoder<B: Backend> {
    config: DecoderConfig,
    words: Tensor<B, 2>,
    layers: Vec<Layer<B>>,
    norm: Tensor<B, 1>,
    /// Without it, the words are the head's weights.
    head: Option<Tensor<B, 2>>,
    format: FloatDType,
}

/// `x Wᵀ + b`.
#[derive(Debug)]
struct Projection<B: Backend> {
    weight: Tensor<B, 2>,
    bias: Option<Tensor<B, 1>>,
}

#[derive(Debug)]
struct Layer<B: Backend> {
    attention_norm: Tensor<B, 1>,
    inputs: Inputs<B>,
    attention_output: Projection<B>,
    block_norm: Tensor<B, 1>,
    gates: Gates<B>,
    output: Projection<B>,
    window: Option<usize>,
}

/// What attention reads.
#[derive(Debug)]
enum Inputs<B: Backend> {
    /// Query, key and value.
    Apart(Box<[Projection<B>; 3]>),
    /// One after the other.
    Together(Projection<B>),
}

/// What meets in the feed-forward block.
#[derive(Debug)]
enum Gates<B: Backend> {
    /// The gate and what it lets through.
    Apart(Box<[Projection<B>; 2]>),
    /// One after the other.
    Together(Projection<B>),
}

/// The keys and values of one layer: `[rows, key heads * size]` each.
#[derive(Debug)]
pub struct Kept<B: Backend> {
    /// The keys.
    pub keys: Option<Tensor<B, 2>>,
    /// The values.
    pub values: Option<Tensor<B, 2>>,
}

/// Tokens that go through the network together.
#[derive(Debug)]
pub struct Step<'a, B: Backend> {
    /// Their ids.
    pub ids: &'a [u32],
    /// Cosine and sine of each pair's angle at each of them: `[tokens, angles]` on the host.
    pub angles: [Vec<f32>; 2],
    /// Where they are kept, and what they attend to.
    pub contexts: &'a Contexts<B>,
    /// What they are.
    pub rows: Rows,
}

impl<B: Operations> Projection<B> {
    fn forward(&self, input: &Tensor<B, 2>, rows: Rows) -> Tensor<B, 2> {
        let product = widened_product(input.clone(), self.weight.clone(), rows);
        match &self.bias {
            Some(bias) => product + bias.clone().unsqueeze::<2>(),
            None => product,
        }
    }
}

/// The parts of a product whose columns follow each other.
fn columns<B: Backend, const N: usize>(
    whole: &Tensor<B, 2>,
    widths: [usize; N],
) -> [Tensor<B, 2>; N] {
    let mut first = 0;
    widths.map(|width| {
        let part = whole.clone().narrow(1, first, width);
        first += width;
        part
    })
}

impl<B: Operations> Decoder<B> {
    /// Builds it from its weights.
    ///
    /// # Errors
    /// When the checkpoint cannot be read.
    pub fn new(config: &DecoderConfig, weights: &Weights<'_, B>) -> Result<Self, CheckpointError> {
        let hidden = config.hidden_size();
        let layers = (0..config.layers()).map(|index| Layer::new(config, index, weights));
        let table = [config.vocab_size(), hidden];
        let normal = Initial::Normal(weights.deviation);
        Ok(Self {
            words: weights.stored("model.embed_tokens.weight", table, normal)?,
            layers: layers.collect::<Result<_, _>>()?,
            norm: weights.vector("model.norm.weight", hidden)?,
            head: if config.is_tied() {
                None
            } else {
                Some(weights.stored("lm_head.weight", table, normal)?)
            },
            config: config.clone(),
            format: weights.format,
        })
    }

    /// Its configuration.
    #[must_use]
    pub fn config(&self) -> &DecoderConfig {
        &self.config
    }

    /// Where it is.
    #[must_use]
    pub fn device(&self) -> B::Device {
        self.words.device()
    }

    /// Room for the keys and values of so many tokens in each layer.
    #[must_use]
    pub fn room(&self, tokens: usize) -> Vec<Kept<B>> {
        let width = self.config.key_heads() * self.config.head_size();
        let empty = || {
            let zeros = Tensor::zeros([tokens, width], (&self.device(), self.format.into()));
            Some(zeros)
        };
        let kept = || Kept {
            keys: empty(),
            values: empty(),
        };
        self.layers.iter().map(|_| kept()).collect()
    }

    /// The last layer's output for each token of a step, normalised, in f32: `[tokens, hidden]`.
    /// Their keys and values are kept.
    #[must_use]
    pub fn hidden_states(&self, step: &Step<'_, B>, kept: &mut [Kept<B>]) -> Tensor<B, 2> {
        let device = self.device();
        let count = step.ids.len();
        let ids: Vec<i64> = step.ids.iter().map(|&id| i64::from(id)).collect();
        let ids = Tensor::<B, 1, Int>::from_data(TensorData::new(ids, [count]), &device);
        let angles = [0, 1].map(|table| {
            let values = step.angles[table].clone();
            let width = values.len() / count.max(1);
            Tensor::<B, 2>::from_data(TensorData::new(values, [count, width]), &device)
        });
        let words = self.words.clone().select(0, ids);
        let mut hidden = in_format(words, FloatDType::F32);
        for (layer, kept) in self.layers.iter().zip(kept) {
            hidden = layer.forward(&self.config, hidden, step, &angles, kept);
        }
        rms_norm(hidden, self.norm.clone(), self.config.norm_epsilon())
    }

    /// The logits that follow hidden states `[tokens, hidden]`: `[tokens, vocabulary]`.
    #[must_use]
    pub fn logits(&self, hidden: Tensor<B, 2>, rows: Rows) -> Tensor<B, 2> {
        let head = self.head.as_ref().unwrap_or(&self.words);
        widened_product(hidden, head.clone(), rows)
    }
}

impl<B: Operations> Layer<B> {
    fn new(
        config: &DecoderConfig,
        index: usize,
        weights: &Weights<'_, B>,
    ) -> Result<Self, CheckpointError> {
        let (hidden, inner) = (config.hidden_size(), config.intermediate_size());
        let size = config.head_size();
        let (queries, held) = (config.heads() * size, config.key_heads() * size);
        let layer = format!("model.layers.{index}");
        let linear = |name: &str, inputs, outputs, bias: bool| {
            let name = format!("{layer}.{name}");
            let normal = Initial::Normal(weights.deviation);
            let weight = weights.stored(&format!("{name}.weight"), [outputs, inputs], normal)?;
            let bias = bias.then(|| {
                let zero = Initial::Constant(0.0);
                weights.wide_vector(&format!("{name}.bias"), outputs, zero)
            });
            let bias = bias.transpose()?;
            Ok::<_, CheckpointError>(Projection { weight, bias })
        };
        let (inputs, attention_output, gates, output) = match config.projections() {
            Projections::Apart {
                query_bias,
                output_bias,
                block_bias,
            } => (
                Inputs::Apart(Box::new([
                    linear("self_attn.q_proj", hidden, queries, query_bias)?,
                    linear("self_attn.k_proj", hidden, held, query_bias)?,
                    linear("self_attn.v_proj", hidden, held, query_bias)?,
                ])),
                linear("self_attn.o_proj", queries, hidden, output_bias)?,
                Gates::Apart(Box::new([
                    linear("mlp.gate_proj", hidden, inner, block_bias)?,
                    linear("mlp.up_proj", hidden, inner, block_bias)?,
                ])),
                linear("mlp.down_proj", inner, hidden, block_bias)?,
            ),
            Projections::Together => (
                Inputs::Together(linear(
                    "self_attn.qkv_proj",
                    hidden,
                    queries + 2 * held,
                    false,
                )?),
                linear("self_attn.o_proj", queries, hidden, false)?,
                Gates::Together(linear("mlp.gate_up_proj", hidden, 2 * inner, false)?),
                linear("mlp.down_proj", inner, hidden, false)?,
            ),
        };
        let norm = |name: &str| weights.vector(&format!("{layer}.{name}.weight"), hidden);
        Ok(Self {
            attention_norm: norm("input_layernorm")?,
            inputs,
            attention_output,
            block_norm: norm("post_attention_layernorm")?,
            gates,
            output,
            window: config.window(index),
        })
    }

    fn forward(
        &self,
        config: &DecoderConfig,
        hidden: Tensor<B, 2>,
        step: &Step<'_, B>,
        angles: &[Tensor<B, 2>; 2],
        kept: &mut Kept<B>,
    ) -> Tensor<B, 2> {
        let (rows, size) = (step.rows, config.head_size());
        let epsilon = config.norm_epsilon();
        let input = rms_norm(hidden.clone(), self.attention_norm.clone(), epsilon);
        let [query, key, value] = match &self.inputs {
            Inputs::Apart(parts) => {
                let [query, key, value] = &**parts;
                [query, key, value].map(|part| part.forward(&input, rows))
            }
            Inputs::Together(whole) => {
                let (queries, held) = (config.heads() * size, config.key_heads() * size);
                columns(&whole.forward(&input, rows), [queries, held, held])
            }
        };
        let [query, key] = [query, key].map(|turned| ops::turn(turned, angles.clone(), size));
        let keep = |store: &mut Option<Tensor<B, 2>>, values| {
            let whole = store.take().expect("stores are put back");
            let whole = ops::keep(whole, values, step.contexts);
            *store = Some(whole.clone());
            whole
        };
        let keys = keep(&mut kept.keys, key);
        let values = keep(&mut kept.values, value);
        #[expect(clippy::cast_precision_loss, reason = "a head's features")]
        let options = CachedOptions {
            heads: config.heads(),
            key_heads: config.key_heads(),
            scale: (size as f32).sqrt().recip(),
            window: self.window,
            rows,
        };
        let context = cached_attention(query, [keys, values], step.contexts, &options);
        let hidden = hidden + self.attention_output.forward(&context, rows);
        let input = rms_norm(hidden.clone(), self.block_norm.clone(), epsilon);
        let [gate, input] = match &self.gates {
            Gates::Apart(parts) => {
                let [gate, input_of] = &**parts;
                [gate.forward(&input, rows), input_of.forward(&input, rows)]
            }
            Gates::Together(whole) => {
                let inner = config.intermediate_size();
                columns(&whole.forward(&input, rows), [inner, inner])
            }
        };
        let inner = match config.activation() {
            Activation::Silu => gated_silu(gate, input),
            other => activate(gate, other) * input,
        };
        hidden + self.output.forward(&inner, rows)
    }
}
