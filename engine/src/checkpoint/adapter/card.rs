//! What stands beside an adapter for people and for transformers: a README, and the names of its
//! classes.

use serde_json::{Map, Value, json};

/// Where the base model of an adapter comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Base {
    /// A folder on this machine.
    Folder(String),
    /// A repository of the Hugging Face hub.
    Hub {
        /// Its name.
        id: String,
        /// Branch, tag or commit.
        revision: String,
    },
    /// Weights that were drawn for the `config.json` at this path, which only ensayo can repeat.
    Drawn(String),
}

impl Base {
    /// What `adapter_config.json` calls it.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Folder(name) | Self::Drawn(name) | Self::Hub { id: name, .. } => name,
        }
    }

    /// The key of `adapter_config.json` that says which revision it is.
    #[must_use]
    pub fn revision(&self) -> Option<(String, Value)> {
        match self {
            Self::Hub { revision, .. } => Some(("revision".to_owned(), json!(revision))),
            Self::Folder(_) | Self::Drawn(_) => None,
        }
    }
}

/// What is written about an adapter.
#[derive(Debug, Clone)]
pub struct Card {
    /// The base model.
    pub base: Base,
    /// What a person should know of the run, in Markdown.
    pub description: String,
    /// The names of the classes in the order of the head's outputs.
    pub classes: Vec<String>,
    /// The text of the base model's `config.json`.
    pub config_json: String,
    /// Tokens after which texts were cut.
    pub max_length: usize,
}

impl Card {
    /// The base model's `config.json` with the names of the classes, which tell transformers how
    /// many there are. `None` where no class is named.
    pub(super) fn config_json(&self) -> Option<String> {
        if self.classes.is_empty() {
            return None;
        }
        let mut keys: Map<String, Value> =
            serde_json::from_str(&self.config_json).unwrap_or_default();
        // Two more spellings of the number of classes, which is that of their names.
        for key in ["num_labels", "_num_labels"] {
            keys.remove(key);
        }
        let numbered = || self.classes.iter().enumerate();
        let names: Map<String, Value> = numbered()
            .map(|(number, name)| (number.to_string(), json!(name)))
            .collect();
        let numbers: Map<String, Value> = numbered()
            .map(|(number, name)| (name.clone(), json!(number)))
            .collect();
        keys.insert("id2label".to_owned(), Value::Object(names));
        keys.insert("label2id".to_owned(), Value::Object(numbers));
        let kind = json!("single_label_classification");
        keys.insert("problem_type".to_owned(), kind);
        serde_json::to_string_pretty(&Value::Object(keys)).ok()
    }

    pub(super) fn readme(&self) -> String {
        let base = quoted(self.base.name());
        let head = format!(
            "---\nbase_model: {base}\nlibrary_name: peft\ntags:\n- lora\n- ensayo\npipeline_tag: text-classification\n---\n\n\
             # LoRA adapter\n\n{}\n",
            self.description
        );
        let revision = match &self.base {
            Base::Drawn(_) => {
                return format!(
                    "{head}\nThe base model's weights were drawn at random, so only ensayo can use this adapter: \
                     `ensayo predict`.\n"
                );
            }
            Base::Folder(_) => String::new(),
            Base::Hub { revision, .. } => format!(", revision={}", quoted(revision)),
        };
        // The stored head may be for other classes; the adapter brings its own.
        let length = self.max_length;
        format!(
            "{head}\nPEFT opens it; these lines run in this folder, or anywhere with its path in `adapter`:\n\n\
             ```python\n\
             from peft import PeftModel\n\
             from transformers import AutoConfig, AutoModelForSequenceClassification, AutoTokenizer\n\n\
             base, adapter = {base}, \".\"\n\
             config = AutoConfig.from_pretrained(adapter)\n\
             model = AutoModelForSequenceClassification.from_pretrained(\n    \
                 base{revision}, config=config, ignore_mismatched_sizes=True\n\
             )\n\
             model = PeftModel.from_pretrained(model, adapter).eval()\n\n\
             tokenizer = AutoTokenizer.from_pretrained(base{revision})\n\
             text = tokenizer(\"a text\", truncation=True, max_length={length}, return_tensors=\"pt\")\n\
             probabilities = model(**text).logits.softmax(-1)[0].tolist()\n\
             print({{config.id2label[number]: share for number, share in enumerate(probabilities)}})\n\
             ```\n"
        )
    }
}

/// A text in double quotes, as YAML and Python read it.
fn quoted(text: &str) -> String {
    Value::String(text.to_owned()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn card(base: Base) -> Card {
        Card {
            base,
            description: "Trained.".to_owned(),
            classes: ["bad", "fair", "good"].map(str::to_owned).to_vec(),
            config_json: r#"{"model_type": "bert", "num_labels": 2, "id2label": {"0": "x"}}"#
                .to_owned(),
            max_length: 64,
        }
    }

    #[test]
    fn the_classes_names_take_the_place_of_the_base_models() {
        let text = card(Base::Folder("m".to_owned())).config_json().unwrap();
        let keys: Value = serde_json::from_str(&text).unwrap();
        let expected = json!({
            "model_type": "bert",
            "id2label": {"0": "bad", "1": "fair", "2": "good"},
            "label2id": {"bad": 0, "fair": 1, "good": 2},
            "problem_type": "single_label_classification",
        });
        assert_eq!(keys, expected);
    }

    #[test]
    fn the_readme_loads_the_base_model_that_there_is() {
        let readme = card(Base::Folder("a \"b\"\\c".to_owned())).readme();
        assert!(readme.contains("base_model: \"a \\\"b\\\"\\\\c\"\n"));
        assert!(readme.contains("base, adapter = \"a \\\"b\\\"\\\\c\", \".\"\n"));
        assert!(readme.contains("max_length=64"));
        let hub = Base::Hub {
            id: "a/b".to_owned(),
            revision: "main".to_owned(),
        };
        let readme = card(hub).readme();
        assert_eq!(readme.matches("revision=\"main\"").count(), 2);
        let readme = card(Base::Drawn("c.json".to_owned())).readme();
        assert!(!readme.contains("python") && readme.contains("ensayo predict"));
    }
}
