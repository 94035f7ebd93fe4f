//! DeBERTa's tokeniser (v2 and v3) from its `spm.model`: `[CLS]`, the pieces of the text, `[SEP]`,
//! as `DebertaV2Tokenizer` of transformers adds them.

use super::sentencepiece::{ModelError, SentencePiece};

/// The special tokens; `[MASK]` stands behind all pieces where it is none of them.
const SPECIAL: [&str; 5] = ["[CLS]", "[SEP]", "[PAD]", "[UNK]", "[MASK]"];

/// The pieces of a model, and the ids of its special tokens.
#[derive(Debug, Clone)]
pub(super) struct DebertaPieces {
    model: SentencePiece,
    start: u32,
    end: u32,
    /// The special tokens that the model has, with their ids.
    special: Vec<(&'static str, u32)>,
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
        let needed = |name| model.control(name).ok_or(PiecesError::NotDeberta(name));
        let behind = u32::try_from(model.len()).ok();
        let id = |name| {
            let added = behind.filter(|_| name == "[MASK]");
            Some((name, model.control(name).or(added)?))
        };
        Ok(Self {
            start: needed("[CLS]")?,
            end: needed("[SEP]")?,
            special: SPECIAL.into_iter().filter_map(id).collect(),
            model,
        })
    }

    /// Token ids of a text, at most `max_length` of them, which is to be above [`Self::SPECIAL`].
    /// `left` cuts its beginning rather than its end.
    pub(super) fn encode(&self, text: &str, max_length: usize, left: bool) -> Vec<u32> {
        let pieces = self.pieces(text);
        let kept = pieces.len().min(max_length.saturating_sub(Self::SPECIAL));
        let kept = if left {
            &pieces[pieces.len() - kept..]
        } else {
            &pieces[..kept]
        };
        [&[self.start], kept, &[self.end]].concat()
    }

    /// Ids of a text without what is put around it. A special token that a text spells out is that
    /// token, as in transformers, and what lies between two is read as a text of its own.
    fn pieces(&self, text: &str) -> Vec<u32> {
        let mut ids = Vec::new();
        let mut rest = text;
        while let Some((place, name, id)) = self.first_special(rest) {
            ids.extend(self.model.encode(&rest[..place]));
            ids.push(id);
            rest = &rest[place + name.len()..];
        }
        ids.extend(self.model.encode(rest));
        ids
    }

    /// Where the first special token in a text begins, and which it is.
    fn first_special(&self, text: &str) -> Option<(usize, &'static str, u32)> {
        text.match_indices('[').find_map(|(place, _)| {
            let begins = |(name, _): &&(&str, u32)| text[place..].starts_with(name);
            let (name, id) = self.special.iter().find(begins)?;
            Some((place, *name, *id))
        })
    }

    pub(super) fn pad_id(&self) -> Option<u32> {
        self.model.control("[PAD]")
    }

    pub(super) fn token(&self, id: u32) -> Option<&str> {
        self.model.piece(id)
    }

    /// All pieces, and `[MASK]`, which transformers puts behind them.
    pub(super) fn vocab_size(&self) -> usize {
        self.model.len() + usize::from(self.model.control("[MASK]").is_none())
    }
}
