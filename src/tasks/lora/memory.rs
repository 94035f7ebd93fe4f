//! The memory that a training will need, from settings and token counts, before or while it runs.

use std::path::Path;

use engine::device::Device;
use engine::shapes::memory::pages::Pages;
use engine::shapes::memory::{Memory, Workload};
use engine::shapes::{LinearShape, Shapes};
use engine::training::order;

use super::classes;
use super::sets::{DataBytes, Sets};
use crate::config::{LoraSettings, Precision};
use crate::data;
use crate::plan::RunSpec;
use crate::runner::ExecuteError;
use crate::tasks::Forecast;

/// What the program holds on the processor beside tensors: code, threads, buffers of the allocator.
pub(super) const PROGRAM_BYTES: u64 = 48 << 20;

/// Rows of all epochs together whose batches are drawn: among so many, later epochs have none that
/// is larger by more than a trifle.
const DRAWN_ROWS: usize = 2_000_000;
/// Epochs whose batches are drawn however many rows there are.
const FEWEST_EPOCHS: usize = 3;

/// What a prediction needs of data and model.
#[derive(Debug)]
struct Known {
    shapes: Shapes,
    lengths: Vec<usize>,
    data: DataBytes,
}

/// The most bytes that a run will hold on `device`; `None` where the adapter's own file decides
/// what is trained.
pub(super) fn forecast(
    settings: &LoraSettings,
    spec: &RunSpec,
    device: Device,
    forecast: &mut Forecast,
) -> Result<Option<u64>, ExecuteError> {
    if settings.lora.init.is_some() {
        return Ok(None);
    }
    let (seed, length) = (spec.seed, settings.training.max_length);
    let key = serde_json::to_string(&(&settings.data, &settings.model, length))?;
    let known = forecast.known(key, || Known::new(settings, seed, spec.results()))?;
    let rank = settings.lora.rank;
    let adapted = known.shapes.resolve_targets(&settings.lora.targets)?;
    let adapters: Vec<_> = adapted.into_iter().map(|linear| (linear, rank)).collect();
    let memory = largest_step(
        &known.shapes,
        settings,
        &adapters,
        &known.lengths,
        seed,
        device,
    );
    Ok(Some(peak_bytes(&memory, known.data, device)))
}

impl Known {
    fn new(settings: &LoraSettings, seed: u64, results: &Path) -> Result<Self, ExecuteError> {
        let mut splits = data::prepare(&settings.data)?;
        let (encoder, _) = classes::open(settings, &mut splits, seed)?;
        let length = settings.training.max_length;
        let sets = Sets::new(&splits, &encoder, length, results, &mut Vec::new())?;
        Ok(Self {
            data: sets.data_bytes(&splits),
            lengths: sets.train.iter().map(|text| text.tokens.len()).collect(),
            shapes: encoder.shapes,
        })
    }
}

/// The memory of the step that needs most: `lengths` are the token counts of the training texts,
/// `adapters` the adapted layers with their ranks.
pub(super) fn largest_step(
    shapes: &Shapes,
    settings: &LoraSettings,
    adapters: &[(&LinearShape, usize)],
    lengths: &[usize],
    seed: u64,
    device: Device,
) -> Memory {
    let training = &settings.training;
    let rows_at_once = training.rows_at_once();
    let workload = Workload {
        adapters,
        adapter_dropout: settings.lora.dropout > 0.0,
        float_bytes: float_bytes(settings, device),
        gradient_checkpointing: training.gradient_checkpointing,
        threads: matches!(device, Device::Cpu).then(rayon::current_num_threads),
    };
    // A step's memory grows with the number of tokens and with the longest texts, so one of two
    // batches is the largest.
    let mut most_tokens: (usize, Vec<usize>) = Default::default();
    let mut most_squares: (usize, Vec<usize>) = Default::default();
    let drawn = (DRAWN_ROWS / lengths.len().max(1)).max(FEWEST_EPOCHS);
    for epoch in 1..=training.epochs.min(drawn) {
        let order = order(lengths.len(), training.shuffle, seed, epoch);
        for rows in order
            .chunks(training.batch_size)
            .flat_map(|batch| batch.chunks(rows_at_once))
        {
            let batch = || rows.iter().map(|&row| lengths[row]);
            let (tokens, squares) = (batch().sum(), batch().map(|length| length * length).sum());
            if tokens > most_tokens.0 {
                most_tokens = (tokens, batch().collect());
            }
            if squares > most_squares.0 {
                most_squares = (squares, batch().collect());
            }
        }
        if !training.shuffle {
            break;
        }
    }
    let [first, second] =
        [most_tokens, most_squares].map(|(_, batch)| shapes.training_memory(&workload, &batch));
    if first.total() >= second.total() {
        first
    } else {
        second
    }
}

/// Bytes of a frozen value; a card's own format has 16 bits on all but old ones.
fn float_bytes(settings: &LoraSettings, device: Device) -> u64 {
    match (settings.model.precision, device) {
        (Precision::Bf16 | Precision::F16, _) | (Precision::Auto, Device::Cuda(_)) => 2,
        _ => 4,
    }
}

/// The most bytes that the process holds, at that step or before it, or what cubecl reserves of the
/// card.
pub(super) fn peak_bytes(memory: &Memory, data: DataBytes, device: Device) -> u64 {
    match device {
        Device::Cpu => PROGRAM_BYTES + data.before().max(data.kept + memory.total()),
        Device::Cuda(_) => device
            .memory_bytes()
            .and_then(|card| Pages::of_card(card).reserved(&memory.allocations))
            .unwrap_or_else(|| memory.total()),
    }
}
