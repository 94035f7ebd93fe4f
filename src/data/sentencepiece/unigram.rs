//! The unigram language model: of all ways to cut a text into pieces, the one whose scores add up
//! to most.
//!
//! Follows SentencePiece 0.2.3, ties included: sums have 32 bits, and of equal ones the first found
//! counts, which is the one whose last piece is longest. Texts with long runs of a letter have many
//! that are equal or nearly so.

use super::ModelError;
use super::model_file::{Kind, ModelFile};
use super::normaliser::character_length;
use super::trie::Trie;

/// How far the score of an unknown character lies below the lowest score of a piece.
const UNKNOWN_PENALTY: f32 = 10.0;

/// How far a sum may be from 0 before all that are still needed are counted from it, lest a long
/// text run out of digits.
const REBASE: f32 = 100_000.0;

/// Pieces and their scores.
#[derive(Debug, Clone)]
pub(super) struct Unigram {
    trie: Trie,
    scores: Vec<Score>,
    unknown: u32,
    unknown_score: f32,
    /// The token of each byte, where unknown characters are spelled in bytes.
    bytes: Option<Vec<u32>>,
}

#[derive(Debug, Clone, Copy)]
enum Score {
    Of(f32),
    /// A symbol of the user, which wins over everything it could be split into.
    UserDefined,
}

/// The last piece of the best way to reach a place in the text.
#[derive(Debug, Clone, Copy)]
struct Step {
    score: f32,
    from: usize,
    id: u32,
}

impl Unigram {
    pub(super) fn new(file: &ModelFile) -> Result<Self, ModelError> {
        let ids = 0_u32..;
        let mut unknown = None;
        let mut bytes = vec![None; 256];
        let mut lowest = f32::MAX;
        let mut keys = Vec::new();
        for (piece, id) in file.pieces.iter().zip(ids) {
            if piece.text.is_empty() || piece.text.contains(&0) || !piece.score.is_finite() {
                return Err(ModelError::Piece { id });
            }
            match piece.kind {
                Kind::Normal => {
                    lowest = lowest.min(piece.score);
                    keys.push((piece.text.as_slice(), id));
                }
                Kind::UserDefined => keys.push((piece.text.as_slice(), id)),
                Kind::Unknown if unknown.is_some() => return Err(ModelError::Unknowns),
                Kind::Unknown => unknown = Some(id),
                Kind::Byte => {
                    let byte = byte_of(&piece.text).ok_or(ModelError::Piece { id })?;
                    bytes[usize::from(byte)] = Some(id);
                }
                Kind::Control | Kind::Unused => {}
            }
        }
        if keys.is_empty() {
            return Err(ModelError::Empty);
        }
        let bytes = if file.byte_fallback {
            let all: Option<Vec<u32>> = bytes.into_iter().collect();
            Some(all.ok_or(ModelError::Bytes)?)
        } else {
            None
        };
        let scores = file.pieces.iter().map(|piece| match piece.kind {
            Kind::UserDefined => Score::UserDefined,
            _ => Score::Of(piece.score),
        });
        Ok(Self {
            trie: Trie::new(keys),
            scores: scores.collect(),
            unknown: unknown.ok_or(ModelError::Unknowns)?,
            unknown_score: lowest - UNKNOWN_PENALTY,
            bytes,
        })
    }

    /// Token ids of a normalised text. Takes time in proportion to its length.
    pub(super) fn encode(&self, text: &[u8]) -> Vec<u32> {
        let mut ids = Vec::new();
        let mut after_unknown = false;
        for (piece, id) in self.best_pieces(text) {
            let is_unknown = id == self.unknown;
            match &self.bytes {
                Some(bytes) if is_unknown => {
                    ids.extend(piece.iter().map(|byte| bytes[usize::from(*byte)]));
                }
                // Unknown characters in a row are one unknown piece.
                _ if is_unknown && after_unknown => {}
                _ => ids.push(id),
            }
            after_unknown = is_unknown;
        }
        ids
    }

    fn best_pieces<'a>(&self, text: &'a [u8]) -> Vec<(&'a [u8], u32)> {
        let mut ends: Vec<Option<Step>> = vec![None; text.len() + 1];
        let mut start = 0;
        let mut furthest = 0;
        while start < text.len() {
            let mut reached = ends[start].map_or(0.0, |step| step.score);
            if reached.abs() > REBASE {
                for step in ends[start..=furthest].iter_mut().flatten() {
                    step.score -= reached;
                }
                reached = 0.0;
            }
            let mut candidate = |length: usize, id: u32, score: f32| {
                let score = score + reached;
                furthest = furthest.max(start + length);
                let best = &mut ends[start + length];
                if best.is_none_or(|best| score > best.score) {
                    *best = Some(Step {
                        score,
                        from: start,
                        id,
                    });
                }
            };
            let character = character_length(text[start]).min(text.len() - start);
            let mut whole_character = false;
            for (length, id) in self.trie.prefixes(&text[start..]) {
                candidate(length, id, self.score(id, length));
                whole_character |= length == character;
            }
            if !whole_character {
                candidate(character, self.unknown, self.unknown_score);
            }
            start += character;
        }
        let mut pieces = Vec::new();
        let mut end = text.len();
        // Every character has a piece or is unknown, so that there always is a way back.
        while let Some(Step { from, id, .. }) = ends[end] {
            pieces.push((&text[from..end], id));
            end = from;
        }
        pieces.reverse();
        pieces
    }

    fn score(&self, id: u32, length: usize) -> f32 {
        match self.scores[id as usize] {
            Score::Of(score) => score,
            // Above the score of any logarithm, and the higher the longer, so that neither letters
            // nor shorter symbols win.
            #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation)]
            Score::UserDefined => (0.1 * (length - 1) as f64) as f32,
        }
    }
}

/// The byte that a piece such as `<0x0A>` stands for.
fn byte_of(piece: &[u8]) -> Option<u8> {
    let digits = piece.strip_prefix(b"<0x")?.strip_suffix(b">")?;
    let digits = std::str::from_utf8(digits).ok()?;
    let byte = u8::from_str_radix(digits, 16).ok()?;
    (format!("{byte:02X}") == digits).then_some(byte)
}
