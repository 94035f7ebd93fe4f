//! Numbers in the format that weights are stored in, widened as they are read.

use half::{bf16, f16};
use pulp::Simd;
use pulp::bytemuck::{Pod, cast_slice, pod_read_unaligned};

/// A number that weights are stored as.
pub trait Stored: Pod + Send + Sync + Default {
    /// The place, within as many values as two vectors have, of the value that [`Stored::widened`]
    /// puts into a lane of one of them.
    fn place(lanes: usize, vector: usize, lane: usize) -> usize;

    /// Two vectors of 32-bit floats from as many values. Infinities and NaN need not stay what they
    /// are: weights have none.
    fn widened<S: Simd>(simd: S, values: &[Self]) -> [S::f32s; 2];

    /// All values in 32 bits.
    fn wide(self) -> f32;
}

#[allow(
    clippy::inline_always,
    reason = "only what is inlined is compiled for wider vectors"
)]
impl Stored for f32 {
    #[inline(always)]
    fn place(lanes: usize, vector: usize, lane: usize) -> usize {
        vector * lanes + lane
    }

    #[inline(always)]
    fn widened<S: Simd>(_: S, values: &[Self]) -> [S::f32s; 2] {
        let (first, second) = values.split_at(S::F32_LANES);
        [
            pod_read_unaligned(cast_slice(first)),
            pod_read_unaligned(cast_slice(second)),
        ]
    }

    #[inline(always)]
    fn wide(self) -> f32 {
        self
    }
}

// Two 16-bit numbers are read as one of 32 bits: the even places make one vector, the odd ones the
// other.
#[allow(
    clippy::inline_always,
    reason = "only what is inlined is compiled for wider vectors"
)]
impl Stored for bf16 {
    #[inline(always)]
    fn place(_: usize, vector: usize, lane: usize) -> usize {
        2 * lane + vector
    }

    #[inline(always)]
    fn widened<S: Simd>(simd: S, values: &[Self]) -> [S::f32s; 2] {
        let pairs: S::u32s = pod_read_unaligned(cast_slice(values));
        let even = simd.wrapping_dyn_shl_u32s(pairs, simd.splat_u32s(16));
        let odd = simd.and_u32s(pairs, simd.splat_u32s(0xFFFF_0000));
        [
            simd.transmute_f32s_u32s(even),
            simd.transmute_f32s_u32s(odd),
        ]
    }

    #[inline(always)]
    fn wide(self) -> f32 {
        f32::from_bits(u32::from(self.to_bits()) << 16)
    }
}

#[allow(
    clippy::inline_always,
    reason = "only what is inlined is compiled for wider vectors"
)]
impl Stored for f16 {
    #[inline(always)]
    fn place(_: usize, vector: usize, lane: usize) -> usize {
        2 * lane + vector
    }

    #[inline(always)]
    fn widened<S: Simd>(simd: S, values: &[Self]) -> [S::f32s; 2] {
        let pairs: S::u32s = pod_read_unaligned(cast_slice(values));
        let odd = simd.wrapping_dyn_shr_u32s(pairs, simd.splat_u32s(16));
        [widened_halves(simd, pairs), widened_halves(simd, odd)]
    }

    #[inline(always)]
    fn wide(self) -> f32 {
        let bits = u32::from(self.to_bits());
        let size = f32::from_bits((bits & 0x7FFF) << 13) * EXPONENT_GAP;
        f32::from_bits(size.to_bits() | (bits & 0x8000) << 16)
    }
}

/// Exponents of f16 begin 112 below those of f32. Multiplying by this is exact, and right for
/// subnormal numbers too.
const EXPONENT_GAP: f32 = f32::from_bits((127 + 112) << 23);

/// The f16 in the low half of each number.
#[allow(
    clippy::inline_always,
    reason = "only what is inlined is compiled for wider vectors"
)]
#[inline(always)]
fn widened_halves<S: Simd>(simd: S, low: S::u32s) -> S::f32s {
    let sign = simd.and_u32s(low, simd.splat_u32s(0x8000));
    let sign = simd.wrapping_dyn_shl_u32s(sign, simd.splat_u32s(16));
    let size = simd.and_u32s(low, simd.splat_u32s(0x7FFF));
    let size = simd.wrapping_dyn_shl_u32s(size, simd.splat_u32s(13));
    let size = simd.mul_f32s(
        simd.transmute_f32s_u32s(size),
        simd.splat_f32s(EXPONENT_GAP),
    );
    simd.transmute_f32s_u32s(simd.or_u32s(simd.transmute_u32s_f32s(size), sign))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_finite_number_of_16_bits_is_widened_exactly() {
        for bits in 0..=u16::MAX {
            let (brain, half) = (bf16::from_bits(bits), f16::from_bits(bits));
            if brain.is_finite() {
                assert_eq!(brain.wide().to_bits(), brain.to_f32().to_bits());
            }
            if half.is_finite() {
                assert_eq!(half.wide().to_bits(), half.to_f32().to_bits(), "{bits:x}");
            }
        }
    }
}
