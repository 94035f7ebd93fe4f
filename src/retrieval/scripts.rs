//! Letters of scripts that set no spaces between words, so that what stands between white space is
//! no word there.

/// First and last code points of the scripts in which a run of letters is no word: Chinese
/// characters, kana, bopomofo, Thai, Lao, Burmese and Khmer.
const RUNNING: [(u32, u32); 21] = [
    (0x0e00, 0x0eff),
    (0x1000, 0x109f),
    (0x1780, 0x17ff),
    (0x2e80, 0x2fdf),
    (0x3005, 0x3007),
    (0x3021, 0x3029),
    (0x3031, 0x3035),
    (0x3038, 0x303c),
    (0x3041, 0x3096),
    (0x3099, 0x30fa),
    (0x30fc, 0x30ff),
    (0x3105, 0x312f),
    (0x31a0, 0x31bf),
    (0x31f0, 0x31ff),
    (0x3400, 0x4dbf),
    (0x4e00, 0x9fff),
    (0xa9e0, 0xa9ff),
    (0xaa60, 0xaa7f),
    (0xf900, 0xfaff),
    (0xff66, 0xff9f),
    (0x20000, 0x3fffd),
];

/// Those of Korean, whose words are spaced but carry their particles without a space.
const HANGUL: [(u32, u32); 5] = [
    (0x1100, 0x11ff),
    (0x3131, 0x318e),
    (0xa960, 0xa97f),
    (0xac00, 0xd7ff),
    (0xffa0, 0xffdc),
];

/// Whether a letter is of a script that sets no spaces between words.
#[must_use]
pub fn is_running(letter: char) -> bool {
    within(&RUNNING, letter)
}

/// Whether words with this letter can begin or end within a run of letters: a letter of a script
/// without spaces, or a Korean one.
#[must_use]
pub fn is_unbounded(letter: char) -> bool {
    within(&RUNNING, letter) || within(&HANGUL, letter)
}

fn within(ranges: &[(u32, u32)], letter: char) -> bool {
    // Most letters of most texts lie below all of them.
    letter >= '\u{e00}'
        && ranges
            .iter()
            .any(|&(first, last)| (first..=last).contains(&u32::from(letter)))
}

/// The same letters as [`is_unbounded`] has, for a class of a regular expression.
pub(super) fn unbounded_class() -> String {
    let range = |(first, last): &(u32, u32)| format!("\\x{{{first:x}}}-\\x{{{last:x}}}");
    RUNNING.iter().chain(&HANGUL).map(range).collect()
}

/// A text's words where white space alone does not tell: what stands between white space, and
/// within that each letter of a script without spaces, with the marks that follow it. Each has
/// whether white space stands before it.
pub(super) fn units(text: &str) -> Vec<(&str, bool)> {
    let mut units = Vec::new();
    for word in crate::data::document::words(text) {
        let mut start = 0;
        // The last letter of the word so far.
        let mut before: Option<char> = None;
        for (at, letter) in word.char_indices() {
            if !letter.is_alphanumeric() || is_mark(letter) {
                continue;
            }
            if before.is_some_and(|before| is_running(letter) || is_running(before)) {
                units.push((&word[start..at], start == 0));
                start = at;
            }
            before = Some(letter);
        }
        units.push((&word[start..], start == 0));
    }
    units
}

/// Whether a letter combines with the one before it.
pub(super) fn is_mark(letter: char) -> bool {
    unicode_normalization::char::is_combining_mark(letter)
}

/// How many words a text has, as [`by_words`](super::by_words) counts them.
#[must_use]
pub fn count_words(text: &str) -> usize {
    units(text).len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_are_told_by_their_script() {
        assert!("水カかー々ㄅกລកမ".chars().all(is_running));
        assert!("한ㅏ水".chars().all(is_unbounded));
        assert!(!"añß1жαعह。，！ 한".chars().any(is_running));
    }

    #[test]
    fn a_letter_of_a_script_without_spaces_is_a_word() {
        let words = |text| {
            units(text)
                .into_iter()
                .map(|unit| unit.0)
                .collect::<Vec<_>>()
        };
        assert_eq!(words("one two-three,four"), ["one", "two-three,four"]);
        assert_eq!(
            words("费用是60欧元。Python代码"),
            ["费", "用", "是", "60", "欧", "元。", "Python", "代", "码"]
        );
        assert_eq!(words("「水」と—"), ["「水」", "と—"]);
        assert_eq!(words("한국어 문서"), ["한국어", "문서"]);
        assert_eq!(units("a水 b"), [("a", true), ("水", false), ("b", true)]);
        assert_eq!(count_words(" \u{3000} "), 0);
    }
}
