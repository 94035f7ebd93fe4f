//! Classification reports that no confusion matrix gives: of two classes by an exact search, of
//! others by what each row and the averages need.

use std::ops::RangeInclusive;

use super::Finding;
use crate::study::{ClassRow, Printed, Report, Study};

/// Pairs of counts that are searched at most: a second's work.
const MOST_PAIRS: u64 = 20_000_000;

pub(super) fn find(study: &Study) -> Vec<Finding> {
    let reports = study.published.reports.iter();
    let fault = |report: &Report| {
        let text = fault(report)?;
        let text = format!("{}, `{}`: {text}", report.run, report.evaluation);
        Some(Finding::new(
            "figures that the supports rule out",
            [report.run.as_str()],
            text,
        ))
    };
    reports.filter_map(fault).collect()
}

/// The first thing that cannot be.
fn fault(report: &Report) -> Option<String> {
    let classes: Vec<&ClassRow> = report.classes().collect();
    if classes.is_empty() {
        return lone_accuracy(report);
    }
    sums(report, &classes)
        .or_else(|| {
            classes
                .iter()
                .find_map(|row| of_class(row, rows_of(&classes)))
        })
        .or_else(|| match classes.as_slice() {
            [zero, one] => of_two(report, zero, one),
            _ => None,
        })
        .or_else(|| averages(report, &classes))
}

fn rows_of(classes: &[&ClassRow]) -> u64 {
    classes
        .iter()
        .fold(0, |sum, row| sum.saturating_add(row.support))
}

fn lone_accuracy(report: &Report) -> Option<String> {
    let (accuracy, rows) = (report.accuracy()?, report.rows()?);
    (!accuracy.is_share_of(rows)).then(|| {
        format!(
            "no number of right answers out of {rows} gives an accuracy of {}.",
            accuracy.text
        )
    })
}

/// Supports that do not add up.
fn sums(report: &Report, classes: &[&ClassRow]) -> Option<String> {
    let sum = rows_of(classes);
    let averages = ["accuracy", "macro avg", "weighted avg"];
    let mut averages = averages.iter().filter_map(|name| report.row(name));
    let other = averages.find(|row| row.support != sum)?;
    Some(format!(
        "the classes have {sum} rows together, but `{}` has {}.",
        other.class, other.support
    ))
}

/// The right answers that give a class's recall.
fn right(row: &ClassRow) -> RangeInclusive<u64> {
    match &row.recall {
        Some(recall) => counts(recall, row.support),
        None => 0..=row.support,
    }
}

/// The counts out of so many rows whose share may be printed so.
#[allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::reversed_empty_ranges,
    reason = "between 0 and a row count; a range may be empty"
)]
fn counts(share: &Printed, rows: u64) -> RangeInclusive<u64> {
    if rows == 0 {
        return 0..=0;
    }
    let (low, high) = share.range();
    let total = rows as f64;
    let is_of = |count: &u64| share.is_of(*count as f64 / total);
    // Rounding may put the ends one off.
    let start = (low * total).ceil().clamp(0.0, total) as u64;
    let end = (high * total).floor().clamp(0.0, total) as u64;
    let first = (start.saturating_sub(1)..=(start + 1).min(rows)).find(is_of);
    let last = (end.saturating_sub(1)..=(end + 1).min(rows))
        .rev()
        .find(is_of);
    match (first, last) {
        (Some(first), Some(last)) => first..=last,
        _ => 1..=0,
    }
}

/// Precision and F1 of a class.
#[allow(clippy::cast_precision_loss, reason = "row counts")]
fn scores(right: u64, said: u64, support: u64) -> (f64, f64) {
    // Without a row, scikit-learn prints 0.
    let ratio = |above: u64, below: u64| {
        if below == 0 {
            0.0
        } else {
            above as f64 / below as f64
        }
    };
    (
        ratio(right, said),
        ratio(2 * right, support.saturating_add(said)),
    )
}

fn fits(printed: Option<&Printed>, value: f64) -> bool {
    printed.is_none_or(|printed| printed.is_of(value))
}

/// A class whose own figures do not fit.
fn of_class(row: &ClassRow, rows: u64) -> Option<String> {
    let (name, support) = (&row.class, row.support);
    let right = right(row);
    let recall = row.recall.as_ref().map_or("", |recall| &recall.text);
    if right.is_empty() {
        return Some(format!(
            "no number of right answers out of {support} gives class `{name}` a recall of {recall}."
        ));
    }
    let others = rows.saturating_sub(support);
    let pairs = (right.end() - right.start() + 1).saturating_mul(others.saturating_add(1));
    if pairs > MOST_PAIRS {
        return None;
    }
    let some = right.into_iter().any(|right| {
        (right..=right.saturating_add(others)).any(|said| {
            let (precision, f1) = scores(right, said, support);
            fits(row.precision.as_ref(), precision) && fits(row.f1_score.as_ref(), f1)
        })
    });
    (!some).then(|| {
        let text = |printed: &Option<Printed>| {
            printed.as_ref().map_or("none", |printed| &printed.text).to_owned()
        };
        format!(
            "no counts give class `{name}` of {support} rows the recall {recall}, the precision {} and the F1 {} at once.",
            text(&row.precision),
            text(&row.f1_score)
        )
    })
}

