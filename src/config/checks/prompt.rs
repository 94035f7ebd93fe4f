//! Prompting: what decoders are asked, and how they answer. What retrieval asks them is checked here
//! too.

use std::collections::BTreeSet;

use minijinja::{Value, context};

use super::{data, model};
use crate::config::draft::{Check, Draft};
use crate::config::{
    Classification, ClassificationMode, Generation, Prompt, PromptFormat, PromptSettings, suggest,
};
use crate::prompts::{Piece, Template};

impl Check for PromptSettings {
    fn check(&mut self, draft: &mut Draft<'_>) {
        data::check(draft, &mut self.data);
        model::is_named_well(draft, "model", &self.model);
        model::files(draft, "model", &self.model);
        answers_end(draft, &self.generation);
        asks(draft, &self.prompt, &Asked::classes(&self.classification));
        classification(draft, &self.classification);
    }
}

/// Reports settings that say two things at once, or nothing.
fn classification(draft: &mut Draft<'_>, settings: &Classification) {
    let mut report = |key: &str, fault: &str, help: &str| {
        if draft.is_tainted(&[key]) {
            return;
        }
        let problem = draft.problem(format!("`{key}` {fault}"));
        let problem = problem.at(&draft.span(key), "here");
        draft.push(problem.help(help));
    };
    let rows = &settings.example_rows;
    if !rows.is_empty() && (settings.examples > 0 || settings.examples_path.is_some()) {
        report(
            "classification.example_rows",
            "is set beside `examples` or `examples_path`",
            "it names all examples: leave the others out",
        );
    }
    if rows.iter().collect::<BTreeSet<_>>().len() < rows.len() {
        report(
            "classification.example_rows",
            "has a row twice",
            "remove it",
        );
    }
    let words: Vec<&str> = settings
        .words
        .iter()
        .map(|word| word.word.as_str())
        .collect();
    if words.iter().any(|word| word.is_empty()) {
        report("classification.words", "has an empty word", "say something");
    } else if words.iter().collect::<BTreeSet<_>>().len() < words.len() {
        report(
            "classification.words",
            "has a word for two classes",
            "each class needs its own, or answers cannot tell them apart",
        );
    }
    let classes = settings.words.iter().map(|word| &word.class);
    if classes.collect::<BTreeSet<_>>().len() < words.len() {
        report(
            "classification.words",
            "has two words for a class",
            "remove one",
        );
    }
    if settings.separator.is_empty() {
        report("classification.separator", "is empty", "\",\" is usual");
    }
    if settings.calibration && settings.mode == ClassificationMode::Chunks {
        report(
            "classification.calibration",
            "is for `mode = \"likelihood\"`",
            "answers that are drawn have no likelihoods to divide",
        );
    }
}

/// What a template is given, and what of it no prompt does without.
pub(super) struct Asked {
    known: Vec<&'static str>,
    /// Of each of these, one at least has to be in the prompt.
    needed: Vec<(Vec<&'static str>, &'static str)>,
    /// Values to try a template with, twice with other texts.
    samples: [Value; 2],
}

impl Asked {
    /// What a prompt asks that gives texts their classes.
    fn classes(settings: &Classification) -> Self {
        let mut known = vec!["reviews", "count", "examples", "classes"];
        let mut shown = vec!["reviews"];
        if settings.mode == ClassificationMode::Likelihood {
            known.push("review");
            shown.push("review");
        }
        let mut needed = vec![(shown, "the texts that are to be classified")];
        if settings.has_examples() {
            needed.push((vec!["examples"], "the examples that it is to show"));
        }
        let samples = ["a", "b"].map(|word| {
            let count = match settings.mode {
                ClassificationMode::Chunks => settings.chunk_size.clamp(1, 2),
                ClassificationMode::Likelihood => 1,
            };
            let piece =
                |number: usize| Piece::new(format!("text {word}{number}")).with("number", number);
            let reviews: Vec<Value> = (1..=count).map(|number| piece(number).value()).collect();
            let shown = if settings.has_examples() { 2 } else { 0 };
            let examples: Vec<Value> = (1..=shown)
                .map(|number| piece(number).with("label", "0").value())
                .collect();
            let base = context! {
                reviews => reviews,
                count => count,
                examples => examples,
                classes => ["0", "1"],
            };
            match settings.mode {
                ClassificationMode::Chunks => base,
                ClassificationMode::Likelihood => {
                    context! { review => piece(1).value(), ..base }
                }
            }
        });
        Self {
            known,
            needed,
            samples,
        }
    }

