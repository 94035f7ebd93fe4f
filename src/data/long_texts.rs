//! Looks for texts in a tokeniser's file that are longer than any token, and for tables that say to
//! be larger than they are. Reads no more of JSON than where texts begin and end.

use std::borrow::Cow;

/// Bytes of the longest text that is no mistake. The `tokenizers` crate keeps a vocabulary as a
/// tree with a level for each byte, and frees it level within level: a piece of a hundred thousand
/// bytes would end the process for want of stack, which cannot be caught.
pub(super) const LONGEST: usize = 2048;

/// The one key whose text is a whole table.
const TABLE: &[u8] = b"precompiled_charsmap";
/// What stands before such a table: its key, or where its settings are written as a list without
/// keys, their type or the list's own key.
const BEFORE_TABLES: [&[u8]; 4] = [TABLE, b"Precompiled", b"normalizer", b"normalizers"];

/// Refuses a file with a text that is too long, or a table that is smaller than it says.
pub(super) fn refuse(json: &[u8]) -> Result<(), String> {
    let mut before: Cow<'_, [u8]> = Cow::Borrowed(b"");
    let mut at = 0;
    while let Some(open) = next_quote(json, at) {
        let start = open + 1;
        let end = end_of_text(json, start);
        let text = plain(&json[start..end]);
        if text.len() > LONGEST && *before != *TABLE {
            return Err(format!(
                "the text at byte {open} is {} bytes long, which no token is",
                text.len()
            ));
        }
        if BEFORE_TABLES.contains(&&*before) {
            let (said, bytes) = (size_of_trie(&text), text.len() / 4 * 3);
            if said.is_some_and(|said| said > bytes) {
                return Err(format!(
                    "the `precompiled_charsmap` at byte {open} is damaged: it is shorter than it says"
                ));
            }
        }
        before = text;
        at = end + 1;
    }
    Ok(())
}

/// A text as it is meant, where it has escapes.
fn plain(text: &[u8]) -> Cow<'_, [u8]> {
    if !text.contains(&b'\\') {
        return Cow::Borrowed(text);
    }
    let quoted = [b"\"", text, b"\""].concat();
    match serde_json::from_slice::<String>(&quoted) {
        Ok(meant) => Cow::Owned(meant.into_bytes()),
        Err(_) => Cow::Borrowed(text),
    }
}

/// The bytes that a table in base64 says to begin with, for which the `tokenizers` crate asks before
/// it looks whether they are there: up to 8 GB. None where it is no base64.
fn size_of_trie(table: &[u8]) -> Option<usize> {
    let digit = |byte: &u8| match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'a'..=b'z' => Some(byte - b'a' + 26),
        b'0'..=b'9' => Some(byte - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        // The padding of a short table.
        b'=' => Some(0),
        _ => None,
    };
    // Such as the key that may stand in the place of a table.
    if table.iter().any(|byte| digit(byte).is_none()) {
        return None;
    }
    let digits = table.get(..8)?.iter().filter_map(digit);
    let bits = digits.fold(0_u64, |bits, digit| bits << 6 | u64::from(digit));
    // Six bytes, of which the first four are the size.
    let size = u32::try_from(bits >> 16).ok()?.swap_bytes();
    usize::try_from(size).ok()
}

fn next_quote(json: &[u8], from: usize) -> Option<usize> {
    let rest = json.get(from..)?;
    let found = rest.iter().position(|byte| *byte == b'"')?;
    Some(from + found)
}

/// Where the text that begins at `start` has its closing quote, or the file its end.
fn end_of_text(json: &[u8], start: usize) -> usize {
    let mut at = start;
    while let Some(byte) = json.get(at) {
        match byte {
            b'"' => return at,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    json.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_texts_longer_than_any_token_are_refused() {
        let long = "x".repeat(LONGEST + 1);
        for sound in [
            r#"{"a": "b\"c", "d": ["\\"]}"#.to_owned(),
            format!(r#"{{"vocab": ["{}"]}}"#, &long[1..]),
            format!(r#"{{"precompiled_charsmap": "____{long}", "a": "b"}}"#),
            format!(r#"{{"precompiled_charsmap": "AAAAAAAA{long}", "a": "b"}}"#),
            format!("{{\"a\": {long}"),
            "\"\\".to_owned(),
            String::new(),
        ] {
            assert_eq!(refuse(sound.as_bytes()), Ok(()), "{sound}");
        }
        for broken in [
            // A table of 16 bytes that says to have 3.7 GB.
            r#"{"type": "Precompiled", "precompiled_charsmap": "CAAA3AAAAABhAAAAYQA="}"#,
            r#"{"precompiled\u005fcharsmap": "CAA\u00413AAAAABhAAAAYQA="}"#,
            r#"["Precompiled", "CAAA3AAAAABhAAAAYQA="]"#,
            r#"{"normalizer": ["CAAA3AAAAABhAAAAYQA="]}"#,
        ] {
            let error = refuse(broken.as_bytes()).unwrap_err();
            assert!(error.contains("shorter than it says"), "{broken}: {error}");
        }
        let sound = r#"{"type": "Precompiled", "precompiled_charsmap": "CAAAAAAAAABhAAAAYQA="}"#;
        assert_eq!(refuse(sound.as_bytes()), Ok(()));
        for broken in [
            format!(r#"{{"vocab": [["\\", 0], ["{long}", 1]]}}"#),
            format!(r#"{{"{long}": 1}}"#),
            format!(r#"{{"a": "\"{long}"#),
        ] {
            let error = refuse(broken.as_bytes()).unwrap_err();
            assert!(error.contains("which no token is"), "{broken}: {error}");
        }
    }
}
