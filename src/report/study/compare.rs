//! A published value beside that of a run of ours.

use super::losses;
use super::nature::Nature;
use super::noise::{mean_is_near, share_is_near};
use super::ours::{Standing, Subject};
use super::verdict::{Compared, Verdict};
use crate::metrics::mean;
use crate::study::{Printed, Published, Reference};

/// Numbers of a network of 32-bit floats have no more digits than this, in proportion.
const NETWORK_DIGITS: f64 = 1e-5;

/// A value of a run by its name.
pub(super) fn value(
    published: &Published,
    subject: &Subject<'_>,
    reference: &Reference,
) -> Compared {
    let printed = published.text(subject.name, reference);
    let nature = Nature::of(reference);
    if nature == Nature::Setting {
        return setting(printed, subject, reference.name());
    }
    let ours = subject.numbers(reference);
    let number = printed.and_then(Printed::parse);
    let basis = Basis {
        published_rows: rows(published, subject, reference),
        rows: own_rows(subject, reference),
        // Which reads a long file.
        deviation: (nature == Nature::Loss && number.is_some())
            .then(|| losses::deviation_of(subject, reference))
            .flatten(),
    };
    numbers(subject, nature, (printed, number.as_ref()), &ours, basis)
}

/// What values are judged on.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Basis {
    /// Rows behind the published value.
    pub published_rows: Option<f64>,
    /// Rows behind ours.
    pub rows: Option<f64>,
    /// Standard deviation of a loss over rows.
    pub deviation: Option<f64>,
}

/// A printed number, and what our seeds have in its place.
pub(super) fn numbers(
    subject: &Subject<'_>,
    nature: Nature,
    (text, printed): (Option<&str>, Option<&Printed>),
    ours: &[f64],
    basis: Basis,
) -> Compared {
    let published = text.unwrap_or_default().to_owned();
    let Some(own) = mean(ours) else {
        return without_ours(subject, published);
    };
    let digits = Digits::of(nature, printed, own);
    let difference = printed.map(|printed| digits.difference(own - printed.value));
    let verdict = match (&subject.standing, printed) {
        (Standing::Stale(_), _) => Verdict::Stale,
        (_, None) => Verdict::Unjudged,
        (_, Some(printed)) => judged(nature, printed, ours, own, basis),
    };
    Compared {
        published,
        ours: digits.text(own),
        difference: difference.unwrap_or_default(),
        verdict,
    }
}

fn judged(nature: Nature, printed: &Printed, ours: &[f64], own: f64, basis: Basis) -> Verdict {
    let Basis {
        published_rows,
        rows,
        deviation,
    } = basis;
    let within = |near: bool| {
        if near {
            Verdict::WithinNoise
        } else {
            Verdict::OutsideNoise
        }
    };
    match nature {
        Nature::Measured => Verdict::Measured,
        Nature::Share => match published_rows.zip(rows) {
            Some((theirs, rows)) => within(share_is_near(printed, theirs, ours, rows)),
            None => Verdict::Unjudged,
        },
        Nature::Loss => match (published_rows.or(rows), rows, deviation) {
            (Some(theirs), Some(rows), Some(deviation)) => {
                within(mean_is_near(printed, theirs, ours, rows, deviation))
            }
            _ => Verdict::Unjudged,
        },
        Nature::Exact | Nature::Setting => exact(printed, own),
    }
}

/// Whether a value is the printed one, to its digits, or to those that a network's output has.
pub(super) fn exact(printed: &Printed, own: f64) -> Verdict {
    let is_whole = printed.decimals <= 0;
    let near = (own - printed.value).abs() <= NETWORK_DIGITS * printed.value.abs();
    if printed.is_of(own) || near && !is_whole {
        Verdict::Equal
    } else {
        Verdict::Differs
    }
}

fn setting(printed: Option<&str>, subject: &Subject<'_>, key: &str) -> Compared {
    let published = printed.unwrap_or_default().to_owned();
    let Some(ours) = subject.setting(key) else {
        return without_ours(subject, published);
    };
    let verdict = match (&subject.standing, printed) {
        (Standing::Stale(_), _) => Verdict::Stale,
        (_, None) => Verdict::Unjudged,
        (_, Some(printed)) if same(printed, ours) => Verdict::Equal,
        _ => Verdict::Differs,
    };
    Compared {
        published,
        ours: ours.to_owned(),
        difference: String::new(),
        verdict,
    }
}

