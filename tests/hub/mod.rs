//! The hub's client.

mod cache;
mod children;
mod disk;
mod documents;
mod faults;
mod fetch;
mod look;
mod model_search;
mod models;
mod network;
pub mod program;
mod refusals;
mod repository;
mod tls;
mod watching;