    /// What a prompt asks that answers a question from fragments.
    pub(super) fn question() -> Self {
        let samples = ["a", "b"].map(|word| {
            let fragment = |number: usize| {
                Piece::new(format!("text {word}{number}"))
                    .with("number", number)
                    .with("score", 0.5)
                    .value()
            };
            context! {
                question => format!("question {word}"),
                fragments => [fragment(0), fragment(1)],
                count => 2,
            }
        });
        Self {
            known: vec!["question", "fragments", "count"],
            needed: vec![
                (vec!["question"], "the question"),
                (vec!["fragments"], "the fragments that were found"),
            ],
            samples,
        }
    }
}

/// Reports what is wrong with a prompt's table.
pub(super) fn asks(draft: &mut Draft<'_>, prompt: &Prompt, asked: &Asked) {
    if draft.is_tainted(&["prompt"]) {
        return;
    }
    if prompt.system.is_some() && prompt.format == PromptFormat::Raw {
        let problem = draft.problem("`prompt.system` is for chats");
        let problem = problem.at(&draft.span("prompt.system"), "never said");
        draft.push(problem.help("set `format = \"chat\"`, or say it in the template"));
    }
    if let Some(date) = &prompt.date
        && date.parse::<jiff::civil::Date>().is_err()
    {
        let problem = draft.problem(format!("`prompt.date` is \"{date}\", which is no day"));
        let problem = problem.at(&draft.span("prompt.date"), "not a day");
        draft.push(problem.help("write it as \"2024-07-26\""));
    }
    let (key, place, source) = match (&prompt.template, &prompt.template_file) {
        (Some(source), None) => ("prompt.template", String::new(), source.clone()),
        (None, Some(path)) => match draft.inspector.environment().read(path) {
            Ok(source) => (
                "prompt.template_file",
                format!("{}: ", path.display()),
                source,
            ),
            Err(error) => {
                let problem = draft.problem(format!(
                    "`prompt.template_file`: cannot read `{}`: {error}",
                    path.display()
                ));
                draft.push(problem.at(&draft.span("prompt.template_file"), "cannot be read"));
                return;
            }
        },
        // That exactly one is needed is said already.
        _ => return,
    };
    for (fault, help) in faults(&source, asked) {
        let problem = draft.problem(format!("`{key}`: {place}{fault}"));
        draft.push(problem.at(&draft.span(key), "this template").help(help));
    }
}

/// What is wrong with a template, and what helps.
fn faults(source: &str, asked: &Asked) -> Vec<(String, String)> {
    let known = || format!("known here: {}", asked.known.join(", "));
    let template = match Template::parse(source) {
        Ok(template) => template,
        Err(error) => {
            let help = "templates are minijinja: `{{ name }}`, `{% for review in reviews %}` … `{% endfor %}`";
            return vec![(error.to_string(), help.to_owned())];
        }
    };
    let used = template.placeholders();
    let unknown: Vec<(String, String)> = used
        .iter()
        .filter(|name| !asked.known.contains(&name.as_str()))
        .map(|name| {
            let near = suggest::nearest(name, asked.known.iter().copied());
            let help = near.map_or_else(known, |near| format!("did you mean `{near}`?"));
            let line = source.lines().position(|line| line.contains(name.as_str()));
            let line = line.map_or_else(String::new, |line| format!("line {}: ", line + 1));
            (format!("{line}there is no `{name}` to fill in"), help)
        })
        .collect();
    if !unknown.is_empty() {
        return unknown;
    }
    let unused: Vec<(String, String)> = asked
        .needed
        .iter()
        .filter(|(names, _)| !names.iter().any(|name| used.contains(*name)))
        .map(|(names, what)| {
            let fault = format!("it never uses {what}");
            (fault, format!("`{}` has them", names.join("` or `")))
        })
        .collect();
    if !unused.is_empty() {
        return unused;
    }
    let tried: Result<Vec<String>, _> = asked
        .samples
        .iter()
        .map(|values| template.render(values))
        .collect();
    match tried {
        Err(error) => vec![(error.to_string(), known())],
        Ok(texts) if texts[0] == texts[1] => vec![(
            "whatever the texts, the prompt is the same".to_owned(),
            "write them into it: `{{ review.text }}`, `{{ fragment.text }}`".to_owned(),
        )],
        Ok(_) => Vec::new(),
    }
}

/// Reports texts that would end each answer before it begins.
pub(super) fn answers_end(draft: &mut Draft<'_>, generation: &Generation) {
    let key = "generation.stop";
    if generation.stop.iter().any(String::is_empty) && !draft.is_tainted(&[key]) {
        let problem = draft.problem("`generation.stop` has an empty text");
        let problem = problem.at(&draft.span(key), "would end each answer at once");
        draft.push(problem.help("remove it"));
    }
}
