//! The `tokenizers` pipeline that `transformers` would use: built from a vocabulary by the rules of
//! the tokeniser's class, or taken from `tokenizer.json` as it is.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tokenizers::models::bpe::BPE;
use tokenizers::models::wordpiece::WordPiece;
use tokenizers::normalizers::BertNormalizer;
use tokenizers::pre_tokenizers::bert::BertPreTokenizer;
use tokenizers::pre_tokenizers::byte_level::ByteLevel;
use tokenizers::pre_tokenizers::metaspace::{Metaspace, PrependScheme};
use tokenizers::pre_tokenizers::sequence::Sequence;
use tokenizers::pre_tokenizers::whitespace::WhitespaceSplit;
use tokenizers::processors::bert::BertProcessing;
use tokenizers::processors::roberta::RobertaProcessing;
use tokenizers::utils::truncation::TruncationDirection;
use tokenizers::{
    AddedToken, ModelWrapper, NormalizerWrapper, PreTokenizerWrapper, Tokenizer as Pipeline,
};

use super::settings::{Class, Settings};
use super::{TokenizerError, guarded};
use crate::data::long_texts;

/// A pipeline, and what of it is not in the library's hands.
pub(super) struct Built {
    pub(super) pipeline: Pipeline,
    /// The file with the vocabulary.
    pub(super) path: PathBuf,
    pub(super) pad_id: Option<u32>,
    /// Where texts are cut that are too long.
    pub(super) side: TruncationDirection,
    /// What a reader of the results should know.
    pub(super) note: Option<String>,
}

/// Builds the pipeline of a folder with a `tokenizer.json`, or with the files of a class's
/// vocabulary. `None` where it has none of them.
pub(super) fn build(folder: &Path, settings: &Settings) -> Result<Option<Built>, TokenizerError> {
    let json = folder.join("tokenizer.json");
    if json.exists() {
        return from_json(json, settings).map(Some);
    }
    let Some((path, model)) = vocabulary(folder, settings.class)? else {
        return Ok(None);
    };
    let pipeline = by_class(settings, model, None, &[])
        .map_err(|reason| broken(&path, reason))?
        .ok_or_else(|| {
            broken(
                &path,
                "it is not the vocabulary of such a tokeniser".to_owned(),
            )
        })?;
    Ok(Some(finish(pipeline, path, settings, None, None)))
}

fn broken(path: &Path, reason: String) -> TokenizerError {
    TokenizerError::Broken {
        path: path.to_owned(),
        reason,
    }
}

/// The vocabulary that a class has in files of its own.
fn vocabulary(
    folder: &Path,
    class: Class,
) -> Result<Option<(PathBuf, ModelWrapper)>, TokenizerError> {
    let names: &[&str] = match class {
        Class::Bert | Class::Mpnet => &["vocab.txt"],
        Class::Roberta => &["vocab.json", "merges.txt"],
        Class::XlmRoberta | Class::AsItIs | Class::Other => return Ok(None),
    };
    let paths: Vec<PathBuf> = names.iter().map(|name| folder.join(name)).collect();
    if !paths.iter().any(|path| path.exists()) {
        return Ok(None);
    }
    for path in &paths {
        let bytes = fs::read(path).map_err(|reason| TokenizerError::Unreadable {
            path: path.clone(),
            reason,
        })?;
        let longest = bytes.split(|byte| *byte == b'\n').map(<[u8]>::len).max();
        if path
            .extension()
            .is_some_and(|extension| extension == "json")
        {
            long_texts::refuse(&bytes).map_err(|reason| broken(path, reason))?;
        } else if longest.is_some_and(|length| length > long_texts::LONGEST) {
            let reason = "it has a line that is longer than any token".to_owned();
            return Err(broken(path, reason));
        }
    }
    let text = |path: &Path| path.to_string_lossy().into_owned();
    let read = || match paths.as_slice() {
        [words] => WordPiece::from_file(&text(words))
            .build()
            .map(ModelWrapper::WordPiece),
        files => BPE::from_file(&text(&files[0]), &text(&files[1]))
            .build()
            .map(ModelWrapper::BPE),
    };
    let path = paths[0].clone();
    match guarded(|| read().map_err(|reason| reason.to_string())) {
        Ok(model) => Ok(Some((path, model))),
        Err(reason) => Err(broken(&path, reason)),
    }
}

