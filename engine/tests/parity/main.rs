//! ensayo against the reference implementations. Each folder holds the script that made its
//! fixtures; the tolerances stand in the tests.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on must fail")]
#![allow(
    clippy::default_trait_access,
    reason = "there is one device on the CPU"
)]

mod adapters;
mod bert;
mod deberta;
mod decoders;
mod decoding;
mod fixture;
mod half;
mod masks;
mod ops;
mod optimizer;
mod pytorch_bin;
mod roberta;
mod trajectory;

/// Whether there is a device to test on.
fn ready() -> bool {
    true
}

/// The backend under test. `masks` and `ops` are also part of the targets `vulkan` and `cuda`, with
/// others.
type B = burn::backend::Autodiff<burn::backend::Flex>;
