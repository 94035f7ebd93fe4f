//! `models.json`: which commits the revisions of hub models stand for in a results tree, so that a
//! branch that moves on changes no result by itself.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::store::{read_json, write_json};
use super::{RecordError, SCHEMA};

const FILE: &str = "models.json";

/// The content of `models.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelsFile {
    /// Version of the schema, which it shares with records.
    schema: u32,
    models: Vec<PinnedModel>,
}

/// What a revision of a model stands for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct PinnedModel {
    id: String,
    revision: String,
    commit: String,
}

impl Default for ModelsFile {
    fn default() -> Self {
        Self {
            schema: SCHEMA,
            models: Vec::new(),
        }
    }
}

impl ModelsFile {
    /// Reads the file of a results tree; empty where there is none.
    ///
    /// # Errors
    /// When it cannot be read, is no such file, or was written with a newer schema.
    pub fn read(results: &Path) -> Result<Self, RecordError> {
        Ok(read_json(&results.join(FILE))?.unwrap_or_default())
    }

    /// Writes the file of a results tree, atomically.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, results: &Path) -> Result<(), RecordError> {
        write_json(&results.join(FILE), self)
    }

    /// The commit that a revision of a model stands for here.
    #[must_use]
    pub fn commit(&self, id: &str, revision: &str) -> Option<&str> {
        let known = self.models.iter();
        let mut known = known.filter(|known| known.id == id && known.revision == revision);
        known.next().map(|known| known.commit.as_str())
    }

    /// Notes what a revision of a model stands for from now on; says whether that is new.
    pub fn pin(&mut self, id: &str, revision: &str, commit: &str) -> bool {
        if self.commit(id, revision) == Some(commit) {
            return false;
        }
        self.models
            .retain(|known| known.id != id || known.revision != revision);
        self.models.push(PinnedModel {
            id: id.to_owned(),
            revision: revision.to_owned(),
            commit: commit.to_owned(),
        });
        let key = |model: &PinnedModel| (model.id.clone(), model.revision.clone());
        self.models.sort_by_key(key);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_revision_stands_for_what_was_noted_last() {
        let results = tempfile::tempdir().unwrap();
        let mut file = ModelsFile::read(results.path()).unwrap();
        assert_eq!(file.commit("o/m", "main"), None);
        assert!(file.pin("o/m", "main", "aa") && file.pin("o/m", "v1", "bb"));
        assert!(file.pin("o/m", "main", "cc") && !file.pin("o/m", "main", "cc"));
        file.write(results.path()).unwrap();
        let read = ModelsFile::read(results.path()).unwrap();
        assert_eq!(read, file);
        assert_eq!(
            (read.commit("o/m", "main"), read.commit("o/m", "v1")),
            (Some("cc"), Some("bb"))
        );
    }
}
