//! What a search found: scores of one ranked list against what is relevant, and agreement of two
//! lists with each other.

use std::collections::BTreeMap;

/// Scores of the first `k` places of a ranked list, where an item is relevant or not. By default
/// those of a list with nothing relevant.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct RankScores {
    /// 1 if any of them is relevant, else 0.
    pub hit: f64,
    /// The share of all relevant items that is among them.
    pub recall: f64,
    /// One over the place of the first relevant one; 0 without one.
    pub reciprocal_rank: f64,
    /// Discounted cumulative gain, `Σ 1 / log2(place + 1)` over the relevant ones, relative to the
    /// best order of all items (Järvelin & Kekäläinen, "Cumulated gain-based evaluation of IR
    /// techniques", 2002).
    pub ndcg: f64,
}

/// Scores the first `k` places of a list. `relevant` says of each place whether its item is
/// relevant, `total` how many relevant items there are in all. `None` if there is no relevant item,
/// since nothing could be found then.
#[must_use]
pub fn rank_scores(relevant: &[bool], total: usize, k: usize) -> Option<RankScores> {
    if total == 0 {
        return None;
    }
    let first = &relevant[..k.min(relevant.len())];
    let places: Vec<usize> = (1..)
        .zip(first)
        .filter(|place| *place.1)
        .map(|place| place.0)
        .collect();
    let gain = |places: &mut dyn Iterator<Item = usize>| {
        // The sum of nothing would be -0.
        places.fold(0.0, |sum, place| sum + 1.0 / (real(place) + 1.0).log2())
    };
    let ideal = gain(&mut (1..=total.min(k)));
    Some(RankScores {
        hit: f64::from(u8::from(!places.is_empty())),
        recall: real(places.len()) / real(total),
        reciprocal_rank: places.first().map_or(0.0, |&place| 1.0 / real(place)),
        ndcg: if ideal > 0.0 {
            gain(&mut places.iter().copied()) / ideal
        } else {
            0.0
        },
    })
}

/// The share of the first `k` items that two lists have in common, of the longer one's if they are
/// shorter; `None` if both are empty.
#[must_use]
pub fn overlap(one: &[usize], other: &[usize], k: usize) -> Option<f64> {
    let (one, other) = (&one[..k.min(one.len())], &other[..k.min(other.len())]);
    let shared = one.iter().filter(|item| other.contains(item)).count();
    let longer = one.len().max(other.len());
    (longer > 0).then(|| real(shared) / real(longer))
}

/// Kendall's tau of two ranked lists that need not have the same items, from -1 to 1: over all
/// pairs of items of either list, the share that both order alike less the share that they order
/// oppositely.
///
/// An item that a list lacks ranks below all that it has. A pair of which a list has neither is not
/// ordered by it and counts for neither side: Fagin, Kumar & Sivakumar, "Comparing top k lists"
/// (2003), with penalty 1/2. For lists of the same items this is the common tau. `None` with fewer
/// than two items.
#[must_use]
pub fn rank_agreement(one: &[usize], other: &[usize]) -> Option<f64> {
    let mut places: BTreeMap<usize, [usize; 2]> = BTreeMap::new();
    for (list, items) in [one, other].into_iter().enumerate() {
        for (place, &item) in items.iter().enumerate() {
            places.entry(item).or_insert([one.len(), other.len()])[list] = place;
        }
    }
    let items: Vec<[usize; 2]> = places.into_values().collect();
    let mut balance = 0_i64;
    for (index, one) in items.iter().enumerate() {
        for other in &items[index + 1..] {
            balance += one[0].cmp(&other[0]) as i64 * one[1].cmp(&other[1]) as i64;
        }
    }
    let pairs = items.len() * items.len().saturating_sub(1) / 2;
    #[expect(clippy::cast_precision_loss, reason = "at most the number of pairs")]
    (pairs > 0).then(|| balance as f64 / real(pairs))
}

#[expect(clippy::cast_precision_loss, reason = "places in a list")]
fn real(count: usize) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests;
