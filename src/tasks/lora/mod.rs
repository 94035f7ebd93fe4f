//! LoRA fine-tuning of an encoder classifier, from the texts to the adapter and its metrics.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Instant;

mod card;
mod classes;
mod look;
mod memory;
mod predict;
mod results;
mod sets;

use engine::FloatDType;
use engine::checkpoint::{AdapterError, Card};
use engine::classifier::{self, AdaptedClassifier, Start};
use engine::device::{Device, format_name};
use engine::models::NetworkFiles;
use engine::models::adapter::AdapterSettings;
use engine::shapes::LinearShape;
use engine::training::{
    AdamWOptions, Control, Decay, Ended, History, LossScale, Options, Schedule, State,
    steps_per_epoch,
};

use super::checkpoint;
use super::encoder;
use super::inspect::Look;
use super::scores::metric;
use super::watch::{Progress, Watch};
use super::{Classifier, Forecast, Inspection, Need, Task};
use crate::config::{Keep, LoraSettings, Schedule as ScheduleSetting};
use crate::data::{self, Splits};
use crate::hub::Wanted;
use crate::plan::RunSpec;
use crate::record::{self, Environment, MetricRow, RecordError, RowWriter};
use crate::runner::{Context, ExecuteError, Outcome};
use card::Facts;
use memory::{largest_step, peak_bytes};
use results::{device_memory, judge, measurements, memory_rows, write_predictions};
use sets::Sets;

impl Task for LoraSettings {
    fn memory(
        &self,
        spec: &RunSpec,
        device: Device,
        forecast: &mut Forecast,
    ) -> Result<Option<u64>, ExecuteError> {
        memory::forecast(self, spec, device, forecast)
    }

    fn needs(&self) -> Vec<Need> {
        let model = Need::model(&self.model, Wanted::Classifier);
        model.into_iter().chain(Need::data(&self.data)).collect()
    }

    fn look(&self, inspection: &mut Inspection) -> Vec<Look> {
        look::look(self, inspection)
    }

    fn execute(&self, spec: &RunSpec, context: &mut Context<'_>) -> Result<Outcome, ExecuteError> {
        let device = Device::named(context.device)?;
        let format = encoder::format(self.model.precision, device)?;
        let mut progress = Progress::new(spec.label(), context.events, context.stop);
        progress.stage("reading the data");
        let mut splits = data::prepare(&self.data)?;
        let (encoder, order) = classes::open(self, &mut splits, spec.seed)?;
        progress.stage("tokenising");
        let mut notes = splits.notes.clone();
        notes.extend(order);
        let length = self.training.max_length;
        let sets = Sets::new(&splits, &encoder, length, spec.results(), &mut notes)?;
        notes.extend(classes::fresh_note(self, &encoder));
        for note in &notes {
            progress.note(note);
        }
        let run = Run {
            spec,
            settings: self,
            folder: context.folder,
            format,
            halvings: context.halvings,
            splits: &splits,
            encoder: &encoder,
            sets: &sets,
            progress: &mut progress,
            device,
        };
        let mut outcome = run.execute()?;
        outcome.notes.splice(0..0, notes);
        outcome.labels = splits.labels.names().to_vec();
        outcome.environment = Environment {
            device: device.to_string(),
            driver: device.driver(),
            precision: format_name(format).to_owned(),
            tf32: device.may_use_tf32(),
            ..Environment::default()
        };
        Ok(outcome)
    }

    fn classifier(&self) -> Option<&dyn Classifier> {
        Some(self)
    }
}

/// Everything a run has prepared.
struct Run<'a, 'b> {
    spec: &'a RunSpec,
    settings: &'a LoraSettings,
    folder: &'a Path,
    format: FloatDType,
    halvings: u32,
    splits: &'a Splits,
    encoder: &'a NetworkFiles,
    sets: &'a Sets<'a>,
    progress: &'a mut Progress<'b>,
    device: Device,
}

