//! Figures, each a function of what it is given: the same results give the same bytes.

pub(super) mod by_place;
pub(super) mod confusion;
pub(super) mod courses;
pub(super) mod curves;
pub(super) mod effects;
pub(super) mod epochs;
pub(super) mod final_metric;
pub(super) mod frontier;
pub(super) mod pairs;

use crate::draw::Scene;

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
