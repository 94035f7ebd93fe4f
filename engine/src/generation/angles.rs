//! Cosines and sines of rotary positions.

use crate::shapes::Rotary;

/// Whether a text of so many tokens has the angles of long ones.
pub(super) fn is_long(rotary: &Rotary, tokens: usize) -> bool {
    rotary
        .long
        .as_ref()
        .is_some_and(|long| tokens > long.beyond)
}

/// The cosines and sines of each pair of features at each of the positions, by which of the two
/// sets of angles its text has: `[positions, pairs]`.
pub(super) fn angles(
    rotary: &Rotary,
    positions: impl Iterator<Item = (usize, bool)>,
) -> [Vec<f32>; 2] {
    let (mut cosines, mut sines) = (Vec::new(), Vec::new());
    for (position, long) in positions {
        let frequencies = match &rotary.long {
            Some(other) if long => &other.frequencies,
            _ => &rotary.frequencies,
        };
        #[expect(clippy::cast_precision_loss, reason = "32 bits, as in the reference")]
        let position = position as f32;
        for frequency in frequencies {
            let (sine, cosine) = (position * frequency).sin_cos();
            cosines.push(cosine * rotary.scale);
            sines.push(sine * rotary.scale);
        }
    }
    [cosines, sines]
}
