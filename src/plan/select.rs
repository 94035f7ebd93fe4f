//! Which runs a person means: patterns such as `deberta-lora`, `deberta-lora/attempt-4`,
//! `'rag-*/cosine-*'` or `x/y@43`.

use globset::{GlobBuilder, GlobMatcher};

use super::nearest;

/// A run that could be selected: experiment, run, seed.
pub type Candidate<'a> = (&'a str, &'a str, u64);

/// A set of patterns. Without any, everything is selected.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    patterns: Vec<Pattern>,
}

/// A pattern that selects nothing.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say what is what")]
pub enum SelectionError {
    #[error(
        "`{pattern}` is not a pattern: {message}; write EXPERIMENT, EXPERIMENT/RUN or EXPERIMENT/RUN@SEED, with * for any text"
    )]
    Malformed { pattern: String, message: String },
    #[error("`{pattern}` matches nothing: {message}")]
    Nothing { pattern: String, message: String },
}

#[derive(Debug, Clone)]
struct Pattern {
    typed: String,
    /// `x/y@43` is seed 43 of the run `y`, or a run called `y@43`.
    readings: Vec<Reading>,
}

#[derive(Debug, Clone)]
struct Reading {
    experiment: Name,
    run: Option<Name>,
    seed: Option<u64>,
}

/// A name or a glob. Names are compared literally first, since they may contain a glob's special
/// characters.
#[derive(Debug, Clone)]
struct Name {
    text: String,
    glob: GlobMatcher,
}

impl Name {
    fn parse(text: &str, typed: &str) -> Result<Self, SelectionError> {
        let malformed = |message: String| SelectionError::Malformed {
            pattern: typed.to_owned(),
            message,
        };
        if text.is_empty() {
            return Err(malformed("a name is empty".into()));
        }
        let glob = GlobBuilder::new(text)
            .build()
            .map_err(|error| malformed(error.kind().to_string()))?;
        Ok(Self {
            text: text.to_owned(),
            glob: glob.compile_matcher(),
        })
    }

    fn matches(&self, name: &str) -> bool {
        self.text == name || self.glob.is_match(name)
    }
}

impl Reading {
    fn selects(&self, (experiment, run, seed): Candidate<'_>) -> bool {
        self.experiment.matches(experiment)
            && self.run.as_ref().is_none_or(|name| name.matches(run))
            && self.seed.is_none_or(|wanted| wanted == seed)
    }
}

impl Pattern {
    fn parse(typed: &str) -> Result<Self, SelectionError> {
        let mut readings = vec![Self::reading(typed, None, typed)?];
        if let Some((name, seed)) = typed.rsplit_once('@')
            && let Ok(seed) = seed.parse()
        {
            readings.push(Self::reading(name, Some(seed), typed)?);
        }
        Ok(Self {
            typed: typed.to_owned(),
            readings,
        })
    }

    fn reading(name: &str, seed: Option<u64>, typed: &str) -> Result<Reading, SelectionError> {
        let (experiment, run) = match name.split_once('/') {
            Some((experiment, run)) => (experiment, Some(Name::parse(run, typed)?)),
            None => (name, None),
        };
        Ok(Reading {
            experiment: Name::parse(experiment, typed)?,
            run,
            seed,
        })
    }

    fn selects(&self, candidate: Candidate<'_>) -> bool {
        self.readings
            .iter()
            .any(|reading| reading.selects(candidate))
    }

    fn selects_experiment(&self, experiment: &str) -> bool {
        self.readings
            .iter()
            .any(|reading| reading.experiment.matches(experiment))
    }

    /// Why nothing matched: near names of the part that fails first.
    fn nothing(&self, candidates: &[Candidate<'_>]) -> SelectionError {
        let error = |message| SelectionError::Nothing {
            pattern: self.typed.clone(),
            message,
        };
        // The reading with a seed, where there is one, has the plainer names.
        let Some(reading) = self.readings.last() else {
            return error("it is empty".into());
        };
        let within: Vec<_> = candidates
            .iter()
            .filter(|(experiment, ..)| reading.experiment.matches(experiment))
            .collect();
        if within.is_empty() {
            let names = candidates.iter().map(|(experiment, ..)| *experiment);
            return error(suggest("experiment", &reading.experiment.text, names));
        }
        let runs = within.iter().map(|(_, run, _)| *run);
        match &reading.run {
            Some(name) if !runs.clone().any(|run| name.matches(run)) => {
                error(suggest("run", &name.text, runs))
            }
            _ => {
                let mut seeds: Vec<u64> = within.iter().map(|(.., seed)| *seed).collect();
                seeds.sort_unstable();
                seeds.dedup();
                let seeds: Vec<_> = seeds.iter().map(u64::to_string).collect();
                error(format!("the seeds are {}", seeds.join(", ")))
            }
        }
    }
}

fn suggest<'a>(what: &str, name: &str, names: impl Iterator<Item = &'a str> + Clone) -> String {
    let quote = |names: &[&str]| {
        let quoted: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
        quoted.join(", ")
    };
    let near = nearest(name, names.clone());
    if !near.is_empty() {
        return format!("no {what} has that name; did you mean {}?", quote(&near));
    }
    let mut all: Vec<_> = names.collect();
    all.dedup();
    match all.len() {
        0 => format!("there is no {what}"),
        1..=12 => format!("no {what} has that name; choose from {}", quote(&all)),
        count => format!("none of the {count} {what}s has that name; `ensayo list` shows them"),
    }
}

