//! What there is to say of the answers: the rows of `answers.csv`, and their metrics.

use engine::retrieval::Hit;

use super::answers::{Answers, Reply};
use super::asking;
use super::fragments::Fragments;
use super::judge::{ALL, count, metric};
use super::{passages, phrases};
use crate::config::{Generator, RagSettings};
use crate::metrics::mean;
use crate::record::{AnswerRow, MetricRow};
use crate::retrieval::{Bench, Judgement};

/// An answer with what was found out of it.
pub(super) struct Verdict<'a> {
    question: &'a str,
    reply: &'a Reply,
    /// Fragments that were found and not given to it.
    left_out: usize,
    judgement: Judgement,
}

/// Judges each answer.
pub(super) fn verdicts<'a>(
    settings: &'a RagSettings,
    answers: &'a Answers,
    hits: &[Vec<Hit>],
    fragments: &Fragments,
) -> Vec<Verdict<'a>> {
    let texts: Vec<&str> = settings
        .questions
        .iter()
        .map(|question| question.text.as_str())
        .collect();
    // What a decoder says without being told to is not known, only what its template shows.
    let asked = match settings.generator {
        Generator::Model(_) => settings
            .generator
            .citation()
            .map(str::to_owned)
            .or_else(|| asking::citation(settings)),
        Generator::Simple(_) => None,
    };
    let judged = settings.questions.iter().zip(&answers.replies).zip(hits);
    let judged = judged.map(|((question, reply), hits)| {
        let given = &hits[..reply.fragments.min(hits.len())];
        let own = phrases(settings, &question.text);
        let citation = match settings.generator {
            Generator::Model(_) => asked.as_deref(),
            Generator::Simple(_) => Some(own.citation()),
        };
        let bench = Bench {
            question: &question.text,
            others: &texts,
            fragments: &passages(given, fragments),
            not_found: Some(own.not_found()),
            citation,
            right: question.answer.as_deref(),
        };
        Verdict {
            question: &question.id,
            reply,
            left_out: hits.len() - given.len(),
            judgement: Judgement::of(&reply.text, &bench),
        }
    });
    judged.collect()
}

/// The rows of `answers.csv`.
pub(super) fn rows(verdicts: &[Verdict<'_>]) -> Vec<AnswerRow> {
    let rows = verdicts.iter().map(|verdict| {
        let (judgement, drawn) = (&verdict.judgement, verdict.reply.drawn.as_ref());
        let cited: Vec<String> = judgement.cited.iter().map(usize::to_string).collect();
        AnswerRow {
            question: verdict.question.to_owned(),
            answer: verdict.reply.text.clone(),
            new_tokens: drawn.map(|drawn| drawn.new_tokens),
            seconds: drawn.map(|drawn| (drawn.seconds * 1000.0).round() / 1000.0),
            stop: drawn.map(|drawn| drawn.stop.to_owned()),
            words: Some(judgement.words),
            word_limit: judgement.word_limit,
            within_limit: judgement.within_limit(),
            language: judgement.language.map(str::to_owned),
            same_language: judgement.same_language,
            cited: cited.join(" "),
            cited_in_context: judgement.cited_in_context,
            abstained: Some(judgement.abstained),
            supported: judgement.supported,
            repeated: judgement.repeated,
            token_f1: judgement.token_f1,
            rouge_l: judgement.rouge_l,
        }
    });
    rows.collect()
}

/// The figures of an answer, those that it has.
fn figures(verdict: &Verdict<'_>) -> Vec<(&'static str, f64)> {
    let flag = |set: bool| f64::from(u8::from(set));
    let (judgement, drawn) = (&verdict.judgement, verdict.reply.drawn.as_ref());
    let mut figures = vec![
        ("answer_words", Some(count(judgement.words))),
        ("within_limit", judgement.within_limit().map(flag)),
        ("same_language", judgement.same_language.map(flag)),
        ("citations", Some(count(judgement.cited.len()))),
        ("cited_in_context", judgement.cited_in_context),
        ("abstained", Some(flag(judgement.abstained))),
        ("supported", judgement.supported),
        ("repeated", judgement.repeated),
        ("token_f1", judgement.token_f1),
        ("rouge_l", judgement.rouge_l),
    ];
    if let Some(drawn) = drawn {
        figures.extend([
            ("prompt_tokens", Some(count(drawn.prompt_tokens))),
            ("new_tokens", Some(count(drawn.new_tokens))),
            ("cut_off", Some(flag(drawn.stop == "length"))),
            ("fragments_left_out", Some(count(verdict.left_out))),
        ]);
    }
    let there = figures
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)));
    there.collect()
}

/// The figures of each answer, and of all together their means over the answers that have them.
pub(super) fn metrics(verdicts: &[Verdict<'_>]) -> Vec<MetricRow> {
    let each: Vec<(&str, Vec<(&str, f64)>)> = verdicts
        .iter()
        .map(|verdict| (verdict.question, figures(verdict)))
        .collect();
    let mut names: Vec<&str> = Vec::new();
    for (name, _) in each.iter().flat_map(|(_, figures)| figures) {
        if !names.contains(name) {
            names.push(name);
        }
    }
    let mut rows = Vec::new();
    for name in names {
        let values = each.iter().flat_map(|(_, figures)| figures);
        let values: Vec<f64> = values
            .filter(|figure| figure.0 == name)
            .map(|figure| figure.1)
            .collect();
        rows.extend(mean(&values).map(|value| metric(ALL, name, value)));
    }
    for (question, figures) in each {
        let of_question = figures.into_iter();
        rows.extend(of_question.map(|(name, value)| metric(question, name, value)));
    }
    rows
}
