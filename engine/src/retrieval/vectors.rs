//! Vectors of texts, row after row.

/// A matrix of `[texts, width]`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Vectors {
    /// Values of one vector.
    pub width: usize,
    /// Row after row.
    pub values: Vec<f32>,
}

impl Vectors {
    /// Rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.values.len().checked_div(self.width).unwrap_or(0)
    }

    /// Whether there is no row.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The rows.
    pub fn rows(&self) -> impl Iterator<Item = &[f32]> {
        self.values.chunks_exact(self.width.max(1))
    }

    /// The shortest and the longest vector's length.
    #[must_use]
    pub fn lengths(&self) -> (f64, f64) {
        let squares = self.rows().map(|row| {
            row.iter()
                .map(|&value| f64::from(value).powi(2))
                .sum::<f64>()
        });
        squares
            .map(f64::sqrt)
            .fold((f64::INFINITY, 0.0), |(low, high), length| {
                (low.min(length), high.max(length))
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_the_extremes_of_the_rows() {
        let vectors = Vectors {
            width: 2,
            values: vec![3.0, 4.0, 0.0, 1.0],
        };
        assert_eq!((vectors.len(), vectors.lengths()), (2, (1.0, 5.0)));
        assert_eq!(Vectors::default().len(), 0);
    }
}
