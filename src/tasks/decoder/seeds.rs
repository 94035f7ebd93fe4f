//! Seeds of single answers.

use sha2::{Digest, Sha256};

/// The seed of all that is drawn for a prompt in an attempt at it: a function of these numbers and
/// the run's seed alone, so that an answer depends on nothing that is answered before or beside it.
#[must_use]
pub fn seed_of(run: u64, prompt: usize, attempt: usize) -> u64 {
    let mut sum = Sha256::new();
    for number in [run, prompt as u64, attempt as u64] {
        sum.update(number.to_le_bytes());
    }
    let bytes = sum.finalize();
    bytes
        .iter()
        .take(8)
        .fold(0, |seed, &byte| seed << 8 | u64::from(byte))
}
