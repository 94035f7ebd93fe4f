//! The rows of the CSV files in a run's folder. Writers and readers share these structs.

use serde::{Deserialize, Serialize};

/// A row of one of the CSV files: where it stands and its columns.
///
/// The columns are named apart from the fields so that a file without rows still has its header.
pub trait Row: Serialize {
    /// The file's name in a run's folder.
    const FILE: &'static str;
    /// The header, in the order of the fields.
    const COLUMNS: &'static [&'static str];
}

/// A row of `metrics.csv`: a scalar of the result.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MetricRow {
    /// `test`, `validation`, the name of an evaluation, or `run` for what belongs to none.
    pub evaluation: String,
    /// Such as `accuracy` or `trainable_parameters`.
    pub metric: String,
    /// Its value; not-a-number and infinities survive both CSV and JSON.
    #[serde(with = "super::number")]
    pub value: f64,
}

impl Row for MetricRow {
    const FILE: &'static str = "metrics.csv";
    const COLUMNS: &'static [&'static str] = &["evaluation", "metric", "value"];
}

/// A row of `measurements.csv`: something measured, which differs from time to time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MeasurementRow {
    /// Such as `wall_seconds`.
    pub metric: String,
    /// Its value; not-a-number and infinities survive both CSV and JSON.
    #[serde(with = "super::number")]
    pub value: f64,
}

impl Row for MeasurementRow {
    const FILE: &'static str = "measurements.csv";
    const COLUMNS: &'static [&'static str] = &["metric", "value"];
}

/// A row of `training_log.csv`, one every `logging_steps`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrainingLogRow {
    /// Optimiser steps so far.
    pub step: usize,
    /// Epochs so far, with a fraction.
    pub epoch: f64,
    /// Mean loss over the steps since the row before.
    pub loss: f64,
    /// Learning rate of the last step.
    pub learning_rate: f64,
    /// Global gradient norm of the last step, before clipping.
    pub gradient_norm: f64,
}

impl Row for TrainingLogRow {
    const FILE: &'static str = "training_log.csv";
    const COLUMNS: &'static [&'static str] =
        &["step", "epoch", "loss", "learning_rate", "gradient_norm"];
}

/// A row of `epochs.csv`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EpochRow {
    /// Epochs so far, from 1.
    pub epoch: usize,
    /// Mean loss over the last `logging_steps` logged before the epoch's end: what Hugging Face's
    /// `Trainer` prints.
    pub train_loss: f64,
    /// Mean loss over all of the epoch's steps.
    pub train_loss_mean: f64,
    /// Loss on the validation split, or on the test split where there is none.
    pub validation_loss: f64,
    /// Accuracy on the same split.
    pub accuracy: f64,
}

impl Row for EpochRow {
    const FILE: &'static str = "epochs.csv";
    const COLUMNS: &'static [&'static str] = &[
        "epoch",
        "train_loss",
        "train_loss_mean",
        "validation_loss",
        "accuracy",
    ];
}

/// A row of `classification_report.csv`; `class` is a class name, `accuracy`, `macro avg` or
/// `weighted avg`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReportRow {
    /// Which evaluation.
    pub evaluation: String,
    /// Class name or average.
    pub class: String,
    /// Precision; empty on the accuracy row.
    pub precision: Option<f64>,
    /// Recall; empty on the accuracy row.
    pub recall: Option<f64>,
    /// F1 score; on the accuracy row, the accuracy.
    pub f1_score: f64,
    /// Rows of the class.
    pub support: u64,
}

impl Row for ReportRow {
    const FILE: &'static str = "classification_report.csv";
    const COLUMNS: &'static [&'static str] = &[
        "evaluation",
        "class",
        "precision",
        "recall",
        "f1_score",
        "support",
    ];
}

/// A row of `retrieval.csv`: a chunk that a question found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RetrievalRow {
    /// The question's id.
    pub question: String,
    /// Its place among those that the question found, from 1.
    pub rank: usize,
    /// The chunk's number in the document, from 0.
    pub chunk: usize,
    /// The higher, the nearer.
    pub score: f64,
    /// Whether it contains one of the question's patterns; empty for a question without any.
    pub relevant: Option<bool>,
    /// Its first characters.
    pub text: String,
}

impl Row for RetrievalRow {
    const FILE: &'static str = "retrieval.csv";
    const COLUMNS: &'static [&'static str] =
        &["question", "rank", "chunk", "score", "relevant", "text"];
}

