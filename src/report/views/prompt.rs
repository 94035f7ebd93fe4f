//! Prompting: what every classifier shows.

use super::classification::Classification;

pub(super) const VIEW: Classification = Classification {
    scores: Vec::new,
    costs: Vec::new,
};
