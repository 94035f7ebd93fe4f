//! Studies whose numbers are reproduced: a manifest in TOML that says which tables a study has and
//! which of our runs fill them, the numbers that it printed, and contradictions among those. Knows
//! nothing of records.

mod check;
mod claim;
mod load;
mod manifest;
mod printed;
mod published;
mod reference;
mod rules;
mod whole;

#[cfg(test)]
mod bundled_tests;
#[cfg(test)]
mod sample;

pub use check::unknown_runs;
pub use claim::Claim;
pub use load::{Loaded, load};
pub use manifest::{Figure, Manifest, NamedRun, TableKind};
pub use printed::Printed;
pub use published::{ClassRow, EmbeddingRow, EpochRow, Published, Report, ValueRow};
pub use reference::Reference;
pub use rules::{Finding, findings};
pub use whole::Study;
