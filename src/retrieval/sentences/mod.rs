//! Where sentences end, by rule, for Spanish and its neighbours, and for Chinese and Japanese.

use super::scripts::is_running;
use crate::data::document::is_white_space;

/// Abbreviations, in lower case and without their full stop, after which a sentence goes on.
const ABBREVIATIONS: [&str; 25] = [
    "sr", "sra", "srta", "dr", "dra", "d", "dña", "prof", "ud", "uds", "vd", "ee", "uu", "ej", "p",
    "pág", "págs", "cap", "fig", "sec", "vol", "núm", "cf", "vs", "mr",
];

/// The sentences of a text in their order, without the white space around them; together they are
/// the whole text.
///
/// A sentence ends at a blank line, and after `.`, `!`, `?` or `…` with the closing marks after it,
/// where white space and something that can begin a sentence follows: an opening mark, a digit or a
/// letter that is not lower case. It does not end after an abbreviation or a single capital (`J.
/// Pérez`). Where a cleaning took the white space away, a capital straight after `.` will do if a
/// lower-case letter or something closing stands before it (`fin.Otra`). `。`, `！` and `？` end a
/// sentence whatever follows, and so do `!` and `?` before a letter of a script without spaces.
#[must_use]
pub fn sentences(text: &str) -> Vec<&str> {
    let letters: Vec<(usize, char)> = text.char_indices().collect();
    let mut found = Vec::new();
    let mut start = 0;
    let mut index = 0;
    while index < letters.len() {
        let end = if let Some(after) = blank_line(&letters, index) {
            Some(after)
        } else {
            sentence_end(text, &letters, index)
        };
        if let Some(end) = end {
            let place = letters.get(end).map_or(text.len(), |letter| letter.0);
            found.push(text[start..place].trim_matches(is_white_space));
            start = place;
            index = end;
        } else {
            index += 1;
        }
    }
    found.push(text[start..].trim_matches(is_white_space));
    found.retain(|sentence| !sentence.is_empty());
    found
}

/// The index after a blank line that begins here.
fn blank_line(letters: &[(usize, char)], index: usize) -> Option<usize> {
    if letters[index].1 != '\n' {
        return None;
    }
    let space = |letter: &&(usize, char)| is_white_space(letter.1);
    let count = letters[index..].iter().take_while(space).count();
    let run = &letters[index..index + count];
    (run.iter().filter(|letter| letter.1 == '\n').count() > 1).then_some(index + count)
}

/// Marks that end a sentence where white space follows: also those of Arabic, Urdu, Hindi,
/// Armenian, Amharic, Khmer and Burmese.
fn ends(letter: char) -> bool {
    matches!(
        letter,
        '.' | '!'
            | '?'
            | '…'
            | '\u{61f}'
            | '\u{6d4}'
            | '\u{964}'
            | '\u{965}'
            | '\u{589}'
            | '\u{1362}'
            | '\u{17d4}'
            | '\u{104b}'
    )
}

/// Marks that end a sentence whatever follows.
fn ends_anywhere(letter: char) -> bool {
    matches!(letter, '。' | '！' | '？' | '｡' | '︒' | '︕' | '︖')
}

/// Marks that belong to the sentence that they follow.
fn closes(letter: char) -> bool {
    matches!(
        letter,
        ')' | ']'
            | '}'
            | '»'
            | '”'
            | '’'
            | '"'
            | '\''
            | '」'
            | '』'
            | '）'
            | '】'
            | '》'
            | '〉'
            | '〕'
            | '］'
            | '｝'
            | '｣'
    )
}

/// The index after a sentence whose last mark begins here.
fn sentence_end(text: &str, letters: &[(usize, char)], index: usize) -> Option<usize> {
    let mark = letters[index].1;
    if !ends(mark) && !ends_anywhere(mark) {
        return None;
    }
    let letter = |at: usize| letters.get(at).map(|letter| letter.1);
    let mut after = index + 1;
    let mut anywhere = ends_anywhere(mark);
    while let Some(next) = letter(after)
        && (ends(next) || ends_anywhere(next) || closes(next))
    {
        anywhere |= ends_anywhere(next);
        after += 1;
    }
    if anywhere {
        return Some(after);
    }
    let mut next = after;
    while letter(next).is_some_and(is_white_space) {
        next += 1;
    }
    let Some(first) = letter(next) else {
        return Some(after);
    };
    let begins =
        !first.is_lowercase() && (first.is_alphanumeric() || "¿¡«“‘\"'([•-—–`$/".contains(first));
    let before = index.checked_sub(1).and_then(letter);
    let fits = if next > after {
        begins
    } else if is_running(first) {
        // `v2.版` is a name, `水管!你` two sentences.
        matches!(mark, '!' | '?') || mark == '.' && before.is_some_and(is_running)
    } else {
        first.is_uppercase() && before.is_some_and(|letter| letter.is_lowercase() || closes(letter))
    };
    let abbreviated =
        mark == '.' && after == index + 1 && is_abbreviation(&text[..letters[index].0]);
    (fits && !abbreviated).then_some(after)
}

/// Whether nothing stands between two sentences of a text without spaces, so that nothing belongs
/// there when they are put together again.
pub(super) fn goes_on(before: &str, after: &str) -> bool {
    let touch = before.as_ptr() as usize + before.len() == after.as_ptr() as usize;
    let (last, first) = (before.chars().next_back(), after.chars().next());
    let mut end = before.chars().rev().skip_while(|&letter| closes(letter));
    touch
        && (end.next().is_some_and(ends_anywhere)
            || last.is_some_and(is_running)
            || first.is_some_and(is_running))
}

/// Whether a full stop after this text belongs to its last word.
fn is_abbreviation(before: &str) -> bool {
    let word = before
        .rsplit(|letter: char| !letter.is_alphanumeric())
        .next()
        .unwrap_or_default();
    let mut letters = word.chars();
    let initial = letters.next().is_some_and(char::is_uppercase) && letters.next().is_none();
    initial || ABBREVIATIONS.contains(&word.to_lowercase().as_str())
}

#[cfg(test)]
mod tests;
