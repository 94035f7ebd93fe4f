//! Cuts a text into chunks that overlap.

use std::ops::Range;

use super::scripts::{is_mark, units};
use super::sentences::{goes_on, sentences};
use crate::data::document::words;

/// The study's chunker: `size` words a chunk, wherever a sentence ends; each chunk but the first
/// begins with the last `overlap` words of the one before. The last one ends with the text and may
/// be shorter. Words are what stands between white space, and are joined by one space; within them,
/// each letter of a script without spaces is a word.
///
/// Without `overlap < size` chunks would never advance: each then begins one word after the one
/// before.
#[must_use]
pub fn by_words(text: &str, size: usize, overlap: usize) -> Vec<String> {
    let words: Vec<Piece<'_>> = units(text)
        .into_iter()
        .map(|(text, spaced)| Piece { text, spaced })
        .collect();
    let (size, step) = (size.max(1), size.saturating_sub(overlap).max(1));
    let mut chunks = Vec::new();
    let mut start = 0;
    while start < words.len() {
        let end = (start + size).min(words.len());
        chunks.push(joined(&words[start..end]));
        if end == words.len() {
            break;
        }
        start += step;
    }
    chunks
}

/// Whole sentences, as many as have at most `size` tokens together; each chunk but the first begins
/// with the last sentences of the one before, as many as have at most `overlap` tokens. A sentence
/// of more than `size` tokens is cut between words, and a word that is longer still between its
/// letters. `count` says how many tokens a text has.
#[must_use]
pub fn by_sentences(
    text: &str,
    size: usize,
    overlap: usize,
    count: impl Fn(&str) -> usize,
) -> Vec<String> {
    let mut pieces: Vec<Piece<'_>> = Vec::new();
    let mut before: Option<&str> = None;
    for sentence in sentences(text) {
        let spaced = !before.is_some_and(|before| goes_on(before, sentence));
        if count(sentence) <= size {
            let text = sentence;
            pieces.push(Piece { text, spaced });
        } else {
            let first = pieces.len();
            pieces.extend(cut(sentence, size, &count));
            if let Some(piece) = pieces.get_mut(first) {
                piece.spaced = spaced;
            }
        }
        before = Some(sentence);
    }
    let mut chunks = Vec::new();
    let (mut start, mut done) = (0, 0);
    while done < pieces.len() {
        let mut chunk = joined(&pieces[start..=done.max(start)]);
        let mut end = done.max(start) + 1;
        // The sentences kept from the chunk before leave room for a new one, or give way to it.
        while count(&chunk) > size && start < done {
            start += 1;
            chunk = joined(&pieces[start..end]);
        }
        while end < pieces.len() {
            let longer = joined(&pieces[start..=end]);
            if count(&longer) > size {
                break;
            }
            chunk = longer;
            end += 1;
        }
        chunks.push(chunk);
        done = end;
        start = end;
        while start > 0 && count(&joined(&pieces[start - 1..end])) <= overlap {
            start -= 1;
        }
    }
    chunks
}

/// A piece of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Piece<'a> {
    text: &'a str,
    /// Whether a space parts it from the piece before.
    spaced: bool,
}

fn joined(pieces: &[Piece<'_>]) -> String {
    let bytes = pieces.iter().map(|piece| piece.text.len() + 1).sum();
    let mut text = String::with_capacity(bytes);
    for (index, piece) in pieces.iter().enumerate() {
        if index > 0 && piece.spaced {
            text.push(' ');
        }
        text.push_str(piece.text);
    }
    text
}

/// A long sentence in pieces of whole words, where these are not too long themselves.
fn cut<'a>(sentence: &'a str, size: usize, count: &impl Fn(&str) -> usize) -> Vec<Piece<'a>> {
    let words: Vec<Range<usize>> = words(sentence)
        .map(|word| {
            let start = word.as_ptr() as usize - sentence.as_ptr() as usize;
            start..start + word.len()
        })
        .collect();
    let mut pieces = Vec::new();
    let mut first = 0;
    while first < words.len() {
        let begin = words[first].start;
        let fits = |last: usize| count(&sentence[begin..words[last].end]) <= size;
        if let Some(last) = last_that(first, words.len(), fits) {
            let text = &sentence[begin..words[last].end];
            pieces.push(Piece { text, spaced: true });
            first = last + 1;
        } else {
            pieces.extend(cut_word(&sentence[words[first].clone()], size, count));
            first += 1;
        }
    }
    pieces
}

/// A long word in pieces of letters, at least one each; an accent stays with its letter.
fn cut_word<'a>(word: &'a str, size: usize, count: &impl Fn(&str) -> usize) -> Vec<Piece<'a>> {
    let ends: Vec<usize> = word
        .char_indices()
        .skip(1)
        .filter(|letter| !is_mark(letter.1))
        .map(|letter| letter.0)
        .chain([word.len()])
        .collect();
    let mut pieces = Vec::new();
    let (mut begin, mut first) = (0, 0);
    while first < ends.len() {
        let last = last_that(first, ends.len(), |last| {
            count(&word[begin..ends[last]]) <= size
        });
        let last = last.unwrap_or(first);
        pieces.push(Piece {
            text: &word[begin..ends[last]],
            spaced: begin == 0,
        });
        begin = ends[last];
        first = last + 1;
    }
    pieces
}

/// The last index from `first` on, and below `end`, that fits, where all before it fit and none
/// after it; none if not even the first does. Each question is a run of the tokeniser over all that
/// lies between, so that long strides are tried last.
fn last_that(first: usize, end: usize, fits: impl Fn(usize) -> bool) -> Option<usize> {
    if !fits(first) {
        return None;
    }
    let (mut known, mut stride) = (first, 1);
    let mut beyond = end;
    while known + stride < beyond {
        if fits(known + stride) {
            known += stride;
            stride *= 2;
        } else {
            beyond = known + stride;
            break;
        }
    }
    beyond = beyond.min(end);
    while beyond - known > 1 {
        let middle = usize::midpoint(known, beyond);
        if fits(middle) {
            known = middle;
        } else {
            beyond = middle;
        }
    }
    Some(known)
}

#[cfg(test)]
mod tests;
