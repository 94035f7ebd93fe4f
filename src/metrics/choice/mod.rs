//! What the best of several classifiers is worth on rows that played no part in choosing it.

use super::random::Random;

/// Resamples of the rows.
pub const DRAWS: usize = 400;

/// A classifier that may be chosen.
#[derive(Debug, Clone, PartialEq)]
pub struct Contender {
    /// Of each row, how many of its trainings were right; the same rows for all contenders.
    pub right: Vec<u16>,
    /// Its trainings.
    pub trainings: u16,
    /// The variance of its accuracy that training adds, whatever the rows; 0 asks about these
    /// trainings alone.
    pub training_variance: f64,
}

impl Contender {
    /// A classifier from whether each of its trainings got each row right.
    ///
    /// # Panics
    ///
    /// If the lists differ in length.
    #[must_use]
    pub fn new<R: AsRef<[bool]>>(trainings: &[R], training_variance: f64) -> Self {
        let rows = trainings.first().map_or(0, |right| right.as_ref().len());
        let mut right = vec![0_u16; rows];
        for training in trainings {
            let training = training.as_ref();
            assert_eq!(training.len(), rows, "all are judged on the same rows");
            for (count, &is_right) in right.iter_mut().zip(training) {
                *count = count.saturating_add(u16::from(is_right));
            }
        }
        Self {
            right,
            trainings: u16::try_from(trainings.len()).unwrap_or(u16::MAX),
            training_variance,
        }
    }
}

/// The accuracy to be expected on fresh rows of the best of `contenders`, when the best is who is
/// right most often on these rows. In each of `draws` resamples of the rows, the best on the rows
/// drawn is judged by the rows that were not drawn, which had no part in the choice (the bootstrap
/// of Efron 1979, and its rows left out, 1983). What training adds is shared out in the same way:
/// one draw of it goes to the figure chosen by, its opposite to the figure judged by. The same seed
/// gives the same value; none without rows or contenders.
///
/// # Panics
///
/// If the contenders differ in the number of their rows.
#[must_use]
#[allow(clippy::cast_precision_loss, reason = "counts lie far below 2^53")]
pub fn on_fresh_rows(contenders: &[Contender], draws: usize, seed: u64) -> Option<f64> {
    let rows = contenders.first()?.right.len();
    assert!(
        contenders.iter().all(|one| one.right.len() == rows),
        "all are judged on the same rows"
    );
    if rows < 2 {
        return None;
    }
    let mut random = Random(seed);
    let deviations: Vec<f64> = contenders
        .iter()
        .map(|one| one.training_variance.max(0.0).sqrt())
        .collect();
    let moved = deviations.iter().any(|&deviation| deviation > 0.0);
    let share = |one: &Contender, right: u64, of: usize| {
        right as f64 / of as f64 / f64::from(one.trainings.max(1))
    };
    let observed =
        |one: &Contender| share(one, one.right.iter().map(|&n| u64::from(n)).sum(), rows);
    let favourite = contenders.iter().reduce(|best, next| {
        if observed(next) > observed(best) {
            next
        } else {
            best
        }
    })?;
    let (mut total, mut counted) = (0.0, 0_u32);
    let mut times = vec![0_u32; rows];
    for _ in 0..draws {
        times.fill(0);
        for _ in 0..rows {
            times[random.below(rows)] += 1;
        }
        let left_out = times.iter().filter(|&&times| times == 0).count();
        if left_out == 0 {
            continue;
        }
        let mut best = f64::NEG_INFINITY;
        let mut chosen: Vec<(usize, f64)> = Vec::new();
        for (place, one) in contenders.iter().enumerate() {
            let luck = if moved {
                deviations[place] * random.normal()
            } else {
                0.0
            };
            let figure = share(one, weighted(&one.right, &times), rows) + luck;
            if figure > best {
                chosen.clear();
                best = figure;
            }
            if figure >= best {
                chosen.push((place, luck));
            }
        }
        let outside = |one: &Contender| {
            let rows = one.right.iter().zip(&times);
            let right = rows.filter(|&(_, &times)| times == 0);
            share(
                one,
                right.map(|(&right, _)| u64::from(right)).sum(),
                left_out,
            )
        };
        // Equals are as likely to be chosen as each other.
        let judged = chosen
            .iter()
            .map(|&(place, luck)| outside(&contenders[place]) - luck);
        // Over all draws, the rows left out show the best on all rows as it was seen: set against
        // that, the draws say the more.
        total += judged.sum::<f64>() / chosen.len() as f64 - outside(favourite);
        counted += 1;
    }
    (counted > 0).then(|| (observed(favourite) + total / f64::from(counted)).clamp(0.0, 1.0))
}

/// The sum of `right`, each as often as it was drawn.
fn weighted(right: &[u16], times: &[u32]) -> u64 {
    // Of so many rows at a time, a sum has room in 32 bits as long as a row has few trainings.
    const AT_ONCE: usize = 4096;
    let part = |(right, times): (&[u16], &[u32])| -> u64 {
        let sum = right
            .iter()
            .zip(times)
            .map(|(&right, &times)| u32::from(right).wrapping_mul(times));
        u64::from(sum.fold(0_u32, u32::wrapping_add))
    };
    right
        .chunks(AT_ONCE)
        .zip(times.chunks(AT_ONCE))
        .map(part)
        .sum()
}

#[cfg(test)]
mod tests;
