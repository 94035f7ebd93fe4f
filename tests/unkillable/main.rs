//! What happens to results when processes are killed and places fail: nothing is lost, and what cannot go on says so in one line.
//!
//! Runs the program itself. `ENSAYO_TEST_KILLS=1000` kills as often instead of 50 times; `ENSAYO_TEST_SEED=7` repeats the moments of the seed
//! that a run of the tests has printed (as far as the machine's own times repeat):
//!
//! ```sh
//! ENSAYO_TEST_KILLS=1000 cargo test --release --test unkillable killed -- --nocapture
//! ```

#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test that cannot go on must fail, one that is skipped must say so"
)]

mod dice;
mod kills;
#[path = "../lora/place.rs"]
#[expect(
    dead_code,
    reason = "shared with the tests of training, which need more"
)]
mod place;
mod places;
mod processes;
mod tree;
