//! The operations under fusion: each is one step of its queue that calls the backend inside.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use burn::tensor::backend::Backend;
use burn::tensor::ops::FloatTensor;
use burn::tensor::{DType, Shape, TensorMetadata};
use burn_fusion::stream::{Operation, OperationStreams};
use burn_fusion::{Fusion, FusionBackend, FusionRuntime, FusionTensor};
use burn_ir::{CustomOpIr, HandleContainer, OperationIr, OperationOutput, TensorIr};

use crate::nn::ops::{
    AttentionOptions, Decoding, DeviceMemory, Dropout, LayerNormGradients, Operations, Ragged,
    Segments, Selection, defaults,
};

/// The tensors of a fusion backend's runtime, by id.
type Handles<B> =
    HandleContainer<<<B as FusionBackend>::FusionRuntime as FusionRuntime>::FusionHandle>;

/// A step of the queue: `run` computes the output from the inputs.
struct Step<B, F> {
    ir: CustomOpIr,
    run: F,
    _backend: PhantomData<fn() -> B>,
}

impl<B, F> fmt::Debug for Step<B, F> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.ir.id)
    }
}

impl<B, F> Operation<B::FusionRuntime> for Step<B, F>
where
    B: FusionBackend,
    F: Fn(&[TensorIr], &mut Handles<B>) -> FloatTensor<B> + Send + Sync,
{
    fn execute(&self, handles: &mut Handles<B>) {
        let output = (self.run)(&self.ir.inputs, handles);
        handles.register_float_tensor::<B>(&self.ir.outputs[0].id, output);
    }
}

/// Queues a step with one float tensor as its result.
fn queue<B, F, const INPUTS: usize>(
    name: &'static str,
    inputs: [FusionTensor<B::FusionRuntime>; INPUTS],
    shape: Shape,
    dtype: DType,
    run: F,
) -> FloatTensor<Fusion<B>>
where
    B: FusionBackend,
    F: Fn(&[TensorIr], &mut Handles<B>) -> FloatTensor<B> + Send + Sync + 'static,
{
    let client = inputs[0].client.clone();
    let streams = OperationStreams::with_inputs(&inputs);
    let output = TensorIr::uninit(client.create_empty_handle(), shape, dtype);
    let ir = CustomOpIr::new(name, &inputs.map(FusionTensor::into_ir), &[output]);
    let step = Step::<B, F> {
        ir: ir.clone(),
        run,
        _backend: PhantomData,
    };
    client
        .register(streams, OperationIr::Custom(ir), step)
        .output()
}

/// A selection's tensors, as the first inputs of a step.
fn selection_inputs<B: FusionBackend>(
    selection: &Selection<Fusion<B>>,
) -> [FusionTensor<B::FusionRuntime>; 3] {
    [
        selection.rows.clone(),
        selection.picked.clone(),
        selection.left_out.clone(),
    ]
}

/// A selection from a step's first inputs.
fn read_selection<B: FusionBackend>(inputs: &[TensorIr], handles: &mut Handles<B>) -> Selection<B> {
    Selection {
        rows: handles.get_int_tensor::<B>(&inputs[0]),
        picked: handles.get_int_tensor::<B>(&inputs[1]),
        left_out: handles.get_bool_tensor::<B>(&inputs[2]),
    }
}

/// The device's tensors of a batch's layout, as inputs of a step.
fn layout_inputs<B: FusionBackend>(
    ragged: &Ragged<Fusion<B>>,
) -> [FusionTensor<B::FusionRuntime>; 4] {
    let [rows, places, left_out] = selection_inputs(&ragged.tokens);
    [rows, places, left_out, ragged.starts.clone()]
}

/// The layouts of queries and keys and then `others`, as the inputs of a step.
fn attention_inputs<B: FusionBackend, const INPUTS: usize>(
    texts: [&Ragged<Fusion<B>>; 2],
    others: impl IntoIterator<Item = FusionTensor<B::FusionRuntime>>,
) -> [FusionTensor<B::FusionRuntime>; INPUTS] {
    let layouts = texts.into_iter().flat_map(layout_inputs::<B>);
    let mut inputs = layouts.chain(others);
    std::array::from_fn(|_| inputs.next().expect("four of each layout, and the others"))
}

/// The layouts of queries and keys from a step's first inputs.
fn read_layouts<B: FusionBackend>(
    inputs: &[TensorIr],
    segments: &[Arc<Segments>; 2],
    handles: &mut Handles<B>,
) -> [Ragged<B>; 2] {
    let [queries, keys] = segments.each_ref().map(Arc::clone);
    [
        read_layout::<B>(&inputs[..4], queries, handles),
        read_layout::<B>(&inputs[4..8], keys, handles),
    ]
}

/// A batch's layout from a step's first inputs.
fn read_layout<B: FusionBackend>(
    inputs: &[TensorIr],
    segments: Arc<Segments>,
    handles: &mut Handles<B>,
) -> Ragged<B> {
    Ragged {
        segments,
        tokens: read_selection::<B>(inputs, handles),
        starts: handles.get_int_tensor::<B>(&inputs[3]),
    }
}

impl<B: FusionBackend + Operations> Decoding for Fusion<B> {}

impl<B: FusionBackend + Operations> Operations for Fusion<B> {
    fn exact_gelu(input: FloatTensor<Self>) -> FloatTensor<Self> {
        let (shape, dtype) = (input.shape(), input.dtype());
        queue::<B, _, 1>("exact_gelu", [input], shape, dtype, |inputs, handles| {
            B::exact_gelu(handles.get_float_tensor::<B>(&inputs[0]))
        })
    }

