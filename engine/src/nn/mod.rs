//! Our layers. Know nothing of configurations, data or checkpoints.

pub mod ops;

mod format;
mod linear;
mod norm;
mod relative;
mod tokens;
mod weight;

pub use format::{in_format, in_format_of};
pub use linear::{Linear, Lora};
pub use norm::LayerNorm;
pub use relative::RelativePositions;
pub use tokens::{Tokens, token_keys};
pub use weight::Weight;
