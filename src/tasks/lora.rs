//! LoRA fine-tuning of an encoder classifier, from the texts to the adapter and its metrics.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::{Duration, Instant};

use burn::backend::Autodiff;
use burn::module::AutodiffModule;
use thiserror::Error;

use super::encoder::Encoder;
use super::watch::{Progress, Watch};
use crate::config::{Keep, LoraSettings, Schedule as ScheduleSetting};
use crate::data::{self, Splits, Tokenizer};
use crate::device::{Device, OnDevice, peak_memory_bytes};
use crate::metrics::classification_report;
use crate::models::adapter::{self, AdapterSettings, Card};
use crate::models::{count, unfreeze};
use crate::nn::ops::Operations;
use crate::plan::RunSpec;
use crate::record::{
    self, Environment, MeasurementRow, MetricRow, PREDICTIONS_FILE, ReportRow, RowWriter, RunRecord,
};
use crate::runner::{Context, ExecuteError, Outcome};
use crate::training::{
    self, AdamWOptions, Control, Decay, Ended, Example, History, Options, Schedule, evaluate, fine_tune,
    steps_per_epoch,
};

/// Characters of a text that `predictions.csv` shows.
const SHOWN_CHARACTERS: usize = 500;

/// Executes a run.
///
/// # Errors
/// When data, model or adapter cannot be used, training diverges, or a file cannot be written.
pub fn execute(spec: &RunSpec, settings: &LoraSettings, context: &mut Context<'_>) -> Result<Outcome, ExecuteError> {
    let device = Device::named(context.device)?;
    let mut progress = Progress::new(spec.label(), context.events, context.stop);
    progress.stage("reading the data");
    let splits = data::prepare(&settings.data)?;
    let encoder = Encoder::open(&settings.model, splits.labels.names().len(), spec.seed)?;
    progress.stage("tokenising");
    let mut notes = splits.notes.clone();
    let sets = Sets::new(&splits, &encoder, settings.training.max_length, &mut notes)?;
    if !encoder.fresh().is_empty() {
        notes.push(format!("not in the checkpoint, started afresh: {}", encoder.fresh().join(", ")));
    }
    for note in &notes {
        progress.note(note);
    }
    let run = Run { spec, settings, folder: context.folder, splits: &splits, encoder: &encoder, sets: &sets, progress: &mut progress };
    let mut outcome = device.run(run)?;
    outcome.notes.splice(0..0, notes);
    outcome.labels = splits.labels.names().to_vec();
    outcome.environment = Environment {
        device: device.to_string(),
        driver: device.driver(),
        precision: "f32".to_owned(),
        ..Environment::default()
    };
    Ok(outcome)
}

/// One evaluation: its name, its examples and their texts.
struct Set<'a> {
    name: String,
    texts: Vec<&'a str>,
    examples: Vec<Example>,
}

/// The tokenised splits.
struct Sets<'a> {
    train: Vec<Example>,
    /// What the epochs are judged by: the validation split, or the test split where there is none.
    judged: usize,
    /// Test, validation where there is one, and the named evaluations.
    evaluations: Vec<Set<'a>>,
}

impl<'a> Sets<'a> {
    fn new(
        splits: &'a Splits,
        encoder: &Encoder,
        max_length: usize,
        notes: &mut Vec<String>,
    ) -> Result<Self, ExecuteError> {
        let positions = encoder.shapes.max_positions;
        let tokenizer = Tokenizer::from_folder(&encoder.folder, max_length.min(positions))?
            .for_vocabulary(encoder.shapes.vocab_size);
        let mut named: Vec<(String, &'a [data::Example])> = vec![("test".into(), &splits.test)];
        named.extend(splits.validation.as_ref().map(|rows| ("validation".into(), rows.as_slice())));
        named.extend(splits.evaluations.iter().map(|set| (set.name.clone(), set.examples.as_slice())));
        let train = tokenise(&tokenizer, &splits.train, "train")?;
        let mut evaluations = Vec::new();
        for (name, rows) in named {
            let examples = tokenise(&tokenizer, rows, &name)?;
            let texts = rows.iter().map(|row| row.text.as_str()).collect();
            evaluations.push(Set { name, texts, examples });
        }
        let limit = max_length.min(positions);
        if max_length > positions {
            notes.push(format!("training.max_length is {max_length}; the model has {positions} positions, so texts are cut there"));
        }
        let full = train.iter().filter(|example| example.tokens.len() == limit).count();
        if full > 0 {
            notes.push(format!("{full} of {} training texts fill all {limit} tokens; what is longer was cut", train.len()));
        }
        Ok(Self { train, judged: usize::from(splits.validation.is_some()), evaluations })
    }
}

/// A text of which a tokeniser leaves nothing.
#[derive(Debug, Error)]
#[error("row {} of the {split} split: the tokeniser leaves nothing of the text {text:?}; remove the row", row + 1)]
struct NothingLeft {
    split: String,
    row: usize,
    text: String,
}

fn tokenise(tokenizer: &Tokenizer, rows: &[data::Example], split: &str) -> Result<Vec<Example>, ExecuteError> {
    let texts: Vec<&str> = rows.iter().map(|row| row.text.as_str()).collect();
    let examples = tokenizer.encode(&texts)?.into_iter().zip(rows).map(|(tokens, row)| {
        if tokens.is_empty() {
            return Err(NothingLeft { split: split.to_owned(), row: row.row, text: row.text.clone() });
        }
        Ok(Example { tokens, label: row.label, row: row.row })
    });
    Ok(examples.collect::<Result<_, _>>()?)
}

/// Everything a run has prepared, waiting for a backend.
struct Run<'a, 'b> {
    spec: &'a RunSpec,
    settings: &'a LoraSettings,
    folder: &'a Path,
    splits: &'a Splits,
    encoder: &'a Encoder,
    sets: &'a Sets<'a>,
    progress: &'a mut Progress<'b>,
}

impl OnDevice for Run<'_, '_> {
    type Output = Result<Outcome, ExecuteError>;

