//! How long a sweep will still take: from the plan's estimates, corrected by what its runs have
//! taken so far.

use std::collections::HashMap;

/// The runs of a sweep, as far as their time is concerned. Times are seconds since it began.
#[derive(Debug, Default)]
pub(super) struct TimeLeft {
    at_once: usize,
    /// What runs should take that have not begun, where the plan could tell.
    waiting: HashMap<String, Option<f64>>,
    at_work: HashMap<String, AtWork>,
    ended: Vec<Ended>,
}

#[derive(Debug)]
struct AtWork {
    began: f64,
    expected: Option<f64>,
    /// How much of its training is done.
    share: Option<f64>,
}

#[derive(Debug)]
struct Ended {
    expected: Option<f64>,
    taken: f64,
}

/// A training that has done less says too little of the rest.
const TELLING: f64 = 0.02;

impl TimeLeft {
    /// Of runs with their estimates, so many at once.
    pub(super) fn new(
        estimates: impl IntoIterator<Item = (String, Option<f64>)>,
        at_once: usize,
    ) -> Self {
        Self {
            at_once: at_once.max(1),
            waiting: estimates.into_iter().collect(),
            ..Self::default()
        }
    }

    /// A run began.
    pub(super) fn begin(&mut self, run: &str, now: f64) {
        let expected = self.waiting.remove(run).flatten();
        let work = AtWork {
            began: now,
            expected,
            share: None,
        };
        self.at_work.insert(run.to_owned(), work);
    }

    /// A run's training is so far.
    pub(super) fn advance(&mut self, run: &str, share: f64) {
        if let Some(work) = self.at_work.get_mut(run) {
            work.share = Some(share.clamp(0.0, 1.0));
        }
    }

    /// A run ended, of itself or without having begun. Only one that did all its work says how long
    /// others take.
    pub(super) fn end(&mut self, run: &str, complete: bool, now: f64) {
        self.waiting.remove(run);
        if let Some(work) = self.at_work.remove(run)
            && complete
        {
            self.ended.push(Ended {
                expected: work.expected,
                taken: now - work.began,
            });
        }
    }

    /// What is left; `None` as long as nothing tells how long a run takes.
    pub(super) fn seconds(&self, now: f64) -> Option<f64> {
        let pace = self.pace();
        let typical = self.typical(now);
        let of_run = |expected: Option<f64>| expected.map(|seconds| seconds * pace).or(typical);
        let mut longest: f64 = 0.0;
        let mut all = 0.0;
        for work in self.at_work.values() {
            let elapsed = now - work.began;
            let left = match work.share {
                Some(share) if share >= TELLING => elapsed / share - elapsed,
                _ => (of_run(work.expected)? - elapsed).max(0.0),
            };
            longest = longest.max(left);
            all += left;
        }
        for expected in self.waiting.values() {
            all += of_run(*expected)?;
        }
        #[expect(clippy::cast_precision_loss, reason = "a few jobs")]
        Some(longest.max(all / self.at_once as f64))
    }

    /// How much longer runs take than the plan expected.
    fn pace(&self) -> f64 {
        let known = self.ended.iter();
        let known = known.filter_map(|run| Some((run.expected?, run.taken)));
        let (expected, taken) = known.fold((0.0, 0.0), |(expected, taken), run| {
            (expected + run.0, taken + run.1)
        });
        if expected > 0.0 {
            taken / expected
        } else {
            1.0
        }
    }

    /// What a run takes of which nothing is known but that it is one of this sweep.
    fn typical(&self, now: f64) -> Option<f64> {
        let ended = self.ended.iter().map(|run| run.taken);
        let under_way = self.at_work.values().filter_map(|work| {
            let share = work.share.filter(|share| *share >= TELLING)?;
            Some((now - work.began) / share)
        });
        let (count, sum) = ended
            .chain(under_way)
            .fold((0.0, 0.0), |(count, sum), taken| (count + 1.0, sum + taken));
        (count > 0.0).then(|| sum / count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(runs: &[(&str, Option<f64>)], at_once: usize) -> TimeLeft {
        let runs = runs
            .iter()
            .map(|(run, seconds)| ((*run).to_owned(), *seconds));
        TimeLeft::new(runs, at_once)
    }

    #[track_caller]
    fn assert_left(left: &TimeLeft, now: f64, expected: f64) {
        let seconds = left.seconds(now).unwrap();
        assert!((seconds - expected).abs() < 1e-9, "{seconds}");
    }

    #[test]
    fn without_estimates_the_first_run_tells() {
        let mut left = of(&[("a", None), ("b", None), ("c", None)], 1);
        assert_eq!(left.seconds(0.0), None);
        left.begin("a", 0.0);
        assert_eq!(left.seconds(5.0), None);
        left.advance("a", 0.25);
        // 15 s of its own, and 20 s for each of the others.
        assert_left(&left, 5.0, 55.0);
        left.end("a", true, 30.0);
        assert_left(&left, 30.0, 60.0);
    }

    #[test]
    fn estimates_are_corrected_by_what_runs_take() {
        let mut left = of(&[("a", Some(10.0)), ("b", Some(40.0))], 1);
        assert_left(&left, 0.0, 50.0);
        left.begin("a", 0.0);
        assert_left(&left, 4.0, 46.0);
        left.end("a", true, 20.0);
        assert_left(&left, 20.0, 80.0);
    }

    #[test]
    fn runs_side_by_side_share_the_time() {
        let mut left = of(
            &[("a", Some(10.0)), ("b", Some(10.0)), ("c", Some(10.0))],
            2,
        );
        assert_left(&left, 0.0, 15.0);
        left.begin("a", 0.0);
        left.begin("b", 0.0);
        left.end("a", true, 10.0);
        left.end("b", true, 10.0);
        left.begin("c", 10.0);
        assert_left(&left, 10.0, 10.0);
    }

    #[test]
    fn runs_that_failed_or_never_began_tell_nothing_of_others() {
        let mut left = of(&[("a", None), ("b", None)], 1);
        left.begin("a", 0.0);
        left.end("a", false, 1.0);
        assert_eq!(left.seconds(1.0), None);
        left.end("b", false, 1.0);
        assert_left(&left, 1.0, 0.0);
    }
}
