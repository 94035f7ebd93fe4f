//! Rotary positions (arXiv 2104.09864) as `config.json` describes them, in both of its spellings:
//! `rope_theta` and `rope_scaling`, and `rope_parameters` that hold all of it.

use serde::Deserialize;

use super::ShapesError;
use super::checks::impossible;

/// The keys of `config.json` that concern positions, as they are written.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(super) struct Written {
    rope_theta: Option<f64>,
    rope_scaling: Option<Parameters>,
    rope_parameters: Option<Parameters>,
    partial_rotary_factor: Option<f64>,
    original_max_position_embeddings: Option<usize>,
}

#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
struct Parameters {
    rope_type: Option<String>,
    /// The older name of `rope_type`.
    r#type: Option<String>,
    rope_theta: Option<f64>,
    factor: Option<f64>,
    low_freq_factor: Option<f64>,
    high_freq_factor: Option<f64>,
    original_max_position_embeddings: Option<usize>,
    partial_rotary_factor: Option<f64>,
    attention_factor: Option<f64>,
    short_factor: Option<Vec<f64>>,
    long_factor: Option<Vec<f64>>,
}

/// Rotary positions.
#[derive(Debug, Clone, PartialEq)]
pub struct Rotary {
    /// Features of a head that are turned, the first ones; an even number.
    pub features: usize,
    /// Angle per position of each pair of features.
    pub frequencies: Vec<f32>,
    /// What sine and cosine are multiplied by.
    pub scale: f32,
    /// Other frequencies for all positions of a text that is long.
    pub long: Option<Long>,
}

/// Frequencies of long texts.
#[derive(Debug, Clone, PartialEq)]
pub struct Long {
    /// Tokens up to which a text is not long.
    pub beyond: usize,
    /// As [`Rotary::frequencies`].
    pub frequencies: Vec<f32>,
}

impl Written {
    /// What is written, for heads of `head_size` features. `default_theta` is transformers' where
    /// the file has none.
    pub(super) fn read(
        self,
        head_size: usize,
        max_positions: usize,
        phi: bool,
    ) -> Result<Rotary, ShapesError> {
        let parameters = self.rope_scaling.or(self.rope_parameters);
        let parameters = parameters.unwrap_or_default();
        let theta = parameters.rope_theta.or(self.rope_theta);
        let theta = theta.unwrap_or(10_000.0);
        if !(theta > 0.0 && theta.is_finite()) {
            return Err(impossible(
                "rope_theta",
                format!("is {theta}, but must be above 0"),
            ));
        }
        let part = parameters.partial_rotary_factor;
        let part = part.or(self.partial_rotary_factor).unwrap_or(1.0);
        if !(part > 0.0 && part <= 1.0) {
            return Err(impossible(
                "partial_rotary_factor",
                format!("is {part}, but must be above 0 and no more than 1"),
            ));
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "a share of a head's size"
        )]
        let features = (head_size as f64 * part) as usize;
        if features == 0 || !features.is_multiple_of(2) {
            return Err(impossible(
                "head_dim",
                format!("gives {features} features that turn with the position; they go in pairs"),
            ));
        }
        let kind = parameters.rope_type.as_deref();
        let kind = kind.or(parameters.r#type.as_deref()).unwrap_or("default");
        let plain = plain(theta, features);
        let simple = |frequencies| Rotary {
            features,
            frequencies,
            scale: 1.0,
            long: None,
        };
        match kind {
            "default" => Ok(simple(plain)),
            "linear" => {
                let factor = narrow(above_zero("factor", parameters.factor)?);
                Ok(simple(plain.into_iter().map(|one| one / factor).collect()))
            }
            "llama3" => {
                // As in transformers, one outside of the table comes first.
                let original = self
                    .original_max_position_embeddings
                    .or(parameters.original_max_position_embeddings)
                    .unwrap_or(max_positions);
                Ok(simple(parameters.llama3(plain, original)?))
            }
            // Phi-3's first files called it so; "yarn" is another thing elsewhere.
            "longrope" | "su" => {
                let original = self
                    .original_max_position_embeddings
                    .or(parameters.original_max_position_embeddings)
                    // Phi-3's default in transformers.
                    .or(phi.then_some(4096));
                let original = original
                    .filter(|&original| original > 1)
                    .ok_or_else(|| impossible("original_max_position_embeddings", "is missing"))?;
                parameters.long(theta, features, original, max_positions)
            }
            other => Err(impossible(
                "rope_type",
                format!("is `{other}`; supported: default, linear, llama3, longrope"),
            )),
        }
    }
}

