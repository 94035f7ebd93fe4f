//! The tensors and linear layers of a network, collected as its architecture lists them.

use super::{LinearShape, Shapes, TensorShape};

/// Tensors and linear layers, collected in the order of the forward pass.
#[derive(Default)]
pub(super) struct Parts {
    tensors: Vec<TensorShape>,
    linears: Vec<LinearShape>,
}

impl Parts {
    /// The network of these parts, whose other figures are those of `shapes`.
    pub(super) fn into_shapes(self, mut shapes: Shapes) -> Shapes {
        shapes.tensors = self.tensors;
        shapes.linears = self.linears;
        shapes
    }

    /// What follows attention in a layer: its output, and the feed-forward block.
    pub(super) fn block(&mut self, layer: &str, index: usize, hidden: usize, intermediate: usize) {
        let index = Some(index);
        let dense = format!("{layer}.attention.output.dense");
        self.linear(dense, "attention_output", index, hidden, hidden);
        self.norm(&format!("{layer}.attention.output.LayerNorm"), hidden);
        let dense = format!("{layer}.intermediate.dense");
        self.linear(dense, "intermediate", index, hidden, intermediate);
        let dense = format!("{layer}.output.dense");
        self.linear(dense, "output", index, intermediate, hidden);
        self.norm(&format!("{layer}.output.LayerNorm"), hidden);
    }

    /// A table, or a linear layer's weight.
    pub(super) fn weight(&mut self, module: &str, shape: &[usize], head: bool) {
        self.tensor(format!("{module}.weight"), shape, head);
    }

    fn tensor(&mut self, name: String, shape: &[usize], head: bool) {
        let shape = shape.to_vec();
        self.tensors.push(TensorShape { name, shape, head });
    }

    pub(super) fn embedding(&mut self, module: &str, rows: usize, width: usize) {
        self.weight(module, &[rows, width], false);
    }

    pub(super) fn norm(&mut self, module: &str, width: usize) {
        self.weight_and_bias(module, &[width], false);
    }

    /// A linear layer with a bias, which can carry an adapter.
    pub(super) fn linear(
        &mut self,
        module: String,
        logical: &'static str,
        layer: Option<usize>,
        input: usize,
        output: usize,
    ) {
        self.weight_and_bias(&module, &[output, input], false);
        self.linears.push(LinearShape {
            module,
            logical,
            layer,
            input,
            output,
        });
    }

    /// A linear layer without a bias, which can carry an adapter.
    pub(super) fn linear_without_bias(&mut self, linear: LinearShape) {
        self.weight(&linear.module, &[linear.output, linear.input], false);
        self.linears.push(linear);
    }

    /// A bias is as long as the weight's first dimension, in linear layers and norms alike.
    pub(super) fn weight_and_bias(&mut self, module: &str, weight: &[usize], head: bool) {
        self.weight(module, weight, head);
        self.tensor(format!("{module}.bias"), &weight[..1], head);
    }
}
