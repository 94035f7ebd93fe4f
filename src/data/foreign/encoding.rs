//! Text in another encoding than UTF-8.

use std::ffi::OsStr;
use std::path::Path;

use super::{quoted, target};

/// Bytes at the beginning of a file that are looked at.
const HEAD: usize = 4096;

/// The name of an encoding of two or four bytes a unit, as iconv knows it, by its mark.
pub(super) fn marked(bytes: &[u8]) -> Option<&'static str> {
    let marks: [(&[u8], &str); 4] = [
        (b"\xff\xfe\0\0", "UTF-32"),
        (b"\0\0\xfe\xff", "UTF-32"),
        (b"\xff\xfe", "UTF-16"),
        (b"\xfe\xff", "UTF-16"),
    ];
    let found = marks.iter().find(|(mark, _)| bytes.starts_with(mark));
    found.map(|(_, name)| *name)
}

/// The same for UTF-16 without its mark.
pub(super) fn unmarked(bytes: &[u8]) -> Option<&'static str> {
    type Order = fn([u8; 2]) -> u16;
    let head = &bytes[..bytes.len().min(HEAD) & !1];
    if head.len() < 4 || !head.contains(&0) {
        return None;
    }
    let orders: [(&str, Order); 2] = [
        ("UTF-16LE", u16::from_le_bytes),
        ("UTF-16BE", u16::from_be_bytes),
    ];
    let is_utf_8 = std::str::from_utf8(bytes).is_ok();
    let read = orders.into_iter().filter_map(|(name, order)| {
        let (pairs, _) = head.as_chunks::<2>();
        let mut units: Vec<u16> = pairs.iter().map(|&pair| order(pair)).collect();
        // The head may end within a character of two units.
        if units
            .last()
            .is_some_and(|unit| (0xd800..0xdc00).contains(unit))
        {
            units.pop();
        }
        let letters: String = char::decode_utf16(units).collect::<Result<_, _>>().ok()?;
        let is_break = |letter: &char| matches!(letter, '\t' | '\n' | '\r' | ' ' | ',');
        let (mut breaks, mut plain, mut all) = (0, 0, 0);
        for letter in letters.chars() {
            if letter.is_control() && !is_break(&letter) {
                return None;
            }
            breaks += usize::from(is_break(&letter));
            plain += usize::from(letter.is_ascii());
            all += 1;
        }
        // Every second byte of plain letters is zero; of Chinese, those of line ends alone.
        let plausible = 10 * plain > 3 * all || breaks > 0 && !is_utf_8;
        plausible.then_some((breaks, plain, name))
    });
    read.max().map(|(.., name)| name)
}

/// What to do about a file that is not UTF-8, with a guess at what it is.
pub(in crate::data) fn misread(path: &Path, bytes: &[u8]) -> String {
    let ending = path.extension().and_then(OsStr::to_str).unwrap_or("txt");
    let target = target(path, ending);
    let command = |from: &str, flags: &str| {
        format!(
            "`iconv {flags}-f {from} -t UTF-8 {} > {}`",
            quoted(path.as_os_str()),
            quoted(target.as_os_str())
        )
    };
    let text = String::from_utf8_lossy(bytes);
    let lost = text.chars().filter(|&letter| letter == '\u{fffd}').count();
    let kept = text.chars().filter(|&letter| letter > '\u{7f}').count() - lost;
    let high = bytes.iter().filter(|byte| **byte >= 0x80).count();
    let letters = bytes
        .iter()
        .filter(|byte| byte.is_ascii_alphabetic())
        .count();
    let undefined = |byte: &u8| matches!(byte, 0x81 | 0x8d | 0x8f | 0x90 | 0x9d);
    if kept > lost {
        format!(
            "most of the file is UTF-8, so it is damaged there: {} leaves out what is broken",
            command("UTF-8", "-c ")
        )
    } else if high <= letters && !bytes.iter().any(undefined) {
        format!("it looks like Windows-1252: {}", command("CP1252", ""))
    } else {
        format!(
            "it is in another encoding, such as GB18030, SHIFT_JIS, EUC-KR or CP1251: {} with its name",
            command("ENCODING", "")
        )
    }
}

/// Whether the beginning of a file is of bytes that no text has.
pub(super) fn is_binary(bytes: &[u8]) -> bool {
    let head = &bytes[..bytes.len().min(HEAD)];
    let odd = |byte: &&u8| **byte < 0x20 && !b"\t\n\r\x08\x0c\x1b".contains(byte) || **byte == 0x7f;
    20 * head.iter().filter(odd).count() > head.len()
}

/// A file's beginning in lower case, without white space before it.
pub(super) fn ahead(bytes: &[u8]) -> String {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let start = bytes.trim_ascii_start();
    String::from_utf8_lossy(&start[..start.len().min(1024)]).to_lowercase()
}
