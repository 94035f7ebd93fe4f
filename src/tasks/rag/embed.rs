//! What a run asks of an embedder, and its vectors: from the cache where they are there.

use std::cell::OnceCell;
use std::path::Path;

use engine::retrieval::Vectors;
use engine::training::Control;

use super::store::{Facts, Place, Stored};
use crate::retrieval::Side;
use crate::runner::ExecuteError;

/// A model that turns texts into vectors.
pub(super) trait Embed {
    /// Tokens of a text that it reads, special ones included.
    fn max_seq_length(&self) -> usize;

    /// What a reader of the results should know of the embedder, and of what it does to texts of a
    /// side.
    fn notes(&self, side: Side) -> Vec<String>;

    /// Tokens of each text of a side, special ones and its prefix included, before anything is cut.
    fn token_counts(&self, side: Side, texts: &[&str]) -> Result<Vec<usize>, ExecuteError>;

    /// A vector for each text of a side, of what it reads of it. `advance` hears how many are done and says
    /// whether to go on; `None` if it said no.
    fn embed(
        &self,
        side: Side,
        texts: &[&str],
        advance: &mut dyn FnMut(usize) -> Control,
    ) -> Result<Option<Vectors>, ExecuteError>;
}

/// Makes an embedder: reads its files.
pub(super) type Open<'a> = &'a dyn Fn() -> Result<Box<dyn Embed>, ExecuteError>;

/// An embedder that is only made when it is needed.
pub(super) struct Lazy<'a> {
    open: Open<'a>,
    embedder: OnceCell<Box<dyn Embed>>,
}

impl<'a> Lazy<'a> {
    pub(super) fn new(open: Open<'a>) -> Self {
        Self {
            open,
            embedder: OnceCell::new(),
        }
    }

    pub(super) fn get(&self) -> Result<&dyn Embed, ExecuteError> {
        if let Some(embedder) = self.embedder.get() {
            return Ok(embedder.as_ref());
        }
        let embedder = (self.open)()?;
        Ok(self.embedder.get_or_init(|| embedder).as_ref())
    }
}

/// Vectors of texts, on disk, and what there is to say of them.
pub(super) struct Embedded {
    pub(super) stored: Stored,
    /// Whether they were there already.
    pub(super) cached: bool,
    pub(super) note: Option<String>,
}

/// The vectors of the texts of a side under a key of the cache, computed if they are not there. `None` if
/// `advance` wants to stop.
pub(super) fn embedded(
    embedder: &Lazy<'_>,
    (side, texts): (Side, &[&str]),
    (results, key): (&Path, &str),
    advance: &mut dyn FnMut(usize) -> Control,
) -> Result<Option<Embedded>, ExecuteError> {
    let place = Place::take(results, key)?;
    let note = match place.read() {
        // The same settings and inputs, but not the same texts: another ensayo cut them.
        Ok(stored) if stored.facts().tokens.len() == texts.len() => {
            return Ok(Some(Embedded {
                stored,
                cached: true,
                note: None,
            }));
        }
        Ok(stored) => Some(format!(
            "{}: vectors in the cache are of {} texts, not of {}: computed again",
            place.path().display(),
            stored.facts().tokens.len(),
            texts.len()
        )),
        Err(unusable) => unusable.note(place.path()),
    };
    let embedder = embedder.get()?;
    let tokens = embedder.token_counts(side, texts)?;
    let Some(vectors) = embedder.embed(side, texts, advance)? else {
        return Ok(None);
    };
    let facts = Facts {
        tokens,
        max_seq_length: embedder.max_seq_length(),
        notes: embedder.notes(side),
    };
    place.write(&vectors, facts)?;
    let stored = place.read().map_err(|unusable| {
        ExecuteError::message(unusable.note(place.path()).unwrap_or_default())
    })?;
    Ok(Some(Embedded {
        stored,
        cached: false,
        note,
    }))
}
