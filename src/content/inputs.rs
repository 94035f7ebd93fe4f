//! sha256 of inputs, cached by path, size, inode and times so that large checkpoints are read once.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use walkdir::WalkDir;

use super::mark::Mark;
use super::{hex, is_text};
use crate::record::{RecordError, write_atomically};

/// A file changed this recently may change again within the same tick of the file system's clock,
/// so its hash is not kept.
const SETTLED: Duration = Duration::from_secs(2);

/// An input could not be hashed.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say what is what")]
pub enum ContentError {
    #[error("cannot read {}: {source}", path.display())]
    Read {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error("{} has none of a model's files (config.json, a tokeniser, weights)", path.display())]
    Empty { path: PathBuf },
}

/// Hashes of inputs. Each is worked out once, here or in an earlier plan.
#[derive(Debug, Default)]
pub struct Contents {
    cache: PathBuf,
    known: BTreeMap<String, Entry>,
    /// What is not to be kept, but holds for this plan: all of its runs must see the same content.
    unsettled: BTreeMap<String, Entry>,
    changed: bool,
    settled: Duration,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Entry {
    #[serde(flatten)]
    mark: Mark,
    sha256: String,
}

/// Which files of a model folder count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Files {
    /// Configuration, tokeniser and weights.
    All,
    /// All but the weights, for a model with random ones.
    WithoutWeights,
}

impl Contents {
    /// Opens the cache of a results tree. One that is missing or broken is empty: it is only a
    /// shortcut.
    #[must_use]
    pub fn open(results: &Path) -> Self {
        let cache = cache(results);
        let known = fs::read(&cache)
            .ok()
            .and_then(|text| serde_json::from_slice(&text).ok())
            .unwrap_or_default();
        Self {
            cache,
            known,
            unsettled: BTreeMap::new(),
            changed: false,
            settled: SETTLED,
        }
    }

