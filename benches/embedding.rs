//! Throughput of embedding on the processor, to set against `sentence_transformers_embedding.py`, whose header says how to run both.
//!
//! ```sh
//! cargo bench --bench embedding -- --model path/to/all-MiniLM-L6-v2 --text manual.txt --chunks 128
//! ```
//!
//! Texts are the first stretches of 300 words of a file, each 200 words after the one before; tokenising and pooling count.

mod line;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;
use engine::FloatDType;
use engine::device::{Device, peak_memory_bytes};
use engine::models::Source;
use ensayo::retrieval::{Embedder, Given, Side};

/// What to measure.
#[derive(Debug, Parser)]
struct Arguments {
    /// A folder with a checkpoint and its tokeniser
    #[arg(long)]
    model: PathBuf,
    /// A text in UTF-8
    #[arg(long)]
    text: PathBuf,
    /// Stretches of the text to embed
    #[arg(long, default_value_t = 128)]
    chunks: usize,
    /// Tokens of one batch
    #[arg(long)]
    budget: Option<usize>,
    /// Given by `cargo bench`
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> ExitCode {
    line::print(measure(&Arguments::parse()))
}

#[allow(clippy::cast_precision_loss)]
fn measure(arguments: &Arguments) -> Result<String, Box<dyn std::error::Error>> {
    let text = std::fs::read_to_string(&arguments.text)?;
    let words: Vec<&str> = text.split_whitespace().collect();
    let chunks: Vec<String> = (0..arguments.chunks)
        .map_while(|chunk| words.get(200 * chunk..200 * chunk + 300))
        .map(|words| words.join(" "))
        .collect();
    let chunks: Vec<&str> = chunks.iter().map(String::as_str).collect();
    if chunks.len() < arguments.chunks {
        return Err(format!("the text has only {} chunks", chunks.len()).into());
    }
    let embedder = Embedder::open(Source::Folder(&arguments.model), Given::default())?;
    let embedder = embedder.load(FloatDType::F32, Device::Cpu)?;
    // The first batch also pays for threads and pages; it is taken before the clock starts.
    embedder.embed(Side::Document, &chunks[..8.min(chunks.len())], |_| ())?;
    let begun = Instant::now();
    let found = embedder.embed_in_batches(Side::Document, &chunks, arguments.budget, |_| ())?;
    let seconds = begun.elapsed().as_secs_f64();
    let tokens: usize = found.tokens.iter().map(|text| text.kept).sum();
    Ok(format!(
        "ensayo: {:.2} chunks/s, {:.0} tokens/s, peak memory {:.2} GB ({} chunks, {tokens} tokens, {seconds:.2} s; first vector {:?} …)",
        chunks.len() as f64 / seconds,
        tokens as f64 / seconds,
        peak_memory_bytes().unwrap_or(0) as f64 / 1e9,
        chunks.len(),
        &found.values[..3],
    ))
}
