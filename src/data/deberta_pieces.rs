//! DeBERTa's tokeniser (v2 and v3) from its `spm.model`: `[CLS]`, the pieces of the text, `[SEP]`,
//! as `DebertaV2Tokenizer` of transformers adds them.

use super::sentencepiece::{ModelError, SentencePiece};

/// The pieces of a model, and the ids of its special tokens.
#[derive(Debug, Clone)]
pub(super) struct DebertaPieces {
    model: SentencePiece,
    start: u32,
    end: u32,
}

/// Why an `spm.model` is none of DeBERTa's.
#[derive(Debug, thiserror::Error)]
pub(super) enum PiecesError {
    #[error(transparent)]
    Model(#[from] ModelError),
    #[error(
        "it has no special token `{0}`, so it is not DeBERTa's; other models need a `tokenizer.json`"
    )]
    NotDeberta(&'static str),
}

impl DebertaPieces {
    /// Special tokens that each text gets.
    pub(super) const SPECIAL: usize = 2;

    /// Reads the content of an `spm.model`.
    ///
    /// # Errors
    /// When it is damaged, no unigram model, or lacks `[CLS]` or `[SEP]`.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, PiecesError> {
        let model = SentencePiece::read(bytes)?;
        let special = |name| model.control(name).ok_or(PiecesError::NotDeberta(name));
        Ok(Self {
            start: special("[CLS]")?,
            end: special("[SEP]")?,
            model,
        })
    }

    /// Token ids of a text, at most `max_length` of them, which is to be above [`Self::SPECIAL`].
    /// `left` cuts its beginning rather than its end.
    pub(super) fn encode(&self, text: &str, max_length: usize, left: bool) -> Vec<u32> {
        let pieces = self.model.encode(text);
        let kept = pieces.len().min(max_length.saturating_sub(Self::SPECIAL));
        let kept = if left {
            &pieces[pieces.len() - kept..]
        } else {
            &pieces[..kept]
        };
        [&[self.start], kept, &[self.end]].concat()
    }

    pub(super) fn pad_id(&self) -> Option<u32> {
        self.model.control("[PAD]")
    }

    pub(super) fn token(&self, id: u32) -> Option<&str> {
        self.model.piece(id)
    }

    /// All pieces, and `[MASK]`, which transformers puts behind them and no text contains.
    pub(super) fn vocab_size(&self) -> usize {
        self.model.len() + usize::from(self.model.control("[MASK]").is_none())
    }
}
