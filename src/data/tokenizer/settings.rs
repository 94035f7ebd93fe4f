//! What the files beside a tokeniser say of it: `tokenizer_config.json` and its older companions.
//! Read as `transformers` reads them; what would be silently different is refused by name.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};
use tokenizers::AddedToken;
use tokenizers::utils::truncation::TruncationDirection;

use super::TokenizerError;

/// A family of `transformers`' tokenisers, which decides what becomes of a vocabulary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    /// `BertTokenizer`.
    Bert,
    /// `MPNetTokenizer`.
    Mpnet,
    /// `RobertaTokenizer`.
    Roberta,
    /// `XLMRobertaTokenizer`.
    XlmRoberta,
    /// Any that `transformers` takes from `tokenizer.json` as it is.
    AsItIs,
    /// One that builds its own pipeline, in a way that is not known here.
    Other,
}

/// The settings of one folder.
#[derive(Debug)]
pub(super) struct Settings {
    /// The file that most of them stand in.
    pub(super) path: PathBuf,
    pub(super) class: Class,
    keys: Map<String, Value>,
    /// The tokens that `tokenizer_config.json` or the files before it list, by their numbers.
    added: BTreeMap<u64, AddedToken>,
    /// Whether `tokenizer_config.json` lists them: the tokens of `tokenizer.json` then do not count
    /// for a class that builds its own pipeline.
    lists_added: bool,
}

/// The special tokens that all of `transformers`' tokenisers may have, in its order.
const NAMED: [&str; 7] = [
    "bos_token",
    "eos_token",
    "unk_token",
    "sep_token",
    "pad_token",
    "cls_token",
    "mask_token",
];

impl Class {
    fn named(name: &str) -> Self {
        match name.strip_suffix("Fast").unwrap_or(name) {
            "BertTokenizer" | "DistilBertTokenizer" | "ElectraTokenizer" => Self::Bert,
            "MPNetTokenizer" => Self::Mpnet,
            "RobertaTokenizer" => Self::Roberta,
            "XLMRobertaTokenizer" => Self::XlmRoberta,
            "PreTrainedTokenizer" | "TokenizersBackend" => Self::AsItIs,
            _ => Self::Other,
        }
    }

    /// The class that `transformers` takes where no file names one.
    fn of_model(model_type: &str) -> Self {
        match model_type {
            "bert" => Self::Bert,
            "mpnet" => Self::Mpnet,
            "roberta" => Self::Roberta,
            "xlm-roberta" => Self::XlmRoberta,
            "deberta-v2" => Self::Other,
            _ => Self::AsItIs,
        }
    }

    /// The text of a special token that no file names.
    fn default_token(self, key: &str) -> Option<&'static str> {
        let of_bert = |key: &str| match key {
            "unk_token" => Some("[UNK]"),
            "sep_token" => Some("[SEP]"),
            "pad_token" => Some("[PAD]"),
            "cls_token" => Some("[CLS]"),
            "mask_token" => Some("[MASK]"),
            _ => None,
        };
        match (self, key) {
            (Self::Bert, _) => of_bert(key),
            (Self::Mpnet, "unk_token") => Some("[UNK]"),
            (Self::Mpnet | Self::Roberta | Self::XlmRoberta, _) => match key {
                "bos_token" | "cls_token" => Some("<s>"),
                "eos_token" | "sep_token" => Some("</s>"),
                "unk_token" => Some("<unk>"),
                "pad_token" => Some("<pad>"),
                "mask_token" => Some("<mask>"),
                _ => None,
            },
            (Self::AsItIs | Self::Other, _) => None,
        }
    }
}

impl Settings {
    /// Reads the settings of a model's folder.
    ///
    /// # Errors
    /// When a file is broken, or a key has a value that cannot be obeyed.
    pub(super) fn read(folder: &Path) -> Result<Self, TokenizerError> {
        let path = folder.join("tokenizer_config.json");
        let mut keys = table(&path)?;
        let config = table(&folder.join("config.json")).unwrap_or_default();
        let text = |keys: &Map<String, Value>, key: &str| {
            keys.get(key).and_then(Value::as_str).map(str::to_owned)
        };
        let named = text(&keys, "tokenizer_class").or_else(|| text(&config, "tokenizer_class"));
        let class = match (named, text(&config, "model_type")) {
            (Some(name), _) => Class::named(&name),
            (None, Some(model_type)) => Class::of_model(&model_type),
            (None, None) => Class::AsItIs,
        };
        if !keys.contains_key("extra_special_tokens")
            && let Some(tokens) = keys.remove("additional_special_tokens")
        {
            keys.insert("extra_special_tokens".to_owned(), tokens);
        }
        let mut settings = Self {
            path,
            class,
            keys,
            added: BTreeMap::new(),
            lists_added: false,
        };
        settings.read_added(folder)?;
        settings.check()?;
        Ok(settings)
    }

