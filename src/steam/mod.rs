//! Reviews of games from Steam: fetched by cursor, kept as compressed pages without anybody's name,
//! made into a CSV.
//!
//! [`Reviews::fetch`] brings what is missing, politely and from where it stopped;
//! [`Reviews::cached`] reads what is kept, so that a CSV can be made again without network. Both
//! give a [`Collection`], which knows its order, its CSV and its counts.

mod collect;
mod counts;
mod error;
mod page;
mod pages;
mod query;
mod request;
mod review;
mod saved;
mod table;

pub use collect::{Reviews, patient};
pub use counts::ClassCount;
pub use error::SteamError;
pub use pages::End;
pub use query::{Dialect, Filter, Purchases, ReviewQuery, Sentiment, Service};
pub use review::Review;
pub use saved::read_saved;
pub use table::{Collection, HEADER, Order};
