//! Pictures: a scene of shapes and texts, axes and panels to lay it out, and plotters to write it.
//! Knows no experiments.

pub(crate) mod axis;
pub(crate) mod labels;
pub(crate) mod matrix;
mod paint;
pub(crate) mod palette;
pub(crate) mod panel;
mod render;
pub(crate) mod scene;
pub(crate) mod text;
mod xml;

pub(crate) use axis::group;
pub use paint::DrawError;
pub(crate) use render::{svg, write_png};
pub(crate) use scene::Scene;
pub(crate) use xml::escape;