/// Whether two texts of a setting say the same, be it that one has more digits.
fn same(one: &str, other: &str) -> bool {
    let number = |text: &str| text.trim().parse::<f64>().ok();
    match (number(one), number(other)) {
        (Some(one), Some(other)) => (one - other).abs() <= 4.0 * f64::EPSILON * one.abs(),
        _ => one.trim() == other.trim(),
    }
}

/// A value that we do not have.
pub(super) fn without_ours(subject: &Subject<'_>, published: String) -> Compared {
    Compared {
        published,
        ours: String::new(),
        difference: String::new(),
        verdict: match subject.standing {
            Standing::Done(_) => Verdict::NotRecorded,
            Standing::Stale(_) => Verdict::Stale,
            Standing::NotRun(_) => Verdict::NotRun,
        },
    }
}

#[allow(clippy::cast_precision_loss, reason = "row counts")]
fn rows(published: &Published, subject: &Subject<'_>, reference: &Reference) -> Option<f64> {
    match reference {
        Reference::In { evaluation, .. } => published
            .rows(subject.name, evaluation)
            .map(|rows| rows as f64),
        // A loss of the training is one over its rows.
        Reference::Run(_) => {
            let rows = Reference::Run("train_rows".to_owned());
            published.number(subject.name, &rows).map(|rows| rows.value)
        }
        Reference::Setting(_) => None,
    }
}

#[allow(clippy::cast_precision_loss, reason = "row counts")]
fn own_rows(subject: &Subject<'_>, reference: &Reference) -> Option<f64> {
    match reference {
        Reference::In { evaluation, .. } => subject.rows(evaluation).map(|rows| rows as f64),
        Reference::Run(_) => subject.first()?.run_metric("train_rows"),
        Reference::Setting(_) => None,
    }
}

/// How many digits a value of ours is shown with.
struct Digits(usize);

impl Digits {
    fn of(nature: Nature, printed: Option<&Printed>, own: f64) -> Self {
        let shown = printed.map(|printed| usize::try_from(printed.decimals).unwrap_or(0));
        Self(match (nature, shown) {
            (Nature::Exact | Nature::Setting, Some(shown)) => shown.min(10),
            (Nature::Measured, Some(shown)) => shown.clamp(1, 4),
            (Nature::Measured, None) => 1,
            (_, Some(shown)) => shown.clamp(4, 6),
            (_, None) if own.fract() == 0.0 => 0,
            (_, None) => 4,
        })
    }

    fn text(&self, value: f64) -> String {
        if value.is_finite() {
            format!("{value:.*}", self.0)
        } else {
            "not finite".to_owned()
        }
    }

    /// With its sign; a difference that the digits do not show is 0.
    fn difference(&self, value: f64) -> String {
        if !value.is_finite() {
            return String::new();
        }
        let text = format!("{value:+.*}", self.0);
        if text.bytes().any(|byte| (b'1'..=b'9').contains(&byte)) {
            text
        } else {
            "0".to_owned()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(text: &str) -> Printed {
        Printed::parse(text).unwrap()
    }

    #[test]
    fn counts_are_equal_or_they_differ() {
        assert_eq!(exact(&printed("296450"), 296_450.0), Verdict::Equal);
        assert_eq!(exact(&printed("296450"), 296_451.0), Verdict::Differs);
        assert_eq!(exact(&printed("0.160744"), 0.160_743_9), Verdict::Equal);
        assert_eq!(exact(&printed("0.16074395"), 0.1607), Verdict::Differs);
    }

    #[test]
    fn more_digits_than_a_network_has_are_not_asked_for() {
        assert_eq!(
            exact(&printed("0.5496674180030823"), 0.549_667_5),
            Verdict::Equal
        );
        assert_eq!(
            exact(&printed("0.5496674180030823"), 0.549_7),
            Verdict::Differs
        );
        assert_eq!(exact(&printed("-0.22837731"), -0.228_377_4), Verdict::Equal);
    }

    #[test]
    fn settings_are_the_same_however_they_are_written() {
        assert!(
            same("32", "32.0") && same("2e-4", "0.0002") && same("query, value", "query, value")
        );
        assert!(!same("query", "value") && !same("32", "33"));
    }

    #[test]
    fn differences_have_a_sign_and_no_negative_zero() {
        let digits = Digits(4);
        let said = [0.001_23, -0.5, -0.000_01, 0.0].map(|value| digits.difference(value));
        assert_eq!(said, ["+0.0012", "-0.5000", "0", "0"]);
        assert_eq!(digits.text(f64::NAN), "not finite");
    }
}