    fn run<B: Operations>(self, device: &B::Device) -> Self::Output {
        let begun = Instant::now();
        self.progress.stage("loading the model");
        let mut model = self.encoder.load::<Autodiff<B>>(device)?;
        let adapter = match &self.settings.lora.init {
            Some(folder) => adapter::read(&mut model, folder)?,
            None => {
                let adapter = self.adapter_settings()?;
                adapter::attach(&mut model, &adapter, self.spec.seed);
                adapter
            }
        };
        unfreeze(&mut model);
        let trainable = count(&mut model);
        let load_time = begun.elapsed();

        self.progress.stage("training");
        let options = self.options();
        let mut watch = Watch {
            log: RowWriter::create(self.folder)?,
            epochs: RowWriter::create(self.folder)?,
            total_epochs: self.settings.training.epochs,
            failure: None,
            progress: self.progress,
        };
        let judged = &self.sets.evaluations[self.sets.judged].examples;
        let history = fine_tune::<B, _>(&mut model, &self.sets.train, judged, &options, device, &mut watch)?;
        if let Some(failure) = watch.failure {
            return Err(failure.into());
        }
        let mut outcome = Outcome::default();
        if history.ended == Ended::Stopped {
            outcome.interrupted = true;
            return Ok(outcome);
        }

        self.progress.stage("evaluating");
        let begun = Instant::now();
        let inner = model.valid();
        let total: usize = self.sets.evaluations.iter().map(|set| set.examples.len()).sum();
        let mut done = 0;
        let mut results = Vec::new();
        for set in &self.sets.evaluations {
            let predictions = evaluate(&inner, &set.examples, options.batch_size, device, |rows| {
                self.progress.advance(done + rows, total, "rows", None) == Control::Continue
            });
            let Some(predictions) = predictions else {
                outcome.interrupted = true;
                return Ok(outcome);
            };
            done += set.examples.len();
            results.push((set, predictions));
        }
        let evaluation_time = begun.elapsed();
        let classes = self.splits.labels.names();
        outcome.metrics = self.run_metrics(&history, trainable);
        let mut reports = Vec::new();
        for (set, predictions) in &results {
            let (metrics, report) = judge(set, predictions, classes);
            outcome.metrics.extend(metrics);
            reports.extend(report);
        }
        record::write_rows(self.folder, &reports)?;
        write_predictions(self.folder, classes, &results)?;
        let card = self.card(&outcome.metrics);
        adapter::write(&mut model, &self.folder.join("adapter"), &adapter, self.encoder.fresh(), &card)?;
        outcome.measurements = measurements(&history, load_time, evaluation_time, total);
        outcome.notes = self.notes(&history);
        Ok(outcome)
    }
}

impl Run<'_, '_> {
    fn adapter_settings(&self) -> Result<AdapterSettings, ExecuteError> {
        let lora = &self.settings.lora;
        let modules: BTreeSet<String> = self
            .encoder
            .shapes
            .resolve_targets(&lora.targets)?
            .iter()
            .map(|linear| linear.module.clone())
            .collect();
        Ok(AdapterSettings { rank: lora.rank, alpha: lora.alpha, dropout: lora.dropout, modules })
    }

