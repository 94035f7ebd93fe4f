//! Our layers. Know nothing of configurations, data or checkpoints.

pub mod ops;

mod linear;
mod norm;
mod relative;
mod tokens;

pub use linear::{Linear, Lora};
pub use norm::LayerNorm;
pub use relative::RelativePositions;
pub use tokens::{Tokens, token_keys};
