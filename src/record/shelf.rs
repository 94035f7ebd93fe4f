//! The results of a tree, read once: by the folder in which they stand, and the finished ones by
//! their identity, wherever they stand and whatever they are called.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::layout::WORK;
use super::{RunRecord, Status, kept_folder, read, read_all};

/// The results of a tree.
#[derive(Debug, Default)]
pub struct Shelf {
    results: Vec<Shelved>,
    by_folder: HashMap<PathBuf, usize>,
    by_identity: HashMap<String, usize>,
}

/// A result, finished or not.
#[derive(Debug)]
pub struct Shelved {
    /// Where it stands.
    pub folder: PathBuf,
    /// Its record.
    pub record: RunRecord,
    /// What became of its files, if it is complete and some are lost.
    pub damage: Option<String>,
}

impl Shelved {
    /// Whether it is a result to go by: complete, and all there.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.record.status == Status::Complete && self.damage.is_none()
    }
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
        let index = self.results.len();
        let complete = record.status == Status::Complete;
        let result = Shelved {
            damage: complete.then(|| record.damage(&folder)).flatten(),
            folder,
            record,
        };
        if result.is_finished() {
            let identity = result.record.identity.clone();
            self.by_identity.entry(identity).or_insert(index);
        }
        self.by_folder.insert(result.folder.clone(), index);
        self.results.push(result);
    }

    /// The finished result of an identity, with its folder.
    #[must_use]
    pub fn find(&self, identity: &str) -> Option<(&Path, &RunRecord)> {
        let found = self.results.get(*self.by_identity.get(identity)?)?;
        Some((&found.folder, &found.record))
    }

    /// What stands in a folder, where that could be read.
    #[must_use]
    pub fn at(&self, folder: &Path) -> Option<&Shelved> {
        self.results.get(*self.by_folder.get(folder)?)
    }

    /// All finished ones.
    pub fn records(&self) -> impl Iterator<Item = &RunRecord> {
        let finished = self.results.iter().filter(|result| result.is_finished());
        finished.map(|result| &result.record)
    }
}
