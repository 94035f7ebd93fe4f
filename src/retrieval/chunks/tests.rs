//! Tests of `chunks`.

use proptest::prelude::*;

use super::*;

fn numbers(count: usize) -> String {
    (0..count)
        .map(|i| i.to_string())
        .collect::<Vec<_>>()
        .join(" ")
}

fn count(text: &str) -> usize {
    words(text).count()
}

#[test]
fn word_chunks_overlap_and_the_last_one_ends_with_the_text() {
    assert_eq!(by_words(&numbers(7), 3, 1), ["0 1 2", "2 3 4", "4 5 6"]);
    assert_eq!(
        by_words(&numbers(8), 3, 1),
        ["0 1 2", "2 3 4", "4 5 6", "6 7"]
    );
    assert_eq!(by_words(&numbers(2), 3, 1), ["0 1"]);
    assert_eq!(by_words(" \n", 3, 1), [""; 0]);
    assert_eq!(by_words(&numbers(3), 1, 1), ["0", "1", "2"]);
}

#[test]
fn sentence_chunks_hold_whole_sentences() {
    let text = "Uno dos. Tres cuatro cinco. Seis. Siete ocho.";
    assert_eq!(
        by_sentences(text, 5, 0, count),
        ["Uno dos. Tres cuatro cinco.", "Seis. Siete ocho."]
    );
    assert_eq!(
        by_sentences(text, 4, 1, count),
        ["Uno dos.", "Tres cuatro cinco. Seis.", "Seis. Siete ocho."]
    );
}

#[test]
fn long_sentences_are_cut_between_words() {
    assert_eq!(
        by_sentences("a b c d e f g. H i.", 3, 0, count),
        ["a b c", "d e f", "g. H i."]
    );
    // A word of more tokens than a chunk may have.
    assert_eq!(
        by_sentences("abcdefg hi", 3, 0, str::len),
        ["abc", "def", "g", "hi"]
    );
    assert_eq!(
        by_sentences("e\u{301}e\u{301}", 3, 0, str::len),
        ["e\u{301}"; 2]
    );
    assert_eq!(by_sentences("水", 1, 0, str::len), ["水"]);
}

fn letters(text: &str) -> usize {
    text.chars()
        .filter(|letter| letter.is_alphanumeric())
        .count()
}

#[test]
fn sentences_without_spaces_are_put_together_without_spaces() {
    let text = "费用是60欧元。要获得地块，请加入等候名单！可以。 好吗？";
    assert_eq!(
        by_sentences(text, 7, 3, letters),
        [
            "费用是60欧元。",
            "要获得地块，请加",
            "入等候名单！可以。",
            "可以。 好吗？"
        ]
    );
    // Pieces of a long word and of a sentence, put together with what follows.
    assert_eq!(
        by_sentences("水管只能在上午使用!好. 再来", 5, 0, letters),
        ["水管只能在", "上午使用!好.", "再来"]
    );
}

#[test]
fn text_without_spaces_is_cut_by_letters() {
    let text = "花园，每年的费用是60欧元。Python 代码";
    assert_eq!(
        by_words(text, 6, 2),
        ["花园，每年的费", "的费用是60欧", "60欧元。Python 代码"]
    );
}

#[test]
fn long_runs_are_cut_in_time_that_grows_with_their_length() {
    // Counting all that is left for each piece would take minutes.
    let counted = std::cell::Cell::new(0);
    let text = "水".repeat(20_000);
    let chunks = by_sentences(&text, 50, 10, |text| {
        counted.set(counted.get() + text.len());
        text.chars().count()
    });
    assert!(chunks.iter().all(|chunk| chunk.chars().count() <= 50));
    assert_eq!(chunks.concat(), text);
    assert!(counted.get() < 100 * text.len(), "{}", counted.get());
}

/// The study's loop, as it is written there.
fn as_written(words: &[&str], size: usize, overlap: usize) -> Vec<String> {
    let (mut position, mut chunks) = (0, Vec::new());
    while position < words.len() {
        position = position.saturating_sub(overlap);
        let end = (position + size).min(words.len());
        chunks.push(words[position..end].join(" "));
        position += size;
    }
    chunks
}

proptest! {
    #[test]
    fn word_chunks_are_the_studys(length in 0_usize..200, size in 1_usize..40, overlap in 0_usize..40) {
        prop_assume!(overlap < size);
        let text = numbers(length);
        let words: Vec<&str> = words(&text).collect();
        prop_assert_eq!(by_words(&text, size, overlap), as_written(&words, size, overlap));
    }

    #[test]
    fn sentence_chunks_lose_nothing_and_keep_their_size(
        lengths in prop::collection::vec(1_usize..12, 1..20), size in 1_usize..15, overlap in 0_usize..15,
    ) {
        let mut next = 0;
        let text: Vec<String> = lengths.iter().map(|&length| {
            let words: Vec<String> = (0..length).map(|_| { next += 1; format!("W{next}") }).collect();
            words.join(" ") + "."
        }).collect();
        let chunks = by_sentences(&text.join(" "), size, overlap.min(size - 1), count);
        prop_assert!(chunks.iter().all(|chunk| count(chunk) <= size));
        let mut seen: Vec<String> = Vec::new();
        for chunk in &chunks {
            let fresh: Vec<&str> = words(chunk).filter(|word| !seen.contains(&(*word).to_owned())).collect();
            prop_assert!(!fresh.is_empty());
            seen.extend(fresh.into_iter().map(str::to_owned));
        }
        let all = text.join(" ");
        prop_assert_eq!(seen, words(&all).map(str::to_owned).collect::<Vec<_>>());
    }
}