fn from_json(path: PathBuf, settings: &Settings) -> Result<Built, TokenizerError> {
    let bytes = match fs::read(&path) {
        Ok(bytes) => bytes,
        Err(reason) => return Err(TokenizerError::Unreadable { path, reason }),
    };
    let parse = || {
        long_texts::refuse(&bytes)?;
        Pipeline::from_bytes(&bytes).map_err(|reason| reason.to_string())
    };
    let file = guarded(parse).map_err(|reason| broken(&path, reason))?;
    let side = file.get_truncation().map(|truncation| truncation.direction);
    let padding = file.get_padding();
    let pad = padding.map(|padding| AddedToken::from(padding.pad_token.clone(), true));
    let pad = pad.filter(|_| !settings.says("pad_token"));
    let mut numbered: Vec<(u32, AddedToken)> =
        file.get_added_tokens_decoder().into_iter().collect();
    numbered.sort_by_key(|(number, _)| *number);
    let own = numbered.as_slice();

    let model = file.get_model().clone();
    let precompiled = file.get_normalizer().and_then(precompiled).cloned();
    let rebuilt =
        by_class(settings, model, precompiled, own).map_err(|reason| broken(&path, reason))?;
    let Some(mut pipeline) = rebuilt else {
        if settings.class != Class::AsItIs {
            agrees(&file, settings)?;
        }
        let mut pipeline = file;
        let add = || {
            let mut tokens = settings.to_add(own);
            if let Some(pad) = &pad
                && tokens.iter().all(|token| token.content != pad.content)
            {
                tokens.push(pad.clone());
            }
            pipeline
                .add_tokens(tokens)
                .map_err(|reason| reason.to_string())
        };
        guarded(add).map_err(|reason| broken(&path, reason))?;
        return Ok(finish(pipeline, path, settings, side, pad));
    };
    let note = difference(&file, &pipeline, settings);
    // Only a class's own settings may say otherwise.
    pipeline.with_padding(None);
    let mut built = finish(pipeline, path, settings, side, None);
    built.note = note;
    Ok(built)
}

fn finish(
    mut pipeline: Pipeline,
    path: PathBuf,
    settings: &Settings,
    side: Option<TruncationDirection>,
    pad: Option<AddedToken>,
) -> Built {
    pipeline.with_padding(None);
    if settings.switch("split_special_tokens") == Some(true) {
        pipeline.set_encode_special_tokens(true);
    }
    let pad = settings.special("pad_token").or(pad);
    let pad_id = pad.and_then(|token| pipeline.token_to_id(&token.content));
    Built {
        pad_id,
        path,
        side: settings
            .truncation_side()
            .or(side)
            .unwrap_or(TruncationDirection::Right),
        note: None,
        pipeline,
    }
}

/// The pipeline that a class builds around its vocabulary, as `transformers` 5 does; `None` of a
/// class that takes the file as it is, or a vocabulary of another kind.
fn by_class(
    settings: &Settings,
    model: ModelWrapper,
    precompiled: Option<NormalizerWrapper>,
    own: &[(u32, AddedToken)],
) -> Result<Option<Pipeline>, String> {
    let text = |key: &str| settings.special(key).map(|token| token.content);
    let unknown = text("unk_token").unwrap_or_default();
    let prefix_space = settings.switch("add_prefix_space");
    let said = |reason: tokenizers::Error| reason.to_string();
    let mut pipeline = match (settings.class, model) {
        (Class::Bert | Class::Mpnet, ModelWrapper::WordPiece(mut model)) => {
            model.unk_token = unknown;
            "##".clone_into(&mut model.continuing_subword_prefix);
            model.max_input_chars_per_word = 100;
            let normalizer = BertNormalizer::new(
                true,
                settings.switch("tokenize_chinese_chars").unwrap_or(true),
                settings.switch("strip_accents"),
                settings.switch("do_lower_case").unwrap_or(true),
            );
            let mut pipeline = Pipeline::new(model);
            pipeline.with_normalizer(Some(normalizer)).map_err(said)?;
            pipeline.with_pre_tokenizer(Some(BertPreTokenizer));
            pipeline
        }
        (Class::Roberta, ModelWrapper::BPE(mut model)) => {
            model.dropout = None;
            model.unk_token = None;
            model.fuse_unk = false;
            model.byte_fallback = false;
            model.ignore_merges = false;
            let mut pipeline = Pipeline::new(model);
            let letters = ByteLevel::new(prefix_space.unwrap_or(false), true, true);
            pipeline.with_pre_tokenizer(Some(letters));
            pipeline
        }
        (Class::XlmRoberta, ModelWrapper::Unigram(model)) => {
            let mut pipeline = Pipeline::new(model);
            pipeline.with_normalizer(precompiled).map_err(said)?;
            let scheme = if prefix_space.unwrap_or(true) {
                PrependScheme::Always
            } else {
                PrependScheme::Never
            };
            let steps: Vec<PreTokenizerWrapper> = vec![
                WhitespaceSplit.into(),
                Metaspace::new('▁', scheme, true).into(),
            ];
            pipeline.with_pre_tokenizer(Some(Sequence::new(steps)));
            pipeline
        }
        _ => return Ok(None),
    };
    let tokens = settings.to_add(own);
    guarded(|| pipeline.add_tokens(tokens).map_err(said))?;
    let (start, end) = match settings.class {
        Class::XlmRoberta => ("bos_token", "eos_token"),
        _ => ("cls_token", "sep_token"),
    };
    let numbered = |key: &str| {
        let text = text(key).ok_or_else(|| format!("it has no `{key}`, which every text gets"))?;
        let id = pipeline.token_to_id(&text);
        let id = id.ok_or_else(|| format!("its `{key}`, `{text}`, is not in the vocabulary"))?;
        Ok::<_, String>((text, id))
    };
    let (start, end) = (numbered(start)?, numbered(end)?);
    match settings.class {
        Class::Bert | Class::XlmRoberta => {
            pipeline.with_post_processor(Some(BertProcessing::new(end, start)));
        }
        _ => {
            pipeline.with_post_processor(Some(RobertaProcessing::new(end, start)));
        }
    }
    Ok(Some(pipeline))
}

