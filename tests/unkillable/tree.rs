//! A results tree as it is compared with another.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

/// What tells when and how fast a run ran, and what is drawn from it.
const OF_ITS_TIME: [&str; 5] = [
    "record.json",
    "measurements.csv",
    "run.log",
    "summary.csv",
    "index.html",
];
/// Of these, what stays so once the clocks of all records agree.
const MEASURED: [&str; 2] = ["measurements.csv", "run.log"];

/// All files of a results tree but those in ensayo's own folders: caches, work and what is kept.
pub fn files(results: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    for entry in walkdir::WalkDir::new(results) {
        let entry = entry.unwrap();
        let name = entry.path().strip_prefix(results).unwrap();
        let own = name.to_string_lossy().starts_with('.');
        if entry.file_type().is_file() && !own {
            files.insert(name.to_owned(), fs::read(entry.path()).unwrap());
        }
    }
    files
}

/// Fails unless two trees have the same files, equal but for what is measured.
pub fn assert_alike(ours: &Path, theirs: &Path) {
    compare(ours, theirs, &OF_ITS_TIME);
}

/// The same, with tables and page, once [`stop_clocks`] has been called on both and they have been drawn again.
pub fn assert_equal(ours: &Path, theirs: &Path) {
    compare(ours, theirs, &MEASURED);
}

fn compare(ours: &Path, theirs: &Path, but: &[&str]) {
    let (ours, theirs) = (files(ours), files(theirs));
    assert_eq!(
        ours.keys().collect::<Vec<_>>(),
        theirs.keys().collect::<Vec<_>>()
    );
    for (name, content) in ours {
        let excepted = but
            .iter()
            .any(|other| name.file_name() == Some(other.as_ref()));
        assert!(excepted || content == theirs[&name], "{}", name.display());
    }
}

/// Sets the clocks of all records to the same, and nothing else.
pub fn stop_clocks(results: &Path) {
    for (name, content) in files(results) {
        if name.file_name() == Some("record.json".as_ref()) {
            let mut record: Value = serde_json::from_slice(&content).unwrap();
            record["started"] = "2026-01-01T00:00:00Z".into();
            record["wall_seconds"] = 1.0.into();
            record["sittings"] = Value::Array(Vec::new());
            record["measurements"] = Value::Array(Vec::new());
            fs::write(
                results.join(name),
                serde_json::to_vec_pretty(&record).unwrap(),
            )
            .unwrap();
        }
    }
}
