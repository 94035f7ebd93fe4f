//! How much memory a LoRA training holds at its peak, from shapes and text lengths alone.
//!
//! The autodiff graph keeps what a backward pass reads again: operands of products with a trained
//! side, inputs of norms and activations, queries, keys and values. This file says which those are,
//! layer by layer, as a list of live allocations; [`pages`] says what an allocator with pages makes
//! of such a list. Benchmarked against the operating system's count by
//! `benches/memory/memory.toml`.

pub mod pages;
#[cfg(test)]
mod tests;

use super::{LinearShape, Shapes};

/// What is trained, and on what.
#[derive(Debug, Clone)]
pub struct Workload<'a> {
    /// The adapted layers with their ranks.
    pub adapters: &'a [(&'a LinearShape, usize)],
    /// Whether there is dropout on the adapters' inputs, which then keep a copy of their own.
    pub adapter_dropout: bool,
    /// Bytes of a frozen weight and of an activation.
    pub float_bytes: u64,
    /// Whether only the layers' inputs are kept, and each layer computed again for its backward
    /// pass.
    pub gradient_checkpointing: bool,
    /// Texts whose attention is computed at the same time: threads on the processor; `None` where a
    /// batch is padded to one product.
    pub threads: Option<usize>,
}

/// Bytes at the peak of a training step, by what they are for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Memory {
    /// The frozen network.
    pub weights: u64,
    /// Adapters and head: values, gradients and the optimiser's two moments, in 32-bit floats.
    pub trained: u64,
    /// Kept from the forward pass for the backward pass.
    pub activations: u64,
    /// What a step holds in addition for a moment.
    pub workspace: u64,
    /// The allocations that these sums count: bytes of one, and how many of them.
    pub allocations: Vec<(u64, u64)>,
}

impl Memory {
    /// All of it.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.weights + self.trained + self.activations + self.workspace
    }
}

/// Values, gradient and two moments.
const COPIES_OF_TRAINED: u64 = 4;

/// Bytes of a 32-bit float.
const F32: u64 = 4;

/// Gradients of the width of the feed-forward block that live at once in its backward pass.
const WIDE_GRADIENTS: u64 = 3;

/// The same of the hidden width.
const HIDDEN_GRADIENTS: u64 = 2;

/// Matrices `[heads, length, length]` of a text that live at once in attention's backward pass:
/// probabilities before and after dropout, their gradient, and a transposed copy.
const SCORES: u64 = 4;

impl Shapes {
    /// Memory of a training step on texts of these lengths in one forward pass.
    #[must_use]
    pub fn training_memory(&self, workload: &Workload<'_>, lengths: &[usize]) -> Memory {
        let mut memory = self.held(workload);
        let tokens: u64 = lengths.iter().map(|&length| length as u64).sum();
        let first = workload
            .adapters
            .iter()
            .filter_map(|(linear, _)| linear.layer)
            .min();
        let (hidden, wide) = (self.hidden_size as u64, self.wide());
        let bytes = workload.float_bytes;
        let keep = |memory: &mut Memory, rows: u64, width: u64, count: u64| {
            memory.activations += rows * width * bytes * count;
            memory.allocations.push((rows * width * bytes, count));
        };
        let positions = self.positions_read(lengths);
        let tracked = first.map_or(0, |first| self.num_layers - first);
        if workload.gradient_checkpointing {
            keep(&mut memory, tokens, hidden, tracked as u64);
        }
        let layers = first.unwrap_or(self.num_layers)..self.num_layers;
        let at_once = if workload.gradient_checkpointing {
            usize::from(tracked > 0)
        } else {
            tracked
        };
        for layer in layers.rev().take(at_once) {
            // Queries, keys and values; the inputs of both norms; the input of the activation
            // function.
            keep(&mut memory, tokens, hidden, 5);
            keep(&mut memory, tokens, wide, 1);
            // Relative positions as keys and as queries.
            keep(&mut memory, positions, hidden, 2);
            let mut shared = Vec::new();
            for (linear, rank) in workload.adapters {
                if linear.layer != Some(layer) {
                    continue;
                }
                let rows = match linear.logical {
                    "position_key" | "position_query" => positions,
                    // Where relative positions have no projections of their own, they go through
                    // these.
                    "query" | "key" => tokens + positions,
                    _ => tokens,
                };
                let group = input_group(linear.logical);
                if workload.adapter_dropout || !shared.contains(&group) {
                    shared.push(group);
                    keep(&mut memory, rows, linear.input as u64, 1);
                }
                keep(&mut memory, rows, *rank as u64, 1);
            }
        }
        self.add_workspace(workload, lengths, &mut memory);
        memory
    }

