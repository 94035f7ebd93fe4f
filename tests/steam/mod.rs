//! The client for reviews.

mod collecting;
mod faults;
mod service;
