//! Values written down for scripts, so that no text in them can end the script or start a tag.

use std::fmt::Write;

use serde::Serialize;

/// A value as an expression of JavaScript, which is JSON too. Not-a-number and infinities become
/// null.
///
/// # Errors
/// When the value has no form in JSON.
pub(super) fn expression(value: &impl Serialize) -> serde_json::Result<String> {
    let json = serde_json::to_string(value)?;
    let mut safe = String::with_capacity(json.len());
    for character in json.chars() {
        match character {
            // In JSON these stand in strings only, where the escape means the same.
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                // Writing to a string cannot fail.
                let _ = write!(safe, "\\u{:04x}", u32::from(character));
            }
            other => safe.push(other),
        }
    }
    Ok(safe)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn text_that_would_end_a_script_stays_text() {
        assert_eq!(
            expression(&"</script><!--\u{2028}&").unwrap(),
            "\"\\u003c/script\\u003e\\u003c!--\\u2028\\u0026\""
        );
        assert_eq!(expression(&f64::NAN).unwrap(), "null");
    }

    proptest! {
        #[test]
        fn any_text_reads_back_and_has_nothing_that_html_or_a_script_would_obey(
            text in prop_oneof![".*", "(</script>|<!--|\u{2028}|\u{2029}|&|'|\"|\\\\|\u{0}|]]>|é)*"],
        ) {
            let written = expression(&text).unwrap();
            let obeyed = ['<', '>', '&', '\u{2028}', '\u{2029}', '\n', '\r'];
            prop_assert!(!written.contains(obeyed));
            prop_assert_eq!(serde_json::from_str::<String>(&written).unwrap(), text);
        }
    }
}
