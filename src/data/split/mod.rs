//! Which rows train and which test: numpy's permutation and the split that `datasets` makes of it,
//! or scikit-learn's by classes. Knows row numbers only, not the rows.

mod mersenne;
mod stratified;

pub(super) use stratified::{Unsplittable, stratified_split};

use engine::pcg64::permutation;

/// Row numbers of the two parts, in the order in which the permutation names them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Split {
    /// Rows of the training part.
    pub train: Vec<usize>,
    /// Rows of the test part.
    pub test: Vec<usize>,
}

/// `datasets.Dataset.train_test_split(test_size, seed)` over `n` rows: the first `ceil(test_size *
/// n)` rows of the permutation are the test part, the others the training part. The product is
/// taken in `f64`, as there, so `0.07 * 100` makes 8 rows. A `test_size` outside of 0 to 1 leaves
/// one part empty.
#[must_use]
pub fn train_test_split(n: usize, test_size: f64, seed: u64) -> Split {
    let mut test = permutation(n, seed);
    let train = test.split_off(test_count(n, test_size));
    Split { train, test }
}

/// Rows of the test part.
#[allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "row counts lie far below 2^53, and a float cast saturates"
)]
fn test_count(n: usize, test_size: f64) -> usize {
    ((test_size * n as f64).ceil() as usize).min(n)
}

#[cfg(test)]
mod tests;
