//! A results tree as it is compared with another.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

/// What tells when and how fast a run ran, and what is drawn from it beside the page.
const OF_ITS_TIME: [&str; 4] = ["record.json", "summary.csv", "frontier.svg", "frontier.png"];
/// What does so even where the clocks of all records agree.
const MEASURED: [&str; 2] = ["measurements.csv", "run.log"];

/// The folder of the page.
const PAGE: &str = "report";

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
    compare(ours, theirs, |path| {
        path.starts_with(PAGE) || is_one_of(path, &OF_ITS_TIME)
    });
}

/// The same, with tables and page, once [`stop_clocks`] has been called on both and they have been drawn again.
pub fn assert_equal(ours: &Path, theirs: &Path) {
    compare(ours, theirs, |_| false);
}

fn is_one_of(path: &Path, names: &[&str]) -> bool {
    let name = path.file_name();
    names.iter().any(|one| name == Some(one.as_ref()))
}

fn compare(ours: &Path, theirs: &Path, but: impl Fn(&Path) -> bool) {
    let (ours, theirs) = (files(ours), files(theirs));
    assert_eq!(
        ours.keys().collect::<Vec<_>>(),
        theirs.keys().collect::<Vec<_>>()
    );
    for (name, content) in ours {
        let excepted = is_one_of(&name, &MEASURED) || but(&name);
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
