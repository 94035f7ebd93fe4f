//! Text made safe for HTML, and for addresses in it.

use std::fmt::Write;

pub(super) use crate::draw::escape;

/// Text like [`escape`]'s that may break where names of grid cells have a joint.
pub(super) fn breakable(text: &str) -> String {
    // No entity contains any of these.
    escape(text).replace(',', ",<wbr>").replace('+', "+<wbr>")
}

/// A path as an address: everything but letters, digits, `/` and a few marks is percent-encoded.
pub(super) fn address(path: &str) -> String {
    let mut encoded = String::with_capacity(path.len());
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_in_text_stays_text() {
        assert_eq!(
            escape("<b a='1'>\"&\u{7}"),
            "&lt;b a=&#39;1&#39;&gt;&quot;&amp;\u{FFFD}"
        );
    }

    #[test]
    fn names_of_cells_break_at_their_joints() {
        assert_eq!(breakable("a=1,b='<'+c"), "a=1,<wbr>b=&#39;&lt;&#39;+<wbr>c");
    }

    #[test]
    fn addresses_survive_any_name() {
        assert_eq!(
            address("../a b/rank=4,x#1?.svg"),
            "../a%20b/rank%3D4%2Cx%231%3F.svg"
        );
    }
}
