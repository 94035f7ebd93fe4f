//! What SentencePiece does to a text before it is cut into pieces: the model's replacement rules,
//! and white space.

use super::ModelError;
use super::model_file::{Kind, ModelFile};
use super::trie::Trie;

/// U+2581, which stands for a space.
const SPACE: &str = "\u{2581}";

/// Bytes of a replacement. NFKC's longest has 33; without a limit, a damaged map could turn a short
/// text into a very long one.
const LONGEST_REPLACEMENT: usize = 256;

/// A model's normaliser.
#[derive(Debug, Clone)]
pub(super) struct Normaliser {
    rules: Option<Rules>,
    /// Symbols of the user, which no rule touches.
    verbatim: Option<Trie>,
    space: &'static str,
    dummy_prefix: bool,
    dummy_suffix: bool,
    remove_extra_whitespaces: bool,
}

impl Normaliser {
    pub(super) fn new(file: &ModelFile) -> Result<Self, ModelError> {
        let symbols = file
            .pieces
            .iter()
            .filter(|piece| piece.kind == Kind::UserDefined);
        let symbols: Vec<&[u8]> = symbols.map(|piece| piece.text.as_slice()).collect();
        Ok(Self {
            rules: Rules::read(&file.charsmap)?,
            verbatim: (!symbols.is_empty()).then(|| Trie::new(symbols.into_iter().zip(0..))),
            space: if file.escape_whitespaces { SPACE } else { " " },
            dummy_prefix: file.add_dummy_prefix && !file.whitespace_as_suffix,
            dummy_suffix: file.add_dummy_prefix && file.whitespace_as_suffix,
            remove_extra_whitespaces: file.remove_extra_whitespaces,
        })
    }

    /// The normalised text. Bytes, since the rules of a damaged model may replace what they like by
    /// what they like.
    pub(super) fn normalise(&self, text: &str) -> Vec<u8> {
        let mut rest = text.as_bytes();
        let mut normalised = Vec::with_capacity(rest.len() + rest.len() / 2);
        if self.remove_extra_whitespaces {
            while let Some((b" ", length)) = self.step(rest) {
                rest = &rest[length..];
            }
        }
        // Without a dummy prefix: an empty text has no tokens.
        if rest.is_empty() {
            return normalised;
        }
        if self.dummy_prefix {
            normalised.extend_from_slice(self.space.as_bytes());
        }
        let mut after_space = self.remove_extra_whitespaces;
        while let Some((mut replacement, length)) = self.step(rest) {
            while after_space && let Some(shorter) = replacement.strip_prefix(b" ") {
                replacement = shorter;
            }
            for byte in replacement {
                match byte {
                    b' ' => normalised.extend_from_slice(self.space.as_bytes()),
                    _ => normalised.push(*byte),
                }
            }
            if let Some(last) = replacement.last() {
                after_space = self.remove_extra_whitespaces && *last == b' ';
            }
            rest = &rest[length..];
        }
        if self.remove_extra_whitespaces {
            while normalised.ends_with(self.space.as_bytes()) {
                normalised.truncate(normalised.len() - self.space.len());
            }
        }
        if self.dummy_suffix {
            normalised.extend_from_slice(self.space.as_bytes());
        }
        normalised
    }

    /// What replaces the beginning of `text`, and how long that beginning is; none at the end of
    /// the text.
    fn step<'a>(&'a self, text: &'a [u8]) -> Option<(&'a [u8], usize)> {
        let first = *text.first()?;
        if let Some(verbatim) = &self.verbatim
            && let Some((length, _)) = verbatim.prefixes(text).last()
        {
            return Some((&text[..length], length));
        }
        if let Some(rules) = &self.rules
            && let Some(found) = rules.longest(text)
        {
            return Some(found);
        }
        let length = character_length(first).min(text.len());
        // Rules of whole characters leave whole characters. Others may have left a part of one.
        if std::str::from_utf8(&text[..length]).is_err() {
            return Some(("\u{fffd}".as_bytes(), 1));
        }
        Some((&text[..length], length))
    }
}

/// Bytes of the UTF-8 character that begins with this byte.
pub(super) fn character_length(first: u8) -> usize {
    match first {
        0xc0..=0xdf => 2,
        0xe0..=0xef => 3,
        0xf0..=0xff => 4,
        _ => 1,
    }
}

/// A precompiled map of replacements: a double-array trie as
/// [Darts-clone](https://github.com/s-yata/darts-clone) lays it out, whose values are offsets into
/// a list of strings, each ended by a zero byte.
#[derive(Debug, Clone)]
struct Rules {
    units: Vec<u32>,
    strings: Vec<u8>,
}

impl Rules {
    /// The rules of a model; none where the file has no map.
    fn read(bytes: &[u8]) -> Result<Option<Self>, ModelError> {
        if bytes.is_empty() {
            return Ok(None);
        }
        let (size, rest) = bytes.split_first_chunk().ok_or(ModelError::Charsmap)?;
        let size = usize::try_from(u32::from_le_bytes(*size)).map_err(|_| ModelError::Charsmap)?;
        let (trie, strings) = rest.split_at_checked(size).ok_or(ModelError::Charsmap)?;
        let (units, odd) = trie.as_chunks();
        if units.is_empty() || !odd.is_empty() || strings.last() != Some(&0) {
            return Err(ModelError::Charsmap);
        }
        let mut replacements = strings.split(|byte| *byte == 0);
        if replacements.any(|replacement| replacement.len() > LONGEST_REPLACEMENT) {
            return Err(ModelError::Charsmap);
        }
        Ok(Some(Self {
            units: units.iter().map(|unit| u32::from_le_bytes(*unit)).collect(),
            strings: strings.to_vec(),
        }))
    }

    /// The longest beginning of `text` that has a replacement: that replacement, and the length of
    /// the beginning.
    fn longest(&self, text: &[u8]) -> Option<(&[u8], usize)> {
        let mut found = None;
        let mut at = offset(*self.units.first()?);
        for (before, byte) in text.iter().enumerate() {
            at ^= u32::from(*byte);
            let Some(&unit) = self.units.get(at as usize) else {
                break;
            };
            // A leaf has its highest bit set and so is no byte's unit.
            if unit & (1 << 31 | 0xff) != u32::from(*byte) {
                break;
            }
            at ^= offset(unit);
            if unit >> 8 & 1 == 1 {
                let Some(leaf) = self.units.get(at as usize) else {
                    break;
                };
                found = Some((leaf & !(1 << 31), before + 1));
            }
        }
        let (start, length) = found?;
        let strings = self.strings.get(start as usize..)?;
        let end = strings.iter().position(|byte| *byte == 0)?;
        Some((&strings[..end], length))
    }
}

fn offset(unit: u32) -> u32 {
    (unit >> 10) << ((unit & 1 << 9) >> 6)
}
