//! What is proved on files too large or not ours to keep here: real reviews, real tokenisers and
//! the study's manual, in the folder that `SHARED_DIR` names or in `../shared`.

#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test that cannot go on must fail, one that is skipped must say so"
)]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use engine::shapes::Shapes;
use ensayo::config::{Cleaning, Document, DocumentOrigin, Label, Unicode};
use ensayo::data::{Tokenizer, document, read, train_test_split};
use ensayo::retrieval::by_words;
use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

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
fn the_splits_of_the_reviews_have_the_studys_supports() {
    let Some(path) = shared("data/steam_reviews_20k.csv") else {
        return;
    };
    let rows = read(&path, "text", "label", None).unwrap();
    assert_eq!(rows.len(), 20_000);
    // All reviews, and the 9,400 of each class that some attempts got.
    for (count, supports) in [(20_000, (2_028, 1_972)), (18_800, (1_838, 1_922))] {
        let split = train_test_split(count, 0.2, 42);
        let of = |label| {
            let test = split.test.iter();
            test.filter(|&&row| rows[row].label == Label::Integer(label))
                .count()
        };
        assert_eq!((of(0), of(1)), supports, "{count}");
        assert_eq!(split.train.len(), count - split.test.len());
    }
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
        origin: DocumentOrigin::Path(path),
        sha256: None,
        unicode: Unicode::None,
        cleaning: Cleaning::Study,
    };
    let sources = document::prepare(&settings).unwrap().sources;
    let words = |text: &str| text.split_whitespace().count();
    assert_eq!(words(&sources[0].text), 75_557);
    for (size, overlap, count, last) in [(300, 100, 378, 157), (500, 200, 252, 257)] {
        let chunks = by_words(&sources[0].text, size, overlap);
        assert_eq!(chunks.len(), count);
        assert_eq!(words(chunks.last().unwrap()), last);
        assert!(chunks[..count - 1].iter().all(|chunk| words(chunk) == size));
    }
}

/// What sentencepiece makes of texts: see `tests/parity/sentencepiece/generate.py`.
#[derive(Deserialize)]
struct Pieces {
    texts: Vec<String>,
    ids: Vec<Vec<u32>>,
    /// sha256 of the ids of 1,000 reviews each.
    reviews: Vec<String>,
    /// Texts with special tokens in them, and the ids of transformers.
    spelled_out: Vec<(String, Vec<u32>)>,
}

#[test]
fn debertas_tokeniser_is_sentencepiece_on_goldens_odd_texts_and_20_000_reviews() {
    let (Some(folder), Some(reviews), Some(goldens)) = (
        shared("models/deberta-v3-base"),
        shared("data/steam_reviews_20k.csv"),
        shared("paper/goldens.json"),
    ) else {
        return;
    };
    let tokenizer = Tokenizer::from_folder(&folder, usize::MAX).unwrap();
    let expected: Pieces =
        serde_json::from_str(include_str!("parity/sentencepiece/deberta-v3-base.json")).unwrap();

    let goldens: Value = serde_json::from_slice(&std::fs::read(goldens).unwrap()).unwrap();
    let goldens = goldens["tokenizer_deberta_v3_base"].as_object().unwrap();
    let goldens = goldens.iter().filter_map(|(text, ids)| {
        let ids: Vec<u32> = serde_json::from_value(ids.clone()).ok()?;
        Some((text, ids))
    });
    let mut count = 0;
    for (text, ids) in goldens {
        assert_eq!(tokenizer.encode(&[text]).unwrap(), [ids], "{text:?}");
        count += 1;
    }
    assert_eq!(count, 3);

    // What sentencepiece has for text is a special token to transformers.
    assert_eq!(expected.texts.len(), expected.ids.len());
    let spelled_out = |text: &str| ["[CLS]", "[SEP]"].iter().any(|token| text.contains(token));
    let plain = expected.texts.iter().zip(&expected.ids);
    for (text, ids) in plain.filter(|(text, _)| !spelled_out(text)) {
        let found = &tokenizer.encode(&[text]).unwrap()[0];
        assert_eq!(found[1..found.len() - 1], *ids, "{text:?}");
    }
    for (text, ids) in &expected.spelled_out {
        assert_eq!(tokenizer.encode(&[text]).unwrap()[0], *ids, "{text:?}");
    }

    let rows = read(&reviews, "text", "label", None).unwrap();
    let texts: Vec<&str> = rows.iter().map(|row| row.text.as_str()).collect();
    let encoded = tokenizer.encode(&texts).unwrap();
    let (thousands, rest) = encoded.as_chunks::<1000>();
    assert!(rest.is_empty() && thousands.len() == expected.reviews.len());
    for (number, (rows, expected)) in thousands.iter().zip(&expected.reviews).enumerate() {
        let mut sum = Sha256::new();
        for ids in rows {
            let inner = &ids[1..ids.len() - 1];
            sum.update(u32::try_from(inner.len()).unwrap().to_le_bytes());
            for id in inner {
                sum.update(id.to_le_bytes());
            }
        }
        let digest = sum
            .finalize()
            .iter()
            .fold(String::new(), |mut digest, byte| {
                let _ = write!(digest, "{byte:02x}");
                digest
            });
        assert_eq!(&digest, expected, "reviews from {number},000");
    }
}
