//! Where the real tokens of a batch of unequal texts lie: concatenated, and in the padded shape
//! that some operations need.

use burn::tensor::backend::Backend;
use burn::tensor::ops::{BoolTensor, IntTensor};
use burn::tensor::{Bool, Int, Tensor, TensorData};
use std::sync::Arc;

/// The lengths of the texts of a batch whose tokens are concatenated without padding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segments {
    /// First token of each text, and the number of tokens after the last.
    starts: Vec<usize>,
}

impl Segments {
    /// Segments of the given lengths, one after the other.
    #[must_use]
    pub fn new(lengths: &[usize]) -> Self {
        let mut starts = Vec::with_capacity(lengths.len() + 1);
        let mut next = 0;
        starts.push(next);
        for length in lengths {
            next += length;
            starts.push(next);
        }
        Self { starts }
    }

    /// Number of texts.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.starts.len() - 1
    }

    /// Number of tokens of all texts.
    #[must_use]
    pub fn tokens(&self) -> usize {
        self.starts[self.rows()]
    }

    /// First token of a text.
    #[must_use]
    pub fn start(&self, row: usize) -> usize {
        self.starts[row]
    }

    /// Number of tokens of a text.
    #[must_use]
    pub fn length(&self, row: usize) -> usize {
        self.starts[row + 1] - self.starts[row]
    }

    /// Number of tokens of the longest text.
    #[must_use]
    pub fn longest(&self) -> usize {
        (0..self.rows())
            .map(|row| self.length(row))
            .max()
            .unwrap_or(0)
    }

    /// `(start, length)` of each text.
    pub fn iter(&self) -> impl Iterator<Item = (usize, usize)> + '_ {
        (0..self.rows()).map(|row| (self.start(row), self.length(row)))
    }

    /// Position of each token within its text.
    #[must_use]
    pub fn positions(&self) -> Vec<usize> {
        self.iter().flat_map(|(_, length)| 0..length).collect()
    }
}

/// Some rows of a matrix, each at most once: what [`pack`](super::pack) takes out and
/// [`unpack`](super::unpack) puts back.
#[derive(Debug, Clone)]
pub struct Selection<B: Backend> {
    /// `[picked]`: the row that each picked one comes from.
    pub rows: IntTensor<B>,
    /// `[rows]`: the picked one that each row is, 0 where it is not picked.
    pub picked: IntTensor<B>,
    /// `[rows]`: whether the row is not picked.
    pub left_out: BoolTensor<B>,
}

impl<B: Backend> Selection<B> {
    /// Picks `rows`, which are distinct, out of `count`.
    #[must_use]
    pub fn new(rows: &[usize], count: usize, device: &B::Device) -> Self {
        let mut picked = vec![0_i32; count];
        let mut left_out = vec![true; count];
        for (position, &row) in rows.iter().enumerate() {
            picked[row] = index(position);
            left_out[row] = false;
        }
        let left_out = TensorData::new(left_out, [count]);
        Self {
            rows: ints::<B>(rows.iter().map(|&row| index(row)).collect(), device),
            picked: ints::<B>(picked, device),
            left_out: Tensor::<B, 1, Bool>::from_data(left_out, device).into_primitive(),
        }
    }

    /// The same selection for another backend that shares this one's integer and boolean tensors,
    /// such as the one inside `Autodiff`.
    pub(super) fn cast<B2>(&self) -> Selection<B2>
    where
        B2: Backend<
                IntTensorPrimitive = B::IntTensorPrimitive,
                BoolTensorPrimitive = B::BoolTensorPrimitive,
            >,
    {
        Selection {
            rows: self.rows.clone(),
            picked: self.picked.clone(),
            left_out: self.left_out.clone(),
        }
    }
}

/// [`Segments`] and the way from concatenated tokens to the padded shape `[texts * longest]` and
/// back.
#[derive(Debug, Clone)]
pub struct Ragged<B: Backend> {
    /// The lengths, on the host.
    pub segments: Arc<Segments>,
    /// The real tokens among the padded ones.
    pub tokens: Selection<B>,
    /// `[texts + 1]`: first token of each text, and the number of tokens, on the device.
    pub starts: IntTensor<B>,
}

impl<B: Backend> Ragged<B> {
    /// Puts the indices of `segments` on a device.
    #[must_use]
    pub fn new(segments: Segments, device: &B::Device) -> Self {
        let longest = segments.longest();
        let rows: Vec<usize> = (0..segments.rows())
            .flat_map(|row| (0..segments.length(row)).map(move |position| row * longest + position))
            .collect();
        let tokens = Selection::new(&rows, segments.rows() * longest, device);
        let starts = segments.starts.iter().map(|&start| index(start)).collect();
        Self {
            segments: Arc::new(segments),
            tokens,
            starts: ints::<B>(starts, device),
        }
    }

    /// As [`Selection::cast`].
    pub(super) fn cast<B2>(&self) -> Ragged<B2>
    where
        B2: Backend<
                IntTensorPrimitive = B::IntTensorPrimitive,
                BoolTensorPrimitive = B::BoolTensorPrimitive,
            >,
    {
        Ragged {
            segments: self.segments.clone(),
            tokens: self.tokens.cast(),
            starts: self.starts.clone(),
        }
    }

    /// `[texts, longest]`: whether each place of the padded shape is padding.
    #[must_use]
    pub fn padding(&self) -> Tensor<B, 2, Bool> {
        let shape = [self.segments.rows(), self.segments.longest()];
        Tensor::from_primitive(B::bool_reshape(self.tokens.left_out.clone(), shape.into()))
    }
}

/// Indices on a device.
fn ints<B: Backend>(values: Vec<i32>, device: &B::Device) -> IntTensor<B> {
    let count = values.len();
    Tensor::<B, 1, Int>::from_data(TensorData::new(values, [count]), device).into_primitive()
}

/// An index as the integer type of the index tensors.
fn index(value: usize) -> i32 {
    i32::try_from(value).expect("a batch holds fewer than 2^31 tokens")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_restart_at_each_text() {
        let segments = Segments::new(&[2, 0, 3]);
        assert_eq!(segments.positions(), [0, 1, 0, 1, 2]);
        assert_eq!(segments.longest(), 3);
        assert_eq!(
            segments.iter().collect::<Vec<_>>(),
            [(0, 2), (2, 0), (2, 3)]
        );
    }
}
