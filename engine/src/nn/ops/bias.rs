//! What attention adds to its scores where positions enter relative to each other.

use std::sync::Arc;

use burn::tensor::TensorData;

/// A bias on attention scores that depends on the head and on how far the key is after the query.
///
/// It is held once for each head and distance, since a matrix of every query and key would repeat
/// the same values many times.
#[derive(Debug, Clone, PartialEq)]
pub struct RelativeBias {
    /// The longest text it serves.
    longest: usize,
    /// `[heads, 2 * longest - 1]`: from the key `longest - 1` before the query to the one as far
    /// after it.
    values: Arc<Vec<f32>>,
}

impl RelativeBias {
    /// The bias of `heads` heads for texts up to `longest` tokens; `value` takes a head and the
    /// key's position minus the query's.
    #[must_use]
    pub fn new(heads: usize, longest: usize, value: impl Fn(usize, isize) -> f32) -> Self {
        let reach = longest.saturating_sub(1).cast_signed();
        let value = &value;
        let values =
            (0..heads).flat_map(|head| (-reach..=reach).map(move |distance| value(head, distance)));
        Self {
            longest,
            values: Arc::new(values.collect()),
        }
    }

    /// The longest text it serves.
    #[must_use]
    pub fn longest(&self) -> usize {
        self.longest
    }

    /// What a head adds to the scores of the query at `position` with the first `length` keys.
    pub(super) fn row(&self, head: usize, position: usize, length: usize) -> &[f32] {
        let first = head * (2 * self.longest - 1) + self.longest - 1 - position;
        &self.values[first..first + length]
    }

    /// `[heads, length, length]`.
    pub(super) fn matrix(&self, heads: usize, length: usize) -> TensorData {
        let rows = (0..heads).flat_map(|head| {
            (0..length).flat_map(move |position| self.row(head, position, length).iter().copied())
        });
        TensorData::new(rows.collect::<Vec<f32>>(), [heads, length, length])
    }
}
