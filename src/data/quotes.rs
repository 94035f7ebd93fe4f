//! Broken quotes in a record of a comma-separated file, which a lenient reader takes for part of a
//! text.

use super::error::RowFault;

/// Line breaks in a piece of a file.
pub(super) fn line_breaks(bytes: &[u8]) -> u64 {
    bytes.split(|&byte| byte == b'\n').skip(1).count() as u64
}

/// Looks for a quoted value that does not end, or does not end at a separator or line break. The
/// record's first line is `first_line`.
pub(super) fn quote_fault(record: &[u8], first_line: u64, separator: u8) -> Option<RowFault> {
    let line_at = |position: usize| first_line + line_breaks(&record[..position]);
    let mut position = 0;
    while position < record.len() {
        if record[position] == b'"' {
            let open = position;
            let Some(close) = closing_quote(record, open) else {
                return Some(RowFault::OpenQuote {
                    line: line_at(open),
                });
            };
            position = close + 1;
            let next = record.get(position);
            if !matches!(next, None | Some(b'\r' | b'\n')) && next != Some(&separator) {
                return Some(RowFault::AfterQuote {
                    line: line_at(close),
                });
            }
        }
        // A quote within a value that does not begin with one is part of it.
        let rest = record[position..].iter();
        position += rest.take_while(|&&byte| byte != separator).count() + 1;
    }
    None
}

/// The quote that ends the value which begins with the quote at `open`; two in a row stand for one
/// within it.
fn closing_quote(record: &[u8], open: usize) -> Option<usize> {
    let mut position = open + 1;
    loop {
        position += record
            .get(position..)?
            .iter()
            .position(|&byte| byte == b'"')?;
        if record.get(position + 1) != Some(&b'"') {
            return Some(position);
        }
        position += 2;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sound_records_have_no_fault() {
        for record in [
            "",
            "a,b",
            "\"a\",b\r\n",
            "a,\"\"",
            "\"a\"\"b\nc\",\"\"\"\"",
            "5\" wide,it's,a\"b\"c",
            ",,\n",
            "a,\"b\"",
        ] {
            assert_eq!(quote_fault(record.as_bytes(), 1, b','), None, "{record:?}");
        }
    }

    #[test]
    fn open_quotes_are_found_on_their_line() {
        for (record, line) in [
            ("\"", 7),
            ("a,\"b\nc\n", 7),
            ("\"a\nb\",\"c\"\"\n", 8),
            ("\"\"\"", 7),
        ] {
            assert_eq!(
                quote_fault(record.as_bytes(), 7, b','),
                Some(RowFault::OpenQuote { line }),
                "{record:?}"
            );
        }
    }

    #[test]
    fn text_after_a_closing_quote_is_found_on_its_line() {
        for (record, line) in [
            ("\"a\"b", 7),
            ("a,\"b\nc\" ,d", 8),
            ("\"he said \"hi\" twice\",1", 7),
        ] {
            assert_eq!(
                quote_fault(record.as_bytes(), 7, b','),
                Some(RowFault::AfterQuote { line }),
                "{record:?}"
            );
        }
    }
}
