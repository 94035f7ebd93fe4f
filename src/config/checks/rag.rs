//! Retrieval and answers.

use std::collections::BTreeSet;

use super::{model, prompt, unsupported};
use crate::config::draft::{Check, Draft};
use crate::config::tree::Node;
use crate::config::{Embedder, Generation, Generator, Overflow, Question, RagSettings};

/// Names that results already use: for all questions together, and for what belongs to none.
const RESERVED: [&str; 2] = ["questions", "run"];

impl Check for RagSettings {
    fn check(&mut self, draft: &mut Draft<'_>) {
        if let Embedder::Model(embedder) = &self.embedder {
            let embedder = &embedder.model;
            unsupported::encoder(draft, "embedder", embedder);
            model::is_named_well(draft, "embedder", embedder);
            unsupported::head(draft, "embedder", embedder);
            model::files(draft, "embedder", embedder);
        }
        if let Generator::Model(generator) = &self.generator {
            let generator = &generator.model;
            model::is_named_well(draft, "generator", generator);
            model::files(draft, "generator", generator);
            unsupported::head(draft, "generator", generator);
            prompt::answers_end(draft, &self.generation);
            if let Some(prompt) = &self.prompt {
                prompt::asks(draft, prompt, &prompt::Asked::question());
            }
        }
        phrases_say_something(draft, self);
        chunks_advance(draft, self);
        questions_differ(draft, self);
        document_is_pinned(draft, self);
        if matches!(self.generator, Generator::Simple(_)) {
            // Without a decoder nothing is asked or drawn, so that nothing depends on how.
            self.prompt = None;
            self.generation = Generation::default();
            self.retrieval.on_overflow = Overflow::Error;
        }
        if matches!(self.generator, Generator::Model(_))
            && self.prompt.is_none()
            && !draft.is_tainted(&["prompt"])
        {
            let problem = draft
                .problem("`[prompt]` is missing")
                .at(&draft.span("generator"), "this generator needs it");
            draft.push(problem.help("give it a `template` or a `template_file`"));
        }
    }
}

fn phrases_say_something(draft: &mut Draft<'_>, settings: &RagSettings) {
    for (key, phrase) in [
        ("generator.not_found", settings.generator.not_found()),
        ("generator.citation", settings.generator.citation()),
    ] {
        if phrase.is_some_and(|phrase| phrase.trim().is_empty()) {
            let problem = draft.problem(format!("`{key}` is empty"));
            let problem = problem.at(&draft.span(key), "empty");
            draft.push(problem.help("leave it out for a phrase in the question's language"));
        }
    }
}

fn chunks_advance(draft: &mut Draft<'_>, settings: &RagSettings) {
    let (size, overlap) = (settings.chunks.size, settings.chunks.overlap);
    if overlap < size || draft.is_tainted(&["chunks.size", "chunks.overlap"]) {
        return;
    }
    let problem = draft.problem(format!(
        "`chunks.overlap` is {overlap}, but must be below the size {size}"
    ));
    let problem = problem.at(&draft.span("chunks.overlap"), "chunks would never advance");
    draft.push(problem.at(&draft.span("chunks.size"), "the size"));
}

fn questions_differ(draft: &mut Draft<'_>, settings: &RagSettings) {
    let nodes = draft
        .table
        .get("questions")
        .and_then(|node| node.as_list())
        .unwrap_or_default()
        .to_vec();
    let mut seen = BTreeSet::new();
    for (question, node) in settings.questions.iter().zip(&nodes) {
        let place = |key: &str| {
            node.as_table()
                .and_then(|table| table.get(key))
                .map_or_else(|| node.span.clone(), |node| node.span.clone())
        };
        if question.id.trim().is_empty() {
            draft.push(
                draft
                    .problem("a question's id is empty")
                    .at(&place("id"), "empty"),
            );
        } else if RESERVED.contains(&question.id.as_str()) {
            let message = format!("a question cannot have the id `{}`", question.id);
            let problem = draft
                .problem(message)
                .at(&place("id"), "results use this name already");
            draft.push(problem);
        } else if !seen.insert(&question.id) {
            draft.push(
                draft
                    .problem(format!("two questions have the id `{}`", question.id))
                    .at(&place("id"), "the second"),
            );
        }
        if question.text.trim().is_empty() {
            draft.push(
                draft
                    .problem("a question's text is empty")
                    .at(&place("text"), "empty"),
            );
        }
        let is_empty = |answer: &String| answer.trim().is_empty();
        if question.answer.as_ref().is_some_and(is_empty) {
            let problem = draft.problem("a question's answer is empty");
            let problem = problem.at(&place("answer"), "empty");
            draft.push(problem.help("leave it out where no right answer is known"));
        }
        patterns_can_be_found(draft, question, node);
    }
}

/// Reports the patterns that no chunk could contain: empty ones and broken expressions.
fn patterns_can_be_found(draft: &mut Draft<'_>, question: &Question, node: &Node) {
    let nodes = node.as_table().and_then(|table| table.get("relevant"));
    let nodes = nodes.and_then(|list| list.as_list()).unwrap_or_default();
    for (pattern, node) in question.relevant.iter().zip(nodes) {
        let expression = pattern
            .strip_prefix('/')
            .and_then(|rest| rest.strip_suffix('/'));
        let fault = match expression {
            _ if expression.unwrap_or(pattern).trim().is_empty() => "is empty".to_owned(),
            Some(expression) => match regex::Regex::new(expression) {
                Ok(_) => continue,
                Err(error) => {
                    let reason = error.to_string();
                    let reason = reason.lines().last().unwrap_or_default();
                    format!(
                        "is not a regular expression: {}",
                        reason.trim_start_matches("error: ")
                    )
                }
            },
            None => continue,
        };
        let problem = draft.problem(format!(
            "a pattern of the question `{}` {fault}",
            question.id
        ));
        draft.push(problem.at(&node.span, "finds nothing"));
    }
}

fn document_is_pinned(draft: &mut Draft<'_>, settings: &RagSettings) {
    let document = &settings.document;
    let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    if let Some(sha256) = &document.sha256
        && (sha256.len() != 64 || !sha256.bytes().all(is_digit))
    {
        let problem = draft.problem("`document.sha256` is not a sha256");
        draft.push(problem.at(
            &draft.span("document.sha256"),
            "must be 64 digits, 0-9 and a-f",
        ));
    }
}
