//! Looks for texts in a tokeniser's file that are longer than any token. Reads no more of JSON than
//! where texts begin and end.

/// Bytes of the longest text that is no mistake. The `tokenizers` crate keeps a vocabulary as a
/// tree with a level for each byte, and frees it level within level: a piece of a hundred thousand
/// bytes would end the process for want of stack, which cannot be caught.
const LONGEST: usize = 2048;

/// The one key whose text is a whole table.
const TABLE: &[u8] = b"precompiled_charsmap";

/// Refuses a file with a text that is too long.
pub(super) fn refuse(json: &[u8]) -> Result<(), String> {
    let mut before: &[u8] = b"";
    let mut at = 0;
    while let Some(open) = next_quote(json, at) {
        let start = open + 1;
        let end = end_of_text(json, start);
        let text = &json[start..end];
        if text.len() > LONGEST && before != TABLE {
            return Err(format!(
                "the text at byte {open} is {} bytes long, which no token is",
                text.len()
            ));
        }
        before = text;
        at = end + 1;
    }
    Ok(())
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
            format!(r#"{{"precompiled_charsmap": "{long}", "a": "b"}}"#),
            format!("{{\"a\": {long}"),
            "\"\\".to_owned(),
            String::new(),
        ] {
            assert_eq!(refuse(sound.as_bytes()), Ok(()), "{sound}");
        }
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