    /// Forgets what is cached in a results tree, so that every input is read again.
    ///
    /// # Errors
    /// When the cache is there and cannot be removed.
    pub fn forget(results: &Path) -> Result<(), RecordError> {
        let path = cache(results);
        match fs::remove_file(&path) {
            Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
                Err(RecordError::Write { path, source })
            }
            _ => Ok(()),
        }
    }

    /// Writes what was learnt.
    ///
    /// # Errors
    /// When the cache cannot be written.
    pub fn save(&mut self) -> Result<(), RecordError> {
        if self.changed {
            let text = serde_json::to_vec(&self.known).unwrap_or_default();
            write_atomically(&self.cache, &text)?;
            self.changed = false;
        }
        Ok(())
    }

    /// sha256 of a file, or of the model in a folder, in hexadecimal digits.
    ///
    /// # Errors
    /// When something cannot be read, or the folder holds no model.
    pub fn hash(&mut self, path: &Path) -> Result<String, ContentError> {
        if path.is_dir() {
            self.folder(path, Files::All)
        } else {
            self.file(path)
        }
    }

    /// sha256 of a text file, or of the names and contents of a folder's text files.
    ///
    /// # Errors
    /// When the file or the folder cannot be read.
    pub fn document(&mut self, path: &Path) -> Result<String, ContentError> {
        if !path.is_dir() {
            return self.file(path);
        }
        let mut sum = Sha256::new();
        let hidden = |name: &std::ffi::OsStr| name.to_string_lossy().starts_with('.');
        let walk = WalkDir::new(path).sort_by_file_name().into_iter();
        for entry in walk.filter_entry(|entry| entry.depth() == 0 || !hidden(entry.file_name())) {
            let entry = match entry {
                Ok(entry) => entry,
                Err(error) if error.depth() > 0 => continue,
                Err(error) => {
                    return Err(ContentError::Read {
                        path: error.path().unwrap_or(path).to_owned(),
                        source: error.into(),
                    });
                }
            };
            if entry.path().is_file() && is_text(entry.path()) {
                let name = entry.path().strip_prefix(path).unwrap_or(entry.path());
                sum.update(name.to_string_lossy().as_bytes());
                sum.update([0]);
                // What cannot be read is left out of the document, but may be readable one day.
                let content = self.file(entry.path()).unwrap_or_default();
                sum.update(content.as_bytes());
                sum.update([0]);
            }
        }
        Ok(hex(&sum.finalize()))
    }

    /// sha256 of the names and contents of a model folder's files. Papers about the model, pictures
    /// and other formats of the same weights do not count.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn folder(&mut self, folder: &Path, files: Files) -> Result<String, ContentError> {
        let mut names = Vec::new();
        for entry in WalkDir::new(folder)
            .min_depth(1)
            .max_depth(2)
            .sort_by_file_name()
        {
            let entry = entry.map_err(|error| ContentError::Read {
                path: error.path().unwrap_or(folder).to_owned(),
                source: error.into(),
            })?;
            let name = entry
                .path()
                .strip_prefix(folder)
                .unwrap_or(entry.path())
                .to_owned();
            // A hub cache holds links; what they point to counts.
            if entry.path().is_file() {
                names.push(name);
            }
        }
        let has_at_top = |extension| {
            names
                .iter()
                .any(|name| name.parent() == Some(Path::new("")) && is(name, &[extension]))
        };
        let weights: &[&str] = match files {
            Files::WithoutWeights => &[],
            Files::All if has_at_top("safetensors") => &["safetensors"],
            Files::All => &["bin"],
        };
        let mut sum = Sha256::new();
        let mut empty = true;
        for name in &names {
            let described = is(name, &["json", "txt", "model", "jinja"]);
            // Sentence-transformers keep further configurations in subfolders, and the weights of a
            // dense layer; other weights below the top are of other formats.
            let parent = name.parent().unwrap_or(Path::new(""));
            let is_dense = parent.to_string_lossy().ends_with("_Dense");
            let is_weights = is(name, weights) && (parent == Path::new("") || is_dense);
            if described || is_weights {
                empty = false;
                sum.update(name.to_string_lossy().as_bytes());
                sum.update([0]);
                sum.update(self.file(&folder.join(name))?.as_bytes());
                sum.update([0]);
            }
        }
        if empty {
            return Err(ContentError::Empty {
                path: folder.to_owned(),
            });
        }
        Ok(hex(&sum.finalize()))
    }

    /// sha256 of a file.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn file(&mut self, path: &Path) -> Result<String, ContentError> {
        let failed = |source| ContentError::Read {
            path: path.to_owned(),
            source,
        };
        // A pipe would be waited for without an end.
        if !fs::metadata(path).map_err(failed)?.is_file() {
            return Err(failed(std::io::Error::other("it is not a file")));
        }
        let mut file = File::open(path).map_err(failed)?;
        let metadata = file.metadata().map_err(failed)?;
        let key = fs::canonicalize(path)
            .map_err(failed)?
            .to_string_lossy()
            .into_owned();
        let mark = Mark::of(&metadata);
        let known = self.unsettled.get(&key).or_else(|| self.known.get(&key));
        if let Some(entry) = known
            && entry.mark == mark
        {
            return Ok(entry.sha256.clone());
        }
        let sha256 = sum(&mut file).map_err(failed)?;
        let settled = mark.age().is_some_and(|age| age > self.settled);
        let entry = Entry {
            mark,
            sha256: sha256.clone(),
        };
        if settled {
            self.unsettled.remove(&key);
            self.known.insert(key, entry);
            self.changed = true;
        } else {
            self.unsettled.insert(key, entry);
        }
        Ok(sha256)
    }
}

/// sha256 of a file's content, in hexadecimal digits, read anew whatever is known of it.
///
/// # Errors
/// When the file cannot be read.
pub fn sha256(path: &Path) -> std::io::Result<String> {
    sum(&mut File::open(path)?)
}

fn sum(file: &mut File) -> std::io::Result<String> {
    let mut sum = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    loop {
        let count = file.read(&mut buffer)?;
        if count == 0 {
            return Ok(hex(&sum.finalize()));
        }
        sum.update(&buffer[..count]);
    }
}

fn is(name: &Path, extensions: &[&str]) -> bool {
    name.extension()
        .is_some_and(|extension| extensions.iter().any(|wanted| extension == *wanted))
}

