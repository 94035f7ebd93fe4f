//! Which files are chosen, of repositories in memory.

use std::collections::BTreeMap;

use super::*;

/// Everything that a repository has; what is not there is known not to be, unless `unsure`.
struct Files {
    content: BTreeMap<&'static str, &'static str>,
    unsure: bool,
}

impl Shelf for Files {
    fn has(&self, file: &str) -> Option<bool> {
        let has = self.content.contains_key(file);
        (has || !self.unsure).then_some(has)
    }

    fn read(&self, file: &str) -> Result<Vec<u8>, HubError> {
        Ok(self.content[file].as_bytes().to_vec())
    }
}

fn chosen(wanted: Wanted, content: &[(&'static str, &'static str)]) -> Selection {
    let content = content.iter().copied().collect();
    let files = Files {
        content,
        unsure: false,
    };
    wanted.choose("o/m", &files).unwrap()
}

#[test]
fn a_classifier_takes_one_tokeniser_and_the_best_weights() {
    let selection = chosen(
        Wanted::Classifier,
        &[
            ("config.json", ""),
            ("tokenizer.json", ""),
            ("spm.model", ""),
            ("vocab.txt", ""),
            ("tf_model.h5", ""),
            ("model.safetensors", ""),
            ("pytorch_model.bin", ""),
            ("generation_config.json", ""),
            ("tokenizer_config.json", ""),
        ],
    );
    assert_eq!(
        selection.files,
        [
            "config.json",
            "tokenizer.json",
            "tokenizer_config.json",
            "model.safetensors"
        ]
    );
    assert_eq!(selection.missing, ["special_tokens_map.json"]);
    assert_eq!((selection.lacking, selection.unknown.len()), (None, 0));
}

#[test]
fn shards_are_those_that_the_index_names() {
    let index = r#"{"metadata":{},"weight_map":{"a":"model-2.safetensors","b":"model-1.safetensors","c":"model-2.safetensors"}}"#;
    let mut files = vec![
        ("config.json", ""),
        ("spm.model", ""),
        ("model.safetensors.index.json", index),
        ("model-1.safetensors", ""),
        ("model-2.safetensors", ""),
        ("model-3.safetensors", ""),
        ("generation_config.json", ""),
        ("chat_template.jinja", ""),
    ];
    let selection = chosen(Wanted::Decoder, &files);
    let weights = [
        "model.safetensors.index.json",
        "model-1.safetensors",
        "model-2.safetensors",
    ];
    assert!(selection.files.ends_with(&weights.map(str::to_owned)));
    assert!(selection.files.contains(&"chat_template.jinja".to_owned()));
    assert_eq!(selection.lacking, None);
    files.retain(|(name, _)| *name != "model-1.safetensors");
    assert_eq!(
        chosen(Wanted::Decoder, &files).lacking,
        Some(Lacking::Weights)
    );
}

#[test]
fn a_sentence_encoder_takes_the_folders_of_its_modules() {
    let modules = r#"[{"path":"","type":"sentence_transformers.models.Transformer"},
        {"path":"1_Pooling","type":"sentence_transformers.models.Pooling"},
        {"path":"2_Dense","type":"sentence_transformers.models.Dense"},
        {"path":"3_Normalize","type":"sentence_transformers.models.Normalize"}]"#;
    let selection = chosen(
        Wanted::SentenceEncoder,
        &[
            ("config.json", ""),
            ("tokenizer.json", ""),
            ("modules.json", modules),
            ("1_Pooling/config.json", ""),
            ("2_Dense/config.json", ""),
            ("2_Dense/pytorch_model.bin", ""),
            ("pytorch_model.bin", ""),
            ("onnx/model.onnx", ""),
        ],
    );
    let expected = [
        "config.json",
        "tokenizer.json",
        "modules.json",
        "1_Pooling/config.json",
        "2_Dense/config.json",
        "2_Dense/pytorch_model.bin",
        "pytorch_model.bin",
    ];
    assert_eq!(selection.files, expected);
}

#[test]
fn a_vocabulary_stands_in_for_a_tokeniser_with_what_belongs_to_it() {
    let of = |vocabulary: &[&'static str]| {
        let mut files = vec![("config.json", ""), ("model.safetensors", "")];
        files.extend(vocabulary.iter().map(|&file| (file, "")));
        chosen(Wanted::Classifier, &files)
    };
    let bert = of(&["vocab.txt", "added_tokens.json"]);
    assert_eq!(bert.lacking, None);
    assert_eq!(bert.files[1..3], ["vocab.txt", "added_tokens.json"]);
    let roberta = of(&["vocab.json", "merges.txt"]);
    assert_eq!(roberta.lacking, None);
    assert_eq!(roberta.files[1..3], ["vocab.json", "merges.txt"]);
    assert_eq!(of(&["vocab.json"]).lacking, Some(Lacking::Tokeniser));
}

#[test]
fn what_is_lacking_is_named() {
    let lacking =
        |files: &[(&'static str, &'static str)]| chosen(Wanted::Classifier, files).lacking;
    assert_eq!(lacking(&[]), Some(Lacking::Config));
    assert_eq!(lacking(&[("config.json", "")]), Some(Lacking::Tokeniser));
    let files = [("config.json", ""), ("spm.model", ""), ("model.gguf", "")];
    assert_eq!(lacking(&files), Some(Lacking::Weights));
}

#[test]
fn what_may_exist_is_unknown() {
    let content = [
        ("config.json", ""),
        ("tokenizer.json", ""),
        ("pytorch_model.bin", ""),
    ];
    let files = Files {
        content: content.into_iter().collect(),
        unsure: true,
    };
    let selection = Wanted::Classifier.choose("o/m", &files).unwrap();
    assert!(selection.unknown.contains(&"model.safetensors".to_owned()));
    assert!(selection.files.contains(&"pytorch_model.bin".to_owned()));
}

#[test]
fn names_that_lead_out_of_the_folder_are_refused() {
    for name in ["../../../.bashrc", "/etc/passwd", "a/../../b", "..\\\\x"] {
        let index = format!(r#"{{"weight_map":{{"a":"{name}"}}}}"#);
        let modules = format!(r#"[{{"path":"{name}","type":"Pooling"}}]"#);
        let files = Files {
            content: [
                ("model.safetensors.index.json", &*index.leak()),
                ("modules.json", &*modules.leak()),
            ]
            .into_iter()
            .collect(),
            unsure: false,
        };
        for wanted in [Wanted::Classifier, Wanted::SentenceEncoder] {
            let error = wanted.choose("o/m", &files).unwrap_err();
            assert!(matches!(error, HubError::BadName { .. }), "{name}: {error}");
        }
    }
}