/// A row of `answers.csv`. What cannot be said of an answer is empty.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct AnswerRow {
    /// The question's id.
    pub question: String,
    /// What the generator said.
    pub answer: String,
    /// Tokens that a decoder drew; empty where there is none.
    pub new_tokens: Option<usize>,
    /// How long that took, from the first of them to the last: measured, so that it differs from
    /// time to time.
    #[serde(default)]
    pub seconds: Option<f64>,
    /// Why a decoder's answer ends: `end_token`, `stop_string` or `length`.
    #[serde(default)]
    pub stop: Option<String>,
    /// Its words, citations aside.
    #[serde(default)]
    pub words: Option<usize>,
    /// How many the question allows at most, where it says so.
    #[serde(default)]
    pub word_limit: Option<usize>,
    /// Whether it is as short as that.
    #[serde(default)]
    pub within_limit: Option<bool>,
    /// Its language, where that is beyond doubt.
    #[serde(default)]
    pub language: Option<String>,
    /// Whether it is the question's.
    #[serde(default)]
    pub same_language: Option<bool>,
    /// The numbers of the chunks that it cites, with spaces between them.
    #[serde(default)]
    pub cited: String,
    /// The share of these that it was given.
    #[serde(default)]
    pub cited_in_context: Option<f64>,
    /// Whether it says that the chunks do not have an answer.
    #[serde(default)]
    pub abstained: Option<bool>,
    /// The share of its content words that stand in the chunks that it was given.
    #[serde(default)]
    pub supported: Option<f64>,
    /// The share of its runs of four words that were there before.
    #[serde(default)]
    pub repeated: Option<f64>,
    /// F1 of its words and those of the right answer, where the question has one.
    #[serde(default)]
    pub token_f1: Option<f64>,
    /// ROUGE-L of the same.
    #[serde(default)]
    pub rouge_l: Option<f64>,
}

impl Row for AnswerRow {
    const FILE: &'static str = "answers.csv";
    const COLUMNS: &'static [&'static str] = &[
        "question",
        "answer",
        "new_tokens",
        "seconds",
        "stop",
        "words",
        "word_limit",
        "within_limit",
        "language",
        "same_language",
        "cited",
        "cited_in_context",
        "abstained",
        "supported",
        "repeated",
        "token_f1",
        "rouge_l",
    ];
}

/// A row of `vectors.csv`: the beginning of a question's vector.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VectorRow {
    /// The question's id.
    pub question: String,
    /// How many values it has.
    pub dimension: usize,
    /// Its length.
    pub length: f64,
    /// Its first values, with spaces between them.
    pub first_values: String,
}

impl VectorRow {
    /// The row of a vector.
    #[must_use]
    pub fn of(question: &str, vector: &[f32]) -> Self {
        /// Values that are shown.
        const SHOWN: usize = 10;
        let squares: f64 = vector.iter().map(|&value| f64::from(value).powi(2)).sum();
        let first: Vec<String> = vector.iter().take(SHOWN).map(f32::to_string).collect();
        Self {
            question: question.to_owned(),
            dimension: vector.len(),
            length: squares.sqrt(),
            first_values: first.join(" "),
        }
    }

    /// Its first values; what is no number ends them.
    #[must_use]
    pub fn values(&self) -> Vec<f64> {
        let words = self.first_values.split_whitespace();
        words.map_while(|word| word.parse().ok()).collect()
    }
}

impl Row for VectorRow {
    const FILE: &'static str = "vectors.csv";
    const COLUMNS: &'static [&'static str] = &["question", "dimension", "length", "first_values"];
}

/// A row of `generation.csv`: a value that answers were drawn with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GenerationRow {
    /// Its key, as transformers has it.
    pub key: String,
    /// The value; the ids of several tokens with spaces between them.
    pub value: String,
    /// Where it comes from: `toml`, the checkpoint's file, or `default`.
    pub source: String,
}

impl Row for GenerationRow {
    const FILE: &'static str = "generation.csv";
    const COLUMNS: &'static [&'static str] = &["key", "value", "source"];
}

/// A row of `attempts.csv`: an answer to a chunk of texts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttemptRow {
    /// Which evaluation.
    pub evaluation: String,
    /// The chunk's number within it, from 0.
    pub chunk: usize,
    /// Which answer to it, from 1.
    pub attempt: usize,
    /// Tokens of the prompt.
    pub prompt_tokens: usize,
    /// Tokens of the answer.
    pub new_tokens: usize,
    /// Why it ends: `end_token`, `length` or `stop_string`.
    pub stop: String,
    /// Whether it has the wanted form.
    pub parsed: bool,
    /// What it says.
    pub answer: String,
}

impl Row for AttemptRow {
    const FILE: &'static str = "attempts.csv";
    const COLUMNS: &'static [&'static str] = &[
        "evaluation",
        "chunk",
        "attempt",
        "prompt_tokens",
        "new_tokens",
        "stop",
        "parsed",
        "answer",
    ];
}

/// A row of `models.csv`: a model of the hub as it was on the day. The hub leaves out what it does
/// not know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelRow {
    /// Its place, from 1.
    pub rank: usize,
    /// Its name.
    pub model: String,
    /// Its author.
    pub author: Option<String>,
    /// Its task.
    pub task: Option<String>,
    /// Its library.
    pub library: Option<String>,
    /// The licence's short name.
    pub licence: Option<String>,
    /// The number of parameters.
    pub parameters: Option<u64>,
    /// Downloads in the thirty days before.
    pub downloads: Option<u64>,
    /// Likes.
    pub likes: Option<u64>,
    /// When it was made, as the hub writes times.
    pub created: Option<String>,
    /// When it was changed last.
    pub modified: Option<String>,
    /// Whether access has to be asked for.
    pub gated: bool,
    /// Its tags, with spaces between them.
    pub tags: String,
}

