//! What is proved on files too large or not ours to keep here: real reviews, real tokenisers and
//! the study's manual, in the folder that `SHARED_DIR` names or in `../shared`.

#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test that cannot go on must fail, one that is skipped must say so"
)]

use std::path::{Path, PathBuf};

use ensayo::config::{Cleaning, Document, Label, Unicode};
use ensayo::data::{Tokenizer, document, read, train_test_split};
use ensayo::retrieval::by_words;
use ensayo::shapes::Shapes;

/// A file of the shared folder; where the folder is absent, says that the test is skipped.
fn shared(name: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("SHARED_DIR").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared"),
        PathBuf::from,
    );
    if !folder.is_dir() {
        eprintln!("skipped: {} is absent", folder.display());
        return None;
    }
    Some(folder.join(name))
}

#[test]
fn the_split_of_20_000_reviews_has_the_studys_supports() {
    let Some(path) = shared("data/steam_reviews_20k.csv") else {
        return;
    };
    let rows = read(&path, "text", "label", None).unwrap();
    assert_eq!(rows.len(), 20_000);
    let split = train_test_split(rows.len(), 0.2, 42);
    let negative = split
        .test
        .iter()
        .filter(|&&row| rows[row].label == Label::Integer(0))
        .count();
    assert_eq!((split.test.len(), negative), (4_000, 2_028));
}

#[test]
fn roberta_bases_tokeniser_and_shape_are_the_originals() {
    let Some(folder) = shared("models/roberta-base") else {
        return;
    };
    let ids = Tokenizer::from_folder(&folder, 512)
        .unwrap()
        .encode(&["Hello world, this is a review! 😀"])
        .unwrap();
    // transformers' own ids.
    let expected = [0, 31414, 232, 6, 42, 16, 10, 1551, 328, 17841, 7471, 2];
    assert_eq!(ids, [expected]);
    let config = std::fs::read_to_string(folder.join("config.json")).unwrap();
    assert_eq!(
        Shapes::read(&config, 2).unwrap().total_parameters(),
        124_647_170
    );
}

#[test]
fn the_manual_has_the_studys_chunks() {
    let Some(path) = shared("data/manual_bash.txt") else {
        return;
    };
    let settings = Document {
        path: Some(path),
        url: None,
        sha256: None,
        unicode: Unicode::None,
        cleaning: Cleaning::Study,
    };
    let sources = document::prepare(&settings).unwrap();
    let words = |text: &str| text.split_whitespace().count();
    assert_eq!(words(&sources[0].text), 75_557);
    for (size, overlap, count, last) in [(300, 100, 378, 157), (500, 200, 252, 257)] {
        let chunks = by_words(&sources[0].text, size, overlap);
        assert_eq!(chunks.len(), count);
        assert_eq!(words(chunks.last().unwrap()), last);
        assert!(chunks[..count - 1].iter().all(|chunk| words(chunk) == size));
    }
}
