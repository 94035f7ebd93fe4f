//! Downloads: models from the Hugging Face hub into its standard cache, facts about models, and
//! documents.
//!
//! [`Hub::plan`] says what a run needs and what is missing, [`Hub::fetch`] brings it,
//! [`Hub::search`] and [`Hub::inspect`] look without fetching weights. Of every file the announced
//! size and hash are checked; it has its final name only when it is whole; a broken download goes
//! on where it stopped, also in another process. Prints nothing and knows no experiments: whoever
//! asks listens through an [`Observer`].

mod cache;
mod client;
mod disk;
pub mod documents;
mod environment;
mod error;
mod fetch;
mod header;
pub mod http;
mod inspect;
mod listing;
mod lock;
mod plan;
mod progress;
mod refusal;
mod refused;
mod search;
mod shelves;
mod sum;
mod transfer;
mod wanted;

pub use client::Hub;
pub use disk::{DiskFault, free_bytes, size};
pub use environment::Environment;
pub use error::HubError;
pub use fetch::Snapshot;
pub use header::Tensor;
pub use inspect::{Inspection, ListedFile, inspect_folder};
pub use listing::Facts;
pub use plan::{FetchPlan, Freshness, ModelRequest, PlannedFile};
pub use progress::{Event, Observer, Silent};
pub use search::{FoundModel, Search, Sort};
pub use wanted::Wanted;

pub(crate) use cache::write_whole;
