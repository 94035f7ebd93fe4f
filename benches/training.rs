//! Training throughput of ensayo on the processor, in the shape of a real encoder, to set against `peft_training.py`.
//!
//! ```sh
//! cargo bench --bench training -- --config path/to/config.json --reviews reviews.csv --steps 12
//! ```
//!
//! Rows in file order, batches of 8, texts cut at 512 tokens, dropout on, adapters of rank 8 on query and value. Random weights: the time is the same.

mod line;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, ValueEnum};
use engine::FloatDType;
use engine::classifier::{self, Start};
use engine::device::{Device, peak_memory_bytes};
use engine::models::adapter::AdapterSettings;
use engine::models::{NetworkFiles, Source};
use engine::shapes::Role;
use engine::training::{AdamWOptions, Decay, Example, LossScale, Options, Schedule, Unobserved};
use ensayo::data::{Tokenizer, read};

/// What to measure.
#[derive(Debug, Parser)]
struct Arguments {
    /// A checkpoint's config.json
    #[arg(long)]
    config: PathBuf,
    /// The folder of its tokeniser, if that is not the same; ids beyond the vocabulary are taken modulo its size
    #[arg(long)]
    tokenizer: Option<PathBuf>,
    /// A CSV with the columns `text` and `label`
    #[arg(long)]
    reviews: PathBuf,
    /// Optimiser steps that are timed
    #[arg(long, default_value_t = 12)]
    steps: usize,
    /// Rows in a batch
    #[arg(long, default_value_t = 8)]
    batch_size: usize,
    /// Tokens after which a text is cut
    #[arg(long, default_value_t = 512)]
    max_length: usize,
    /// Rows that go through the network at once; the batch when not given
    #[arg(long)]
    micro_batch_size: Option<usize>,
    /// Keep the layers' inputs alone and compute the rest again
    #[arg(long)]
    gradient_checkpointing: bool,
    /// Number format of the frozen weights and the activations
    #[arg(long, value_enum, default_value_t = Precision::F32)]
    precision: Precision,
    /// Given by `cargo bench`
    #[arg(long, hide = true)]
    bench: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Precision {
    F32,
    Bf16,
    F16,
}

fn main() -> ExitCode {
    line::print(measure(&Arguments::parse()))
}

#[allow(clippy::cast_precision_loss)]
fn measure(arguments: &Arguments) -> Result<String, Box<dyn std::error::Error>> {
    let source = Source::Random {
        config: &arguments.config,
        seed: 1,
    };
    let files = NetworkFiles::open(source, Role::Classifier { classes: 2 }, None, 1)?;
    let folder = arguments.tokenizer.as_deref();
    let folder = folder.or(arguments.config.parent());
    let shapes = &files.shapes;
    let length = arguments.max_length.min(shapes.max_positions);
    let tokenizer = Tokenizer::from_folder(folder.ok_or("--config has no folder")?, length)?;
    let rows = arguments.steps * arguments.batch_size;
    let rows = read(&arguments.reviews, "text", "label", Some(rows))?;
    let texts: Vec<&str> = rows.iter().map(|row| row.text.as_str()).collect();
    let tokens = tokenizer.encode(&texts)?;
    let examples: Vec<Example> = tokens
        .into_iter()
        .enumerate()
        .map(|(row, tokens)| Example {
            tokens: tokens
                .into_iter()
                .map(|id| id % u32::try_from(shapes.vocab_size).unwrap_or(u32::MAX))
                .collect(),
            label: row % 2,
            row,
        })
        .collect();

    let format = match arguments.precision {
        Precision::F32 => FloatDType::F32,
        Precision::Bf16 => FloatDType::BF16,
        Precision::F16 => FloatDType::F16,
    };
    let targets = ["query".to_owned(), "value".to_owned()];
    let modules = shapes
        .resolve_targets(&targets)?
        .iter()
        .map(|linear| linear.module.clone())
        .collect();
    let settings = AdapterSettings {
        rank: 8,
        alpha: 32.0,
        dropout: 0.1,
        modules,
        ..AdapterSettings::default()
    };
    let start = Start::Fresh {
        settings: &settings,
        seed: 1,
    };
    let mut model = classifier::load(&files, start, format, Device::Cpu)?;
    let options = options(arguments);
    // The first step also pays for threads and pages; it is taken before the clock starts.
    let warm = &examples[..arguments.batch_size.min(examples.len())];
    model.fine_tune(warm, &warm[..1], &options, None, &mut Unobserved)?;
    let history = model.fine_tune(&examples, &warm[..1], &options, None, &mut Unobserved)?;
    let seconds = history.step_time.as_secs_f64();
    Ok(format!(
        "ensayo: {:.3} samples/s, {:.0} real tokens/s, peak memory {:.2} GB ({} samples, {} tokens, {seconds:.1} s)",
        history.examples as f64 / seconds,
        history.tokens as f64 / seconds,
        peak_memory_bytes().unwrap_or(0) as f64 / 1e9,
        history.examples,
        history.tokens,
    ))
}

fn options(arguments: &Arguments) -> Options {
    Options {
        epochs: 1,
        batch_size: arguments.batch_size,
        micro_batch_size: arguments.micro_batch_size.unwrap_or(arguments.batch_size),
        gradient_checkpointing: arguments.gradient_checkpointing,
        loss_scale: (arguments.precision == Precision::F16).then(LossScale::default),
        gradient_accumulation: 1,
        schedule: Schedule {
            peak: 2e-4,
            warmup_steps: 0,
            total_steps: arguments.steps,
            decay: Decay::Linear,
        },
        adamw: AdamWOptions::default(),
        max_gradient_norm: 1.0,
        logging_steps: arguments.steps,
        shuffle: false,
        keep_best: false,
        early_stopping: None,
        seed: 1,
    }
}
