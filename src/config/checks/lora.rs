//! LoRA fine-tuning: the adapters must fit the encoder, and nothing may be chosen on the test
//! split.

use std::collections::BTreeSet;

use engine::shapes::{LinearShape, Shapes, TargetError};

use super::{data, model, unsupported};
use crate::config::draft::{Check, Draft};
use crate::config::problem::Problem;
use crate::config::source::Span;
use crate::config::suggest;
use crate::config::{Keep, LoraSettings};

/// Share of the rows that make the test split where nothing is said.
const TEST_SIZE: f64 = 0.2;

impl Check for LoraSettings {
    fn check(&mut self, draft: &mut Draft<'_>) {
        if self.data.test_size.is_none() && self.data.test_path.is_none() {
            self.data.test_size = Some(TEST_SIZE);
        }
        data::check(draft, &mut self.data);
        needs_validation(draft, self);
        targets_are_named(draft, self);
        unsupported::encoder(draft, "model", &self.model);
        model::is_named_well(draft, "model", &self.model);
        let shapes = model::encoder(draft, "model", &self.model);
        if let Some(Ok(shapes)) = shapes.as_deref() {
            adapters_fit(draft, self, shapes);
            texts_fit(draft, self, shapes);
        }
    }
}

fn needs_validation(draft: &mut Draft<'_>, settings: &LoraSettings) {
    if settings.data.validation_size.is_some() || draft.is_tainted(&["data.validation_size"]) {
        return;
    }
    let needy = [
        (
            "training.keep",
            settings.training.keep == Keep::Best,
            "`keep = \"best\"`",
        ),
        (
            "training.early_stopping",
            settings.training.early_stopping.is_some(),
            "`early_stopping`",
        ),
    ];
    for (key, _, words) in needy.into_iter().filter(|(_, set, _)| *set) {
        let problem = draft.problem(format!("{words} needs `data.validation_size`"));
        let problem = problem.at(&draft.span(key), "would select on the test split");
        draft.push(
            problem
                .help("set aside training rows to select on: `validation_size = 0.1` in `[data]`"),
        );
    }
}

fn targets_are_named(draft: &mut Draft<'_>, settings: &LoraSettings) {
    if draft.is_tainted(&["lora.targets"]) {
        return;
    }
    if settings.lora.targets.is_empty() {
        let problem = draft
            .problem("`lora.targets` is missing")
            .at(&draft.span("lora"), "does not say which layers to adapt");
        draft.push(problem.help("for example `targets = [\"query\", \"value\"]`"));
    }
    let mut seen = BTreeSet::new();
    for (index, target) in settings.lora.targets.iter().enumerate() {
        if !seen.insert(target) {
            draft.push(
                draft
                    .problem(format!("`lora.targets` names `{target}` twice"))
                    .at(&target_span(draft, index), "again"),
            );
        }
    }
}

fn adapters_fit(draft: &mut Draft<'_>, settings: &LoraSettings, shapes: &Shapes) {
    if draft.is_tainted(&["lora.targets"]) {
        return;
    }
    let mut narrowest: Option<&LinearShape> = None;
    for (index, target) in settings.lora.targets.iter().enumerate() {
        match shapes.resolve_target(target) {
            Ok(linears) => {
                let candidates = narrowest.into_iter().chain(linears);
                narrowest = candidates.min_by_key(|linear| linear.smaller_dimension());
            }
            Err(error) => {
                let problem = bad_target(draft, &error, shapes, &target_span(draft, index));
                draft.push(problem);
            }
        }
    }
    let Some(narrowest) = narrowest else { return };
    let (rank, limit) = (settings.lora.rank, narrowest.smaller_dimension());
    if rank > limit && !draft.is_tainted(&["lora.rank"]) {
        let problem = draft.problem(format!(
            "`lora.rank` is {rank}, but must be at most {limit}"
        ));
        let problem = problem.at(&draft.span("lora.rank"), "out of range");
        let size = format!("{} x {}", narrowest.output, narrowest.input);
        draft.push(problem.help(format!(
            "the weight of `{}` is {size}, which has no larger rank",
            narrowest.module
        )));
    }
}

fn bad_target(draft: &Draft<'_>, error: &TargetError, shapes: &Shapes, span: &Span) -> Problem {
    match error {
        TargetError::Unknown { target, known } => {
            // Module names stand for themselves without their layer's number and prefix.
            let modules = shapes
                .linears
                .iter()
                .filter_map(|linear| linear.module.rsplit('.').next());
            let near = suggest::nearest(target, known.iter().map(String::as_str).chain(modules));
            let problem = draft
                .problem(format!("the model has no linear layer `{target}`"))
                .at(span, "no such layer");
            let problem = match near {
                Some(near) => problem.help(format!("did you mean \"{near}\"?")),
                None => problem,
            };
            problem.help(format!(
                "this {} model has {}",
                shapes.model_type,
                known.join(", ")
            ))
        }
        TargetError::Head { target } => draft
            .problem(format!("`{target}` is the classification head"))
            .at(span, "cannot be a target")
            .help("leave it out: the head is trained in full beside the adapters"),
        TargetError::Empty { .. } => draft.problem(error.to_string()).at(span, ""),
    }
}

fn texts_fit(draft: &mut Draft<'_>, settings: &LoraSettings, shapes: &Shapes) {
    let (length, limit) = (settings.training.max_length, shapes.max_positions);
    if length <= limit || draft.is_tainted(&["training.max_length"]) {
        return;
    }
    let message =
        format!("`training.max_length` is {length}, but the model reads at most {limit} tokens");
    let problem = if draft.table.at("training.max_length").is_some() {
        draft
            .problem(message)
            .at(&draft.span("training.max_length"), "too long")
    } else {
        let key = format!("model.{}", settings.model.origin.key());
        draft
            .problem(message)
            .at(&draft.span(&key), "this model")
            .help(format!("{length} is the default"))
    };
    draft.push(problem.help(format!(
        "set `max_length = {limit}` or less in `[training]`"
    )));
}

/// Where a target is written. Those of an adapter all stand where its path does.
fn target_span(draft: &Draft<'_>, index: usize) -> Span {
    let list = draft
        .table
        .at("lora.targets")
        .and_then(|node| node.as_list());
    list.and_then(|list| list.get(index))
        .map_or_else(|| draft.span("lora.targets"), |node| node.span.clone())
}
