//! How answers are drawn: the settings of a run over the checkpoint's own over transformers'
//! defaults, as its text-generation pipeline puts them together
//! (<https://github.com/huggingface/transformers/blob/main/src/transformers/pipelines/base.py>,
//! version 5).

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use engine::generation::{Choice, Sampling};
use serde_json::{Map, Value};

use super::DecoderError;
use crate::config::Generation;
use crate::data::DecoderTokenizer;
use crate::record::GenerationRow;

/// Tokens of an answer at most, where nobody says so.
const MAX_NEW_TOKENS: usize = 256;
/// What divides the logits, where nobody says so.
const TEMPERATURE: f64 = 0.7;
/// How many tokens are drawn from, where nobody says so.
const TOP_K: usize = 50;

/// What a checkpoint says of how it wants to be drawn from.
#[derive(Debug, Clone)]
pub struct Defaults {
    /// The file that it stands in.
    path: PathBuf,
    /// Its name, for the record.
    file: &'static str,
    keys: Map<String, Value>,
}

/// How the answers of a run are drawn, and where each value comes from.
#[derive(Debug, Clone, PartialEq)]
pub struct Drawing {
    /// How tokens are chosen.
    pub sampling: Sampling,
    /// Tokens that end an answer.
    pub end_tokens: Vec<u32>,
    /// Texts that end an answer.
    pub stop: Vec<String>,
    limit: Limit,
    /// The rows of `generation.csv`.
    pub rows: Vec<GenerationRow>,
    /// What a reader of the results should know.
    pub notes: Vec<String>,
}

/// Where an answer is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Limit {
    /// After so many tokens.
    New(usize),
    /// Where prompt and answer together have so many.
    Whole(usize),
}

/// A value and where it comes from.
type Found<T> = (T, &'static str);

const TOML: &str = "toml";
const DEFAULT: &str = "default";

impl Defaults {
    /// Reads `generation_config.json`, or where there is none, the same keys of `config.json`.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn read(folder: &Path, config_json: &str) -> Result<Self, DecoderError> {
        let path = folder.join("generation_config.json");
        let broken = |path: &Path, reason: String| DecoderError::Broken {
            path: path.to_owned(),
            reason,
        };
        let (path, file, text) = match fs::read_to_string(&path) {
            Ok(text) => (path, "generation_config.json", text),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let path = folder.join("config.json");
                (path, "config.json", config_json.to_owned())
            }
            Err(error) => return Err(broken(&path, error.to_string())),
        };
        let keys: Value =
            serde_json::from_str(&text).map_err(|error| broken(&path, error.to_string()))?;
        let Value::Object(mut keys) = keys else {
            return Err(broken(&path, "it is no table".to_owned()));
        };
        keys.retain(|_, value| !value.is_null());
        Ok(Self { path, file, keys })
    }

    fn number(&self, key: &'static str) -> Result<Option<f64>, DecoderError> {
        let value = self.keys.get(key);
        match value.map(|value| (value, value.as_f64())) {
            None => Ok(None),
            Some((_, Some(number))) => Ok(Some(number)),
            Some((value, None)) => Err(self.unusable(key, value, "a number")),
        }
    }

    fn count(&self, key: &'static str) -> Result<Option<usize>, DecoderError> {
        match self.keys.get(key) {
            None => Ok(None),
            Some(value) => match value.as_u64().and_then(|count| usize::try_from(count).ok()) {
                Some(count) => Ok(Some(count)),
                None => Err(self.unusable(key, value, "a count")),
            },
        }
    }

    fn unusable(&self, key: &'static str, value: &Value, wanted: &'static str) -> DecoderError {
        DecoderError::Setting {
            path: self.path.clone(),
            key,
            value: value.to_string(),
            wanted,
        }
    }

    /// The tokens that end an answer: a number or a list of them.
    fn end_tokens(&self) -> Result<Vec<u32>, DecoderError> {
        const KEY: &str = "eos_token_id";
        let Some(value) = self.keys.get(KEY) else {
            return Ok(Vec::new());
        };
        let listed = match value {
            Value::Array(ids) => ids.as_slice(),
            one => std::slice::from_ref(one),
        };
        let ids = listed.iter().map(|id| {
            let id = id.as_u64().and_then(|id| u32::try_from(id).ok());
            id.ok_or_else(|| self.unusable(KEY, value, "a token's id or a list of them"))
        });
        ids.collect()
    }

    /// Keys that would change answers and are not obeyed.
    fn ignored(&self) -> Vec<&str> {
        const UNKNOWN: [(&str, f64); 12] = [
            ("num_beams", 1.0),
            ("typical_p", 1.0),
            ("epsilon_cutoff", 0.0),
            ("eta_cutoff", 0.0),
            ("top_h", 1.0),
            ("no_repeat_ngram_size", 0.0),
            ("encoder_no_repeat_ngram_size", 0.0),
            ("encoder_repetition_penalty", 1.0),
            ("min_new_tokens", 0.0),
            ("min_length", 0.0),
            ("penalty_alpha", 0.0),
            ("guidance_scale", 1.0),
        ];
        const LISTS: [&str; 9] = [
            "bad_words_ids",
            "suppress_tokens",
            "begin_suppress_tokens",
            "forced_bos_token_id",
            "forced_eos_token_id",
            "sequence_bias",
            "exponential_decay_length_penalty",
            "watermarking_config",
            "stop_strings",
        ];
        let numbers = UNKNOWN.iter().filter(|(key, usual)| {
            self.keys
                .get(*key)
                .is_some_and(|value| value.as_f64() != Some(*usual))
        });
        let lists = LISTS.iter().filter(|key| self.keys.contains_key(**key));
        numbers.map(|(key, _)| *key).chain(lists.copied()).collect()
    }
}

