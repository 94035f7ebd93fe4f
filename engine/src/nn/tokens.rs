//! A batch of texts as an encoder reads it: concatenated, without padding.

use std::sync::Arc;

use burn::tensor::backend::Backend;
use burn::tensor::{Int, Tensor, TensorData};

use super::ops::{Ragged, Segments, Selection, token_key};

/// The tokens of a batch of texts, one text after the other.
#[derive(Debug, Clone)]
pub struct Tokens<B: Backend> {
    /// `[tokens]`: vocabulary ids.
    pub ids: Tensor<B, 1, Int>,
    /// `[tokens]`: position of each token within its text, from 0.
    pub positions: Tensor<B, 1, Int>,
    /// Where each text lies.
    pub ragged: Ragged<B>,
    /// The first token of each text.
    pub firsts: Selection<B>,
    /// The ids once more, where they can be read.
    host: Arc<Vec<u32>>,
}

impl<B: Backend> Tokens<B> {
    /// Puts texts of at least one token each on a device.
    #[must_use]
    pub fn new<T: AsRef<[u32]>>(texts: &[T], device: &B::Device) -> Self {
        let lengths: Vec<usize> = texts.iter().map(|text| text.as_ref().len()).collect();
        let segments = Segments::new(&lengths);
        let host: Vec<u32> = texts
            .iter()
            .flat_map(|text| text.as_ref().iter().copied())
            .collect();
        let ids = host.iter().map(|&id| i64::from(id));
        #[allow(clippy::cast_possible_wrap)]
        let positions = segments
            .positions()
            .into_iter()
            .map(|position| position as i64);
        let firsts: Vec<usize> = segments.iter().map(|(start, _)| start).collect();
        Self {
            ids: ints(ids.collect(), device),
            positions: ints(positions.collect(), device),
            firsts: Selection::new(&firsts, segments.tokens(), device),
            ragged: Ragged::new(segments, device),
            host: Arc::new(host),
        }
    }

    /// `[tokens]`: positions as fairseq counts them, from `padding + 1` on. A token whose id is
    /// `padding` itself, as a text can spell it out, has the position `padding` and is not counted.
    #[must_use]
    pub fn positions_after(&self, padding: u32) -> Tensor<B, 1, Int> {
        let first = i64::from(padding) + 1;
        if !self.host.contains(&padding) {
            return self.positions.clone() + first;
        }
        let mut positions = Vec::with_capacity(self.host.len());
        for (start, length) in self.ragged.segments.iter() {
            let mut next = first;
            for &id in &self.host[start..start + length] {
                if id == padding {
                    positions.push(first - 1);
                } else {
                    positions.push(next);
                    next += 1;
                }
            }
        }
        ints(positions, &self.positions.device())
    }
}

fn ints<B: Backend>(values: Vec<i64>, device: &B::Device) -> Tensor<B, 1, Int> {
    let count = values.len();
    Tensor::from_data(TensorData::new(values, [count]), device)
}

/// The number that dropout identifies each token by, from the rows of the data set that a batch
/// holds.
#[must_use]
pub fn token_keys<T: AsRef<[u32]>>(texts: &[T], rows: &[usize]) -> Arc<Vec<u64>> {
    let keys = texts.iter().zip(rows).flat_map(|(text, &row)| {
        (0..text.as_ref().len()).map(move |position| token_key(row, position))
    });
    Arc::new(keys.collect())
}