impl Selection {
    /// Reads patterns as typed.
    ///
    /// # Errors
    /// When one of them is not a pattern.
    pub fn parse<S: AsRef<str>>(patterns: &[S]) -> Result<Self, SelectionError> {
        let patterns = patterns
            .iter()
            .map(|pattern| Pattern::parse(pattern.as_ref()))
            .collect::<Result<_, _>>()?;
        Ok(Self { patterns })
    }

    /// Whether no pattern restricts it.
    #[must_use]
    pub fn is_everything(&self) -> bool {
        self.patterns.is_empty()
    }

    /// Whether the run is selected.
    #[must_use]
    pub fn selects(&self, experiment: &str, run: &str, seed: u64) -> bool {
        self.patterns.is_empty()
            || self
                .patterns
                .iter()
                .any(|pattern| pattern.selects((experiment, run, seed)))
    }

    /// Whether some run of the experiment may be selected, going by the experiment's name alone.
    #[must_use]
    pub fn selects_experiment(&self, experiment: &str) -> bool {
        self.patterns.is_empty()
            || self
                .patterns
                .iter()
                .any(|pattern| pattern.selects_experiment(experiment))
    }

    /// Checks that every pattern means something.
    ///
    /// # Errors
    /// The first pattern that matches none of the candidates, with near names.
    pub fn check(&self, candidates: &[Candidate<'_>]) -> Result<(), SelectionError> {
        for pattern in &self.patterns {
            if !candidates
                .iter()
                .any(|candidate| pattern.selects(*candidate))
            {
                return Err(pattern.nothing(candidates));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RUNS: [Candidate<'static>; 6] = [
        ("deberta-lora", "attempt-1", 42),
        ("deberta-lora", "attempt-4", 42),
        ("deberta-lora", "attempt-4", 43),
        ("rag-normal", "cosine-10", 42),
        ("rag-special", "cosine-7", 42),
        ("rag-special", "euclidean-7", 42),
    ];

    fn selected(patterns: &[&str]) -> String {
        let selection = Selection::parse(patterns).unwrap();
        let selected = RUNS
            .iter()
            .filter(|(experiment, run, seed)| selection.selects(experiment, run, *seed));
        let labels: Vec<_> = selected
            .map(|(experiment, run, seed)| format!("{experiment}/{run}@{seed}"))
            .collect();
        labels.join(" ")
    }

    fn complaint(pattern: &str) -> String {
        match Selection::parse(&[pattern]) {
            Ok(selection) => selection.check(&RUNS).unwrap_err().to_string(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn patterns_select_experiments_runs_and_seeds() {
        assert_eq!(
            selected(&["deberta-lora/attempt-4"]),
            "deberta-lora/attempt-4@42 deberta-lora/attempt-4@43"
        );
        assert_eq!(
            selected(&["deberta-lora/attempt-4@43"]),
            "deberta-lora/attempt-4@43"
        );
        assert_eq!(selected(&["deberta-lora@43"]), "deberta-lora/attempt-4@43");
        assert_eq!(
            selected(&["rag-*/cosine-*"]),
            "rag-normal/cosine-10@42 rag-special/cosine-7@42"
        );
        assert_eq!(
            selected(&["rag-normal", "*/attempt-1"]),
            "deberta-lora/attempt-1@42 rag-normal/cosine-10@42"
        );
        assert_eq!(selected(&[]).split(' ').count(), RUNS.len());
    }

    #[test]
    fn names_with_special_characters_are_taken_literally() {
        let selection = Selection::parse(&["x/targets=[a]+b", "x/y@43"]).unwrap();
        assert!(selection.selects("x", "targets=[a]+b", 1));
        assert!(selection.selects("x", "y@43", 1));
        assert!(selection.selects("x", "y", 43));
        assert!(!selection.selects("x", "y", 42));
    }

    #[test]
    fn a_pattern_that_matches_nothing_is_an_error_with_near_names() {
        assert_eq!(
            complaint("debreta-lora"),
            "`debreta-lora` matches nothing: no experiment has that name; did you mean `deberta-lora`?"
        );
        assert_eq!(
            complaint("deberta-lora/atempt-4"),
            "`deberta-lora/atempt-4` matches nothing: no run has that name; did you mean `attempt-4`, `attempt-1`?"
        );
        assert_eq!(
            complaint("deberta-lora/attempt-4@7"),
            "`deberta-lora/attempt-4@7` matches nothing: the seeds are 42, 43"
        );
        assert_eq!(
            complaint("zz*"),
            "`zz*` matches nothing: no experiment has that name; choose from `deberta-lora`, `rag-normal`, `rag-special`"
        );
    }

    #[test]
    fn malformed_patterns_are_refused() {
        assert!(complaint("").contains("a name is empty"));
        assert!(complaint("x/").contains("a name is empty"));
        assert!(complaint("x/[a").contains("EXPERIMENT/RUN@SEED"));
    }
}
