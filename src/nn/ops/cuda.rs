//! The operations on CUDA, under fusion: burn's own, composed.

use burn::backend::Cuda;

use super::Operations;

impl Operations for Cuda {}
