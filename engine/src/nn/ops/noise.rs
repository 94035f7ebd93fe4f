//! Dropout as a function of (seed, step, site, token, feature), so that resuming, packing and
//! recomputing repeat it exactly.

use std::any::Any;
use std::fmt;
use std::sync::{Arc, OnceLock};

/// What dropout draws from in one optimiser step.
#[derive(Debug, Clone)]
pub struct Noise {
    step: u64,
    tokens: Arc<TokenKeys>,
}

/// The numbers of a batch's tokens, and their copy on the device that first asked for one.
struct TokenKeys {
    host: Arc<Vec<u64>>,
    device: OnceLock<Box<dyn Any + Send + Sync>>,
}

impl TokenKeys {
    fn new(host: Arc<Vec<u64>>) -> Arc<Self> {
        Arc::new(Self {
            host,
            device: OnceLock::new(),
        })
    }
}

impl fmt::Debug for TokenKeys {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.host.fmt(formatter)
    }
}

impl Noise {
    /// The noise of one step of a run.
    ///
    /// `tokens` holds a number for each token of the batch that is unique within a step,
    /// whichever micro-batch it is in (see [`token_key`]).
    #[must_use]
    pub fn new(seed: u64, step: u64, tokens: Arc<Vec<u64>>) -> Self {
        Self {
            step: mix(mix(seed) ^ step),
            tokens: TokenKeys::new(tokens),
        }
    }

    /// The same noise for other tokens, such as the first of each text.
    #[must_use]
    pub fn with_tokens(&self, tokens: Vec<u64>) -> Self {
        Self {
            step: self.step,
            tokens: TokenKeys::new(Arc::new(tokens)),
        }
    }

    /// The tokens' numbers.
    #[must_use]
    pub fn tokens(&self) -> &[u64] {
        &self.tokens.host
    }

    /// The dropout at one place in the network, none where the probability is 0.
    #[must_use]
    pub fn at(&self, site: Site, probability: f64) -> Option<Dropout> {
        (probability > 0.0).then(|| Dropout {
            site: mix(self.step ^ mix((u64::from(site.layer) << 32) | u64::from(site.place))),
            probability,
            tokens: self.tokens.clone(),
        })
    }
}

/// A place in the network where dropout is applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Site {
    /// The layer, 0 outside the layers.
    pub layer: u32,
    /// The place within the layer.
    pub place: u32,
}

/// The number of a token that is unique within a step: the row of its text in the data set and its
/// position there.
#[must_use]
pub fn token_key(row: usize, position: usize) -> u64 {
    ((row as u64) << 20) | position as u64
}

/// One application of dropout.
#[derive(Debug, Clone)]
pub struct Dropout {
    site: u64,
    probability: f64,
    tokens: Arc<TokenKeys>,
}

impl Dropout {
    /// What a kept value is multiplied by: `1 / (1 - probability)`.
    #[must_use]
    #[allow(clippy::cast_possible_truncation)]
    pub fn scale(&self) -> f32 {
        (1.0 / (1.0 - self.probability)) as f32
    }

    /// The number of the place.
    pub(super) fn site(&self) -> u64 {
        self.site
    }

    /// A draw is a 32-bit number, dropped below this bound: the probability to 1 in 4 billion.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    pub(super) fn bound(&self) -> u32 {
        (self.probability * 4_294_967_296.0) as u32
    }

    /// The tokens' numbers as `upload` puts them on a device. They stay there as long as the noise
    /// of this step is in use.
    pub(super) fn on_device<T: Any + Clone + Send + Sync>(
        &self,
        upload: impl Fn(&[u64]) -> T,
        fits: impl Fn(&T) -> bool,
    ) -> T {
        let tokens = &self.tokens;
        let kept = tokens
            .device
            .get_or_init(|| Box::new(upload(&tokens.host)))
            .downcast_ref::<T>();
        match kept {
            Some(kept) if fits(kept) => kept.clone(),
            _ => upload(&tokens.host),
        }
    }

    /// Draws for the features of one token: `feature` is dropped where `draw(feature)` is true.
    pub(super) fn row(&self, token: usize) -> DropoutRow {
        DropoutRow {
            base: mix(self.site ^ self.tokens.host[token]),
            bound: self.bound(),
        }
    }

    /// `[tokens, features]`, row by row: 0 where a value is dropped, [`Dropout::scale`] elsewhere.
    #[must_use]
    pub fn factors(&self, features: usize) -> Vec<f32> {
        let scale = self.scale();
        let mut factors = Vec::with_capacity(self.tokens.host.len() * features);
        for token in 0..self.tokens.host.len() {
            let row = self.row(token);
            factors.extend((0..features).map(|feature| row.factor(feature, scale)));
        }
        factors
    }
}