    fn options(&self) -> Options {
        let training = &self.settings.training;
        let per_epoch =
            steps_per_epoch(self.sets.train.len(), training.batch_size, training.gradient_accumulation);
        Options {
            epochs: training.epochs,
            batch_size: training.batch_size,
            gradient_accumulation: training.gradient_accumulation,
            schedule: Schedule {
                peak: training.learning_rate,
                warmup_steps: training.warmup_steps,
                total_steps: per_epoch * training.epochs,
                decay: match training.schedule {
                    ScheduleSetting::Linear => Decay::Linear,
                    ScheduleSetting::Cosine => Decay::Cosine,
                    ScheduleSetting::Constant => Decay::Constant,
                },
            },
            adamw: AdamWOptions {
                beta1: training.adam_beta1,
                beta2: training.adam_beta2,
                epsilon: training.adam_epsilon,
                weight_decay: training.weight_decay,
            },
            max_gradient_norm: training.max_gradient_norm,
            logging_steps: training.logging_steps,
            shuffle: training.shuffle,
            keep_best: training.keep == Keep::Best,
            early_stopping: training.early_stopping,
            seed: self.spec.seed,
        }
    }

    #[allow(clippy::cast_precision_loss)]
    fn run_metrics(&self, history: &History, trainable: u64) -> Vec<MetricRow> {
        let total = self.encoder.shapes.total_parameters();
        let duplicates = &self.splits.duplicates;
        let rows = [
            ("trainable_parameters", trainable as f64),
            ("total_parameters", total as f64),
            ("trainable_percent", 100.0 * trainable as f64 / total as f64),
            ("train_rows", self.sets.train.len() as f64),
            ("train_texts_in_test", duplicates.train_in_test as f64),
            ("train_texts_in_validation", duplicates.train_in_validation as f64),
            ("steps", history.steps as f64),
            ("train_tokens", history.tokens as f64),
            ("train_loss_mean", if history.steps == 0 { f64::NAN } else { history.mean_loss }),
            ("kept_epoch", history.kept_epoch as f64),
        ];
        rows.into_iter().map(|(name, value)| metric("run", name, value)).collect()
    }

    fn card(&self, metrics: &[MetricRow]) -> Card {
        let model = &self.settings.model;
        let base_model = match (&model.id, &model.path, &model.random) {
            (Some(id), _, _) => id.clone(),
            (_, Some(path), _) => path.display().to_string(),
            (_, _, Some(random)) => random.config.display().to_string(),
            _ => String::new(),
        };
        let accuracy = metrics.iter().find(|row| row.evaluation == "test" && row.metric == "accuracy");
        let description = format!(
            "Trained by ensayo as `{}` on {} texts of {}; accuracy {:.4} on the {} test texts.",
            self.spec.label(),
            self.sets.train.len(),
            self.settings.data.path.display(),
            accuracy.map_or(f64::NAN, |row| row.value),
            self.splits.test.len(),
        );
        Card { base_model, description }
    }