    fn read_added(&mut self, folder: &Path) -> Result<(), TokenizerError> {
        let mut numbered = BTreeMap::new();
        if let Some(listed) = self.keys.get("added_tokens_decoder") {
            self.lists_added = true;
            let listed = listed.as_object().into_iter().flatten();
            for (number, token) in listed {
                let read = number.parse().ok().zip(added_token(token, None));
                let Some((number, token)) = read else {
                    let problem = format!("has `{number}`: {token}, which is no token");
                    return Err(self.refusal("added_tokens_decoder", problem));
                };
                numbered.insert(number, token);
            }
        } else {
            let path = folder.join("special_tokens_map.json");
            for (key, token) in table(&path)? {
                self.keys.insert(key, token);
            }
            for (token, number) in table(&folder.join("added_tokens.json"))? {
                let Some(number) = number.as_u64() else {
                    continue;
                };
                let special = self.special_texts().any(|special| special == token);
                numbered.insert(number, AddedToken::from(token, special));
            }
        }
        self.added = numbered;
        Ok(())
    }

    /// The texts of all special tokens that the files name.
    fn special_texts(&self) -> impl Iterator<Item = &str> {
        let named = NAMED.into_iter().filter_map(|key| self.keys.get(key));
        named.chain(self.extra()).filter_map(text_of)
    }

    fn extra(&self) -> impl Iterator<Item = &Value> {
        let extra = self.keys.get("extra_special_tokens");
        let listed = extra.and_then(Value::as_array).into_iter().flatten();
        let named = extra.and_then(Value::as_object).into_iter().flatten();
        listed.chain(named.map(|(_, token)| token))
    }

    fn refusal(&self, setting: &'static str, problem: String) -> TokenizerError {
        TokenizerError::Unusable {
            path: self.path.clone(),
            setting,
            problem,
        }
    }

    /// Refuses values of a kind that `transformers` refuses or takes for something else.
    fn check(&self) -> Result<(), TokenizerError> {
        const SWITCHES: [&str; 6] = [
            "do_lower_case",
            "tokenize_chinese_chars",
            "strip_accents",
            "add_prefix_space",
            "split_by_punct",
            "split_special_tokens",
        ];
        for key in SWITCHES {
            let value = self.keys.get(key);
            let may_be_null = key == "strip_accents" || matches!(self.class, Class::AsItIs);
            if let Some(value) = value
                && !value.is_boolean()
                && !(value.is_null() && may_be_null)
            {
                return Err(self.refusal(key, format!("is {value}, not true or false")));
            }
        }
        let side = self.keys.get("truncation_side");
        if let Some(side) = side.filter(|side| !matches!(side.as_str(), Some("left" | "right"))) {
            let problem = format!("is {side}, not \"left\" or \"right\"");
            return Err(self.refusal("truncation_side", problem));
        }
        Ok(())
    }

    /// Whether the files say anything under a key.
    pub(super) fn says(&self, key: &str) -> bool {
        self.keys.contains_key(key)
    }

    /// A switch that is set.
    pub(super) fn switch(&self, key: &str) -> Option<bool> {
        self.keys.get(key).and_then(Value::as_bool)
    }

    /// Where texts are cut that are too long, if it says so.
    pub(super) fn truncation_side(&self) -> Option<TruncationDirection> {
        match self.keys.get("truncation_side")?.as_str()? {
            "left" => Some(TruncationDirection::Left),
            _ => Some(TruncationDirection::Right),
        }
    }