impl Run<'_, '_> {
    fn execute(self) -> Result<Outcome, ExecuteError> {
        let begun = Instant::now();
        self.progress.stage("loading the model");
        let mut model = self.load()?;
        let trainable = model.trainable();
        let whole = classes::whole_note(&*model);
        if let Some(note) = &whole {
            self.progress.note(note);
        }
        let predicted = self.predicted_memory(&*model);
        let load_time = begun.elapsed();

        self.progress.stage("training");
        let mut options = self.options();
        let state = self.interrupted(&mut *model);
        let mut watch = Watch {
            log: RowWriter::create(self.folder)?,
            epochs: RowWriter::create(self.folder)?,
            total_epochs: self.settings.training.epochs,
            split: &self.sets.evaluations[self.sets.judged].name,
            folder: self.folder,
            identity: &self.spec.identity,
            failure: None,
            progress: self.progress,
        };
        if let Some(state) = &state {
            // What did not fit once is not tried again.
            if (1..options.micro_batch_size).contains(&state.history.micro_batch_size) {
                options.micro_batch_size = state.history.micro_batch_size;
            }
            let steps = state.history.steps;
            watch.progress.note(&format!(
                "goes on after step {steps}, where it was interrupted"
            ));
            watch.repeat(&state.history);
        }
        let judged = &self.sets.evaluations[self.sets.judged].examples;
        let history = model.fine_tune(&self.sets.train, judged, &options, state, &mut watch)?;
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
        let total = self.sets.evaluated();
        let mut done = 0;
        let mut results = Vec::new();
        for set in &self.sets.evaluations {
            let predictions =
                model.evaluate(&set.examples, options.micro_batch_size, &mut |rows| {
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
        self.write_adapter(&mut *model, &outcome.metrics)?;
        outcome.measurements = measurements(&history, load_time, evaluation_time, total, predicted);
        let asked = self.settings.training.rows_at_once();
        outcome.measurements.extend(memory_rows(&history, asked));
        outcome.measurements.extend(device_memory(&*model));
        outcome.notes = self.notes(&history);
        outcome.notes.splice(0..0, whole);
        Ok(outcome)
    }

    fn load(&self) -> Result<Box<dyn AdaptedClassifier>, ExecuteError> {
        let settings;
        let start = if let Some(folder) = &self.settings.lora.init {
            classes::start_from(self.settings, folder)
        } else {
            settings = self.adapter_settings()?;
            Start::Fresh {
                settings: &settings,
                seed: self.spec.seed,
            }
        };
        Ok(classifier::load(
            self.encoder,
            start,
            self.format,
            self.device,
        )?)
    }

    /// The state that an interrupted training of this very run left.
    fn interrupted(&self, model: &mut dyn AdaptedClassifier) -> Option<State> {
        let state = checkpoint::read(self.folder, &self.spec.identity)?;
        model.fits(&state).then_some(state)
    }

    fn adapter_settings(&self) -> Result<AdapterSettings, ExecuteError> {
        let lora = &self.settings.lora;
        let modules: BTreeSet<String> = self
            .encoder
            .shapes
            .resolve_targets(&lora.targets)?
            .iter()
            .map(|linear| linear.module.clone())
            .collect();
        Ok(AdapterSettings {
            rank: lora.rank,
            alpha: lora.alpha,
            dropout: lora.dropout,
            modules,
            ..AdapterSettings::default()
        })
    }

    /// What `peak_memory_bytes` should be.
    fn predicted_memory(&self, model: &dyn AdaptedClassifier) -> u64 {
        let ranks = model.ranks();
        let shapes = &self.encoder.shapes;
        let adapters: Vec<(&LinearShape, usize)> = shapes
            .linears
            .iter()
            .filter_map(|linear| Some((linear, *ranks.get(&linear.module)?)))
            .collect();
        let lengths: Vec<usize> = self
            .sets
            .train
            .iter()
            .map(|text| text.tokens.len())
            .collect();
        let seed = self.spec.seed;
        let memory = largest_step(
            shapes,
            self.settings,
            &adapters,
            &lengths,
            seed,
            self.device,
        );
        peak_bytes(&memory, self.sets.data_bytes(self.splits), self.device)
    }

    fn options(&self) -> Options {
        let training = &self.settings.training;
        let per_epoch = steps_per_epoch(
            self.sets.train.len(),
            training.batch_size,
            training.gradient_accumulation,
        );
        Options {
            epochs: training.epochs,
            batch_size: training.batch_size,
            micro_batch_size: (training.rows_at_once() >> self.halvings).max(1),
            gradient_checkpointing: training.gradient_checkpointing,
            loss_scale: (self.format == FloatDType::F16).then(LossScale::default),
            gradient_accumulation: training.gradient_accumulation,
            schedule: Schedule {
                peak: training.learning_rate,
                warmup_steps: training.warmup_steps,
                total_steps: per_epoch.saturating_mul(training.epochs),
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
            (
                "train_texts_in_validation",
                duplicates.train_in_validation as f64,
            ),
            ("steps", history.steps as f64),
            ("train_tokens", history.tokens as f64),
            (
                "train_loss_mean",
                if history.steps == 0 {
                    f64::NAN
                } else {
                    history.mean_loss
                },
            ),
            ("kept_epoch", history.kept_epoch as f64),
        ];
        let scale = history.loss_scale.iter().flat_map(|scale| {
            [
                ("skipped_steps", scale.skipped_steps as f64),
                ("loss_scale", scale.factor),
            ]
        });
        rows.into_iter()
            .chain(scale)
            .map(|(name, value)| metric("run", name, value))
            .collect()
    }

    fn write_adapter(
        &self,
        model: &mut dyn AdaptedClassifier,
        metrics: &[MetricRow],
    ) -> Result<(), ExecuteError> {
        let content = self.spec.content();
        let facts = Facts {
            label: &self.spec.label(),
            data: &self.settings.data.path,
            sha256: content.get("data").map(String::as_str),
            trained: self.sets.train.len(),
            base: &card::base(&self.settings.model.origin),
            metrics,
        };
        let folder = self.folder.join("adapter");
        let about = Card {
            base: facts.base.clone(),
            description: facts.description(),
            classes: self.splits.labels.names().to_vec(),
            config_json: self.encoder.config_json.clone(),
            max_length: (self.settings.training.max_length).min(self.encoder.shapes.max_positions),
        };
        match model.write(&folder, self.encoder.fresh(), &about) {
            // A file of the run's folder like any other, so that all of them are spoken of alike.
            Err(AdapterError::Write { path, source }) => {
                return Err(RecordError::Write { path, source }.into());
            }
            written => written?,
        }
        Ok(facts.complete(&folder.join("README.md"))?)
    }

    fn notes(&self, history: &History) -> Vec<String> {
        let training = &self.settings.training;
        let mut notes = Vec::new();
        let asked = training.rows_at_once();
        if history.micro_batch_size < asked {
            notes.push(format!(
                "memory ran out: at most {} rows went through the network at once instead of {asked}, which changes results by no more than rounding",
                history.micro_batch_size
            ));
        }
        if history.ended == Ended::Early {
            notes.push(format!(
                "stopped after epoch {} of {}: the validation loss no longer fell",
                history.epochs.len(),
                training.epochs
            ));
        }
        if training.keep == Keep::Best && history.kept_epoch < history.epochs.len() {
            notes.push(format!("kept the weights of epoch {}", history.kept_epoch));
        }
        notes
    }
}