impl Drawing {
    /// Puts the settings of a run over those of the checkpoint. In a chat, the token that ends what
    /// the assistant says ends an answer too.
    ///
    /// # Errors
    /// When the checkpoint's settings cannot be used.
    pub fn resolve(
        settings: &Generation,
        defaults: &Defaults,
        tokenizer: &DecoderTokenizer,
        chat: bool,
    ) -> Result<Self, DecoderError> {
        let file = defaults.file;
        let mut rows = Vec::new();
        let mut row = |key: &str, value: String, source: &str| {
            rows.push(GenerationRow {
                key: key.to_owned(),
                value,
                source: source.to_owned(),
            });
        };
        let samples = samples(settings, defaults)?;
        row("do_sample", samples.0.to_string(), samples.1);

        let own = defaults.number("repetition_penalty")?;
        let penalty = found(settings.repetition_penalty, own, file, 1.0);
        if penalty.0 <= 0.0 {
            let value = Value::from(penalty.0);
            return Err(defaults.unusable("repetition_penalty", &value, "above 0"));
        }
        row("repetition_penalty", penalty.0.to_string(), penalty.1);
        let choice = if samples.0 {
            let own = defaults.number("temperature")?;
            let temperature = found(settings.temperature, own, file, TEMPERATURE);
            let top_k = found(settings.top_k, defaults.count("top_k")?, file, TOP_K);
            let top_p = found(settings.top_p, defaults.number("top_p")?, file, 1.0);
            let min_p = found(settings.min_p, defaults.number("min_p")?, file, 0.0);
            row("temperature", temperature.0.to_string(), temperature.1);
            row("top_k", top_k.0.to_string(), top_k.1);
            row("top_p", top_p.0.to_string(), top_p.1);
            row("min_p", min_p.0.to_string(), min_p.1);
            Choice::Drawn {
                temperature: temperature.0,
                top_k: Some(top_k.0).filter(|&count| count > 0),
                top_p: Some(top_p.0).filter(|&share| share < 1.0),
                min_p: Some(min_p.0).filter(|&share| share > 0.0),
            }
        } else {
            Choice::Greedy
        };

        let limit = match (
            settings.max_new_tokens,
            defaults.count("max_new_tokens")?,
            defaults.count("max_length")?,
        ) {
            (Some(count), _, _) => (Limit::New(count), TOML),
            (None, Some(count), _) => (Limit::New(count), file),
            (None, None, Some(count)) => (Limit::Whole(count), file),
            (None, None, None) => (Limit::New(MAX_NEW_TOKENS), DEFAULT),
        };
        match limit.0 {
            Limit::New(count) => row("max_new_tokens", count.to_string(), limit.1),
            Limit::Whole(count) => row("max_length", count.to_string(), limit.1),
        }

        let mut end_tokens = defaults.end_tokens()?;
        let own = tokenizer
            .eos_id()
            .filter(|id| chat && !end_tokens.contains(id));
        let source = match (end_tokens.is_empty(), own) {
            (false, None) => file.to_owned(),
            (false, Some(_)) => format!("{file} and tokenizer_config.json"),
            (true, Some(_)) => "tokenizer_config.json".to_owned(),
            (true, None) => DEFAULT.to_owned(),
        };
        end_tokens.extend(own);
        let ids: Vec<String> = end_tokens.iter().map(u32::to_string).collect();
        row("eos_token_id", ids.join(" "), &source);
        if !settings.stop.is_empty() {
            let stop = serde_json::to_string(&settings.stop).unwrap_or_default();
            row("stop_strings", stop, TOML);
        }

        let mut notes = Vec::new();
        let ignored = defaults.ignored();
        if !ignored.is_empty() {
            notes.push(format!(
                "{file} of the model also sets {}, which this version does not obey",
                ignored.join(", ")
            ));
        }
        if end_tokens.is_empty() && settings.stop.is_empty() {
            notes.push(
                "the model names no token that ends an answer, so each is as long as it may be"
                    .to_owned(),
            );
        }
        Ok(Self {
            sampling: Sampling {
                repetition_penalty: penalty.0,
                choice,
            },
            end_tokens,
            stop: settings.stop.clone(),
            limit: limit.0,
            rows,
            notes,
        })
    }