    fn exact_gelu_backward(
        input: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        let (shape, dtype) = (input.shape(), input.dtype());
        let run = |inputs: &[TensorIr], handles: &mut Handles<B>| {
            let [input, gradient] =
                [0, 1].map(|index| handles.get_float_tensor::<B>(&inputs[index]));
            B::exact_gelu_backward(input, gradient)
        };
        queue::<B, _, 2>("exact_gelu_backward", [input, gradient], shape, dtype, run)
    }

    fn token_norm(
        input: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        epsilon: f64,
    ) -> FloatTensor<Self> {
        let (shape, dtype) = (input.shape(), input.dtype());
        let run = move |inputs: &[TensorIr], handles: &mut Handles<B>| {
            let [input, weight, bias] =
                [0, 1, 2].map(|index| handles.get_float_tensor::<B>(&inputs[index]));
            B::token_norm(input, weight, bias, epsilon)
        };
        queue::<B, _, 3>("token_norm", [input, weight, bias], shape, dtype, run)
    }

    fn token_norm_backward(
        input: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        epsilon: f64,
        gradient: FloatTensor<Self>,
        affine: bool,
    ) -> LayerNormGradients<Self> {
        if affine {
            return defaults::layer_norm_backward::<Self>(input, weight, epsilon, gradient, affine);
        }
        let (shape, dtype) = (input.shape(), input.dtype());
        let run = move |inputs: &[TensorIr], handles: &mut Handles<B>| {
            let [input, weight, gradient] =
                [0, 1, 2].map(|index| handles.get_float_tensor::<B>(&inputs[index]));
            B::token_norm_backward(input, weight, epsilon, gradient, false).input
        };
        let inputs = [input, weight, gradient];
        LayerNormGradients {
            input: queue::<B, _, 3>("token_norm_backward", inputs, shape, dtype, run),
            affine: None,
        }
    }

    fn token_dropout(input: FloatTensor<Self>, dropout: &Dropout) -> FloatTensor<Self> {
        let (shape, dtype, dropout) = (input.shape(), input.dtype(), dropout.clone());
        let run = move |inputs: &[TensorIr], handles: &mut Handles<B>| {
            B::token_dropout(handles.get_float_tensor::<B>(&inputs[0]), &dropout)
        };
        queue::<B, _, 1>("token_dropout", [input], shape, dtype, run)
    }

    fn pack(input: FloatTensor<Self>, selection: &Selection<Self>) -> FloatTensor<Self> {
        let shape = [selection.rows.shape()[0], input.shape()[1]].into();
        let dtype = input.dtype();
        let [rows, places, left_out] = selection_inputs(selection);
        let inputs = [rows, places, left_out, input];
        let run = |inputs: &[TensorIr], handles: &mut Handles<B>| {
            let selection = read_selection::<B>(inputs, handles);
            B::pack(handles.get_float_tensor::<B>(&inputs[3]), &selection)
        };
        queue::<B, _, 4>("pack", inputs, shape, dtype, run)
    }

    fn unpack(packed: FloatTensor<Self>, selection: &Selection<Self>) -> FloatTensor<Self> {
        let shape = [selection.picked.shape()[0], packed.shape()[1]].into();
        let dtype = packed.dtype();
        let [rows, places, left_out] = selection_inputs(selection);
        let inputs = [rows, places, left_out, packed];
        let run = |inputs: &[TensorIr], handles: &mut Handles<B>| {
            let selection = read_selection::<B>(inputs, handles);
            B::unpack(handles.get_float_tensor::<B>(&inputs[3]), &selection)
        };
        queue::<B, _, 4>("unpack", inputs, shape, dtype, run)
    }

    fn attention_probabilities(
        scores: FloatTensor<Self>,
        texts: [&Ragged<Self>; 2],
        options: &AttentionOptions,
    ) -> FloatTensor<Self> {
        let (shape, dtype) = (scores.shape(), scores.dtype());
        let segments = texts.map(|ragged| ragged.segments.clone());
        let options = options.clone();
        let run = move |inputs: &[TensorIr], handles: &mut Handles<B>| {
            let texts = read_layouts::<B>(inputs, &segments, handles);
            let scores = handles.get_float_tensor::<B>(&inputs[8]);
            B::attention_probabilities(scores, texts.each_ref(), &options)
        };
        let inputs = attention_inputs::<B, 9>(texts, [scores]);
        queue::<B, _, 9>("attention_probabilities", inputs, shape, dtype, run)
    }

    fn attention_scores_gradient(
        probabilities: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
        texts: [&Ragged<Self>; 2],
        options: &AttentionOptions,
    ) -> FloatTensor<Self> {
        let (shape, dtype) = (probabilities.shape(), probabilities.dtype());
        let segments = texts.map(|ragged| ragged.segments.clone());
        let options = options.clone();
        let run = move |inputs: &[TensorIr], handles: &mut Handles<B>| {
            let texts = read_layouts::<B>(inputs, &segments, handles);
            let [probabilities, gradient] =
                [8, 9].map(|index| handles.get_float_tensor::<B>(&inputs[index]));
            B::attention_scores_gradient(probabilities, gradient, texts.each_ref(), &options)
        };
        let inputs = attention_inputs::<B, 10>(texts, [probabilities, gradient]);
        queue::<B, _, 10>("attention_scores_gradient", inputs, shape, dtype, run)
    }

    fn device_memory(device: &Self::Device) -> Option<DeviceMemory> {
        // What is queued has no memory yet.
        Self::sync(device).ok()?;
        B::device_memory(device)
    }

    fn may_use_tf32(device: &Self::Device) -> Option<bool> {
        B::may_use_tf32(device)
    }
}
