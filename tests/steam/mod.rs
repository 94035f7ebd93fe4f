//! The client for reviews.

mod collecting;
mod faults;
pub mod service;
