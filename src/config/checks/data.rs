//! The `[data]` table.

use std::collections::BTreeSet;

use crate::config::draft::Draft;
use crate::config::{Data, SplitKind};

/// Names that results already use for the splits and for what belongs to none.
const RESERVED: [&str; 3] = ["test", "validation", "run"];

/// Checks the split, the reviews that are fetched and the named evaluations; says where the reviews
/// are put.
pub(super) fn check(draft: &mut Draft<'_>, data: &mut Data) {
    reviews(draft, data);
    if data.split == SplitKind::Stratified && u32::try_from(data.split_seed).is_err() {
        let message = format!(
            "`data.split_seed` is {}, but must be below 2^32",
            data.split_seed
        );
        let problem = draft.problem(message);
        let problem = problem.at(&draft.span("data.split_seed"), "out of range");
        draft.push(problem.help(
            "`split = \"stratified\"` is scikit-learn's, which takes no larger `random_state`",
        ));
    }
    evaluations(draft, data);
}

fn reviews(draft: &mut Draft<'_>, data: &mut Data) {
    let Some(steam) = data
        .steam
        .as_ref()
        .filter(|_| !draft.is_tainted(&["data.steam"]))
    else {
        return;
    };
    let key = if steam.positive == 0 {
        "data.steam.positive"
    } else {
        "data.steam.negative"
    };
    let language = &steam.language;
    let problem = if !language.bytes().all(|byte| byte.is_ascii_lowercase()) {
        let problem = draft.problem(format!("`{language}` is not Steam's name of a language"));
        problem
            .at(&draft.span("data.steam.language"), "not a language")
            .help("such as \"english\", \"spanish\" or \"schinese\"; \"all\" takes every language")
    } else if steam.positive == 0 || steam.negative == 0 {
        let problem = draft.problem(format!("`{key}` is 0"));
        problem
            .at(&draft.span(key), "leaves one class only")
            .help("a classifier needs reviews of both classes")
    } else {
        let environment = draft.inspector.environment();
        data.path = environment.reviews(steam).unwrap_or_default();
        return;
    };
    draft.push(problem);
}

fn evaluations(draft: &mut Draft<'_>, data: &Data) {
    let nodes = draft
        .table
        .at("data.evaluations")
        .and_then(|node| node.as_list())
        .unwrap_or_default()
        .to_vec();
    let mut seen = BTreeSet::new();
    for (evaluation, node) in data.evaluations.iter().zip(&nodes) {
        let name = node
            .as_table()
            .and_then(|table| table.get("name"))
            .map_or(&node.span, |name| &name.span);
        let problem = if evaluation.name.trim().is_empty() {
            Some(
                draft
                    .problem("an evaluation's name is empty")
                    .at(name, "empty"),
            )
        } else if RESERVED.contains(&evaluation.name.as_str()) {
            let message = format!("an evaluation cannot be called `{}`", evaluation.name);
            Some(
                draft
                    .problem(message)
                    .at(name, "results use this name already"),
            )
        } else if !seen.insert(evaluation.name.clone()) {
            Some(
                draft
                    .problem(format!("two evaluations are called `{}`", evaluation.name))
                    .at(name, "the second"),
            )
        } else {
            None
        };
        draft_push(draft, problem);
        let problem = match (&evaluation.path, &evaluation.rows) {
            (Some(_), Some(_)) => Some("has both `path` and `rows`"),
            (None, None) => Some("has neither `path` nor `rows`"),
            _ => None,
        };
        let problem = problem.map(|fault| {
            let problem = draft
                .problem(format!("the evaluation `{}` {fault}", evaluation.name))
                .at(&node.span, "");
            problem.help("give it one of them")
        });
        draft_push(draft, problem);
        for (row, node) in evaluation.rows.iter().flatten().zip(row_nodes(node)) {
            if row.text.trim().is_empty() {
                draft.push(
                    draft
                        .problem("an evaluation's text is empty")
                        .at(&node.span, "empty"),
                );
            }
        }
    }
}

fn draft_push(draft: &mut Draft<'_>, problem: Option<crate::config::problem::Problem>) {
    if let Some(problem) = problem {
        draft.push(problem);
    }
}

fn row_nodes(evaluation: &crate::config::tree::Node) -> &[crate::config::tree::Node] {
    evaluation
        .as_table()
        .and_then(|table| table.get("rows"))
        .and_then(|rows| rows.as_list())
        .unwrap_or_default()
}