impl Row for ModelRow {
    const FILE: &'static str = "models.csv";
    const COLUMNS: &'static [&'static str] = &[
        "rank",
        "model",
        "author",
        "task",
        "library",
        "licence",
        "parameters",
        "downloads",
        "likes",
        "created",
        "modified",
        "gated",
        "tags",
    ];
}

/// A row of `model_facts.csv`: something about an inspected model of the hub.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelFactRow {
    /// The model's name.
    pub model: String,
    /// What it is about; a fact may have several rows, such as `modules`.
    pub fact: String,
    /// What there is to say.
    pub value: String,
}

impl Row for ModelFactRow {
    const FILE: &'static str = "model_facts.csv";
    const COLUMNS: &'static [&'static str] = &["model", "fact", "value"];
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header<R: Row>(row: R) -> Vec<String> {
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.serialize(row).unwrap();
        let bytes = writer.into_inner().unwrap();
        let text = String::from_utf8(bytes).unwrap();
        text.lines()
            .next()
            .unwrap()
            .split(',')
            .map(str::to_owned)
            .collect()
    }

    #[test]
    fn the_stated_columns_are_the_fields_in_their_order() {
        let metric = MetricRow {
            evaluation: "test".into(),
            metric: "accuracy".into(),
            value: 0.5,
        };
        assert_eq!(header(metric), MetricRow::COLUMNS);
        let measurement = MeasurementRow {
            metric: "wall_seconds".into(),
            value: 1.0,
        };
        assert_eq!(header(measurement), MeasurementRow::COLUMNS);
        let log = TrainingLogRow {
            step: 1,
            epoch: 0.1,
            loss: 0.7,
            learning_rate: 1e-4,
            gradient_norm: 1.0,
        };
        assert_eq!(header(log), TrainingLogRow::COLUMNS);
        let epoch = EpochRow {
            epoch: 1,
            train_loss: 0.7,
            train_loss_mean: 0.7,
            validation_loss: 0.6,
            accuracy: 0.8,
        };
        assert_eq!(header(epoch), EpochRow::COLUMNS);
        let report = ReportRow {
            evaluation: "test".into(),
            class: "0".into(),
            precision: None,
            recall: None,
            f1_score: 0.5,
            support: 3,
        };
        assert_eq!(header(report), ReportRow::COLUMNS);
        let found = RetrievalRow {
            question: "cd".into(),
            rank: 1,
            chunk: 0,
            score: 0.5,
            relevant: None,
            text: String::new(),
        };
        assert_eq!(header(found), RetrievalRow::COLUMNS);
        let answer = AnswerRow {
            question: "cd".into(),
            ..AnswerRow::default()
        };
        assert_eq!(header(answer), AnswerRow::COLUMNS);
        let drawn = GenerationRow {
            key: "top_k".into(),
            value: "50".into(),
            source: "default".into(),
        };
        assert_eq!(header(drawn), GenerationRow::COLUMNS);
        let attempt = AttemptRow {
            evaluation: "test".into(),
            chunk: 0,
            attempt: 1,
            prompt_tokens: 9,
            new_tokens: 5,
            stop: "length".into(),
            parsed: true,
            answer: "0,1".into(),
        };
        assert_eq!(header(attempt), AttemptRow::COLUMNS);
        assert_eq!(header(VectorRow::of("cd", &[0.5])), VectorRow::COLUMNS);
        let fact = ModelFactRow {
            model: "o/m".into(),
            fact: "heads".into(),
            value: "12".into(),
        };
        assert_eq!(header(fact), ModelFactRow::COLUMNS);
        let model = ModelRow {
            rank: 1,
            model: "o/m".into(),
            author: None,
            task: None,
            library: None,
            licence: None,
            parameters: None,
            downloads: None,
            likes: None,
            created: None,
            modified: None,
            gated: false,
            tags: String::new(),
        };
        assert_eq!(header(model), ModelRow::COLUMNS);
    }

    #[test]
    fn a_vectors_beginning_reads_back_to_its_digits() {
        let vector: Vec<f32> = (1_u8..=12).map(|n| 0.1 * f32::from(n)).collect();
        let row = VectorRow::of("cd", &vector);
        assert_eq!((row.dimension, row.values().len()), (12, 10));
        let wanted = 0.1 * f64::from(650_u16).sqrt();
        assert!((row.length - wanted).abs() < 1e-6, "{}", row.length);
        let back = row.values()[2].to_string().parse::<f32>();
        assert_eq!(back, Ok(vector[2]));
    }
}
