//! Downloads, against servers inside the test that speak the real protocols over loopback, with
//! every fault on a switch.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on must fail")]

mod doctor;
mod experiments;
mod server;

#[path = "../hub/mod.rs"]
mod hub;
#[path = "../steam/mod.rs"]
mod steam;