impl Parameters {
    /// Low frequencies divided by a factor, high ones as they are, those between in between
    /// (<https://github.com/huggingface/transformers/blob/main/src/transformers/modeling_rope_utils.py>).
    fn llama3(&self, plain: Vec<f32>, original: usize) -> Result<Vec<f32>, ShapesError> {
        let factor = narrow(above_zero("factor", self.factor)?);
        let low = narrow(above_zero("low_freq_factor", self.low_freq_factor)?);
        let high = narrow(above_zero("high_freq_factor", self.high_freq_factor)?);
        if high <= low {
            return Err(impossible(
                "high_freq_factor",
                "is not above `low_freq_factor`",
            ));
        }
        #[expect(clippy::cast_precision_loss, reason = "a number of tokens")]
        let original = original as f32;
        let scaled = |frequency: f32| {
            let length = 2.0 * std::f32::consts::PI / frequency;
            if length > original / low {
                frequency / factor
            } else if length < original / high {
                frequency
            } else {
                let smooth = (original / length - low) / (high - low);
                (1.0 - smooth) * (frequency / factor) + smooth * frequency
            }
        };
        Ok(plain.into_iter().map(scaled).collect())
    }

    /// `LongRoPE` (arXiv 2402.13753), as Phi-3 has it.
    fn long(
        self,
        theta: f64,
        features: usize,
        original: usize,
        max_positions: usize,
    ) -> Result<Rotary, ShapesError> {
        #[expect(clippy::cast_precision_loss, reason = "numbers of tokens")]
        let (original_tokens, tokens) = (original as f64, max_positions as f64);
        let factor = self.factor.unwrap_or(tokens / original_tokens);
        let scale = self.attention_factor.unwrap_or_else(|| {
            if factor <= 1.0 {
                1.0
            } else {
                (1.0 + factor.ln() / original_tokens.ln()).sqrt()
            }
        });
        let scaled = |key, factors: Option<Vec<f64>>| {
            let factors = factors.ok_or_else(|| impossible(key, "is missing"))?;
            if factors.len() != features / 2 {
                return Err(impossible(
                    key,
                    format!(
                        "has {} numbers, one for each of {} pairs of features is needed",
                        factors.len(),
                        features / 2
                    ),
                ));
            }
            if factors
                .iter()
                .any(|factor| factor.is_nan() || *factor <= 0.0)
            {
                return Err(impossible(key, "has a number that is not above 0"));
            }
            let factors = factors.into_iter().map(narrow);
            let powers = powers(theta, features).into_iter();
            Ok(factors
                .zip(powers)
                .map(|(factor, power)| 1.0 / (factor * power))
                .collect())
        };
        Ok(Rotary {
            features,
            frequencies: scaled("short_factor", self.short_factor)?,
            scale: narrow(scale),
            long: Some(Long {
                beyond: original,
                frequencies: scaled("long_factor", self.long_factor)?,
            }),
        })
    }
}

/// `theta^(2 i / features)` for each pair of features, in 32 bits as transformers has it.
fn powers(theta: f64, features: usize) -> Vec<f32> {
    let theta = narrow(theta);
    #[expect(clippy::cast_precision_loss, reason = "a head's features")]
    let power = |pair: usize| theta.powf((2 * pair) as f32 / features as f32);
    (0..features / 2).map(power).collect()
}

fn plain(theta: f64, features: usize) -> Vec<f32> {
    powers(theta, features)
        .into_iter()
        .map(|power| 1.0 / power)
        .collect()
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "networks compute in 32 bits"
)]
fn narrow(value: f64) -> f32 {
    value as f32
}

fn above_zero(key: &'static str, value: Option<f64>) -> Result<f64, ShapesError> {
    match value {
        Some(value) if value > 0.0 && value.is_finite() => Ok(value),
        Some(value) => Err(impossible(key, format!("is {value}, but must be above 0"))),
        None => Err(impossible(key, "is missing")),
    }
}
