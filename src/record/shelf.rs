//! Every finished result of a tree by its identity, wherever it stands and whatever it is called.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::layout::WORK;
use super::{RunRecord, Status, kept_folder, read, read_all};

/// The finished results of a tree.
#[derive(Debug, Default)]
pub struct Shelf {
    results: Vec<(PathBuf, RunRecord)>,
    by_identity: HashMap<String, usize>,
}

impl Shelf {
    /// Reads all records: of the named places first, then those that are kept, then those that a
    /// killed process was about to move.
    #[must_use]
    pub fn read(results: &Path) -> Self {
        let mut shelf = Self::default();
        for (folder, record) in read_all(results) {
            if let Ok(record) = record {
                shelf.add(folder, record);
            }
        }
        for folder in [kept_folder(results), results.join(WORK)] {
            for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
                if let Ok(Some(record)) = read(&entry.path()) {
                    shelf.add(entry.path(), record);
                }
            }
        }
        shelf
    }

    fn add(&mut self, folder: PathBuf, record: RunRecord) {
        if record.status == Status::Complete {
            let index = self.results.len();
            self.by_identity
                .entry(record.identity.clone())
                .or_insert(index);
            self.results.push((folder, record));
        }
    }

    /// The finished result of an identity, with its folder.
    #[must_use]
    pub fn find(&self, identity: &str) -> Option<(&Path, &RunRecord)> {
        let (folder, record) = self.results.get(*self.by_identity.get(identity)?)?;
        Some((folder, record))
    }

    /// All of them.
    pub fn records(&self) -> impl Iterator<Item = &RunRecord> {
        self.results.iter().map(|(_, record)| record)
    }
}
