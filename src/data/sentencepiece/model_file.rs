//! A SentencePiece model file: the few fields of its protocol buffer that decide how texts are
//! tokenised.
//!
//! The format is `sentencepiece_model.proto` of <https://github.com/google/sentencepiece>. Every
//! length is checked before it is used, so that a damaged file costs no more memory than it has
//! bytes.

use super::ModelError;

/// What a piece is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Text, with a score.
    Normal,
    /// Stands for every character that no piece begins with.
    Unknown,
    /// Marks something that is not text, such as a text's end.
    Control,
    /// Text that is never split, nor normalised.
    UserDefined,
    /// Text that is not to be used.
    Unused,
    /// One byte of a character that no piece begins with.
    Byte,
}

/// A piece of the vocabulary. Its index is its token id.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Piece {
    /// UTF-8, if the file is sound.
    pub(super) text: Vec<u8>,
    /// Logarithm of its probability.
    pub(super) score: f32,
    pub(super) kind: Kind,
}

/// How a vocabulary is searched for the pieces of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Algorithm {
    Unigram,
    BytePairs,
    Words,
    Characters,
}

/// The settings of a model file, with the format's defaults for those that it leaves out.
#[derive(Debug, Clone, PartialEq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "the fields of the format, by its names"
)]
pub(super) struct ModelFile {
    pub(super) pieces: Vec<Piece>,
    pub(super) algorithm: Algorithm,
    pub(super) byte_fallback: bool,
    pub(super) whitespace_as_suffix: bool,
    pub(super) charsmap: Vec<u8>,
    pub(super) add_dummy_prefix: bool,
    pub(super) remove_extra_whitespaces: bool,
    pub(super) escape_whitespaces: bool,
}

impl ModelFile {
    /// Reads a file's content.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, ModelError> {
        let mut file = Self {
            pieces: Vec::new(),
            algorithm: Algorithm::Unigram,
            byte_fallback: false,
            whitespace_as_suffix: false,
            charsmap: Vec::new(),
            add_dummy_prefix: true,
            remove_extra_whitespaces: true,
            escape_whitespaces: true,
        };
        for field in Fields::new(bytes, 0) {
            match field? {
                (1, Value::Bytes { bytes, start }) => file.pieces.push(piece(bytes, start)?),
                (2, Value::Bytes { bytes, start }) => file.trainer(bytes, start)?,
                (3, Value::Bytes { bytes, start }) => file.normaliser(bytes, start)?,
                _ => {}
            }
        }
        Ok(file)
    }

    fn trainer(&mut self, bytes: &[u8], start: usize) -> Result<(), ModelError> {
        for field in Fields::new(bytes, start) {
            match field? {
                (3, Value::Number(number)) => {
                    self.algorithm = match number {
                        1 => Algorithm::Unigram,
                        2 => Algorithm::BytePairs,
                        3 => Algorithm::Words,
                        4 => Algorithm::Characters,
                        _ => return Err(ModelError::Algorithm { number }),
                    }
                }
                (24, Value::Number(number)) => self.whitespace_as_suffix = number != 0,
                (35, Value::Number(number)) => self.byte_fallback = number != 0,
                _ => {}
            }
        }
        Ok(())
    }

    fn normaliser(&mut self, bytes: &[u8], start: usize) -> Result<(), ModelError> {
        for field in Fields::new(bytes, start) {
            match field? {
                (2, Value::Bytes { bytes, .. }) => self.charsmap = bytes.to_vec(),
                (3, Value::Number(number)) => self.add_dummy_prefix = number != 0,
                (4, Value::Number(number)) => self.remove_extra_whitespaces = number != 0,
                (5, Value::Number(number)) => self.escape_whitespaces = number != 0,
                _ => {}
            }
        }
        Ok(())
    }
}

fn piece(bytes: &[u8], start: usize) -> Result<Piece, ModelError> {
    let mut piece = Piece {
        text: Vec::new(),
        score: 0.0,
        kind: Kind::Normal,
    };
    for field in Fields::new(bytes, start) {
        match field? {
            (1, Value::Bytes { bytes, .. }) => piece.text = bytes.to_vec(),
            (2, Value::Float(score)) => piece.score = score,
            (3, Value::Number(number)) => {
                piece.kind = match number {
                    2 => Kind::Unknown,
                    3 => Kind::Control,
                    4 => Kind::UserDefined,
                    5 => Kind::Unused,
                    6 => Kind::Byte,
                    // As protocol buffers treat a value that their enum lacks: as if it were not
                    // there.
                    _ => Kind::Normal,
                }
            }
            _ => {}
        }
    }
    Ok(piece)
}

/// A field's value. Of the fixed-width kinds only floats matter here.
enum Value<'a> {
    Number(u64),
    Float(f32),
    Bytes { bytes: &'a [u8], start: usize },
    Other,
}

/// The fields of a message, each with its number.
struct Fields<'a> {
    bytes: &'a [u8],
    at: usize,
    /// Where the message begins in the file, for errors.
    start: usize,
}

impl<'a> Fields<'a> {
    fn new(bytes: &'a [u8], start: usize) -> Self {
        Self {
            bytes,
            at: 0,
            start,
        }
    }

    fn field(&mut self) -> Option<(u64, Value<'a>)> {
        let key = self.varint()?;
        let value = match key & 7 {
            0 => Value::Number(self.varint()?),
            1 => {
                self.take(8)?;
                Value::Other
            }
            2 => {
                let length = usize::try_from(self.varint()?).ok()?;
                let start = self.start + self.at;
                Value::Bytes {
                    bytes: self.take(length)?,
                    start,
                }
            }
            5 => Value::Float(f32::from_le_bytes(self.take(4)?.try_into().ok()?)),
            _ => return None,
        };
        Some((key >> 3, value))
    }

    fn varint(&mut self) -> Option<u64> {
        let mut number = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = *self.bytes.get(self.at)?;
            self.at += 1;
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(number);
            }
        }
        None
    }

    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let taken = self.bytes.get(self.at..)?.get(..length)?;
        self.at += length;
        Some(taken)
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Result<(u64, Value<'a>), ModelError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.at >= self.bytes.len() {
            return None;
        }
        let byte = self.start + self.at;
        if let Some(field) = self.field() {
            return Some(Ok(field));
        }
        // Nothing after a broken field can be told apart.
        self.at = self.bytes.len();
        Some(Err(ModelError::Field { byte }))
    }
}
