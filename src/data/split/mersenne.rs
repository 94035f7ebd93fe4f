//! numpy's `RandomState`: the Mersenne Twister MT19937 (Matsumoto & Nishimura 1998) and what numpy
//! draws from it.

/// Words of the generator's state.
const WORDS: usize = 624;
/// How far apart the words are that make a new one.
const SHIFT: usize = 397;

/// A generator in the state that `numpy.random.RandomState(seed)` has.
#[derive(Debug, Clone)]
pub(super) struct RandomState {
    words: [u32; WORDS],
    next: usize,
}

impl RandomState {
    pub(super) fn new(seed: u32) -> Self {
        let mut words = [seed; WORDS];
        let mut last = seed;
        for (place, word) in (1..).zip(&mut words[1..]) {
            last = 1_812_433_253_u32
                .wrapping_mul(last ^ last >> 30)
                .wrapping_add(place);
            *word = last;
        }
        Self { words, next: WORDS }
    }

    fn bits(&mut self) -> u32 {
        if self.next == WORDS {
            self.renew();
        }
        let mut word = self.words[self.next];
        self.next += 1;
        word ^= word >> 11;
        word ^= word << 7 & 0x9d2c_5680;
        word ^= word << 15 & 0xefc6_0000;
        word ^ word >> 18
    }

    fn renew(&mut self) {
        for place in 0..WORDS {
            let joined =
                self.words[place] & 0x8000_0000 | self.words[(place + 1) % WORDS] & 0x7fff_ffff;
            let twist = if joined & 1 == 1 { 0x9908_b0df } else { 0 };
            self.words[place] = self.words[(place + SHIFT) % WORDS] ^ joined >> 1 ^ twist;
        }
        self.next = 0;
    }

    /// A number from 0 to `most`, which is below 2^32: numbers of as many bits are drawn until one
    /// fits.
    fn up_to(&mut self, most: usize) -> usize {
        let most = u32::try_from(most).unwrap_or(u32::MAX);
        let mask = u32::MAX.checked_shr(most.leading_zeros()).unwrap_or(0);
        loop {
            let drawn = self.bits() & mask;
            if drawn <= most {
                return drawn as usize;
            }
        }
    }

    /// `RandomState.shuffle`.
    pub(super) fn shuffle<T>(&mut self, items: &mut [T]) {
        for place in (1..items.len()).rev() {
            let other = self.up_to(place);
            items.swap(place, other);
        }
    }

    /// `RandomState.permutation` of the numbers below `n`.
    pub(super) fn permutation(&mut self, n: usize) -> Vec<usize> {
        let mut order: Vec<usize> = (0..n).collect();
        self.shuffle(&mut order);
        order
    }
}
