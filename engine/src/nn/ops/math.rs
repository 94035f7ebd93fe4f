//! Elementary functions in 32-bit floats, written so that the compiler turns loops over them into
//! vector instructions.
//!
//! Multiply and add stand apart everywhere: a fused instruction is not in the baseline of x86-64,
//! and results must not depend on the processor.

#![allow(
    clippy::inline_always,
    reason = "a loop compiled for wider vectors takes them with it"
)]

/// `e^x`, within 2 units in the last place for `x` in -87..88; 0 below and the value at 88 above.
#[inline(always)]
pub(super) fn exp(x: f32) -> f32 {
    const LOG2_E: f32 = std::f32::consts::LOG2_E;
    // ln 2 in two parts: the first has trailing zeros, so that its product with a small integer is
    // exact.
    const LN2_HIGH: f32 = 0.693_359_4;
    const LN2_LOW: f32 = -2.121_944_4e-4;
    // Adding and subtracting 1.5 * 2^23 rounds to the nearest integer.
    const ROUND: f32 = 12_582_912.0;
    let clamped = x.clamp(-87.0, 88.0);
    let shifted = clamped * LOG2_E + ROUND;
    let power = shifted - ROUND;
    let rest = clamped - power * LN2_HIGH - power * LN2_LOW;
    // Taylor's series to the sixth power with the last terms adjusted (Cephes, expf).
    let mut sum = 1.987_569_1e-4_f32;
    for coefficient in [
        1.398_2e-3,
        8.333_452e-3,
        4.166_579_6e-2,
        1.666_666_5e-1,
        5e-1_f32,
    ] {
        sum = sum * rest + coefficient;
    }
    let mantissa = sum * (rest * rest) + rest + 1.0;
    // The integer sits in the low bits of `shifted`.
    let exponent = shifted.to_bits().wrapping_shl(23).wrapping_add(0x3F80_0000);
    let result = mantissa * f32::from_bits(exponent);
    if x < -87.0 { 0.0 } else { result }
}

/// The error function, within 2 units in the last place (coefficients: Norbert Juffa's
/// single-precision minimax fits).
#[inline(always)]
pub(super) fn erf(x: f32) -> f32 {
    let size = x.abs();
    let square = x * x;
    let near = {
        let mut sum = -5.967_617e-4_f32;
        for coefficient in [
            4.991_194_3e-3,
            -2.676_813_5e-2,
            1.128_199_25e-1,
            -3.761_253_4e-1,
            1.283_791_7e-1_f32,
        ] {
            sum = sum * square + coefficient;
        }
        sum * size + size
    };
    let far = {
        let high = -1.728_534_7e-5 * size + 3.831_971_3e-4;
        let low = -3.883_964_4e-3 * size + 2.425_462_2e-2;
        let mut sum = high * square + low;
        for coefficient in [-1.067_778_8e-1, -6.348_467e-1, -1.287_175_1e-1_f32] {
            sum = sum * size + coefficient;
        }
        1.0 - exp(sum * size - size)
    };
    (if size > 0.927_734_4 { far } else { near }).copysign(x)
}

/// `x Φ(x)` with the exact normal distribution (arXiv 1606.08415), as PyTorch's `gelu` computes it.
#[inline(always)]
pub(super) fn gelu(x: f32) -> f32 {
    0.5 * x * (1.0 + erf(x * std::f32::consts::FRAC_1_SQRT_2))
}

/// The derivative of [`gelu`]: `Φ(x) + x φ(x)`.
#[inline(always)]
pub(super) fn gelu_derivative(x: f32) -> f32 {
    const INVERSE_SQRT_2_PI: f32 = 0.398_942_3;
    0.5 * (1.0 + erf(x * std::f32::consts::FRAC_1_SQRT_2))
        + x * (exp(-0.5 * x * x) * INVERSE_SQRT_2_PI)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[allow(clippy::cast_precision_loss)]
    fn exp_is_within_two_units_in_the_last_place() {
        for step in -86_000..88_000 {
            let x = step as f32 / 1000.0;
            let exact = f64::from(x).exp();
            let error = (f64::from(exp(x)) - exact).abs() / exact;
            assert!(error < 2.4e-7, "{x}: {error}");
        }
        assert_eq!(exp(f32::NEG_INFINITY).to_bits(), 0);
        assert_eq!(exp(0.0).to_bits(), 1.0_f32.to_bits());
        assert!(exp(f32::NAN).is_nan());
    }

    #[test]
    #[allow(
        clippy::cast_possible_truncation,
        clippy::excessive_precision,
        clippy::unreadable_literal
    )]
    fn erf_is_within_two_units_in_the_last_place() {
        // Python's math.erf.
        let exact: [(f64, f64); 16] = [
            (-5.5, -0.9999999999999927),
            (-3.3159, -0.9999972598031673),
            (-2.0, -0.9953222650189527),
            (-0.95393, -0.8226825439285753),
            (-0.92, -0.8067677215477617),
            (-0.5, -0.5204998778130465),
            (-0.001, -0.0011283787909692365),
            (0.0, 0.0),
            (1e-06, 1.1283791670951364e-06),
            (0.3, 0.3286267594591274),
            (0.9, 0.7969082124228322),
            (0.93, 0.8115635585845578),
            (1.5, 0.9661051464753108),
            (2.5, 0.999593047982555),
            (3.9, 0.9999999652077514),
            (6.0, 1.0),
        ];
        for (x, expected) in exact {
            let error = (f64::from(erf(x as f32)) - expected).abs();
            assert!(error < 1.3e-7, "{x}: {error}");
        }
    }
}