    /// Tokens after which texts are to be cut, special ones included. Where there is no limit,
    /// `transformers` writes 1e30.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    pub(super) fn model_max_length(&self) -> Option<usize> {
        let key = self.keys.get("model_max_length");
        let limit = key.or_else(|| self.keys.get("max_len"))?.as_f64()?;
        (1.0..1e9).contains(&limit).then_some(limit as usize)
    }

    /// The special token under a key, or the class's own.
    pub(super) fn special(&self, key: &str) -> Option<AddedToken> {
        let token = match self.keys.get(key) {
            None => {
                let text = self.class.default_token(key)?;
                let follows_space = self.class == Class::Mpnet && key == "mask_token";
                AddedToken::from(text, true).lstrip(follows_space)
            }
            Some(token) => added_token(token, Some(true))?,
        };
        let mut listed = self.added.values();
        let listed = listed.find(|known| known.content == token.content);
        Some(listed.cloned().unwrap_or(token).special(true))
    }

    /// The texts of the special tokens that have a name of their own, by these names.
    pub(super) fn named_tokens(&self) -> BTreeMap<String, String> {
        let own = NAMED.iter().filter_map(|key| {
            let token = self.special(key)?;
            Some(((*key).to_owned(), token.content))
        });
        let further = self.keys.iter().filter(|(key, _)| key.ends_with("_token"));
        let further = further.filter_map(|(key, token)| {
            let text = text_of(token)?;
            Some((key.clone(), text.to_owned()))
        });
        further.chain(own).collect()
    }

    /// The chat template: the only one, or the one that is called `default`.
    pub(super) fn chat_template(&self) -> Result<Option<String>, TokenizerError> {
        let refused = |problem: &str| Err(self.refusal("chat_template", problem.to_owned()));
        match self.keys.get("chat_template") {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(source)) => Ok(Some(source.clone())),
            Some(Value::Array(named)) => {
                let text = |template: &Value, key: &str| {
                    template.get(key).and_then(Value::as_str).map(str::to_owned)
                };
                let default = named
                    .iter()
                    .find(|template| template["name"].as_str() == Some("default"));
                match default.and_then(|template| text(template, "template")) {
                    Some(source) => Ok(Some(source)),
                    None => refused("has no template with the name `default`: call one of them so"),
                }
            }
            Some(_) => refused("is neither a text nor a list of named ones"),
        }
    }

    /// The tokens to add to a pipeline, in `transformers`' order. `own` are those that
    /// `tokenizer.json` lists, by their numbers.
    pub(super) fn to_add(&self, own: &[(u32, AddedToken)]) -> Vec<AddedToken> {
        let named: Vec<AddedToken> = NAMED.iter().filter_map(|key| self.special(key)).collect();
        let further = self.keys.iter().filter(|(key, value)| {
            key.ends_with("_token") && !NAMED.contains(&key.as_str()) && value.is_string()
        });
        let further = further.map(|(_, token)| token).chain(self.extra());
        let further = further.filter_map(|token| added_token(token, Some(true)));
        let mut listed = self.added.clone();
        if !self.lists_added {
            let own = own.iter();
            listed.extend(own.map(|(number, token)| (u64::from(*number), token.clone())));
        }
        let mut tokens: Vec<AddedToken> = Vec::new();
        for token in listed.into_values() {
            let is_named = named.iter().any(|named| named.content == token.content);
            let special = token.special || is_named;
            tokens.push(token.special(special));
        }
        for token in named.into_iter().chain(further) {
            if tokens.iter().all(|known| known.content != token.content) {
                tokens.push(token);
            }
        }
        tokens
    }
}

/// A token as a text, or as a table with its properties. `special` takes the place of what that
/// says.
fn added_token(value: &Value, special: Option<bool>) -> Option<AddedToken> {
    let switch = |key: &str| value.get(key).and_then(Value::as_bool);
    let special = special.or_else(|| switch("special")).unwrap_or(false);
    let token = AddedToken::from(text_of(value)?, special);
    let normalized = switch("normalized").unwrap_or(token.normalized);
    Some(
        token
            .single_word(switch("single_word").unwrap_or(false))
            .lstrip(switch("lstrip").unwrap_or(false))
            .rstrip(switch("rstrip").unwrap_or(false))
            .normalized(normalized),
    )
}

fn text_of(token: &Value) -> Option<&str> {
    token.as_str().or_else(|| token.get("content")?.as_str())
}

/// A file with a JSON table; an empty one where there is no such file.
fn table(path: &Path) -> Result<Map<String, Value>, TokenizerError> {
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Map::new()),
        Err(reason) => {
            let path = path.to_owned();
            return Err(TokenizerError::Unreadable { path, reason });
        }
    };
    serde_json::from_slice(&bytes).map_err(|error| TokenizerError::Broken {
        path: path.to_owned(),
        reason: error.to_string(),
    })
}