/// What is looked at one after the other in a search over two classes.
const STAGES: [&str; 5] = [
    "precision",
    "F1",
    "accuracy",
    "macro averages",
    "weighted averages",
];

/// Two classes whose figures do not fit each other, or their averages: all matrices are looked at.
fn of_two(report: &Report, zero: &ClassRow, one: &ClassRow) -> Option<String> {
    let (rights, others) = (right(zero), right(one));
    let length = |range: &RangeInclusive<u64>| range.end() - range.start() + 1;
    if length(&rights).saturating_mul(length(&others)) > MOST_PAIRS {
        return None;
    }
    let mut deepest = 0;
    for right0 in rights {
        for right1 in others.clone() {
            let passed = passed(report, [zero, one], [right0, right1]);
            if passed == STAGES.len() {
                return None;
            }
            deepest = deepest.max(passed);
        }
    }
    let printed = match STAGES[deepest] {
        "accuracy" => report.accuracy().map_or("", |accuracy| &accuracy.text),
        _ => "",
    };
    Some(format!(
        "with {} and {} rows no confusion matrix gives the printed recall{} and also the {}{}{printed}.",
        zero.support,
        one.support,
        STAGES[..deepest]
            .iter()
            .fold(String::new(), |words, stage| format!("{words}, {stage}")),
        STAGES[deepest],
        if printed.is_empty() { "" } else { " " },
    ))
}

/// How many of the stages a matrix passes, given the right answers of both classes.
#[allow(clippy::cast_precision_loss, reason = "row counts")]
fn passed(report: &Report, rows: [&ClassRow; 2], right: [u64; 2]) -> usize {
    let supports = rows.map(|row| row.support);
    let wrong = [supports[0] - right[0], supports[1] - right[1]];
    let said = [right[0] + wrong[1], right[1] + wrong[0]];
    let of = |class: usize| {
        let (precision, f1) = scores(right[class], said[class], supports[class]);
        let recall = right[class] as f64 / supports[class].max(1) as f64;
        [precision, recall, f1]
    };
    let figures = [of(0), of(1)];
    let each = |index: usize, printed: fn(&ClassRow) -> Option<&Printed>| {
        (0..2).all(|class| fits(printed(rows[class]), figures[class][index]))
    };
    if !each(0, |row| row.precision.as_ref()) {
        return 0;
    }
    if !each(2, |row| row.f1_score.as_ref()) {
        return 1;
    }
    let all = (supports[0] + supports[1]).max(1) as f64;
    if !fits(report.accuracy(), (right[0] + right[1]) as f64 / all) {
        return 2;
    }
    let weights = [[0.5, 0.5], supports.map(|support| support as f64 / all)];
    for (stage, (name, [first, second])) in ["macro avg", "weighted avg"]
        .iter()
        .zip(weights)
        .enumerate()
    {
        let Some(row) = report.row(name) else {
            continue;
        };
        let mean = |index: usize| first * figures[0][index] + second * figures[1][index];
        let printed = [&row.precision, &row.recall, &row.f1_score];
        if !(0..3).all(|index| fits(printed[index].as_ref(), mean(index))) {
            return 3 + stage;
        }
    }
    STAGES.len()
}

/// A figure of a class as it was printed.
type PrintedFigure = fn(&ClassRow) -> Option<&Printed>;
/// How much a class counts in an average.
type Weight<'a> = dyn Fn(&ClassRow) -> f64 + 'a;

