//! The parameters that a fine-tuning run trains, in one order and under the names PEFT stores them
//! by.

use burn::module::Param;
use burn::tensor::Tensor;
use burn::tensor::backend::{AutodiffBackend, Backend};

use super::classifier::Classifier;
use crate::nn::Linear;
use crate::nn::ops::Operations;

/// A trained parameter of either rank; its values are handled as one flat row.
#[derive(Debug)]
pub enum Trained<'a, B: Backend> {
    /// `[rows, columns]`.
    Matrix(&'a mut Param<Tensor<B, 2>>),
    /// `[values]`.
    Vector(&'a mut Param<Tensor<B, 1>>),
}

impl<B: Backend> Trained<'_, B> {
    /// Its dimensions.
    #[must_use]
    pub fn shape(&self) -> Vec<usize> {
        match self {
            Self::Matrix(parameter) => parameter.dims().to_vec(),
            Self::Vector(parameter) => parameter.dims().to_vec(),
        }
    }

    /// Its values, row by row.
    #[must_use]
    pub fn flat(&self) -> Tensor<B, 1> {
        match self {
            Self::Matrix(parameter) => parameter.val().flatten(0, 1),
            Self::Vector(parameter) => parameter.val(),
        }
    }

    /// Replaces its values; `values` has as many as it.
    pub fn set(&mut self, values: Tensor<B, 1>) {
        match self {
            Self::Matrix(parameter) => {
                let (id, shape) = (parameter.id, parameter.dims());
                **parameter = Param::initialized(id, values.reshape(shape).detach().require_grad());
            }
            Self::Vector(parameter) => {
                let id = parameter.id;
                **parameter = Param::initialized(id, values.detach().require_grad());
            }
        }
    }

    /// Marks it as trained, or as frozen.
    fn require_grad(&mut self, required: bool) {
        match self {
            Self::Matrix(parameter) => **parameter = parameter.clone().set_require_grad(required),
            Self::Vector(parameter) => **parameter = parameter.clone().set_require_grad(required),
        }
    }
}

impl<B: AutodiffBackend> Trained<'_, B> {
    /// Takes its gradient, flat; `None` if the loss did not depend on it.
    pub fn take_gradient(
        &self,
        gradients: &mut B::Gradients,
    ) -> Option<Tensor<B::InnerBackend, 1>> {
        match self {
            Self::Matrix(parameter) => parameter
                .val()
                .grad_remove(gradients)
                .map(|gradient| gradient.flatten(0, 1)),
            Self::Vector(parameter) => parameter.val().grad_remove(gradients),
        }
    }

    /// Its values without their history.
    #[must_use]
    pub fn inner(&self) -> Tensor<B::InnerBackend, 1> {
        self.flat().inner()
    }
}

/// The trained parameters by name: adapters and layers that are trained in full, in the order of
/// the network, then the head.
///
/// The names are PEFT's without their leading `base_model.model.`.
pub fn trained<B: Operations, M: Classifier<B>>(model: &mut M) -> Vec<(String, Trained<'_, B>)> {
    let (linears, head) = model.parts_mut();
    let mut all = Vec::new();
    for (name, linear) in linears {
        if linear.whole {
            all.extend(whole(&name, linear));
        } else if let Some(lora) = &mut linear.lora {
            all.push((
                format!("{name}.lora_A.weight"),
                Trained::Matrix(&mut lora.a),
            ));
            all.push((
                format!("{name}.lora_B.weight"),
                Trained::Matrix(&mut lora.b),
            ));
        }
    }
    for (name, linear) in head {
        all.extend(whole(&name, linear));
    }
    all
}

/// Weight and bias of a layer.
fn whole<'a, B: Operations>(
    name: &str,
    linear: &'a mut Linear<B>,
) -> Vec<(String, Trained<'a, B>)> {
    let weight = Trained::Matrix(linear.weight.parameter_mut());
    let mut both = vec![(format!("{name}.weight"), weight)];
    if let Some(bias) = &mut linear.bias {
        both.push((format!("{name}.bias"), Trained::Vector(bias)));
    }
    both
}

/// Makes trainable what [`trained`] lists; everything else stays frozen.
pub fn unfreeze<B: Operations, M: Classifier<B>>(model: &mut M) {
    for (_, mut parameter) in trained(model) {
        parameter.require_grad(true);
    }
}

/// Number of values that are trained.
pub fn count<B: Operations, M: Classifier<B>>(model: &mut M) -> u64 {
    trained(model)
        .iter()
        .map(|(_, parameter)| {
            parameter
                .shape()
                .iter()
                .map(|&size| size as u64)
                .product::<u64>()
        })
        .sum()
}
