//! Makes a broken file of a sound one: bits, lengths, numbers, keys, nesting, encodings. Knows no format, but what formats are made of.

use crate::dice::Dice;

/// Files beyond this say nothing that smaller ones do not.
const LARGEST: usize = 1 << 18;

/// What parsers stumble over.
const WORDS: [&[u8]; 32] = [
    b"18446744073709551615",
    b"18446744073709551616",
    b"9223372036854775808",
    b"-9223372036854775809",
    b"4294967296",
    b"2147483647",
    b"268435456",
    b"1000000",
    b"-1",
    b"0",
    b"1e999",
    b"-0.0",
    b"1e-400",
    b"0x7fffffffffffffff",
    b"nan",
    b"NaN",
    b"null",
    b"true",
    b"[]",
    b"{}",
    b"\"\"",
    b"\\ud800",
    b"\\u0000",
    b"\0",
    b"\xff\xfe",
    b"\xef\xbb\xbf",
    b"\xed\xa0\x80",
    b"\xf0\x9f\x98\x80",
    "e\u{301}\u{202e}".as_bytes(),
    b"(a{50}){50}",
    b"(?:a+)+$",
    b"../",
];

/// What nests, and how deep a file may be asked to.
const BRACKETS: [&[u8]; 6] = [b"[", b"{\"a\":", b"a.", b"[[a]]\n", b"(", b"{a=["];

/// Changes `data` in one to five places. `other` is another file of the format, to take pieces from.
pub fn mutate(data: &mut Vec<u8>, other: &[u8], dice: &mut Dice) {
    for _ in 0..=dice.below(5) {
        once(data, other, dice);
        data.truncate(LARGEST);
    }
}

fn once(data: &mut Vec<u8>, other: &[u8], dice: &mut Dice) {
    let at = dice.below(data.len() + 1);
    match dice.below(14) {
        0 | 1 => {
            if let Some(byte) = data.get_mut(at) {
                *byte ^= 1 << dice.below(8);
            }
        }
        2 => {
            if let Some(byte) = data.get_mut(at) {
                *byte = dice.next().to_le_bytes()[0];
            }
        }
        3 => {
            let (start, end) = stretch(data.len(), dice);
            data.drain(start..end);
        }
        4 => {
            let (start, end) = stretch(data.len(), dice);
            let piece = data[start..end].to_vec();
            insert(data, at, &piece);
        }
        5 => {
            let (start, end) = stretch(other.len(), dice);
            insert(data, at, &other[start..end]);
        }
        6 => data.truncate(at),
        7 => insert(data, at, WORDS[dice.below(WORDS.len())]),
        8 | 9 => {
            // A number or a word in quotes becomes something else.
            if let Some((start, end)) = token(data, at) {
                data.splice(start..end, WORDS[dice.below(WORDS.len())].iter().copied());
            }
        }
        10 => length_field(data, dice),
        11 => {
            let depth = [1, 3, 100, 200, 3000, 40_000][dice.below(6)];
            let bracket = BRACKETS[dice.below(BRACKETS.len())];
            insert(data, at, &bracket.repeat(depth));
        }
        12 => {
            // A line or an entry twice.
            let separator = [b'\n', b',', b'"'][dice.below(3)];
            let is_separator = |byte: &u8| *byte == separator;
            let start = data[..at]
                .iter()
                .rposition(is_separator)
                .map_or(0, |place| place + 1);
            let end = data[at..]
                .iter()
                .position(is_separator)
                .map_or(data.len(), |place| at + place + 1);
            let piece = data[start..end].to_vec();
            insert(data, start, &piece);
        }
        _ => {
            // Two stretches change places.
            let (start, end) = stretch(data.len(), dice);
            let piece: Vec<u8> = data.drain(start..end).collect();
            let at = dice.below(data.len() + 1);
            insert(data, at, &piece);
        }
    }
}

fn insert(data: &mut Vec<u8>, at: usize, piece: &[u8]) {
    data.splice(at..at, piece.iter().copied());
}

/// A stretch of a file, mostly short.
fn stretch(length: usize, dice: &mut Dice) -> (usize, usize) {
    let start = dice.below(length + 1);
    let longest = [4, 16, 64, 1024][dice.below(4)];
    let count = dice.below(longest.min(length - start) + 1);
    (start, start + count)
}

/// The number, or the text between quotes, that stands next behind `at`.
fn token(data: &[u8], at: usize) -> Option<(usize, usize)> {
    let rest = &data[at..];
    let begin = rest
        .iter()
        .position(|byte| byte.is_ascii_digit() || *byte == b'"')?;
    let quoted = rest[begin] == b'"';
    let inside = |byte: &u8| {
        if quoted {
            *byte != b'"'
        } else {
            byte.is_ascii_digit() || *byte == b'.'
        }
    };
    let count = rest[begin + 1..]
        .iter()
        .take_while(|byte| inside(byte))
        .count();
    Some((
        at + begin,
        (at + begin + 1 + count + usize::from(quoted)).min(data.len()),
    ))
}

/// Writes an unlikely number where a length may stand, little-endian.
fn length_field(data: &mut [u8], dice: &mut Dice) {
    let values = [
        0,
        1,
        0x7f,
        0x80,
        0xff,
        0x7fff,
        0xffff,
        0x7fff_ffff,
        0xffff_ffff,
        1 << 40,
        u64::MAX >> 1,
        u64::MAX,
    ];
    let width = [1, 2, 4, 8][dice.below(4)];
    if data.len() < width {
        return;
    }
    // Headers have their lengths at the beginning, archives at the end.
    let start = match dice.below(3) {
        0 => 0,
        1 => data.len() - width - dice.below(80.min(data.len() - width + 1)),
        _ => dice.below(data.len() - width + 1),
    };
    let value = values[dice.below(values.len())].to_le_bytes();
    data[start..start + width].copy_from_slice(&value[..width]);
}

/// Changes the header of a safetensors file alone and makes its length right again, so that the change is reached.
pub fn mutate_header(data: &mut Vec<u8>, other: &[u8], dice: &mut Dice) {
    let length = data.first_chunk().map(|bytes| u64::from_le_bytes(*bytes));
    let length = length
        .and_then(|length| usize::try_from(length).ok())
        .unwrap_or(0);
    let Some(values) = length.checked_add(8).and_then(|end| data.get(end..)) else {
        return mutate(data, other, dice);
    };
    let values = values.to_vec();
    let mut header = data[8..8 + length].to_vec();
    mutate(&mut header, other.get(8..).unwrap_or_default(), dice);
    let mut whole = (header.len() as u64).to_le_bytes().to_vec();
    whole.extend(header);
    whole.extend(values);
    *data = whole;
}
