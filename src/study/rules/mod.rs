//! Contradictions inside the numbers that a study printed, and conclusions that they do not bear. A
//! rule a file; each is general, and says nothing where the columns that it needs are not printed.

mod arithmetic;
mod chances;
mod chosen;
mod conditions;
mod confusion;
mod cut;
mod epochs;
mod examples;
mod metric;
mod rows;
mod spread;
mod twice;

use super::whole::Study;

/// Something that does not fit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The rule that found it, in a few words.
    pub rule: &'static str,
    /// The study's runs that it is about.
    pub runs: Vec<String>,
    /// What does not fit, in a sentence or two.
    pub text: String,
}

impl Finding {
    fn new<'a>(
        rule: &'static str,
        runs: impl IntoIterator<Item = &'a str>,
        text: impl Into<String>,
    ) -> Self {
        Self {
            rule,
            runs: runs.into_iter().map(str::to_owned).collect(),
            text: text.into(),
        }
    }
}

/// The rules, in the order in which findings are told.
const RULES: [fn(&Study) -> Vec<Finding>; 11] = [
    epochs::find,
    confusion::find,
    twice::find,
    arithmetic::find,
    chances::find,
    chosen::find,
    rows::find,
    conditions::find,
    examples::find,
    metric::find,
    cut::find,
];

/// Everything that does not fit in a study's published numbers and claims.
#[must_use]
pub fn findings(study: &Study) -> Vec<Finding> {
    let mut found: Vec<Finding> = Vec::new();
    for rule in RULES {
        for finding in rule(study) {
            if !found.contains(&finding) {
                found.push(finding);
            }
        }
    }
    found
}

/// Names in a sentence.
fn listed(names: &[&str]) -> String {
    match names {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [before @ .., last] => format!("{} and {last}", before.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::{Sample, report};
    use super::*;

    /// A study in which everything fits: two trainings on the same rows, a claim that the rows bear.
    fn consistent() -> Sample {
        let values = |run: &str, rank: u32, trained: u32, percent: &str| {
            format!(
                "{run},run,lora.rank,{rank}\n{run},run,training.epochs,2\n{run},run,training.batch_size,8\n\
                 {run},run,trainable_parameters,{trained}\n{run},run,total_parameters,2000000\n\
                 {run},run,trainable_percent,{percent}\n{run},run,train_rows,1601\n{run},run,steps,402\n\
                 {run},run,train_seconds,100.5\n{run},run,train_samples_per_second,31.861\n\
                 {run},run,train_steps_per_second,4.0\n{run},run,classification.examples,0\n\
                 {run},run,chunks.size,100\n{run},run,max_seq_length,512\n"
            )
        };
        Sample {
            more: "[[claims]]\ntext = \"a beats b\"\nbetter = \"a\"\nthan = [\"b\"]\nabout = [\"lora.rank\"]\n",
            reports: [
                report("a", "test", [[180, 20], [18, 182]]),
                report("b", "test", [[150, 50], [40, 160]]),
            ]
            .concat(),
            epochs: "a,1,0.4,0.4,0.8825\na,2,0.3,0.3,0.905\nb,1,0.5,0.5,0.7\nb,2,0.5,0.5,0.775\n"
                .to_owned(),
            values: [
                values("a", 8, 20_000, "1.0000"),
                values("b", 4, 10_000, "0.5"),
                "a,run,retrieval.metric,cosine\nb,run,retrieval.metric,cosine\n".to_owned(),
            ]
            .concat(),
            ..Sample::default()
        }
    }

    #[test]
    fn a_consistent_study_raises_nothing() {
        let found = findings(&consistent().study());
        assert_eq!(found, [], "{found:#?}");
    }

    #[test]
    fn a_study_without_published_numbers_raises_nothing() {
        assert_eq!(findings(&Sample::default().study()), []);
    }

    #[test]
    fn names_are_listed_as_in_a_sentence() {
        assert_eq!(listed(&["a", "b", "c"]), "a, b and c");
        assert_eq!(listed(&["a"]), "a");
    }
}
