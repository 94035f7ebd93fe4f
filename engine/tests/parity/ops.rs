//! Exact GELU, layer normalisation, attention and cross entropy against PyTorch: values and
//! gradients.

use burn::tensor::Tensor;
use engine::nn::ops::{
    AttentionOptions, Ragged, Segments, alone_with_gradients, attention, gelu, layer_norm, pack,
    unpack,
};
use engine::training::summed_cross_entropy;

use crate::fixture::{Fixture, assert_close_to_scale, assert_relative, values};
use crate::{B, ready};

/// Names of the cases of one operation: the parts before the first dot that begin with `operation`.
fn cases(fixture: &Fixture, operation: &str) -> Vec<String> {
    let mut cases: Vec<String> = fixture
        .names()
        .iter()
        .filter_map(|name| {
            name.split_once(".output_gradient")
                .map(|(case, _)| case.to_owned())
        })
        .filter(|case| case.starts_with(operation))
        .collect();
    cases.sort();
    assert!(!cases.is_empty(), "no case of {operation}");
    cases
}

/// Back-propagates the fixture's output gradient and compares output and the gradients of `inputs`.
fn compare<const D: usize>(
    fixture: &Fixture,
    case: &str,
    output: Tensor<B, D>,
    inputs: &[(&str, Gradient)],
) {
    let device = output.device();
    let expected = fixture.floats(&format!("{case}.output"));
    assert_close_to_scale(
        &format!("{case} output"),
        &values(output.clone()),
        &expected,
        2e-6,
    );
    let seed = fixture.tensor::<B, D>(&format!("{case}.output_gradient"), &device);
    let mut gradients = (output * seed).sum().backward();
    for (name, gradient) in inputs {
        let actual = match gradient {
            Gradient::Vector(tensor) => values(tensor.grad_remove(&mut gradients).unwrap()),
            Gradient::Matrix(tensor) => values(tensor.grad_remove(&mut gradients).unwrap()),
        };
        let expected = fixture.floats(&format!("{case}.{name}_gradient"));
        assert_relative(&format!("{case} {name} gradient"), &actual, &expected, 5e-5);
    }
}

enum Gradient {
    Vector(Tensor<B, 1>),
    Matrix(Tensor<B, 2>),
}

#[test]
fn gelu_is_exact_forward_and_backward() {
    if !ready() {
        return;
    }
    let _turn = alone_with_gradients();
    let (fixture, device) = (Fixture::read("ops/ops.safetensors"), Default::default());
    for case in cases(&fixture, "gelu") {
        if case == "gelu_matrix" {
            let input = fixture
                .tensor::<B, 2>(&format!("{case}.input"), &device)
                .require_grad();
            compare(
                &fixture,
                &case,
                gelu(input.clone()),
                &[("input", Gradient::Matrix(input))],
            );
        } else {
            let input = fixture
                .tensor::<B, 1>(&format!("{case}.input"), &device)
                .require_grad();
            compare(
                &fixture,
                &case,
                gelu(input.clone()),
                &[("input", Gradient::Vector(input))],
            );
        }
    }
}

#[test]
fn layer_norm_equals_pytorchs_forward_and_backward() {
    if !ready() {
        return;
    }
    let _turn = alone_with_gradients();
    let (fixture, device) = (Fixture::read("ops/ops.safetensors"), Default::default());
    for case in cases(&fixture, "layer_norm") {
        let vector = |name: &str| {
            fixture
                .tensor::<B, 1>(&format!("{case}.{name}"), &device)
                .require_grad()
        };
        let input = fixture
            .tensor::<B, 2>(&format!("{case}.input"), &device)
            .require_grad();
        let (weight, bias) = (vector("weight"), vector("bias"));
        let epsilon = f64::from(fixture.floats(&format!("{case}.epsilon"))[0]);
        let output = layer_norm(input.clone(), weight.clone(), bias.clone(), epsilon);
        let inputs = [
            ("input", Gradient::Matrix(input)),
            ("weight", Gradient::Vector(weight)),
            ("bias", Gradient::Vector(bias)),
        ];
        compare(&fixture, &case, output, &inputs);
    }
}

