//! What is done to a text before it is cut.

use super::{is_white_space, words};

/// The study's cleaning: `\s+` becomes one space, then `(\.\s*)+` one full stop. Python's `re.sub`
/// twice, letter by letter.
///
/// It glues sentences together (`end.Next`) and makes `cd ..` a `cd .`: see [`prose`].
#[must_use]
pub fn study(text: &str) -> String {
    let mut cleaned = String::with_capacity(text.len());
    let mut letters = spaced(text).peekable();
    while let Some(letter) = letters.next() {
        cleaned.push(letter);
        while letter == '.'
            && letters
                .peek()
                .is_some_and(|&next| next == '.' || next == ' ')
        {
            letters.next();
        }
    }
    cleaned
}

/// The text's letters with one space for each run of white space.
fn spaced(text: &str) -> impl Iterator<Item = char> {
    let mut after_space = false;
    text.chars().filter_map(move |letter| {
        let space = is_white_space(letter);
        let kept = !(space && after_space);
        after_space = space;
        kept.then_some(if space { ' ' } else { letter })
    })
}

/// A cleaning that keeps what a reader needs: white space within a paragraph becomes one space and
/// a blank line stays a blank line; a word divided at a line's end is joined; the dotted leaders of
/// a table of contents (four full stops or more, spaced or not) become one ellipsis. Sentence ends,
/// `...` and `cd ..` stay as they are.
#[must_use]
pub fn prose(text: &str) -> String {
    let mut paragraphs: Vec<String> = Vec::new();
    let mut open = String::new();
    // A form feed is a page's end, which is no paragraph's.
    for line in text.split('\n') {
        let words: Vec<&str> = words(line).collect();
        if words.is_empty() {
            if !open.is_empty() {
                paragraphs.push(std::mem::take(&mut open));
            }
            continue;
        }
        let line = words.join(" ");
        if is_divided(&open, &line) {
            open.pop();
        } else if !open.is_empty() {
            open.push(' ');
        }
        open.push_str(&line);
    }
    if !open.is_empty() {
        paragraphs.push(open);
    }
    without_leaders(&paragraphs.join("\n\n"))
}

/// Whether a word goes on from one line to the next: `inte-` and `rior`.
fn is_divided(before: &str, after: &str) -> bool {
    let mut end = before.chars().rev();
    end.next() == Some('-')
        && end.next().is_some_and(char::is_lowercase)
        && after.chars().next().is_some_and(char::is_lowercase)
}

fn without_leaders(text: &str) -> String {
    const SHORTEST_LEADER: usize = 4;
    let mut cleaned = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find('.') {
        cleaned.push_str(&rest[..start]);
        let run = &rest[start..];
        let end = run
            .find(|letter| letter != '.' && letter != ' ')
            .unwrap_or(run.len());
        let leader = run[..end].trim_end();
        if leader.matches('.').count() >= SHORTEST_LEADER {
            cleaned.push('…');
            cleaned.push_str(&run[leader.len()..end]);
        } else {
            cleaned.push_str(&run[..end]);
        }
        rest = &run[end..];
    }
    cleaned + rest
}

#[cfg(test)]
mod tests;
