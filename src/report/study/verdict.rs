//! A published value beside ours, and what there is to say of the two.

use serde::Serialize;

/// What a value of ours is to the published one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Verdict {
    /// The same, to the printed digits.
    Equal,
    /// Not the same, though it should be.
    Differs,
    /// As near as two trainings judged on so many rows are.
    WithinNoise,
    /// Farther apart than that.
    OutsideNoise,
    /// Times and speeds, which are another machine's.
    Measured,
    /// Our run has no such value.
    NotRecorded,
    /// Our result is of earlier settings or inputs.
    Stale,
    /// There is no run of ours yet.
    NotRun,
    /// Nothing was published, or it is text.
    Unjudged,
}

impl Verdict {
    /// All that are counted, in the order in which they are told.
    pub(super) const COUNTED: [Self; 8] = [
        Self::Equal,
        Self::Differs,
        Self::WithinNoise,
        Self::OutsideNoise,
        Self::Measured,
        Self::NotRecorded,
        Self::Stale,
        Self::NotRun,
    ];

    /// In words; nothing where nothing is said.
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Equal => "equal",
            Self::Differs => "differs",
            Self::WithinNoise => "within noise",
            Self::OutsideNoise => "outside noise",
            Self::Measured => "measured",
            Self::NotRecorded => "not recorded",
            Self::Stale => "stale",
            Self::NotRun => "not run yet",
            Self::Unjudged => "",
        }
    }

    /// The class of its style on the page.
    pub(super) fn class(self) -> &'static str {
        match self {
            Self::Equal | Self::WithinNoise => "v-good",
            Self::Differs | Self::OutsideNoise => "v-bad",
            Self::Measured | Self::Unjudged => "v-plain",
            Self::NotRecorded | Self::Stale | Self::NotRun => "v-open",
        }
    }
}

/// A value of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Compared {
    /// As printed; empty where nothing was.
    pub published: String,
    /// Ours; empty where there is none.
    pub ours: String,
    /// Ours less the published one; empty where one of them is missing or no number.
    pub difference: String,
    /// What there is to say.
    pub verdict: Verdict,
}

/// How many published values came out how.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub(super) struct Counts {
    counts: [usize; Verdict::COUNTED.len()],
}

impl Counts {
    /// Counts a value, if one was published.
    pub(super) fn add(&mut self, value: &Compared) {
        let place = Verdict::COUNTED
            .iter()
            .position(|one| *one == value.verdict);
        if let Some(place) = place.filter(|_| !value.published.is_empty()) {
            self.counts[place] += 1;
        }
    }

    /// Adds all of another.
    pub(super) fn merge(&mut self, other: &Self) {
        for (own, others) in self.counts.iter_mut().zip(other.counts) {
            *own += others;
        }
    }

    /// Those that are not 0.
    pub(super) fn pairs(&self) -> impl Iterator<Item = (Verdict, usize)> {
        let pairs = Verdict::COUNTED.into_iter().zip(self.counts);
        pairs.filter(|(_, count)| *count > 0)
    }

    /// All of them.
    pub(super) fn total(&self) -> usize {
        self.counts.iter().sum()
    }

    /// In a line: `12 published values: 3 equal, 9 not run yet`.
    pub(super) fn line(&self) -> String {
        let total = self.total();
        let values = if total == 1 { "value" } else { "values" };
        let parts: Vec<String> = self
            .pairs()
            .map(|(verdict, count)| format!("{count} {}", verdict.words()))
            .collect();
        if parts.is_empty() {
            return "no published values".to_owned();
        }
        format!("{total} published {values}: {}", parts.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_published_values_are_counted() {
        let value = |published: &str, verdict| Compared {
            published: published.to_owned(),
            ours: String::new(),
            difference: String::new(),
            verdict,
        };
        let mut counts = Counts::default();
        assert_eq!(counts.line(), "no published values");
        counts.add(&value("", Verdict::NotRun));
        counts.add(&value("1", Verdict::NotRun));
        counts.add(&value("1", Verdict::Unjudged));
        assert_eq!(counts.line(), "1 published value: 1 not run yet");
        counts.add(&value("2", Verdict::Equal));
        assert_eq!(counts.line(), "2 published values: 1 equal, 1 not run yet");
    }
}
