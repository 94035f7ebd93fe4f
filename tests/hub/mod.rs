//! The hub's client.

mod cache;
mod children;
mod disk;
mod documents;
mod faults;
mod fetch;
mod look;
mod network;
mod refusals;
mod repository;
mod watching;
