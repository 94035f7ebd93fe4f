//! Tests of `token_cache`.

use super::*;

/// What a cache says whose tokeniser counts letters.
fn tokens(results: &Path, max_length: usize, texts: &[&str]) -> Vec<Vec<u32>> {
    let model = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/quickstart-encoder");
    let cache = TokenCache::new(results, &model, max_length, 1_000_000);
    let letters = |texts: &[&str]| {
        let of_text = |text: &&str| text.bytes().map(u32::from).take(max_length).collect();
        Ok::<_, ()>(texts.iter().map(of_text).collect())
    };
    cache.encode(texts, letters).unwrap()
}

fn entries(results: &Path) -> Vec<PathBuf> {
    let folder = fs::read_dir(results.join(".cache/tokens")).unwrap();
    folder.map(|entry| entry.unwrap().path()).collect()
}

#[test]
fn an_entry_is_used_and_a_damaged_one_is_made_again() {
    let results = tempfile::tempdir().unwrap();
    let texts = ["a game", "", "a much longer review of a game"];
    let made = tokens(results.path(), 16, &texts);
    let path = entries(results.path()).remove(0);
    let whole = fs::read(&path).unwrap();

    // What is read is the entry, not the tokeniser's work.
    let mut other = made.clone();
    other[0][1] += 1;
    fs::write(&path, encode(&other)).unwrap();
    assert_eq!(tokens(results.path(), 16, &texts), other);

    for damaged in [&whole[..whole.len() - 1], &[], &[0; 64], &whole[..40]] {
        fs::write(&path, damaged).unwrap();
        assert_eq!(tokens(results.path(), 16, &texts), made);
        assert_eq!(fs::read(&path).unwrap(), whole);
    }
}

#[test]
fn texts_and_length_each_make_an_entry_of_their_own() {
    let results = tempfile::tempdir().unwrap();
    for (length, texts) in [(16, ["ab", "c"]), (16, ["a", "bc"]), (8, ["ab", "c"])] {
        tokens(results.path(), length, &texts);
    }
    assert_eq!(entries(results.path()).len(), 3);
}

#[test]
fn a_folder_that_cannot_be_written_stops_nothing() {
    let results = tempfile::tempdir().unwrap();
    fs::write(results.path().join(".cache"), "a file").unwrap();
    assert_eq!(tokens(results.path(), 16, &["a game"]).len(), 1);
}