    /// The network and what is trained of it, which is there for the whole run.
    fn held(&self, workload: &Workload<'_>) -> Memory {
        let mut memory = Memory::default();
        for tensor in &self.tensors {
            let bytes = if tensor.head {
                F32
            } else {
                workload.float_bytes
            };
            memory.weights += tensor.count() * bytes;
            memory.allocations.push((tensor.count() * bytes, 1));
        }
        let adapters = workload.adapters.iter().flat_map(|(linear, rank)| {
            [linear.input, linear.output].map(|width| (width * rank) as u64)
        });
        for values in adapters {
            memory.trained += values * F32 * COPIES_OF_TRAINED;
            memory.allocations.push((values * F32, COPIES_OF_TRAINED));
        }
        // Its values are among the weights.
        let head = self.head_parameters() * F32;
        memory.trained += head * (COPIES_OF_TRAINED - 1);
        memory.allocations.push((head, COPIES_OF_TRAINED - 1));
        memory
    }

    /// The larger of the two moments in which a layer's backward pass holds most: feed-forward
    /// block and attention.
    fn add_workspace(&self, workload: &Workload<'_>, lengths: &[usize], memory: &mut Memory) {
        let tokens: u64 = lengths.iter().map(|&length| length as u64).sum();
        let (hidden, wide) = (self.hidden_size as u64, self.wide());
        let bytes = workload.float_bytes;
        let feed_forward = [
            (tokens * wide * bytes, WIDE_GRADIENTS),
            (tokens * hidden * bytes, HIDDEN_GRADIENTS),
        ];
        let positions = self.positions_read(lengths);
        let longest = lengths.iter().copied().max().unwrap_or(0) as u64;
        let scores: Vec<(u64, u64)> = if let (Some(threads), 1..) = (workload.threads, positions) {
            // Each thread has one head of one text, and the gradients of all heads are joined at
            // the end.
            let threads = threads as u64;
            vec![
                (longest * longest * F32, SCORES * threads),
                (longest * positions * F32, 2 * threads),
                (positions * hidden * F32, 4),
            ]
        } else if let Some(threads) = workload.threads {
            let mut longest = lengths.to_vec();
            longest.sort_unstable_by(|a, b| b.cmp(a));
            let of_text = |&length: &usize| self.heads as u64 * (length * length) as u64 * F32;
            let texts = longest.iter().take(threads).map(of_text);
            texts.map(|bytes| (bytes, SCORES)).collect()
        } else {
            let rows = lengths.len() as u64 * self.heads as u64 * longest;
            vec![
                (rows * longest * bytes, SCORES),
                (rows * positions * bytes, 2),
            ]
        };
        // By then the feed-forward block of the layer has freed its activations: one norm's input
        // and the activation function's.
        let gradients = (tokens * hidden * bytes, 4 + 3);
        let freed = tokens * (hidden + wide) * bytes;
        let mut attention = scores;
        attention.push(gradients);
        let size =
            |list: &[(u64, u64)]| list.iter().map(|(bytes, count)| bytes * count).sum::<u64>();
        let attention_bytes = size(&attention).saturating_sub(freed);
        let list = if attention_bytes > size(&feed_forward) {
            memory.workspace += attention_bytes;
            attention
        } else {
            memory.workspace += size(&feed_forward);
            feed_forward.to_vec()
        };
        memory.allocations.extend(list);
    }

    /// Rows of the table of relative positions that texts of these lengths read: one for each
    /// distance, at most all of them.
    fn positions_read(&self, lengths: &[usize]) -> u64 {
        let longest = lengths.iter().copied().max().unwrap_or(0);
        self.relative_positions.min((2 * longest).saturating_sub(1)) as u64
    }

    /// Width inside the feed-forward block.
    fn wide(&self) -> u64 {
        let inner = self
            .linears
            .iter()
            .find(|linear| linear.logical == "intermediate");
        inner.map_or(0, |linear| linear.output as u64)
    }
}

/// Adapted layers of one group read the same tensor.
fn input_group(logical: &'static str) -> &'static str {
    match logical {
        "query" | "key" | "value" => "attention",
        other => other,
    }
}
