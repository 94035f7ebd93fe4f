//! Products of many rows on the processor, without a copy of them.

use burn::backend::Flex;
use burn::tensor::ops::FloatTensorOps;
use burn::tensor::{DType, Shape};
use burn_flex::{FlexTensor, Layout};

/// A matrix of `[rows, width]` in memory.
#[derive(Debug, Clone)]
pub struct Rows {
    values: FlexTensor,
    width: usize,
}

impl Rows {
    /// Takes over the values, row after row. An incomplete last row does not count.
    #[must_use]
    pub fn new(values: Vec<f32>, width: usize) -> Self {
        let shape = Shape::new([values.len()]);
        Self {
            values: super::tensor(values, shape),
            width,
        }
    }

    /// The values, row after row.
    #[must_use]
    pub fn values(&self) -> &[f32] {
        self.values.storage()
    }

    /// Number of rows.
    #[must_use]
    pub fn count(&self) -> usize {
        self.values().len().checked_div(self.width).unwrap_or(0)
    }

    /// Inner products of all rows with `count` rows of `other` from `start` on, which must be there and as wide: `[self rows, count]`.
    #[must_use]
    pub fn products(&self, other: &Self, start: usize, count: usize) -> Vec<f32> {
        let one = self.view([self.count(), self.width], [self.width, 1], 0);
        let transposed = other.view([other.width, count], [1, other.width], start * other.width);
        Flex::float_matmul(one, transposed)
            .storage::<f32>()
            .to_vec()
    }

    fn view(&self, shape: [usize; 2], strides: [usize; 2], offset: usize) -> FlexTensor {
        let strides = strides.map(usize::cast_signed).to_vec();
        let layout = Layout::new(Shape::new(shape), strides, offset);
        FlexTensor::from_arc(self.values.data_arc(), layout, DType::F32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_are_those_of_the_rows_asked_for() {
        let one = Rows::new(vec![1.0, 2.0, 3.0, 4.0], 2);
        let other = Rows::new(vec![9.0, 9.0, 1.0, 0.0, 0.0, 1.0, 1.0, 1.0], 2);
        assert_eq!((one.count(), other.count()), (2, 4));
        assert_eq!(one.products(&other, 1, 3), [1.0, 2.0, 3.0, 3.0, 4.0, 7.0]);
    }
}
