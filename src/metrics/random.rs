//! Random numbers for resampling, the same each time.

/// `SplitMix64` (Steele, Lea and Flood 2014).
pub(super) struct Random(pub u64);

impl Random {
    /// 64 random bits.
    pub(super) fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// One of the numbers below `end`, each as likely as any other to within `end` / 2^64.
    #[allow(clippy::cast_possible_truncation, reason = "below `end`")]
    pub(super) fn below(&mut self, end: usize) -> usize {
        ((u128::from(self.bits()) * end as u128) >> 64) as usize
    }

    /// Uniform, above 0 and at most 1.
    #[allow(clippy::cast_precision_loss, reason = "53 bits")]
    pub(super) fn uniform(&mut self) -> f64 {
        ((self.bits() >> 11) + 1) as f64 / (1_u64 << 53) as f64
    }

    /// From the standard normal distribution (Box and Muller 1958).
    pub(super) fn normal(&mut self) -> f64 {
        let radius = (-2.0 * self.uniform().ln()).sqrt();
        radius * (std::f64::consts::TAU * self.uniform()).cos()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_have_the_mean_and_spread_of_their_distribution() {
        let mut random = Random(3);
        let check = |name: &str, mean: f64, variance: f64, draw: &mut dyn FnMut() -> f64| {
            let draws: Vec<f64> = (0..40_000).map(|_| draw()).collect();
            let found = draws.iter().sum::<f64>() / 40_000.0;
            let spread = draws.iter().map(|x| (x - found).powi(2)).sum::<f64>() / 40_000.0;
            assert!(
                (found - mean).abs() < 4.0 * (variance / 40_000.0).sqrt(),
                "{name}: {found}"
            );
            assert!((spread / variance - 1.0).abs() < 0.03, "{name}: {spread}");
        };
        check("uniform", 0.5, 1.0 / 12.0, &mut || random.uniform());
        check("normal", 0.0, 1.0, &mut || random.normal());
        #[allow(clippy::cast_precision_loss, reason = "small")]
        check("below", 4.5, 8.25, &mut || random.below(10) as f64);
        assert_eq!(random.below(1), 0);
    }
}
