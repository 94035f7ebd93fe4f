//! Relative positions as DeBERTa numbers them (arXiv 2006.03654; the buckets:
//! <https://github.com/microsoft/DeBERTa/blob/master/DeBERTa/deberta/da_utils.py>).

use std::ops::Range;

use super::ops::Distances;

/// Which row of a table of relative positions stands for the distance between two tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RelativePositions {
    /// Rows in each direction where distances are put together logarithmically; the first half of
    /// them stands for single distances.
    pub buckets: Option<usize>,
    /// The largest distance with a row of its own; longer ones share its row.
    pub furthest: usize,
}

impl RelativePositions {
    /// Rows in each direction; the table has twice as many.
    #[must_use]
    pub fn span(self) -> usize {
        self.buckets.unwrap_or(self.furthest)
    }

    /// The row for a query that comes `distance` tokens after its key.
    #[must_use]
    #[allow(clippy::cast_possible_wrap, clippy::cast_sign_loss)]
    pub fn row(self, distance: isize) -> usize {
        let span = self.span() as isize;
        (self.bucket(distance) + span).clamp(0, 2 * span - 1) as usize
    }

    /// In 32-bit floats, as the reference computes it: which side of a boundary a distance falls on
    /// hangs on the rounding.
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_possible_wrap,
        clippy::cast_precision_loss
    )]
    fn bucket(self, distance: isize) -> isize {
        let Some(buckets) = self.buckets else {
            return distance;
        };
        let single = (buckets / 2) as isize;
        if distance.abs() <= single {
            return distance;
        }
        let whole = ((self.furthest - 1) as f64 / single as f64) as f32;
        let share = (distance.abs() as f32 / single as f32).ln() / whole.ln();
        let bucket = (share * (single - 1) as f32).ceil() as isize + single;
        bucket * distance.signum()
    }

    /// The rows that texts of at most `longest` tokens need, and which of these each distance has.
    #[must_use]
    #[allow(clippy::cast_possible_wrap)]
    pub fn within(self, longest: usize) -> (Range<usize>, Distances) {
        let reach = longest.max(1) as isize - 1;
        let first = self.row(-reach);
        let rows = (-reach..=reach).map(|distance| self.row(distance) - first);
        (first..self.row(reach) + 1, Distances::new(rows.collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_distances_have_rows_of_their_own_and_far_ones_share() {
        let positions = RelativePositions {
            buckets: Some(8),
            furthest: 64,
        };
        assert_eq!(positions.span(), 8);
        let rows: Vec<usize> = (0..9).map(|distance| positions.row(distance)).collect();
        assert_eq!(rows[..5], [8, 9, 10, 11, 12]);
        assert!(rows.is_sorted());
        assert_eq!(positions.row(63), 15);
        assert_eq!(positions.row(-63), 1);
        assert_eq!(positions.row(10_000), 15);
        assert_eq!(positions.row(-10_000), 0);
    }

    #[test]
    fn short_texts_need_few_rows() {
        let positions = RelativePositions {
            buckets: None,
            furthest: 64,
        };
        let (rows, distances) = positions.within(3);
        assert_eq!(rows, 62..67);
        assert_eq!(distances.reach(), 2);
        let all: Vec<usize> = (-2..=2).map(|distance| distances.row(distance)).collect();
        assert_eq!(all, [0, 1, 2, 3, 4]);
        assert_eq!(positions.within(0).0, 64..65);
        assert_eq!(positions.within(500).0, 0..128);
    }
}
