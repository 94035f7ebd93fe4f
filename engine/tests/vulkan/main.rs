//! The operations and a small encoder through CubeCL, fusion and Vulkan, on whatever device there
//! is: Mesa's software device (`mesa-vulkan-drivers`) will do. What CUDA runs differs from this in
//! the runtime's compiler alone.
//!
//! `cargo test --release --features vulkan --test vulkan`

#![allow(clippy::unwrap_used, reason = "a test that cannot go on must fail")]
#![allow(
    clippy::default_trait_access,
    reason = "the default device is the one under test"
)]

#[path = "../parity/decoding.rs"]
mod decoding;
#[path = "../parity/fixture.rs"]
#[allow(dead_code, reason = "shared with the target `parity`")]
mod fixture;
#[path = "../parity/masks.rs"]
mod masks;
#[path = "../parity/ops.rs"]
mod ops;

mod decoder;
mod encoder;
mod kernels;
mod runtime;

/// As the program runs on CUDA, with another runtime.
type Accelerated = burn_fusion::Fusion<burn_cubecl::CubeBackend<runtime::Vulkan, f32, i32, u32>>;

/// Whether there is a device to test on; these tests are only built where there is one.
fn ready() -> bool {
    true
}

/// The backend of the shared tests.
type B = burn::backend::Autodiff<Accelerated>;
