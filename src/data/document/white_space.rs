//! White space as Python means it: `str.split()`, and `\s` in a pattern for `str`.

/// Unicode's white space, and the four separators of ASCII (file, group, record and unit) that
/// Python counts to it.
#[must_use]
pub fn is_white_space(letter: char) -> bool {
    letter.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&letter)
}

/// What stands between white space, as `str.split()` gives it.
pub fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(is_white_space).filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn white_space_is_what_python_takes_for_it() {
        // [hex(i) for i in range(0x110000) if chr(i).isspace()], and the same of re.match(r"\s",
        // chr(i)).
        let python = [
            0x9, 0xa, 0xb, 0xc, 0xd, 0x1c, 0x1d, 0x1e, 0x1f, 0x20, 0x85, 0xa0, 0x1680, 0x2000,
            0x2001, 0x2002, 0x2003, 0x2004, 0x2005, 0x2006, 0x2007, 0x2008, 0x2009, 0x200a, 0x2028,
            0x2029, 0x202f, 0x205f, 0x3000,
        ];
        let ours: Vec<u32> = ('\0'..=char::MAX)
            .filter(|&c| is_white_space(c))
            .map(u32::from)
            .collect();
        assert_eq!(ours, python);
    }
}
