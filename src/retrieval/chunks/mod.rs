//! Cuts a text into chunks that overlap.

use super::sentences;
use crate::data::document::words;

/// The study's chunker: `size` words a chunk, wherever a sentence ends; each chunk but the first
/// begins with the last `overlap` words of the one before. The last one ends with the text and may
/// be shorter. Words are what stands between white space, and are joined by one space.
///
/// Without `overlap < size` chunks would never advance: each then begins one word after the one
/// before.
#[must_use]
pub fn by_words(text: &str, size: usize, overlap: usize) -> Vec<String> {
    let words: Vec<&str> = words(text).collect();
    let (size, step) = (size.max(1), size.saturating_sub(overlap).max(1));
    let mut chunks = Vec::new();
    let mut start = 0;
    while start < words.len() {
        let end = (start + size).min(words.len());
        chunks.push(words[start..end].join(" "));
        if end == words.len() {
            break;
        }
        start += step;
    }
    chunks
}

/// Whole sentences, as many as have at most `size` tokens together; each chunk but the first begins
/// with the last sentences of the one before, as many as have at most `overlap` tokens. A sentence
/// of more than `size` tokens is cut between words, and a word that is longer still is a chunk of
/// its own. `count` says how many tokens a text has.
#[must_use]
pub fn by_sentences(
    text: &str,
    size: usize,
    overlap: usize,
    count: impl Fn(&str) -> usize,
) -> Vec<String> {
    let mut pieces: Vec<&str> = Vec::new();
    for sentence in sentences(text) {
        if count(sentence) <= size {
            pieces.push(sentence);
        } else {
            pieces.extend(cut(sentence, size, &count));
        }
    }
    let mut chunks = Vec::new();
    let (mut start, mut done) = (0, 0);
    while done < pieces.len() {
        let mut chunk = pieces[start..=done.max(start)].join(" ");
        let mut end = done.max(start) + 1;
        // The sentences kept from the chunk before leave room for a new one, or give way to it.
        while count(&chunk) > size && start < done {
            start += 1;
            chunk = pieces[start..end].join(" ");
        }
        while end < pieces.len() {
            let longer = format!("{chunk} {}", pieces[end]);
            if count(&longer) > size {
                break;
            }
            chunk = longer;
            end += 1;
        }
        chunks.push(chunk);
        done = end;
        start = end;
        while start > 0 && count(&pieces[start - 1..end].join(" ")) <= overlap {
            start -= 1;
        }
    }
    chunks
}

/// A long sentence in pieces of whole words.
fn cut(sentence: &str, size: usize, count: impl Fn(&str) -> usize) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut ends: Vec<(usize, usize)> = Vec::new();
    for word in words(sentence) {
        let start = word.as_ptr() as usize - sentence.as_ptr() as usize;
        ends.push((start, start + word.len()));
    }
    let mut first = 0;
    while first < ends.len() {
        let begin = ends[first].0;
        // As many words as fit, at least one; found by halving, since each count is a run of the
        // tokeniser.
        let (mut fits, mut too_many) = (first, ends.len());
        while too_many - fits > 1 {
            let middle = usize::midpoint(fits, too_many);
            if count(&sentence[begin..ends[middle].1]) <= size {
                fits = middle;
            } else {
                too_many = middle;
            }
        }
        pieces.push(&sentence[begin..ends[fits].1]);
        first = fits + 1;
    }
    pieces
}

#[cfg(test)]
mod tests;
