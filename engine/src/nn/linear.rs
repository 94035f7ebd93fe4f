//! A linear layer, frozen with an optional low-rank adapter, or trained in full.

use burn::module::{Module, Param};
use burn::tensor::Tensor;
use burn::tensor::backend::Backend;
use burn::tensor::module::linear;

use super::format::in_format_of;
use super::ops::{Dropout, Operations, dropout};
use super::weight::Weight;

/// `x Wᵀ + b`, and with an adapter `+ scaling · dropout(x) Aᵀ Bᵀ`.
#[derive(Module, Debug)]
pub struct Linear<B: Backend> {
    /// `[outputs, inputs]`.
    pub weight: Weight<B>,
    /// `[outputs]`.
    pub bias: Option<Param<Tensor<B, 1>>>,
    /// The adapter.
    pub lora: Option<Lora<B>>,
    /// Whether weight and bias are trained although the layer stands below the head. They are f32
    /// then.
    pub whole: bool,
}

/// A low-rank adapter (arXiv 2106.09685), applied to activations: composing `W + BA` would make the
/// backward pass form the full gradient of `W`.
#[derive(Module, Debug)]
pub struct Lora<B: Backend> {
    /// `[rank, inputs]`: PEFT's `lora_A.weight`.
    pub a: Param<Tensor<B, 2>>,
    /// `[outputs, rank]`: PEFT's `lora_B.weight`.
    pub b: Param<Tensor<B, 2>>,
    /// `alpha / rank`.
    pub scaling: f64,
    /// Dropout on the adapter's input.
    pub dropout: f64,
}

impl<B: Operations> Linear<B> {
    /// A layer of given weights, frozen.
    #[must_use]
    pub fn new(weight: Tensor<B, 2>, bias: Option<Tensor<B, 1>>) -> Self {
        Self {
            weight: Weight::dense(weight),
            bias: bias.map(|bias| Param::from_tensor(bias).set_require_grad(false)),
            lora: None,
            whole: false,
        }
    }

    /// Trains weight and bias in full, from these values.
    pub fn train_whole(&mut self, weight: Tensor<B, 2>, bias: Option<Tensor<B, 1>>) {
        let lora = self.lora.take();
        *self = Self {
            lora,
            whole: true,
            ..Self::new(weight, bias)
        };
    }

    /// `[inputs, outputs]` sizes.
    #[must_use]
    pub fn sizes(&self) -> [usize; 2] {
        let [outputs, inputs] = self.weight.sizes();
        [inputs, outputs]
    }

    /// `[outputs, inputs]`, in f32: the weight with the adapter's update added.
    #[must_use]
    pub fn merged(&self) -> Tensor<B, 2> {
        let weight = self.weight.values();
        match &self.lora {
            Some(lora) => weight + lora.b.val().matmul(lora.a.val()) * lora.scaling,
            None => weight,
        }
    }

    /// `[tokens, inputs]` to `[tokens, outputs]` in the weight's number format; `noise` is the
    /// dropout of the adapter's input.
    #[must_use]
    pub fn forward(&self, input: Tensor<B, 2>, noise: Option<&Dropout>) -> Tensor<B, 2> {
        let bias = self.bias.as_ref().map(Param::val);
        if self.whole {
            let output = self.weight.apply(self.weight.prepare(input.clone()), bias);
            return in_format_of(output, &input);
        }
        let input = self.weight.prepare(input);
        let output = self.weight.apply(input.clone(), bias);
        match &self.lora {
            Some(lora) => output + lora.forward(dropout(input, noise)),
            None => output,
        }
    }
}

impl<B: Operations> Lora<B> {
    /// The update for an input `[tokens, inputs]` that has been through dropout, in its number
    /// format.
    ///
    /// The matrices are f32 and rounded for the product, as under PyTorch's autocast: the other way
    /// round, the backward pass would keep a copy of every adapted layer's input in f32, for an
    /// update that is rounded when it is added to the output anyway.
    fn forward(&self, input: Tensor<B, 2>) -> Tensor<B, 2> {
        let [a, b] = [&self.a, &self.b].map(|matrix| in_format_of(matrix.val(), &input));
        let inner = linear(input, a.transpose(), None);
        linear(inner, b.transpose(), None) * self.scaling
    }
}

#[cfg(test)]
mod tests {
    use burn::backend::Flex;
    use burn::backend::flex::FlexDevice;

    use super::*;

    #[test]
    fn a_layer_without_a_bias_adds_nothing() {
        let matrix = |values: [[f32; 2]; 3]| Tensor::<Flex, 2>::from_data(values, &FlexDevice);
        let weight = matrix([[1.0, 2.0], [3.0, -4.0], [0.5, 0.0]]);
        let input = matrix([[1.0, 1.0], [2.0, -1.0], [0.0, 3.0]]);
        let bias = Tensor::from_data([10.0, 20.0, 30.0], &FlexDevice);
        let with = Linear::new(weight.clone(), Some(bias));
        let without = Linear::new(weight, None);
        assert_eq!(without.sizes(), [2, 3]);
        let values = |linear: &Linear<Flex>| {
            let output = linear.forward(input.clone(), None).into_data();
            output.iter::<f32>().collect::<Vec<_>>()
        };
        assert_eq!(
            values(&without),
            [3.0, -1.0, 0.5, 0.0, 10.0, 1.0, 6.0, -12.0, 0.0]
        );
        let shifted = values(&without)
            .into_iter()
            .zip([10.0, 20.0, 30.0].into_iter().cycle());
        let shifted: Vec<f32> = shifted.map(|(value, bias)| value + bias).collect();
        assert_eq!(values(&with), shifted);
    }
}
