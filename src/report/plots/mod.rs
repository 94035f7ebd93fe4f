//! Figures, each a function of what it is given: the same results give the same bytes.

mod axis;
pub(super) mod confusion;
pub(super) mod curves;
pub(super) mod epochs;
pub(super) mod final_metric;
pub(super) mod matrix;
mod multiples;
mod paint;
mod palette;
mod panel;
mod render;
mod scene;
mod text;

pub(super) use axis::group;
pub use render::DrawError;
pub(super) use render::{svg, write_png};
pub(super) use scene::Scene;

/// A figure and where it belongs.
#[derive(Debug, Clone)]
pub(super) struct Plot {
    /// File name without its ending.
    pub stem: String,
    /// What it shows, in a sentence.
    pub caption: String,
    /// The figure.
    pub scene: Scene,
}
