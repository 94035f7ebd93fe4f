//! The operations under `Autodiff`: the inner backend's forward and backward passes, tied together.

use std::sync::{Mutex, MutexGuard, PoisonError};

use burn::backend::Autodiff;
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind, unary};
use burn::tensor::ops::FloatTensor;

use super::{
    AttentionOptions, Decoding, DeviceMemory, Disentangled, DisentangledOptions, Dropout,
    Operations, Ragged, Selection, Wanted,
};

/// Held while gradients are computed, from the first tracked operation to the end of the backward
/// pass, so that threads of a process take turns.
///
/// When a backward pass ends, burn-autodiff 0.21 sweeps the graphs of all threads and frees steps
/// that no tensor holds yet, among them those whose next operation is just being registered. What
/// came through them is then missing from the gradients, without a word
/// (<https://github.com/tracel-ai/burn/issues/5573>).
#[must_use = "other threads wait for as long as this is held"]
pub fn alone_with_gradients() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    // The lock guards no data, so a thread that panicked cannot have spoilt any.
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

#[derive(Debug)]
struct Gelu;

impl<B: Operations> Backward<B, 1> for Gelu {
    type State = FloatTensor<B>;

    fn backward(self, ops: Ops<Self::State, 1>, grads: &mut Gradients, _: &mut Checkpointer) {
        let input = ops.state;
        unary::<B, _>(ops.parents, ops.node, grads, |gradient| {
            B::exact_gelu_backward(input, gradient)
        });
    }
}

#[derive(Debug)]
struct LayerNorm;

impl<B: Operations> Backward<B, 3> for LayerNorm {
    type State = (FloatTensor<B>, FloatTensor<B>, f64);

    fn backward(self, ops: Ops<Self::State, 3>, grads: &mut Gradients, _: &mut Checkpointer) {
        let gradient = grads.consume::<B>(&ops.node);
        let (input, weight, epsilon) = ops.state;
        let [input_node, weight_node, bias_node] = ops.parents;
        let affine = weight_node.is_some() || bias_node.is_some();
        let gradients = B::token_norm_backward(input, weight, epsilon, gradient, affine);
        let [weight, bias] = gradients.affine.map_or([None, None], |both| both.map(Some));
        for (node, gradient) in [
            (input_node, Some(gradients.input)),
            (weight_node, weight),
            (bias_node, bias),
        ] {
            if let (Some(node), Some(gradient)) = (node, gradient) {
                grads.register::<B>(node.id, gradient);
            }
        }
    }
}

#[derive(Debug)]
struct ApplyDropout;

impl<B: Operations> Backward<B, 1> for ApplyDropout {
    type State = Dropout;

    fn backward(self, ops: Ops<Self::State, 1>, grads: &mut Gradients, _: &mut Checkpointer) {
        let dropout = ops.state;
        unary::<B, _>(ops.parents, ops.node, grads, |gradient| {
            B::token_dropout(gradient, &dropout)
        });
    }
}

#[derive(Debug)]
struct Pack;

impl<B: Operations> Backward<B, 1> for Pack {
    type State = Selection<B>;

    fn backward(self, ops: Ops<Self::State, 1>, grads: &mut Gradients, _: &mut Checkpointer) {
        let selection = ops.state;
        unary::<B, _>(ops.parents, ops.node, grads, |gradient| {
            B::unpack(gradient, &selection)
        });
    }
}

#[derive(Debug)]
struct Unpack;

impl<B: Operations> Backward<B, 1> for Unpack {
    type State = Selection<B>;

    fn backward(self, ops: Ops<Self::State, 1>, grads: &mut Gradients, _: &mut Checkpointer) {
        let selection = ops.state;
        unary::<B, _>(ops.parents, ops.node, grads, |gradient| {
            B::pack(gradient, &selection)
        });
    }
}

#[derive(Debug)]
struct Attention;

impl<B: Operations> Backward<B, 3> for Attention {
    type State = ([FloatTensor<B>; 3], [Ragged<B>; 2], AttentionOptions);

    fn backward(self, ops: Ops<Self::State, 3>, grads: &mut Gradients, _: &mut Checkpointer) {
        let gradient = grads.consume::<B>(&ops.node);
        let ([query, key, value], texts, options) = ops.state;
        let texts = texts.each_ref();
        let gradients = B::ragged_attention_backward(query, key, value, gradient, texts, &options);
        for (parent, gradient) in ops.parents.into_iter().zip(gradients) {
            if let Some(node) = parent {
                grads.register::<B>(node.id, gradient);
            }
        }
    }
}

#[derive(Debug)]
struct DisentangledAttention;

impl<B: Operations> Backward<B, 5> for DisentangledAttention {
    type State = (Disentangled<FloatTensor<B>>, Ragged<B>, DisentangledOptions);