/// The draws of one token at one site.
#[derive(Debug, Clone, Copy)]
pub(super) struct DropoutRow {
    base: u64,
    bound: u32,
}

impl DropoutRow {
    /// 0 where the feature is dropped, `scale` elsewhere.
    #[inline]
    pub(super) fn factor(self, feature: usize, scale: f32) -> f32 {
        let draw = mix(self
            .base
            .wrapping_add((feature as u64).wrapping_mul(GOLDEN)))
            >> 32;
        if draw < u64::from(self.bound) {
            0.0
        } else {
            scale
        }
    }
}

/// The odd number nearest to 2^64 divided by the golden ratio.
pub(super) const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;

/// What [`mix`] multiplies by first.
pub(super) const FIRST_FACTOR: u64 = 0xBF58_476D_1CE4_E5B9;

/// What [`mix`] multiplies by second.
pub(super) const SECOND_FACTOR: u64 = 0x94D0_49BB_1331_11EB;

/// The finaliser of SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number
/// generators", 2014).
#[inline]
#[must_use]
pub fn mix(value: u64) -> u64 {
    let mut z = value.wrapping_add(GOLDEN);
    z = (z ^ (z >> 30)).wrapping_mul(FIRST_FACTOR);
    z = (z ^ (z >> 27)).wrapping_mul(SECOND_FACTOR);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dropout(seed: u64, step: u64, layer: u32, tokens: Vec<u64>) -> Dropout {
        Noise::new(seed, step, Arc::new(tokens))
            .at(Site { layer, place: 1 }, 0.1)
            .unwrap()
    }

    #[test]
    fn a_token_draws_the_same_in_any_batch() {
        let together = dropout(7, 3, 1, vec![10, 11, 12]).factors(64);
        let alone = dropout(7, 3, 1, vec![11]).factors(64);
        assert_eq!(together[64..128], alone);
    }

    #[test]
    fn the_share_of_dropped_values_is_the_probability() {
        let factors = dropout(1, 0, 0, (0..1000).collect()).factors(1000);
        let dropped = factors.iter().filter(|&&factor| factor == 0.0).count();
        // Six standard deviations of a binomial with n = 10^6 and p = 0.1.
        assert!((98_200..101_800).contains(&dropped), "{dropped}");
        let kept = factors.iter().find(|&&factor| factor != 0.0).unwrap();
        assert!((kept - 1.0 / 0.9).abs() < 1e-6);
    }

    #[test]
    #[allow(clippy::float_cmp)]
    fn seed_step_and_site_each_change_the_draws() {
        let tokens: Vec<u64> = (0..50).collect();
        let reference = dropout(1, 1, 1, tokens.clone()).factors(50);
        for other in [
            dropout(2, 1, 1, tokens.clone()),
            dropout(1, 2, 1, tokens.clone()),
            dropout(1, 1, 2, tokens),
        ] {
            let differing = other
                .factors(50)
                .iter()
                .zip(&reference)
                .filter(|(a, b)| a != b)
                .count();
            // Independent draws differ with probability 0.18, in 450 of 2,500 places.
            assert!((300..600).contains(&differing), "{differing}");
        }
    }
}