/// Averages that cannot be of the printed rows, whatever was rounded away.
#[allow(clippy::cast_precision_loss, reason = "row counts")]
fn averages(report: &Report, classes: &[&ClassRow]) -> Option<String> {
    let all = rows_of(classes).max(1) as f64;
    let count = classes.len() as f64;
    let figures: [(&str, PrintedFigure); 3] = [
        ("precision", |row| row.precision.as_ref()),
        ("recall", |row| row.recall.as_ref()),
        ("F1", |row| row.f1_score.as_ref()),
    ];
    let ways: [(&str, &Weight<'_>); 2] = [
        ("macro avg", &|_| 1.0 / count),
        ("weighted avg", &|row| row.support as f64 / all),
    ];
    let outside = |printed: &Printed, weight: &Weight<'_>, figure: PrintedFigure| {
        let mut range = (0.0, 0.0);
        for class in classes {
            let (low, high) = figure(class)?.range();
            range.0 += weight(class) * low;
            range.1 += weight(class) * high;
        }
        let (low, high) = printed.range();
        (high < range.0 - 1e-12 || low > range.1 + 1e-12).then_some(range)
    };
    for (name, weight) in ways {
        for (title, figure) in figures {
            let printed = report.row(name).and_then(figure);
            if let Some(printed) = printed
                && let Some((low, high)) = outside(printed, weight, figure)
            {
                return Some(format!(
                    "the {title} of `{name}` is {}, but the rows of the classes give {low:.3} to {high:.3}.",
                    printed.text
                ));
            }
        }
    }
    let accuracy = report.accuracy()?;
    let (low, high) = outside(accuracy, ways[1].1, figures[1].1)?;
    Some(format!(
        "the accuracy is {}, but the recalls and supports of the classes give {low:.3} to {high:.3}.",
        accuracy.text
    ))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::study::sample::{Sample, report};

    fn found(reports: &str) -> Vec<String> {
        let sample = Sample {
            reports: reports.to_owned(),
            ..Sample::default()
        };
        let found = find(&sample.study()).into_iter();
        found.map(|finding| finding.text).collect()
    }

    /// Supports 50 and 50, 40 and 30 right.
    fn sound() -> String {
        report("a", "test", [[40, 10], [20, 30]])
    }

    #[test]
    fn a_report_of_a_matrix_is_sound() {
        assert_eq!(found(&sound()), [""; 0]);
        assert_eq!(found("a,custom,accuracy,,,0.75,4\n"), [""; 0]);
    }

    #[test]
    fn what_no_matrix_gives_is_found_with_what_is_wrong() {
        assert!(
            sound().contains("a,test,accuracy,,,0.70,100"),
            "{}",
            sound()
        );
        for (from, to, wanted) in [
            (
                "accuracy,,,0.70",
                "accuracy,,,0.71",
                "also the accuracy 0.71",
            ),
            (
                "0.67,0.80,0.73,50",
                "0.68,0.80,0.73,50",
                "also the precision",
            ),
            ("0.67,0.80,0.73,50", "0.67,0.81,0.73,50", "a recall of 0.81"),
            ("0.67,0.80,0.73,50", "0.67,0.80,0.74,50", "at once"),
            (
                "accuracy,,,0.70,100",
                "accuracy,,,0.70,101",
                "`accuracy` has 101",
            ),
            (
                "macro avg,0.71",
                "macro avg,0.72",
                "also the macro averages",
            ),
            (
                "weighted avg,0.71",
                "weighted avg,0.73",
                "also the weighted averages",
            ),
        ] {
            assert!(sound().contains(from), "{from}\n{}", sound());
            let found = found(&sound().replacen(from, to, 1));
            assert!(
                found.len() == 1 && found[0].contains(wanted),
                "{wanted}: {found:?}"
            );
        }
    }

    #[test]
    fn an_accuracy_of_four_rows_is_a_quarter() {
        let found = found("a,custom,accuracy,,,0.70,4\n");
        assert!(
            found[0].contains("out of 4 gives an accuracy of 0.70"),
            "{found:?}"
        );
    }

    #[test]
    fn three_classes_are_checked_by_their_averages() {
        let rows =
            "a,test,x,0.50,0.50,0.50,10\na,test,y,0.50,0.50,0.50,10\na,test,z,0.80,0.80,0.80,10\n";
        assert_eq!(
            found(&format!("{rows}a,test,accuracy,,,0.60,30\n")),
            [""; 0]
        );
        let found_in = found(&format!("{rows}a,test,accuracy,,,0.70,30\n"));
        assert!(found_in[0].contains("give 0.595 to 0.605"), "{found_in:?}");
        let found_in = found(&format!("{rows}a,test,macro avg,0.70,0.60,0.60,30\n"));
        assert!(
            found_in[0].contains("precision of `macro avg`"),
            "{found_in:?}"
        );
    }

    #[test]
    fn a_class_that_was_never_said_has_no_precision() {
        assert_eq!(
            found("a,t,0,0.50,1.00,0.67,2\na,t,1,0.00,0.00,0.00,2\na,t,accuracy,,,0.50,4\n"),
            [""; 0]
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn no_report_of_a_real_matrix_is_doubted(counts in prop::array::uniform4(1_u64..400)) {
            let [a, b, c, d] = counts;
            prop_assert_eq!(found(&report("a", "test", [[a, b], [c, d]])), [""; 0]);
        }
    }
}
