//! Plain requests over HTTP with the guarantees that downloads need: every wait is bounded, what
//! passes is tried again, servers that ask for patience get it, and a token goes to no other host
//! than the one it is for.
//!
//! Knows nothing of models: the hub, Steam and documents all ask through here.

mod answer;
mod client;
mod fault;
mod pauses;
mod proxy;
mod settings;
mod told;
mod url;

pub use answer::Answer;
pub use client::{Http, Redirects, Request};
pub use fault::HttpFault;
pub(crate) use pauses::Pauses;
pub use proxy::Proxies;
pub use settings::{Pause, Settings};
pub(crate) use url::{host, origin, path_segment, path_segments, query, resolve};