#[test]
fn attention_over_ragged_rows_equals_pytorchs_forward_and_backward() {
    if !ready() {
        return;
    }
    let _turn = alone_with_gradients();
    let (fixture, device) = (Fixture::read("ops/ops.safetensors"), Default::default());
    for case in cases(&fixture, "attention") {
        let operand = |name: &str| {
            fixture
                .tensor::<B, 2>(&format!("{case}.{name}"), &device)
                .require_grad()
        };
        let (query, key, value) = (operand("query"), operand("key"), operand("value"));
        let ragged = Ragged::new(
            Segments::new(&fixture.integers(&format!("{case}.lengths"))),
            &device,
        );
        let heads = fixture.integers(&format!("{case}.heads"))[0];
        let options = AttentionOptions::full(heads, query.dims()[1], None);
        let texts = [&ragged; 2];
        let output = attention(query.clone(), key.clone(), value.clone(), texts, &options);
        let inputs = [
            ("query", Gradient::Matrix(query)),
            ("key", Gradient::Matrix(key)),
            ("value", Gradient::Matrix(value)),
        ];
        compare(&fixture, &case, output, &inputs);
    }
}

#[test]
fn cross_entropy_equals_pytorchs_forward_and_backward() {
    if !ready() {
        return;
    }
    let _turn = alone_with_gradients();
    let (fixture, device) = (Fixture::read("ops/ops.safetensors"), Default::default());
    for case in cases(&fixture, "cross_entropy") {
        let logits = fixture
            .tensor::<B, 2>(&format!("{case}.logits"), &device)
            .require_grad();
        let labels = fixture.integers(&format!("{case}.labels"));
        #[allow(clippy::cast_precision_loss)]
        let output = summed_cross_entropy(logits.clone(), &labels) / labels.len() as f32;
        compare(
            &fixture,
            &case,
            output,
            &[("logits", Gradient::Matrix(logits))],
        );
    }
}

#[test]
fn pack_and_unpack_are_each_others_backward_pass() {
    if !ready() {
        return;
    }
    let _turn = alone_with_gradients();
    let device = Default::default();
    let ragged = Ragged::<B>::new(Segments::new(&[2, 1, 3]), &device);
    let tokens: Tensor<B, 2> = Tensor::from_floats(
        [
            [1., 2.],
            [3., 4.],
            [5., 6.],
            [7., 8.],
            [9., 10.],
            [11., 12.],
        ],
        &device,
    )
    .require_grad();
    let padded = unpack(tokens.clone(), &ragged.tokens);
    let expected = [
        1., 2., 3., 4., 0., 0., 5., 6., 0., 0., 0., 0., 7., 8., 9., 10., 11., 12.,
    ];
    assert_eq!(values(padded.clone()), expected);
    assert_eq!(
        values(pack(padded.clone(), &ragged.tokens)),
        values(tokens.clone())
    );

    let padded_data = padded.clone().into_data();
    // The gradient for a slot is its number; padding must not leak into any token.
    let slots: Tensor<B, 1> = Tensor::from_floats([1., 2., 3., 4., 5., 6., 7., 8., 9.], &device);
    let mut gradients = (padded * slots.unsqueeze_dim(1)).sum().backward();
    let gradient = values(tokens.grad_remove(&mut gradients).unwrap());
    assert_eq!(gradient, [1., 1., 2., 2., 4., 4., 7., 7., 8., 8., 9., 9.]);

    let padded = Tensor::<B, 2>::from_data(padded_data, &device).require_grad();
    let packed = pack(padded.clone(), &ragged.tokens);
    let mut gradients = (packed * tokens.detach()).sum().backward();
    assert_eq!(
        values(padded.grad_remove(&mut gradients).unwrap()),
        expected
    );
}
