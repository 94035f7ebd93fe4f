//! A model table: what can be known of a checkpoint without loading its weights.

use std::path::{Path, PathBuf};
use std::rc::Rc;

use engine::shapes::Shapes;

use crate::config::draft::Draft;
use crate::config::names::is_hub_id;
use crate::config::{Model, Origin};

/// Files of which a checkpoint needs one to turn texts into tokens. A `vocab.json` also needs its
/// `merges.txt`, which shows when they are read.
const TOKENISERS: [&str; 4] = ["tokenizer.json", "vocab.txt", "vocab.json", "spm.model"];

/// Files of which a checkpoint needs one for its weights.
const WEIGHTS: [&str; 4] = [
    "model.safetensors",
    "model.safetensors.index.json",
    "pytorch_model.bin",
    "pytorch_model.bin.index.json",
];

/// What an encoder consists of, if its `config.json` lies on this machine. What is wrong with its
/// folder is reported.
pub(super) fn encoder(
    draft: &mut Draft<'_>,
    table: &str,
    model: &Model,
) -> Option<Rc<Result<Shapes, String>>> {
    let (key, config) = files(draft, table, model)?;
    let shapes = draft.inspector.shapes(&config);
    if let Err(message) = shapes.as_ref() {
        draft.push(
            draft
                .problem(format!("`{key}`: {message}"))
                .at(&draft.span(&key), "cannot use this model"),
        );
    }
    Some(shapes)
}

/// Reports a model of the hub whose name or revision none can have.
pub(super) fn is_named_well(draft: &mut Draft<'_>, table: &str, model: &Model) {
    let Origin::Hub { id, revision } = &model.origin else {
        return;
    };
    let key = format!("{table}.id");
    if !is_hub_id(id) && !draft.is_tainted(&[&key]) {
        let problem = draft.problem(format!(
            "`{key}`: `{id}` cannot be the name of a model on the hub"
        ));
        let problem = problem.at(&draft.span(&key), "not a name");
        draft.push(problem.help(
            "as its page has it: `owner/name`, of letters, digits, `-`, `_` and `.`; a folder is named by `path`",
        ));
    }
    let key = format!("{table}.revision");
    let is_word = !revision.is_empty() && !revision.contains(char::is_whitespace);
    if !is_word && !draft.is_tainted(&[&key]) {
        let problem = draft.problem(format!("`{key}`: `{revision}` cannot be a revision"));
        let problem = problem.at(&draft.span(&key), "not a name");
        draft.push(problem.help("a branch, a tag or a commit; leave it out for `main`"));
    }
}

/// The setting that names a model on this machine, and its `config.json`. What its folder lacks
/// beside that is reported; of a model of the hub, only what is in the cache can be looked at.
pub(super) fn files(
    draft: &mut Draft<'_>,
    table: &str,
    model: &Model,
) -> Option<(String, PathBuf)> {
    let key = format!("{table}.{}", model.origin.key());
    let config = match &model.origin {
        Origin::Folder(folder) => folder.join("config.json"),
        Origin::Random { config, .. } => config.clone(),
        Origin::Hub { id, revision } => {
            let folder = draft.inspector.environment().hub_model(id, revision)?;
            return Some((key, folder.join("config.json")));
        }
    };
    if draft.is_tainted(&[&key]) {
        return None;
    }
    let folder = config.parent().unwrap_or(Path::new("")).to_owned();
    no_pipes(draft, &key, &folder);
    needs(draft, &key, &folder, &TOKENISERS);
    if let Origin::Folder(_) = model.origin {
        needs(draft, &key, &folder, &WEIGHTS);
    }
    Some((key, config))
}

/// Files of a checkpoint that are read where they are there.
const OPTIONAL: [&str; 14] = [
    "config.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.txt",
    "vocab.json",
    "merges.txt",
    "modules.json",
    "sentence_bert_config.json",
    "config_sentence_transformers.json",
    "generation_config.json",
    "chat_template.jinja",
    "adapter_config.json",
    "adapter_model.safetensors",
];

/// Reports files that would be waited for without an end.
pub(super) fn no_pipes(draft: &mut Draft<'_>, key: &str, folder: &Path) {
    for name in TOKENISERS.iter().chain(&WEIGHTS).chain(&OPTIONAL) {
        let path = folder.join(name);
        if draft.inspector.environment().is_special(&path) {
            let message = format!(
                "`{key}`: `{}` is a pipe or a device, not a file",
                path.display()
            );
            let problem = draft
                .problem(message)
                .at(&draft.span(key), "cannot be read");
            draft.push(problem);
        }
    }
}

fn needs(draft: &mut Draft<'_>, key: &str, folder: &Path, names: &[&str]) {
    if names
        .iter()
        .any(|name| draft.inspector.environment().is_file(&folder.join(name)))
    {
        return;
    }
    let message = format!(
        "`{key}`: `{}` has no {}",
        folder.display(),
        names.join(" or ")
    );
    draft.push(draft.problem(message).at(&draft.span(key), "incomplete"));
}
