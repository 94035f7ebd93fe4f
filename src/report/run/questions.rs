//! The questions of a search: in full, with the fragments that each found and the answer.

use std::collections::HashMap;
use std::path::Path;

use crate::record::{AnswerRow, RUN_FILE, RetrievalRow, RunFile};
use crate::report::seed::SeedReport;

/// A question of a run.
#[derive(Debug, Clone)]
pub(in crate::report) struct Question<'a> {
    /// Its id.
    pub id: &'a str,
    /// The question itself; none where the settings do not have it any more.
    pub text: Option<String>,
    /// What it found, the best first.
    pub fragments: Vec<&'a RetrievalRow>,
    /// The answer, if there was a generator.
    pub answer: Option<&'a AnswerRow>,
}

/// The questions of a run in the order of its files.
pub(in crate::report) fn of(seed: &SeedReport) -> Vec<Question<'_>> {
    let (retrieval, answers) = (seed.retrieval(), seed.answers());
    let ids = retrieval.iter().map(|row| row.question.as_str());
    let ids = ids.chain(answers.iter().map(|row| row.question.as_str()));
    let mut places: HashMap<&str, usize> = HashMap::new();
    let mut questions: Vec<Question> = Vec::new();
    for id in ids {
        places.entry(id).or_insert_with(|| {
            questions.push(Question {
                id,
                text: None,
                fragments: Vec::new(),
                answer: None,
            });
            questions.len() - 1
        });
    }
    if questions.is_empty() {
        return questions;
    }
    for row in retrieval {
        questions[places[row.question.as_str()]].fragments.push(row);
    }
    for row in answers {
        questions[places[row.question.as_str()]].answer = Some(row);
    }
    let mut texts = texts(seed.folder());
    for question in &mut questions {
        question.text = texts.remove(question.id);
    }
    questions
}

/// The texts of the questions by their ids; what `run.toml` does not say is not known.
fn texts(folder: &Path) -> HashMap<String, String> {
    let known = folder.join(RUN_FILE).exists();
    let file = known.then(|| RunFile::<toml::Table>::read(folder).ok());
    let settings = file.flatten().map(|file| file.settings).unwrap_or_default();
    let asked = settings.get("questions").and_then(toml::Value::as_array);
    let pair = |question: &toml::Value| {
        let word = |key| question.get(key)?.as_str().map(str::to_owned);
        Some((word("id")?, word("text")?))
    };
    asked.into_iter().flatten().filter_map(pair).collect()
}

/// What can be seen of an answer, in a few words each.
pub(in crate::report) fn judgements(row: &AnswerRow) -> Vec<String> {
    let mut said = Vec::new();
    let mut say = |words: Option<String>| said.extend(words);
    say(row.words.map(|words| match row.word_limit {
        Some(limit) => format!("{words} words of {limit} allowed"),
        None => format!("{words} words"),
    }));
    say(row.language.as_ref().map(|language| {
        let other = row.same_language == Some(false);
        let note = if other { " (not the question's)" } else { "" };
        format!("language {language}{note}")
    }));
    say((!row.cited.is_empty()).then(|| {
        let outside = row.cited_in_context.is_some_and(|share| share < 1.0);
        let note = if outside { " (not all given)" } else { "" };
        format!("cites {}{note}", row.cited)
    }));
    say((row.abstained == Some(true)).then(|| "says that the fragments have no answer".to_owned()));
    for (name, share) in [
        ("supported", row.supported),
        ("repeated", row.repeated),
        ("F1", row.token_f1),
        ("ROUGE-L", row.rouge_l),
    ] {
        say(share.map(|share| format!("{name} {share:.2}")));
    }
    say(row
        .stop
        .as_ref()
        .map(|stop| format!("ends with {}", stop.replace('_', " "))));
    said
}
