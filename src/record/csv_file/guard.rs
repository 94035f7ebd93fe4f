//! Cells that a spreadsheet would run. Texts of others stand in our tables, and a spreadsheet takes
//! a cell that begins in one of a few ways for a formula, quoted or not. An apostrophe before it
//! makes it a text (OWASP, "CSV Injection"). Readers take it away again, so that every text comes
//! back as it was, those that begin with apostrophes themselves included.

use std::borrow::Cow;

/// How cells begin that a spreadsheet takes for formulas. The wide forms count for those that are
/// made for East Asian languages.
const FORMULAS: [&str; 11] = ["=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"];

const APOSTROPHE: u8 = b'\'';

/// A cell as it is written. Numbers are left as they are: they compute nothing.
pub(super) fn guarded(cell: &[u8]) -> Cow<'_, [u8]> {
    if is_guarded_kind(cell) {
        let mut guarded = Vec::with_capacity(cell.len() + 1);
        guarded.push(APOSTROPHE);
        guarded.extend_from_slice(cell);
        Cow::Owned(guarded)
    } else {
        Cow::Borrowed(cell)
    }
}

/// The text that a written cell stands for.
pub(super) fn unguarded(cell: &str) -> &str {
    match cell.strip_prefix('\'') {
        Some(inner) if is_guarded_kind(inner.as_bytes()) => inner,
        _ => cell,
    }
}

/// Whether an apostrophe is put before a cell: it is a formula, or it is one after apostrophes of
/// its own, of which a reader would take the first for ours.
fn is_guarded_kind(cell: &[u8]) -> bool {
    // Nearly all cells begin with a letter or digit, and there are millions of them.
    if cell.first().is_none_or(u8::is_ascii_alphanumeric) {
        return false;
    }
    let own = cell.iter().take_while(|&&byte| byte == APOSTROPHE).count();
    let cell = &cell[own..];
    let begins = FORMULAS
        .iter()
        .any(|beginning| cell.starts_with(beginning.as_bytes()));
    begins && !is_number(cell)
}

fn is_number(cell: &[u8]) -> bool {
    str::from_utf8(cell).is_ok_and(|cell| cell.parse::<f64>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(text: &str) -> String {
        String::from_utf8(guarded(text.as_bytes()).into_owned()).unwrap()
    }

    #[test]
    fn formulas_get_an_apostrophe_and_numbers_and_words_do_not() {
        for text in [
            "=1+1",
            "+cmd|' /C calc'!A0",
            "-2+3",
            "@SUM(A1)",
            "\tx",
            "\r=1",
            "\n=1",
            "＝1+1",
            "-",
            "--5",
        ] {
            assert_eq!(written(text), format!("'{text}"));
        }
        for text in [
            "", "a", "'", "'a'", " =1", "-1", "+1", "-2.5e-3", "-inf", "0", "a=b", "\"=1",
        ] {
            assert_eq!(written(text), text);
        }
    }

    #[test]
    fn what_begins_with_an_apostrophe_already_is_told_from_what_got_one() {
        assert_eq!(written("'=1"), "''=1");
        assert_eq!(unguarded("''=1"), "'=1");
        assert_eq!(unguarded("'=1"), "=1");
        // Written before there were guards.
        assert_eq!(unguarded("=1"), "=1");
        assert_eq!(unguarded("'tis"), "'tis");
        assert_eq!(unguarded("'-1"), "'-1");
    }
}