    fn notes(&self, history: &History) -> Vec<String> {
        let training = &self.settings.training;
        let mut notes = Vec::new();
        if history.ended == Ended::Early {
            notes.push(format!("stopped after epoch {} of {}: the validation loss no longer fell", history.epochs.len(), training.epochs));
        }
        if training.keep == Keep::Best && history.kept_epoch < history.epochs.len() {
            notes.push(format!("kept the weights of epoch {}", history.kept_epoch));
        }
        notes
    }
}

fn metric(evaluation: &str, metric: &str, value: f64) -> MetricRow {
    MetricRow { evaluation: evaluation.to_owned(), metric: metric.to_owned(), value }
}

/// The scalars and the classification report of one evaluation.
#[allow(clippy::cast_precision_loss)]
fn judge(set: &Set<'_>, predictions: &training::Predictions, classes: &[String]) -> (Vec<MetricRow>, Vec<ReportRow>) {
    let labels: Vec<usize> = set.examples.iter().map(|example| example.label).collect();
    let report = classification_report(&labels, &predictions.classes(), classes);
    let lines = report.lines();
    let mut metrics = vec![
        metric(&set.name, "rows", labels.len() as f64),
        metric(&set.name, "accuracy", report.accuracy),
        metric(&set.name, "loss", predictions.loss()),
    ];
    for (name, average) in [("macro", &report.macro_average), ("weighted", &report.weighted_average)] {
        metrics.push(metric(&set.name, &format!("{name}_precision"), average.precision));
        metrics.push(metric(&set.name, &format!("{name}_recall"), average.recall));
        metrics.push(metric(&set.name, &format!("{name}_f1"), average.f1_score));
    }
    let rows = lines.into_iter().map(|line| ReportRow {
        evaluation: set.name.clone(),
        class: line.class,
        precision: line.precision,
        recall: line.recall,
        f1_score: line.f1_score,
        support: line.support,
    });
    (metrics, rows.collect())
}

fn write_predictions(
    folder: &Path,
    classes: &[String],
    results: &[(&Set<'_>, training::Predictions)],
) -> Result<(), ExecuteError> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(record::prediction_columns(classes))?;
    for (set, predictions) in results {
        let chosen = predictions.classes();
        let rows = set.examples.iter().zip(&set.texts).zip(chosen.iter().zip(&predictions.probabilities));
        for ((example, text), (&class, probabilities)) in rows {
            let mut cells = vec![
                set.name.clone(),
                example.row.to_string(),
                classes[example.label].clone(),
                classes[class].clone(),
            ];
            cells.extend(probabilities.iter().map(|probability| format!("{probability:.6}")));
            cells.push(text.chars().take(SHOWN_CHARACTERS).collect());
            writer.write_record(cells)?;
        }
    }
    record::write_atomically(&folder.join(PREDICTIONS_FILE), &writer.into_inner().map_err(|error| error.into_error())?)?;
    Ok(())
}

#[allow(clippy::cast_precision_loss)]
fn measurements(history: &History, load: Duration, evaluation: Duration, evaluated: usize) -> Vec<MeasurementRow> {
    let steps = history.step_time.as_secs_f64();
    let mut rows = vec![
        ("load_seconds", load.as_secs_f64()),
        ("train_seconds", steps),
        ("evaluation_seconds", evaluation.as_secs_f64()),
        ("evaluation_samples_per_second", evaluated as f64 / evaluation.as_secs_f64()),
    ];
    if history.steps > 0 {
        rows.push(("train_samples_per_second", history.examples as f64 / steps));
        rows.push(("train_tokens_per_second", history.tokens as f64 / steps));
        rows.push(("train_steps_per_second", history.steps as f64 / steps));
    }
    rows.extend(peak_memory_bytes().map(|bytes| ("peak_memory_bytes", bytes as f64)));
    rows.into_iter().map(|(metric, value)| MeasurementRow { metric: metric.to_owned(), value }).collect()
}

/// What a trained run says of a text.
#[derive(Debug, Clone, PartialEq)]
pub struct Prediction {
    /// Index of the most probable class.
    pub class: usize,
    /// The probability of each class.
    pub probabilities: Vec<f64>,
}

/// Predictions for several texts.
#[derive(Debug, Clone, PartialEq)]
pub struct Predictions {
    /// Class names in the order of their indices.
    pub classes: Vec<String>,
    /// One for each text.
    pub rows: Vec<Prediction>,
}

/// Classifies texts with what the run in `folder` trained.
///
/// # Errors
/// When the run's model or adapter cannot be read.
pub fn predict(
    folder: &Path,
    record: &RunRecord,
    settings: &LoraSettings,
    texts: &[String],
    device: Device,
) -> Result<Predictions, ExecuteError> {
    let classes = record.labels.clone();
    let encoder = Encoder::open(&settings.model, classes.len(), record.seed)?;
    let max_length = settings.training.max_length.min(encoder.shapes.max_positions);
    let tokenizer = Tokenizer::from_folder(&encoder.folder, max_length)?.for_vocabulary(encoder.shapes.vocab_size);
    let rows = texts.iter().enumerate().map(|(row, text)| data::Example { row, text: text.clone(), label: 0 });
    let examples = tokenise(&tokenizer, &rows.collect::<Vec<_>>(), "given")?;
    let work = Predict { folder, settings, encoder: &encoder, examples: &examples };
    Ok(Predictions { classes, rows: device.run(work)? })
}

struct Predict<'a> {
    folder: &'a Path,
    settings: &'a LoraSettings,
    encoder: &'a Encoder,
    examples: &'a [Example],
}

impl OnDevice for Predict<'_> {
    type Output = Result<Vec<Prediction>, ExecuteError>;

    fn run<B: Operations>(self, device: &B::Device) -> Self::Output {
        let mut model = self.encoder.load::<B>(device)?;
        adapter::read(&mut model, &self.folder.join("adapter"))?;
        let batch_size = self.settings.training.batch_size;
        let predictions = evaluate(&model, self.examples, batch_size, device, |_| true).unwrap_or_default();
        let rows = predictions.classes().into_iter().zip(predictions.probabilities);
        Ok(rows.map(|(class, probabilities)| Prediction { class, probabilities }).collect())
    }
}
