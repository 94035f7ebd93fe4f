//! The normaliser and the search for pieces against `sentencepiece` itself, and what a model file
//! may not be.

use proptest::prelude::*;
use serde::Deserialize;

use super::*;

#[derive(Deserialize)]
struct Fixture {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    folder: String,
    vocab_size: usize,
    texts: Vec<String>,
    ids: Vec<Vec<u32>>,
}

const NMT_NFKC: &[u8] = include_bytes!("../../../tests/parity/sentencepiece/nmt-nfkc/spm.model");
const RULES: &[u8] = include_bytes!("../../../tests/parity/sentencepiece/rules/spm.model");
const TIES: &[u8] = include_bytes!("../../../tests/parity/sentencepiece/ties/spm.model");

#[test]
fn ids_are_those_of_sentencepiece_itself() {
    let text = include_str!("../../../tests/parity/sentencepiece/expected.json");
    let fixture: Fixture = serde_json::from_str(text).unwrap();
    let models = [("nmt-nfkc", NMT_NFKC), ("rules", RULES), ("ties", TIES)];
    for (case, (name, bytes)) in fixture.cases.iter().zip(models) {
        assert_eq!(case.folder, name);
        let model = SentencePiece::read(bytes).unwrap();
        assert_eq!(model.len(), case.vocab_size);
        assert_eq!(case.texts.len(), case.ids.len());
        for (text, ids) in case.texts.iter().zip(&case.ids) {
            assert_eq!(&model.encode(text), ids, "{name}: {text:?}");
        }
    }
}

/// A field of a protocol buffer: bytes, or a whole number.
fn bytes(number: u8, value: &[u8]) -> Vec<u8> {
    [
        &[number << 3 | 2, u8::try_from(value.len()).unwrap()],
        value,
    ]
    .concat()
}

fn number(number: u8, value: u8) -> [u8; 2] {
    [number << 3, value]
}

fn piece(text: &str, kind: u8) -> Vec<u8> {
    bytes(
        1,
        &[bytes(1, text.as_bytes()), number(3, kind).to_vec()].concat(),
    )
}

#[test]
fn models_that_cannot_be_used_say_why() {
    let trainer = |field: u8, value: u8| bytes(2, &number(field, value));
    let unknown = piece("<unk>", 2);
    let refused = |parts: &[&[u8]]| SentencePiece::read(&parts.concat()).unwrap_err();
    let text = piece("a", 1);
    assert!(SentencePiece::read(&[&unknown[..], &text].concat()).is_ok());
    for (kind, name) in [(2, "BPE"), (3, "word"), (4, "character")] {
        let error = refused(&[&unknown, &text, &trainer(3, kind)]);
        assert_eq!(error, ModelError::NotUnigram { name });
    }
    assert_eq!(
        refused(&[&unknown, &text, &trainer(3, 9)]),
        ModelError::Algorithm { number: 9 }
    );
    assert_eq!(refused(&[&text]), ModelError::Unknowns);
    assert_eq!(refused(&[&unknown, &text, &unknown]), ModelError::Unknowns);
    assert_eq!(refused(&[&unknown]), ModelError::Empty);
    assert_eq!(refused(&[]), ModelError::Empty);
    assert_eq!(
        refused(&[&unknown, &piece("", 1)]),
        ModelError::Piece { id: 1 }
    );
    assert_eq!(
        refused(&[&unknown, &piece("a\0", 1)]),
        ModelError::Piece { id: 1 }
    );
    for broken in ["<0xA>", "<0x0a>", "<0x+A>", "a"] {
        assert_eq!(
            refused(&[&unknown, &piece(broken, 6)]),
            ModelError::Piece { id: 1 }
        );
    }
    // `byte_fallback`, whose number takes two bytes.
    let fallback = bytes(2, &[0x98, 0x02, 1]);
    let byte = piece("<0x0A>", 6);
    assert_eq!(
        refused(&[&unknown, &text, &byte, &fallback]),
        ModelError::Bytes
    );
    for map in [
        &[1_u8][..],
        &[4, 0, 0, 0],
        &[5, 0, 0, 0, 1, 2, 3, 4, 5, 0],
        &[4, 0, 0, 0, 1, 2, 3, 4, 5],
    ] {
        let error = refused(&[&unknown, &text, &bytes(3, &bytes(2, map))]);
        assert_eq!(error, ModelError::Charsmap, "{map:?}");
    }
    assert_eq!(refused(&[b"a text"]), ModelError::Field { byte: 0 });
    assert_eq!(
        refused(&[&unknown, b"\x0a\x7f"]),
        ModelError::Field {
            byte: unknown.len()
        }
    );
    // Inside a piece, the byte is the file's all the same.
    assert_eq!(
        refused(&[&unknown, &bytes(1, &[0x0a])]),
        ModelError::Field {
            byte: unknown.len() + 2
        }
    );
}

#[test]
fn a_file_that_ends_early_is_refused_or_has_fewer_pieces() {
    let whole = SentencePiece::read(TIES).unwrap().len();
    let mut refusals = 0;
    for end in 0..TIES.len() {
        match SentencePiece::read(&TIES[..end]) {
            Ok(model) => assert!(model.len() <= whole),
            Err(_) => refusals += 1,
        }
    }
    assert!(refusals > TIES.len() / 2);
}

fn damaged(model: &'static [u8]) -> impl Strategy<Value = Vec<u8>> {
    let changes = prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8);
    changes.prop_map(move |changes| {
        let mut bytes = model.to_vec();
        for (place, byte) in changes {
            bytes[place.index(model.len())] = byte;
        }
        bytes
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn any_text_has_tokens_that_the_model_knows(text in any::<String>()) {
        let model = SentencePiece::read(RULES).unwrap();
        prop_assert!(model.encode(&text).iter().all(|id| (*id as usize) < model.len()));
    }

    #[test]
    fn a_damaged_model_never_panics(bytes in prop_oneof![damaged(RULES), damaged(TIES)], text in "[ab <url>½日x\u{301}\u{0}\u{378}]{0,40}") {
        if let Ok(model) = SentencePiece::read(&bytes) {
            prop_assert!(model.encode(&text).iter().all(|id| (*id as usize) < model.len()));
        }
    }

    #[test]
    fn bytes_that_are_no_model_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = SentencePiece::read(&bytes);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn damaged_rules_never_panic(bytes in damaged(NMT_NFKC), text in any::<String>()) {
        if let Ok(model) = SentencePiece::read(&bytes) {
            model.encode(&text);
        }
    }
}