/// Where the hashes of a results tree are kept.
fn cache(results: &Path) -> PathBuf {
    results.join(".cache").join("content.json")
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;

    fn set_old(path: &Path) {
        let file = File::options().write(true).open(path).unwrap();
        let long_ago = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        file.set_modified(long_ago).unwrap();
    }

    fn write_old(path: &Path, text: &str) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
        set_old(path);
    }

    /// A cache that keeps what changed a moment ago, too.
    fn open(results: &Path) -> Contents {
        Contents {
            settled: Duration::ZERO,
            ..Contents::open(results)
        }
    }

    #[test]
    fn a_file_hash_is_its_sha256() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("x.csv");
        fs::write(&path, "abc").unwrap();
        let hash = Contents::open(root.path()).hash(&path).unwrap();
        assert_eq!(
            hash,
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }

    #[test]
    fn hashes_are_kept_between_plans_and_follow_changes() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("x.csv");
        write_old(&path, "abc");
        let mut contents = open(root.path());
        let first = contents.hash(&path).unwrap();
        contents.save().unwrap();

        let mut again = open(root.path());
        assert_eq!(again.known.len(), 1);
        assert_eq!(again.hash(&path).unwrap(), first);
        fs::write(&path, "abcd").unwrap();
        assert_ne!(again.hash(&path).unwrap(), first);
    }

    #[test]
    fn a_change_that_keeps_size_and_time_is_noticed() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("x.csv");
        write_old(&path, "abc");
        let mut contents = open(root.path());
        let first = contents.hash(&path).unwrap();
        // In place, as an editor of bytes does it, and as another file in its place.
        write_old(&path, "abd");
        let second = contents.hash(&path).unwrap();
        assert_ne!(first, second);
        let other = root.path().join("other");
        write_old(&other, "abe");
        fs::rename(&other, &path).unwrap();
        set_old(&path);
        assert_ne!(contents.hash(&path).unwrap(), second);
    }

    #[test]
    fn what_is_forgotten_is_read_again() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("x.csv");
        write_old(&path, "abc");
        let mut contents = open(root.path());
        contents.hash(&path).unwrap();
        contents.save().unwrap();
        assert_eq!(open(root.path()).known.len(), 1);
        Contents::forget(root.path()).unwrap();
        assert!(open(root.path()).known.is_empty());
        Contents::forget(root.path()).unwrap();
    }

    #[test]
    fn a_file_changed_just_now_is_not_trusted_to_stay() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("x.csv");
        fs::write(&path, "abc").unwrap();
        let mut contents = Contents::open(root.path());
        contents.hash(&path).unwrap();
        assert!(contents.known.is_empty());
    }

    #[test]
    fn a_broken_cache_is_ignored() {
        let root = tempfile::tempdir().unwrap();
        let cache = root.path().join(".cache/content.json");
        write_old(&cache, "{ nonsense");
        let path = root.path().join("x.csv");
        write_old(&path, "abc");
        let mut contents = open(root.path());
        assert!(contents.hash(&path).unwrap().starts_with("ba7816bf"));
        contents.save().unwrap();
        assert_eq!(open(root.path()).known.len(), 1);
    }

    #[test]
    fn a_model_folder_is_its_configuration_tokeniser_and_weights() {
        let root = tempfile::tempdir().unwrap();
        let model = root.path().join("model");
        for name in [
            "config.json",
            "tokenizer.json",
            "model.safetensors",
            "pytorch_model.bin",
            "README.md",
            "1_Pooling/config.json",
        ] {
            write_old(&model.join(name), name);
        }
        let mut contents = Contents::open(root.path());
        let all = contents.folder(&model, Files::All).unwrap();
        let bare = contents.folder(&model, Files::WithoutWeights).unwrap();
        assert_ne!(all, bare);

        fs::write(model.join("README.md"), "other").unwrap();
        fs::write(model.join("pytorch_model.bin"), "other").unwrap();
        assert_eq!(contents.folder(&model, Files::All).unwrap(), all);

        fs::write(model.join("model.safetensors"), "other").unwrap();
        assert_ne!(contents.folder(&model, Files::All).unwrap(), all);
        assert_eq!(
            contents.folder(&model, Files::WithoutWeights).unwrap(),
            bare
        );

        fs::write(model.join("1_Pooling/config.json"), "other").unwrap();
        assert_ne!(
            contents.folder(&model, Files::WithoutWeights).unwrap(),
            bare
        );
    }

    #[test]
    fn a_folder_of_documents_is_its_texts_and_their_names() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("manual");
        for name in ["a.txt", "b/c.md", ".hidden.txt", "d.pdf"] {
            write_old(&folder.join(name), name);
        }
        let mut contents = Contents::open(root.path());
        let before = contents.document(&folder).unwrap();
        fs::write(folder.join("d.pdf"), "other").unwrap();
        fs::write(folder.join(".hidden.txt"), "other").unwrap();
        assert_eq!(contents.document(&folder).unwrap(), before);
        fs::write(folder.join("b/c.md"), "other").unwrap();
        assert_ne!(contents.document(&folder).unwrap(), before);
    }

    #[test]
    fn what_is_not_there_is_named() {
        let root = tempfile::tempdir().unwrap();
        let mut contents = Contents::open(root.path());
        let error = contents
            .hash(&root.path().join("nowhere.csv"))
            .unwrap_err()
            .to_string();
        assert!(error.contains("nowhere.csv"), "{error}");
        let error = contents.hash(root.path()).unwrap_err().to_string();
        assert!(error.contains("config.json"), "{error}");
    }
}
