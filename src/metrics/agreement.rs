//! How alike several trainings answer the same rows, and what a row adds to a macro F1.

/// Wrong rows, about, from which a run's own agreement counts more than that of all runs.
pub(super) const KNOWN_FROM: f64 = 10.0;

/// The part of the rows' variance that trainings have in common, from whether each got each row
/// right: 1 if all answer alike, 0 if they agree no more than chance would have it. None for fewer
/// than two trainings or rows, or if every answer is right or every one wrong.
///
/// # Panics
///
/// If the lists differ in length.
#[must_use]
#[allow(clippy::cast_precision_loss, reason = "row counts lie far below 2^53")]
pub fn common_part<R: AsRef<[bool]>>(trainings: &[R]) -> Option<f64> {
    let seeds = trainings.len();
    let rows = trainings.first()?.as_ref().len();
    if seeds < 2 || rows < 2 {
        return None;
    }
    let mut right = vec![0_u32; rows];
    let mut within = 0.0;
    for training in trainings {
        let training = training.as_ref();
        assert_eq!(training.len(), rows, "all are judged on the same rows");
        for (count, &is_right) in right.iter_mut().zip(training) {
            *count += u32::from(is_right);
        }
        let share = training.iter().filter(|right| **right).count() as f64 / rows as f64;
        within += share * (1.0 - share);
    }
    let (seeds, rows) = (seeds as f64, rows as f64);
    within *= rows / (rows - 1.0) / seeds;
    if within <= 0.0 {
        return None;
    }
    let mean = right.iter().map(|&count| f64::from(count)).sum::<f64>() / rows;
    let squares = right.iter().map(|&count| (f64::from(count) - mean).powi(2));
    // Of the mean over the trainings: what is common, and a share of what is not.
    let of_mean = squares.sum::<f64>() / (rows - 1.0) / seeds.powi(2);
    let own = (within - of_mean) * seeds / (seeds - 1.0);
    Some((1.0 - own / within).clamp(0.0, 1.0))
}

/// A class of a classification report, in rows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ClassRows {
    /// Rows of the class.
    pub support: f64,
    /// Rows that were given the class.
    pub predicted: f64,
    /// Rows of it that were given it.
    pub right: f64,
}

/// The variance of what one row adds to the macro F1 (the delta method: how much F1 would move if
/// the row counted a little more). Which wrong rows of one class were given which other is taken to
/// be in proportion to how many were wrong of either, which for two classes is exact.
#[must_use]
#[allow(clippy::cast_precision_loss, reason = "a few classes")]
pub fn macro_f1_row_variance(classes: &[ClassRows]) -> Option<f64> {
    let rows: f64 = classes.iter().map(|class| class.support).sum();
    if rows <= 0.0 || rows.is_nan() {
        return None;
    }
    // What a right row of a class adds, and what a wrong row of it or given it takes away.
    let (mut squares, mut wrong, mut ones, mut twos, mut pairs) = (0.0, 0.0, 0.0, 0.0, 0.0);
    let (mut missed_all, mut given_all, mut both) = (0.0, 0.0, 0.0);
    for class in classes {
        let all = class.support + class.predicted;
        if all <= 0.0 {
            continue;
        }
        let f1 = 2.0 * class.right / all;
        let (adds, takes) = ((2.0 - 2.0 * f1) / all, f1 / all);
        let missed = (class.support - class.right).max(0.0);
        let given = (class.predicted - class.right).max(0.0);
        squares += class.right * adds * adds + (missed + given) * takes * takes;
        wrong += missed;
        ones += missed * takes;
        twos += given * takes;
        pairs += missed * given * takes * takes;
        missed_all += missed;
        given_all += given;
        both += missed * given;
    }
    let possible = missed_all * given_all - both;
    if possible > 0.0 {
        squares += 2.0 * wrong * (ones * twos - pairs) / possible;
    }
    let per_class = 1.0 / classes.len() as f64;
    let variance = squares * rows * per_class * per_class;
    variance.is_finite().then_some(variance)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trainings_that_answer_alike_have_everything_in_common() {
        let one = [true, false, true, true];
        let common = common_part(&[one, one, one]).unwrap();
        assert!((common - 1.0).abs() < 1e-12, "{common}");
    }

    #[test]
    fn trainings_that_err_on_different_rows_have_nothing_in_common() {
        let one = [false, true, true, true];
        let two = [true, false, true, true];
        assert_eq!(common_part(&[one, two]), Some(0.0));
    }

    #[test]
    fn what_two_trainings_have_in_common_is_their_covariance() {
        // Both wrong on two rows of eight, one alone on one each.
        let one: Vec<bool> = (0..8).map(|row| row > 2).collect();
        let two: Vec<bool> = (0..8).map(|row| row > 1 && row != 3).collect();
        let share = 5.0 / 8.0;
        let covariance = (4.0 - 8.0 * share * share) / 7.0;
        let variance = 8.0 * share * (1.0 - share) / 7.0;
        let common = common_part(&[one, two]).unwrap();
        assert!((common - covariance / variance).abs() < 1e-12, "{common}");
    }

    #[test]
    fn nothing_to_compare_has_no_agreement() {
        assert_eq!(common_part::<[bool; 2]>(&[]), None);
        assert_eq!(common_part(&[[true, false]]), None);
        assert_eq!(common_part(&[[true, true], [true, true]]), None);
        assert_eq!(common_part(&[[true], [false]]), None);
    }

    #[test]
    fn a_rows_part_of_macro_f1_is_how_far_it_moves_the_figure() {
        // Counts by (class, prediction), of two classes.
        let counts = [[50.0, 10.0], [5.0, 35.0]];
        let macro_f1 = |counts: &[[f64; 2]; 2]| {
            let f1 = |class: usize| {
                let support: f64 = counts[class].iter().sum();
                let predicted = counts[0][class] + counts[1][class];
                2.0 * counts[class][class] / (support + predicted)
            };
            f64::midpoint(f1(0), f1(1))
        };
        let base = macro_f1(&counts);
        let mut expected = 0.0;
        for class in 0..2 {
            for given in 0..2 {
                let mut more = counts;
                more[class][given] += 1e-5;
                let moved = (macro_f1(&more) - base) / 1e-5 * 100.0;
                expected += counts[class][given] / 100.0 * moved * moved;
            }
        }
        let class = |class: usize| ClassRows {
            support: counts[class].iter().sum(),
            predicted: counts[0][class] + counts[1][class],
            right: counts[class][class],
        };
        let found = macro_f1_row_variance(&[class(0), class(1)]).unwrap();
        assert!((found / expected - 1.0).abs() < 1e-4, "{found} {expected}");
        assert_eq!(macro_f1_row_variance(&[]), None);
    }
}