    fn backward(self, ops: Ops<Self::State, 5>, grads: &mut Gradients, _: &mut Checkpointer) {
        let gradient = grads.consume::<B>(&ops.node);
        let (operands, ragged, options) = ops.state;
        let [query, key, value, position_key, position_query] = ops.parents;
        let wanted = Wanted {
            position_key: position_key.is_some(),
            position_query: position_query.is_some(),
        };
        let gradients =
            B::disentangled_attention_backward(operands, gradient, wanted, &ragged, &options);
        for (node, gradient) in [
            (query, Some(gradients.query)),
            (key, Some(gradients.key)),
            (value, Some(gradients.value)),
            (position_key, gradients.position_key),
            (position_query, gradients.position_query),
        ] {
            if let (Some(node), Some(gradient)) = (node, gradient) {
                grads.register::<B>(node.id, gradient);
            }
        }
    }
}

/// Decoders are not trained.
impl<B: Operations, C: CheckpointStrategy> Decoding for Autodiff<B, C> {}

impl<B: Operations, C: CheckpointStrategy> Operations for Autodiff<B, C> {
    fn exact_gelu(input: FloatTensor<Self>) -> FloatTensor<Self> {
        match Gelu.prepare::<C>([input.node]).compute_bound().stateful() {
            OpsKind::Tracked(prep) => {
                prep.finish(input.primitive.clone(), B::exact_gelu(input.primitive))
            }
            OpsKind::UnTracked(prep) => prep.finish(B::exact_gelu(input.primitive)),
        }
    }

    fn token_norm(
        input: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        epsilon: f64,
    ) -> FloatTensor<Self> {
        let nodes = [input.node, weight.node, bias.node];
        let (input, weight) = (input.primitive, weight.primitive);
        let output = B::token_norm(input.clone(), weight.clone(), bias.primitive, epsilon);
        match LayerNorm.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish((input, weight, epsilon), output),
            OpsKind::UnTracked(prep) => prep.finish(output),
        }
    }

    fn token_dropout(input: FloatTensor<Self>, dropout: &Dropout) -> FloatTensor<Self> {
        let output = B::token_dropout(input.primitive, dropout);
        match ApplyDropout
            .prepare::<C>([input.node])
            .compute_bound()
            .stateful()
        {
            OpsKind::Tracked(prep) => prep.finish(dropout.clone(), output),
            OpsKind::UnTracked(prep) => prep.finish(output),
        }
    }

    fn pack(input: FloatTensor<Self>, selection: &Selection<Self>) -> FloatTensor<Self> {
        let selection = selection.cast::<B>();
        let output = B::pack(input.primitive, &selection);
        match Pack.prepare::<C>([input.node]).compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish(selection, output),
            OpsKind::UnTracked(prep) => prep.finish(output),
        }
    }

    fn unpack(packed: FloatTensor<Self>, selection: &Selection<Self>) -> FloatTensor<Self> {
        let selection = selection.cast::<B>();
        let output = B::unpack(packed.primitive, &selection);
        match Unpack
            .prepare::<C>([packed.node])
            .compute_bound()
            .stateful()
        {
            OpsKind::Tracked(prep) => prep.finish(selection, output),
            OpsKind::UnTracked(prep) => prep.finish(output),
        }
    }

    fn ragged_attention(
        query: FloatTensor<Self>,
        key: FloatTensor<Self>,
        value: FloatTensor<Self>,
        texts: [&Ragged<Self>; 2],
        options: &AttentionOptions,
    ) -> FloatTensor<Self> {
        let texts = texts.map(Ragged::cast::<B>);
        let nodes = [query.node, key.node, value.node];
        let operands = [query.primitive, key.primitive, value.primitive];
        let [query, key, value] = operands.clone();
        let output = B::ragged_attention(query, key, value, texts.each_ref(), options);
        match Attention.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish((operands, texts, options.clone()), output),
            OpsKind::UnTracked(prep) => prep.finish(output),
        }
    }

    fn disentangled_attention(
        operands: Disentangled<FloatTensor<Self>>,
        ragged: &Ragged<Self>,
        options: &DisentangledOptions,
    ) -> FloatTensor<Self> {
        let ragged = ragged.cast::<B>();
        let nodes = operands.as_ref().map(|operand| operand.node.clone());
        // An absent table gets no gradient, whichever node takes its place.
        let absent = || nodes.query.clone();
        let nodes = [
            nodes.query.clone(),
            nodes.key.clone(),
            nodes.value.clone(),
            nodes.position_key.clone().unwrap_or_else(absent),
            nodes.position_query.clone().unwrap_or_else(absent),
        ];
        let operands = operands.map(|operand| operand.primitive);
        let output = B::disentangled_attention(operands.clone(), &ragged, options);
        match DisentangledAttention
            .prepare::<C>(nodes)
            .compute_bound()
            .stateful()
        {
            OpsKind::Tracked(prep) => prep.finish((operands, ragged, options.clone()), output),
            OpsKind::UnTracked(prep) => prep.finish(output),
        }
    }

    fn device_memory(device: &Self::Device) -> Option<DeviceMemory> {
        B::device_memory(device)
    }

    fn may_use_tf32(device: &Self::Device) -> Option<bool> {
        B::may_use_tf32(device)
    }
}
