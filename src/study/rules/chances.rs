//! Conclusions from fewer rows than the difference needs.

use super::spread::{least_difference, needed_difference, needed_rows};
use super::{Finding, listed};
use crate::study::{Claim, Printed, Reference, Study};

pub(super) fn find(study: &Study) -> Vec<Finding> {
    let claims = study.manifest.claims.iter();
    claims.flat_map(|claim| of_claim(study, claim)).collect()
}

/// The accuracy after the last epoch, where it is that of the report with more digits.
fn finer(study: &Study, run: &str, reference: &Reference) -> Option<Printed> {
    if *reference != Reference::of("test", "accuracy") {
        return None;
    }
    let reported = study.published.number(run, reference)?;
    let last = study.published.epochs_of(run).last()?.accuracy.clone()?;
    let is_finer = last.decimals > reported.decimals && last.may_equal(&reported);
    is_finer.then_some(last)
}

/// A share with what it rests on.
struct Share<'a> {
    run: &'a str,
    /// As the report has it.
    reported: Printed,
    /// With as many digits as were printed anywhere.
    printed: Printed,
    rows: u64,
}

fn of_claim(study: &Study, claim: &Claim) -> Vec<Finding> {
    let Some(metric) = claim.metric() else {
        return Vec::new();
    };
    let evaluation = claim.evaluation();
    let reference = Reference::of(evaluation, metric);
    let share = |run| {
        let reported = study.published.number(run, &reference)?;
        let printed = finer(study, run, &reference).unwrap_or_else(|| reported.clone());
        let rows = study.published.rows(run, evaluation)?;
        let is_share = (0.0..=1.0).contains(&printed.value) && rows > 0;
        is_share.then_some(Share {
            run,
            reported,
            printed,
            rows,
        })
    };
    let Some(better) = share(claim.better.as_str()) else {
        return Vec::new();
    };
    let others: Vec<Share<'_>> = claim.than.iter().filter_map(|run| share(run)).collect();
    let mut found = Vec::new();
    let lower: Vec<&str> = others
        .iter()
        .filter(|other| other.reported.value > better.reported.value)
        .map(|other| other.run)
        .collect();
    if !lower.is_empty() {
        let text = format!(
            "“{}”: {} prints {metric} {} in `{evaluation}`, less than {}.",
            claim.text,
            better.run,
            better.reported.text,
            listed(&lower)
        );
        let runs = std::iter::once(better.run).chain(lower.iter().copied());
        found.push(Finding::new("a claim against its own numbers", runs, text));
    }
    let near: Vec<&Share<'_>> = others
        .iter()
        .filter(|other| other.reported.value <= better.reported.value && is_chance(&better, other))
        .collect();
    if let Some(nearest) = near.first() {
        found.push(too_few(claim, metric, &better, nearest, &near));
    }
    found
}

/// Whether even the largest difference that the printed digits allow may be chance.
fn is_chance(better: &Share<'_>, other: &Share<'_>) -> bool {
    let high = better.printed.range().1.min(1.0);
    let low = other.printed.range().0.max(0.0);
    least_difference((high, better.rows), (low, other.rows)) <= 0.0
}

fn too_few(
    claim: &Claim,
    metric: &str,
    better: &Share<'_>,
    nearest: &Share<'_>,
    near: &[&Share<'_>],
) -> Finding {
    let rows = better.rows.min(nearest.rows);
    let names: Vec<&str> = near.iter().map(|other| other.run).collect();
    let difference = better.printed.value - nearest.printed.value;
    let middle = f64::midpoint(better.printed.value, nearest.printed.value);
    let needed = match needed_difference(middle, rows) {
        wide if wide > 0.0 => format!(
            "on so many rows two shares like these must be about {wide:.3} apart to be more than chance"
        ),
        _ => "so few rows tell nothing apart".to_owned(),
    };
    let more = if difference > 0.0 && middle < 1.0 {
        format!(
            "; this difference would need about {} rows each",
            needed_rows(middle, difference)
        )
    } else {
        String::new()
    };
    let also = if near.len() > 1 {
        format!(" The same holds against {}.", listed(&names))
    } else {
        String::new()
    };
    let text = format!(
        "“{}”: {metric} {} of {} against {} of {}, on {rows} rows of `{}` and one training each: {needed}{more}.{also}",
        claim.text,
        better.printed.text,
        better.run,
        nearest.printed.text,
        nearest.run,
        claim.evaluation(),
    );
    let runs = std::iter::once(better.run).chain(names);
    Finding::new("fewer rows than the difference needs", runs, text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::study::sample::{Sample, report};

    const CLAIM: &str =
        "[[claims]]\ntext = \"a is better\"\nbetter = \"a\"\nthan = [\"b\", \"c\"]\n";

    fn found(matrices: [[[u64; 2]; 2]; 3]) -> Vec<Finding> {
        let reports = ["a", "b", "c"]
            .into_iter()
            .zip(matrices)
            .map(|(run, counts)| report(run, "test", counts));
        let sample = Sample {
            more: CLAIM,
            reports: reports.collect(),
            ..Sample::default()
        };
        find(&sample.study())
    }

    #[test]
    fn differences_that_the_rows_bear_are_sound() {
        let far = [[140, 60], [60, 140]];
        assert_eq!(found([[[190, 10], [10, 190]], far, far]), []);
    }

    #[test]
    fn a_small_difference_is_named_with_the_rows_that_it_needs() {
        let near = [[176, 24], [24, 176]];
        let found = found([[[178, 22], [20, 180]], near, near]);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].runs, ["a", "b", "c"]);
        let text = &found[0].text;
        assert!(
            text.contains("on 400 rows") && text.contains("rows each"),
            "{text}"
        );
        assert!(text.contains("against b and c"), "{text}");
    }

    #[test]
    fn the_last_epoch_has_the_digits_that_a_report_leaves_out() {
        let reports = [
            report("a", "test", [[1700, 300], [300, 1700]]),
            report("b", "test", [[1690, 310], [310, 1690]]),
        ];
        let mut sample = Sample {
            more: "[[claims]]\ntext = \"t\"\nbetter = \"a\"\nthan = [\"b\"]\n",
            reports: reports.concat().replace("0.84", "0.83"),
            ..Sample::default()
        };
        // 0.85 and 0.83 may be 0.03 apart, which is more than chance.
        assert_eq!(find(&sample.study()), []);
        sample.reports = reports.concat();
        sample.epochs = "a,1,,,0.850\nb,1,,,0.845\n".to_owned();
        let found = find(&sample.study());
        assert!(
            found[0].text.contains("0.850 of a against 0.845 of b"),
            "{found:?}"
        );
    }

    #[test]
    fn four_rows_bear_no_conclusion() {
        let found = found([[[2, 0], [0, 2]], [[1, 1], [1, 1]], [[2, 0], [1, 1]]]);
        assert_eq!(found.len(), 1);
        assert!(found[0].text.contains("on 4 rows"), "{found:?}");
    }

    #[test]
    fn a_claim_that_its_numbers_contradict_is_found() {
        let found = found([
            [[150, 50], [50, 150]],
            [[190, 10], [10, 190]],
            [[100, 100], [90, 110]],
        ]);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].runs, ["a", "b"]);
        assert!(found[0].text.contains("less than b"), "{found:?}");
    }
}
