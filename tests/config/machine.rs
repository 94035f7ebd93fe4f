//! A made-up machine with a few files and one variable.

use std::io;
use std::path::{Path, PathBuf};

use ensayo::config::Environment;

/// The files, and what is in those that are read.
const FILES: [(&str, &str); 22] = [
    ("data/reviews.csv", ""),
    ("data/other.csv", ""),
    ("data/manual.txt", ""),
    (
        "prompts/rag.txt",
        "{% for fragment in fragments %}\n{{ fragment.number }}.- {{ fragment.text }}\n{% endfor %}\n{{ question }}\n",
    ),
    (
        "prompts/broken.txt",
        "{{ reviews }}\n\n{% for x in reviews %}",
    ),
    ("models/tiny/config.json", TINY),
    ("models/tiny/tokenizer.json", ""),
    ("models/tiny/model.safetensors", ""),
    ("models/bare/config.json", TINY),
    (
        "models/odd/config.json",
        r#"{"model_type": "bert", "hidden_size": 30, "num_attention_heads": 4}"#,
    ),
    ("models/odd/tokenizer.json", ""),
    ("models/odd/model.safetensors", ""),
    ("models/other/config.json", r#"{"model_type": "t5"}"#),
    ("models/other/tokenizer.json", ""),
    ("models/other/model.safetensors", ""),
    (
        "adapters/first/adapter_config.json",
        r#"{"peft_type": "LORA", "r": 16, "lora_alpha": 32, "lora_dropout": 0.1, "target_modules": ["value", "query"], "bias": "none"}"#,
    ),
    (
        "adapters/dora/adapter_config.json",
        r#"{"peft_type": "LORA", "r": 16, "lora_alpha": 32, "target_modules": ["query"], "use_dora": true}"#,
    ),
    (
        "adapters/expression/adapter_config.json",
        r#"{"peft_type": "LORA", "r": 16, "lora_alpha": 32, "target_modules": ".*\\.1\\..*\\.(query|value)", "use_rslora": true}"#,
    ),
    (
        "adapters/unmatched/adapter_config.json",
        r#"{"peft_type": "LORA", "r": 16, "lora_alpha": 32, "target_modules": "q_proj"}"#,
    ),
    (
        "adapters/all-linear/adapter_config.json",
        r#"{"peft_type": "LORA", "r": 16, "lora_alpha": 32, "target_modules": "all-linear"}"#,
    ),
    (
        "adapters/later/adapter_config.json",
        r#"{"peft_type": "LORA", "r": 16, "lora_alpha": 32, "target_modules": ["query"], "layers_to_transform": [1]}"#,
    ),
    ("adapters/broken/adapter_config.json", r#"{"r": 16"#),
];

const TINY: &str = r#"{"model_type": "bert", "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4,
    "intermediate_size": 64, "max_position_embeddings": 64, "vocab_size": 120}"#;

pub struct Machine;

impl Environment for Machine {
    fn variable(&self, name: &str) -> Option<String> {
        (name == "MODELS").then(|| "models".to_owned())
    }

    fn is_file(&self, path: &Path) -> bool {
        FILES.iter().any(|(file, _)| path == Path::new(file))
    }

    fn is_folder(&self, path: &Path) -> bool {
        FILES.iter().any(|(file, _)| {
            Path::new(file)
                .ancestors()
                .skip(1)
                .any(|folder| folder == path)
        })
    }

    fn read(&self, path: &Path) -> io::Result<String> {
        let file = FILES.iter().find(|(file, _)| path == Path::new(file));
        file.map(|(_, text)| (*text).to_owned())
            .ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn hub_model(&self, id: &str, revision: &str) -> Option<PathBuf> {
        (id == "org/tiny" && revision == "main").then(|| "models/tiny".into())
    }
}
