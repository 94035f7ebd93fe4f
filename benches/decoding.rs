//! Speed of a decoder on the processor, to set against `transformers_decoding.py`, whose header says how to run both.
//!
//! ```sh
//! cargo bench --bench decoding -- --config benches/qwen2.5-0.5b/config.json --precision bf16
//! cargo bench --bench decoding -- --model path/to/SmolLM2-135M-Instruct
//! ```
//!
//! Reads a prompt of random tokens, then writes after prompts of another length, one and sixteen at once, always as many tokens.
//! Beside it stands how fast as many bytes as the weights have are read from memory and added up.

mod line;

use std::hint::black_box;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use clap::{Parser, ValueEnum};
use engine::FloatDType;
use engine::decoder::{self, DecoderFiles, TokenDecoder};
use engine::device::{Device, peak_memory_bytes};
use engine::generation::{Choice, GenerationOptions, Request, Sampling, Speed, Unwatched};
use engine::models::Source;
use engine::shapes::{Architecture, Role};
use rayon::prelude::*;

/// What to measure.
#[derive(Debug, Parser)]
struct Arguments {
    /// A folder with a checkpoint
    #[arg(long, conflicts_with = "config", required_unless_present = "config")]
    model: Option<PathBuf>,
    /// A `config.json`, whose weights are drawn
    #[arg(long)]
    config: Option<PathBuf>,
    /// Number format of the weights
    #[arg(long, value_enum, default_value = "f32")]
    precision: Format,
    /// Tokens of the prompt that is read
    #[arg(long, default_value_t = 1024)]
    read: usize,
    /// Tokens of the prompts that are answered
    #[arg(long, default_value_t = 64)]
    prompt: usize,
    /// Tokens of an answer
    #[arg(long, default_value_t = 64)]
    write: usize,
    /// Answers at once, beside one
    #[arg(long, default_value_t = 16)]
    at_once: usize,
    /// Given by `cargo bench`
    #[arg(long, hide = true)]
    bench: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    F32,
    Bf16,
    F16,
}

fn main() -> ExitCode {
    line::print(measure(&Arguments::parse()))
}

/// Distinct tokens for each prompt, so that nothing is shared.
#[allow(clippy::cast_possible_truncation)]
fn prompt(number: usize, length: usize, vocabulary: usize) -> Vec<u32> {
    (0..length)
        .map(|place| ((place * 7919 + number * 104_729 + 13) % (vocabulary - 10)) as u32)
        .collect()
}

fn answer(decoder: &mut dyn TokenDecoder, prompts: &[Vec<u32>], new: usize) -> Speed {
    let requests: Vec<Request> = prompts
        .iter()
        .map(|prompt| Request {
            prompt: prompt.clone(),
            max_new_tokens: new,
            seed: 0,
        })
        .collect();
    let options = GenerationOptions {
        sampling: Sampling {
            repetition_penalty: 1.0,
            choice: Choice::Greedy,
        },
        end_tokens: Vec::new(),
        at_once: prompts.len(),
        kept_tokens: 0,
    };
    decoder.generate(&requests, &options, &mut Unwatched::default())
}

#[allow(clippy::cast_precision_loss)]
fn measure(arguments: &Arguments) -> Result<String, Box<dyn std::error::Error>> {
    let source = match (&arguments.model, &arguments.config) {
        (Some(folder), _) => Source::Folder(folder),
        (None, Some(config)) => Source::Random { config, seed: 0 },
        (None, None) => return Err("give --model or --config".into()),
    };
    let (format, width) = match arguments.precision {
        Format::F32 => (FloatDType::F32, 4),
        Format::Bf16 => (FloatDType::BF16, 2),
        Format::F16 => (FloatDType::F16, 2),
    };
    let files = DecoderFiles::open(source)?;
    let shapes = Architecture::read(files.config_json(), Role::Decoder)?.shapes();
    let bytes = usize::try_from(shapes.total_parameters())? * width;
    let vocabulary = files.vocab_size();
    let begun = Instant::now();
    let mut decoder = decoder::load(&files, format, Device::Cpu)?;
    let loaded = begun.elapsed().as_secs_f64();
    let decoder = decoder.as_mut();
    // The first step also pays for threads and pages.
    answer(decoder, &[prompt(99, 32, vocabulary)], 2);
    let read = answer(decoder, &[prompt(0, arguments.read, vocabulary)], 1);
    let one = answer(
        decoder,
        &[prompt(1, arguments.prompt, vocabulary)],
        arguments.write,
    );
    let prompts: Vec<Vec<u32>> = (2..2 + arguments.at_once)
        .map(|number| prompt(number, arguments.prompt, vocabulary))
        .collect();
    let many = answer(decoder, &prompts, arguments.write);
    // The first token of an answer comes with its prompt.
    let per_second = |speed: &Speed, answers: usize| {
        (speed.written_tokens - answers) as f64 / speed.write_seconds
    };
    let (one, many) = (per_second(&one, 1), per_second(&many, arguments.at_once));
    let memory = memory_bytes_per_second(bytes);
    Ok(format!(
        "ensayo, {:?}: {:.2} s for a prompt of {} tokens ({:.0} tokens/s); {one:.2} tokens/s one answer at a time ({:.0} % of the {:.1} GB/s that reading takes), {many:.2} tokens/s {} at once ({:.1} times); peak memory {:.2} GB, weights {:.2} GB loaded in {loaded:.1} s",
        arguments.precision,
        read.read_seconds,
        arguments.read,
        read.read_tokens as f64 / read.read_seconds,
        100.0 * one * bytes as f64 / memory,
        memory / 1e9,
        arguments.at_once,
        many / one,
        peak_memory_bytes().unwrap_or(0) as f64 / 1e9,
        bytes as f64 / 1e9,
    ))
}

/// How fast a plain pass over so many bytes goes, on all cores: the best of five.
#[allow(clippy::cast_precision_loss)]
fn memory_bytes_per_second(bytes: usize) -> f64 {
    let numbers = vec![1_u64; bytes / 8];
    let seconds = (0..5).map(|_| {
        let begun = Instant::now();
        let sums = black_box(&numbers).par_chunks(1 << 17);
        black_box(sums.map(|part| part.iter().sum::<u64>()).sum::<u64>());
        begun.elapsed().as_secs_f64()
    });
    bytes as f64 / seconds.fold(f64::MAX, f64::min)
}
