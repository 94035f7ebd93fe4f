//! A sentence encoder as a run's embedder.

use std::cell::RefCell;

use engine::FloatDType;
use engine::device::Device;
use engine::retrieval::Vectors;
use engine::training::Control;

use super::embed::Embed;
use crate::config::{Origin, Precision, Prefixes, WithModel};
use crate::hub::Wanted;
use crate::retrieval::{Embedder, Given, LoadedEmbedder, Side};
use crate::runner::ExecuteError;
use crate::tasks::snapshot::Snapshot;

/// Texts between two looks at whether to go on: enough of them to make batches of about equal
/// lengths.
const GROUP: usize = 128;

/// The number format of an embedder's weights and activations. The device has no say in it, so that
/// vectors in the cache serve every device.
pub(super) fn format(precision: Precision) -> FloatDType {
    match precision {
        Precision::Bf16 => FloatDType::BF16,
        Precision::F16 => FloatDType::F16,
        // Settings with fewer bits are refused before anything runs.
        Precision::Auto | Precision::F32 | Precision::Int8 | Precision::Fp4 | Precision::Nf4 => {
            FloatDType::F32
        }
    }
}

/// Opens the model of an `[embedder]` table; its weights are loaded when the first text is
/// embedded.
pub(super) fn open(
    table: &WithModel<Prefixes>,
    device: Device,
) -> Result<Box<dyn Embed>, ExecuteError> {
    let WithModel { model, own } = table;
    let format = format(model.precision);
    device.computes_in(format)?;
    let snapshot = Snapshot::locate(&model.origin, Wanted::SentenceEncoder)?;
    let given = Given {
        query: own.query_prefix.as_deref(),
        document: own.document_prefix.as_deref(),
        name: match &model.origin {
            Origin::Hub { id, .. } => Some(id),
            Origin::Folder(_) | Origin::Random { .. } => None,
        },
    };
    let files = Embedder::open(snapshot.source(&model.origin), given)?;
    Ok(Box::new(Neural {
        max_seq_length: files.max_length(),
        notes: [Side::Query, Side::Document].map(|side| files.notes(side)),
        device,
        format,
        state: RefCell::new(State::Opened(Box::new(files))),
    }))
}

struct Neural {
    max_seq_length: usize,
    /// Of questions, of chunks.
    notes: [Vec<String>; 2],
    device: Device,
    format: FloatDType,
    state: RefCell<State>,
}

enum State {
    Opened(Box<Embedder>),
    Loaded(Box<LoadedEmbedder>),
    /// Loading failed, which was said.
    Lost,
}

impl Embed for Neural {
    fn max_seq_length(&self) -> usize {
        self.max_seq_length
    }

    fn notes(&self, side: Side) -> Vec<String> {
        let [query, document] = &self.notes;
        match side {
            Side::Query => query.clone(),
            Side::Document => document.clone(),
        }
    }

    fn token_counts(&self, side: Side, texts: &[&str]) -> Result<Vec<usize>, ExecuteError> {
        let ids = match &*self.state.borrow() {
            State::Opened(files) => files.encode(side, texts)?,
            State::Loaded(loaded) => loaded.files().encode(side, texts)?,
            State::Lost => Vec::new(),
        };
        Ok(ids.iter().map(Vec::len).collect())
    }

    fn embed(
        &self,
        side: Side,
        texts: &[&str],
        advance: &mut dyn FnMut(usize) -> Control,
    ) -> Result<Option<Vectors>, ExecuteError> {
        let mut state = self.state.borrow_mut();
        if let State::Opened(_) = &*state
            && let State::Opened(files) = std::mem::replace(&mut *state, State::Lost)
        {
            *state = State::Loaded(Box::new(files.load(self.format, self.device)?));
        }
        let State::Loaded(loaded) = &*state else {
            return Err(ExecuteError::message("the embedder could not be loaded"));
        };
        // Texts of about equal lengths beside each other; the vectors go back to where their texts
        // stand.
        let mut order: Vec<usize> = (0..texts.len()).collect();
        order.sort_by_key(|&text| std::cmp::Reverse(texts[text].len()));
        let mut vectors = Vectors::default();
        let mut done = 0;
        for group in order.chunks(GROUP) {
            let found = loaded.embed(
                side,
                &group.iter().map(|&text| texts[text]).collect::<Vec<_>>(),
                |_| {},
            )?;
            if vectors.values.is_empty() {
                vectors.width = found.width;
                vectors.values = vec![0.0; texts.len() * found.width];
            }
            for (&text, row) in group.iter().zip(found.values.chunks_exact(found.width)) {
                vectors.values[text * found.width..][..found.width].copy_from_slice(row);
            }
            done += group.len();
            if advance(done) == Control::Stop {
                return Ok(None);
            }
        }
        Ok(Some(vectors))
    }
}