/// The table of a SentencePiece normaliser.
fn precompiled(normalizer: &NormalizerWrapper) -> Option<&NormalizerWrapper> {
    match normalizer {
        NormalizerWrapper::Precompiled(_) => Some(normalizer),
        NormalizerWrapper::Sequence(steps) => steps.as_ref().iter().find_map(precompiled),
        _ => None,
    }
}

/// A note on a file whose own pipeline is not the one that its class builds.
fn difference(file: &Pipeline, ours: &Pipeline, settings: &Settings) -> Option<String> {
    let json = |part: Option<Value>| part.unwrap_or_default();
    let parts = |pipeline: &Pipeline| {
        let normalizer = pipeline.get_normalizer();
        let letters = pipeline.get_pre_tokenizer();
        [
            json(normalizer.and_then(|part| serde_json::to_value(part).ok())),
            json(letters.and_then(|part| serde_json::to_value(part).ok())),
        ]
    };
    let ([normalizer, _], [ours_normalizer, _]) = (parts(file), parts(ours));
    let changed = |key: &str| {
        let (theirs, ours) = (normalizer.get(key)?, ours_normalizer.get(key)?);
        (theirs != ours).then(|| format!("`{key}` is {theirs} there and {ours} here"))
    };
    let keys = ["lowercase", "strip_accents", "handle_chinese_chars"];
    let changed: Vec<String> = keys.into_iter().filter_map(changed).collect();
    (!changed.is_empty()).then(|| {
        format!(
            "{} is read by transformers' rules for its class, which change tokenizer.json: {}",
            settings.path.display(),
            changed.join(", ")
        )
    })
}

/// Refuses settings that a class of its own rules would obey and that the file does not.
fn agrees(file: &Pipeline, settings: &Settings) -> Result<(), TokenizerError> {
    let json = |part: Option<Value>| part.unwrap_or_default();
    let normalizer = json(
        file.get_normalizer()
            .and_then(|part| serde_json::to_value(part).ok()),
    );
    let letters = json(
        file.get_pre_tokenizer()
            .and_then(|part| serde_json::to_value(part).ok()),
    );
    let is = |step: &Value, kind: &str| step["type"] == *kind;
    let lowers = any(&normalizer, &|step| {
        is(step, "Lowercase") || step["lowercase"] == Value::Bool(true)
    });
    let strips = any(&normalizer, &|step| {
        is(step, "StripAccents")
            || step["strip_accents"] == Value::Bool(true)
            || (is(step, "BertNormalizer") && step["strip_accents"].is_null() && lowers)
    });
    let parts_chinese = any(&normalizer, &|step| {
        step["handle_chinese_chars"] == Value::Bool(true)
    });
    let puts_space = any(&letters, &|step| {
        step["add_prefix_space"] == Value::Bool(true)
            || matches!(step["prepend_scheme"].as_str(), Some("always" | "first"))
    }) || any(&normalizer, &|step| is(step, "Prepend"));
    let parts_points = any(&letters, &|step| is(step, "Punctuation"));
    for (setting, does) in [
        ("do_lower_case", lowers),
        ("strip_accents", strips),
        ("tokenize_chinese_chars", parts_chinese),
        ("add_prefix_space", puts_space),
        ("split_by_punct", parts_points),
    ] {
        // What a class does not know, such as `tokenize_chinese_chars` without words, is false in
        // all of its files.
        let said = settings.switch(setting);
        if said == Some(!does) && (said == Some(true) || setting != "add_prefix_space") {
            let problem = format!(
                "is {}, but tokenizer.json does otherwise; save the tokeniser again with transformers, so that both say the same",
                !does
            );
            return Err(TokenizerError::Unusable {
                path: settings.path.clone(),
                setting,
                problem,
            });
        }
    }
    Ok(())
}

/// Whether a part of a pipeline, or of a sequence of parts, is one that `wanted` looks for.
fn any(part: &Value, wanted: &dyn Fn(&Value) -> bool) -> bool {
    let inner = ["normalizers", "pretokenizers"]
        .into_iter()
        .filter_map(|key| part.get(key)?.as_array());
    wanted(part) || inner.flatten().any(|part| any(part, wanted))
}