    /// Tokens that the answer to a prompt of so many tokens has at most.
    #[must_use]
    pub fn max_new_tokens(&self, prompt: usize) -> usize {
        match self.limit {
            Limit::New(count) => count,
            Limit::Whole(count) => count.saturating_sub(prompt).max(1),
        }
    }

    /// Whether the same prompt may get another answer with another seed.
    #[must_use]
    pub fn varies(&self) -> bool {
        self.sampling.choice != Choice::Greedy
    }
}

/// Whether tokens are drawn. Settings that only matter to drawing ask for it.
fn samples(settings: &Generation, defaults: &Defaults) -> Result<Found<bool>, DecoderError> {
    const KEY: &str = "do_sample";
    let draws = settings.temperature.is_some()
        || settings.top_k.is_some()
        || settings.top_p.is_some()
        || settings.min_p.is_some();
    let own = match defaults.keys.get(KEY) {
        None => None,
        Some(Value::Bool(samples)) => Some(*samples),
        Some(value) => return Err(defaults.unusable(KEY, value, "true or false")),
    };
    let samples = match (settings.temperature, draws, own) {
        (Some(0.0), _, _) => return Ok((false, TOML)),
        (_, true, _) => (true, TOML),
        (_, false, Some(own)) => (own, defaults.file),
        (_, false, None) => (true, DEFAULT),
    };
    // A checkpoint's temperature of 0 is no number to divide by.
    let cold = settings.temperature.is_none() && defaults.number("temperature")? == Some(0.0);
    Ok(if cold {
        (false, defaults.file)
    } else {
        samples
    })
}

fn found<T>(toml: Option<T>, own: Option<T>, file: &'static str, default: T) -> Found<T> {
    match (toml, own) {
        (Some(value), _) => (value, TOML),
        (None, Some(value)) => (value, file),
        (None, None) => (default, DEFAULT),
    }
}
