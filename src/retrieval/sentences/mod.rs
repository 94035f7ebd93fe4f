//! Where sentences end, by rule, for Spanish and its neighbours.

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
/// lower-case letter or something closing stands before it (`fin.Otra`).
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

/// The index after a sentence whose last mark begins here.
fn sentence_end(text: &str, letters: &[(usize, char)], index: usize) -> Option<usize> {
    let ends = |letter: char| matches!(letter, '.' | '!' | '?' | '…');
    let closes = |letter: char| matches!(letter, ')' | ']' | '}' | '»' | '”' | '’' | '"' | '\'');
    if !ends(letters[index].1) {
        return None;
    }
    let letter = |at: usize| letters.get(at).map(|letter| letter.1);
    let mut after = index + 1;
    while letter(after).is_some_and(|letter| ends(letter) || closes(letter)) {
        after += 1;
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
    let fits = if next > after {
        begins
    } else {
        let before = index.checked_sub(1).and_then(letter);
        first.is_uppercase() && before.is_some_and(|letter| letter.is_lowercase() || closes(letter))
    };
    let abbreviated =
        letters[index].1 == '.' && after == index + 1 && is_abbreviation(&text[..letters[index].0]);
    (fits && !abbreviated).then_some(after)
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
