//! numpy's default random generator, bit for bit: `SeedSequence` into `PCG64` (XSL-RR 128/64,
//! O'Neill 2014), and its permutations. Knows nothing of rows or splits.

const SEED_MULTIPLIER_A: u32 = 0x931e_8875;
const SEED_MULTIPLIER_B: u32 = 0x58f3_8ded;
const PCG_MULTIPLIER: u128 = 0x2360_ed05_1fc6_5da4_4385_df64_9fcc_f645;

/// The generator of `numpy.random.default_rng(seed)`.
#[derive(Debug, Clone)]
pub struct Pcg64 {
    state: u128,
    increment: u128,
    /// The upper half of a 64-bit draw whose lower half `next_u32` gave out.
    spare: Option<u32>,
}

impl Pcg64 {
    /// `numpy.random.default_rng(seed)`.
    #[must_use]
    pub fn seeded(seed: u64) -> Self {
        let [state_high, state_low, stream_high, stream_low] = seed_words(seed);
        let mut generator = Self {
            state: 0,
            increment: (join(stream_high, stream_low) << 1) | 1,
            spare: None,
        };
        generator.step();
        generator.state = generator.state.wrapping_add(join(state_high, state_low));
        generator.step();
        generator
    }

    /// The next 64 bits.
    pub fn next_u64(&mut self) -> u64 {
        self.step();
        let (high, low) = halves_of_u128(self.state);
        let rotation = (high >> 58) as u32;
        (high ^ low).rotate_right(rotation)
    }

    /// The next 32 bits: each 64-bit draw gives two, the lower half first.
    pub fn next_u32(&mut self) -> u32 {
        if let Some(upper) = self.spare.take() {
            return upper;
        }
        let (upper, lower) = halves_of_u64(self.next_u64());
        self.spare = Some(upper);
        lower
    }

    /// A uniform integer from 0 to `max`, both included: numpy's `random_interval`, which masks off
    /// the bits above those of `max` and draws again while the result is too large.
    pub fn next_up_to(&mut self, max: u64) -> u64 {
        if max == 0 {
            return 0;
        }
        let mask = u64::MAX >> max.leading_zeros();
        loop {
            let draw = if u32::try_from(max).is_ok() {
                u64::from(self.next_u32())
            } else {
                self.next_u64()
            };
            if draw & mask <= max {
                return draw & mask;
            }
        }
    }

    fn step(&mut self) {
        self.state = self
            .state
            .wrapping_mul(PCG_MULTIPLIER)
            .wrapping_add(self.increment);
    }
}

/// `SeedSequence(seed).generate_state(4, uint64)`.
fn seed_words(seed: u64) -> [u64; 4] {
    let (upper, lower) = halves_of_u64(seed);
    let mut hash = SeedHash(0x43b0_d7e5);
    // Missing entropy words count as 0, so a seed below 2^32 needs no case of its own.
    let mut pool = [lower, upper, 0, 0].map(|word| hash.mix_in(word, SEED_MULTIPLIER_A));
    for source in 0..pool.len() {
        for target in 0..pool.len() {
            if source != target {
                let hashed = hash.mix_in(pool[source], SEED_MULTIPLIER_A);
                pool[target] = merge(pool[target], hashed);
            }
        }
    }
    let mut hash = SeedHash(0x8b51_f9dd);
    let mut word = |index: usize| u64::from(hash.mix_in(pool[index], SEED_MULTIPLIER_B));
    // Each 64-bit word takes two 32-bit ones, the lower half first, going twice round the pool.
    [0, 2, 0, 2].map(|index| word(index) | (word(index + 1) << 32))
}

/// The running constant of `SeedSequence`'s hash.
struct SeedHash(u32);

impl SeedHash {
    fn mix_in(&mut self, word: u32, multiplier: u32) -> u32 {
        let word = word ^ self.0;
        self.0 = self.0.wrapping_mul(multiplier);
        let word = word.wrapping_mul(self.0);
        word ^ (word >> 16)
    }
}

fn merge(left: u32, right: u32) -> u32 {
    let word = left
        .wrapping_mul(0xca01_f9dd)
        .wrapping_sub(right.wrapping_mul(0x4973_f715));
    word ^ (word >> 16)
}

fn join(high: u64, low: u64) -> u128 {
    (u128::from(high) << 64) | u128::from(low)
}

#[allow(
    clippy::cast_possible_truncation,
    reason = "the lower half is what is wanted"
)]
fn halves_of_u128(value: u128) -> (u64, u64) {
    ((value >> 64) as u64, value as u64)
}

#[allow(
    clippy::cast_possible_truncation,
    reason = "the lower half is what is wanted"
)]
fn halves_of_u64(value: u64) -> (u32, u32) {
    ((value >> 32) as u32, value as u32)
}

/// `numpy.random.default_rng(seed).permutation(n)`, bit for bit.
#[must_use]
#[allow(
    clippy::cast_possible_truncation,
    reason = "a draw up to a `usize` is one"
)]
pub fn permutation(n: usize, seed: u64) -> Vec<usize> {
    let mut generator = Pcg64::seeded(seed);
    let mut order: Vec<usize> = (0..n).collect();
    for last in (1..n).rev() {
        let other = generator.next_up_to(last as u64) as usize;
        order.swap(last, other);
    }
    order
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::Pcg64;

    #[derive(Deserialize)]
    struct Case {
        seed: u64,
        raw: Vec<u64>,
        intervals: Vec<(u64, u64)>,
    }

    #[derive(Deserialize)]
    struct Fixture {
        generator: Vec<Case>,
    }

    fn cases() -> Vec<Case> {
        let text = include_str!("../../tests/parity/split/expected.json");
        serde_json::from_str::<Fixture>(text).unwrap().generator
    }

    #[test]
    fn raw_draws_are_numpys() {
        for case in cases() {
            let mut generator = Pcg64::seeded(case.seed);
            let draws: Vec<u64> = case.raw.iter().map(|_| generator.next_u64()).collect();
            assert_eq!(draws, case.raw, "seed {}", case.seed);
        }
    }

    #[test]
    fn bounded_draws_are_numpys() {
        for case in cases() {
            let mut generator = Pcg64::seeded(case.seed);
            for (position, (max, expected)) in case.intervals.into_iter().enumerate() {
                assert_eq!(
                    generator.next_up_to(max),
                    expected,
                    "seed {}, draw {position}, max {max}",
                    case.seed
                );
            }
        }
    }
}
