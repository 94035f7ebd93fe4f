//! The answers of an unfinished run, a line each in its folder, so that an interrupted run goes on
//! from them.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::content::hex;
use crate::record::{ANSWERED_FILE, RecordError};

/// The answers that a run has so far, by what they answer.
#[derive(Debug)]
pub struct Kept {
    path: PathBuf,
    file: File,
    answers: HashMap<String, Value>,
}

/// A line: its content, and its sum, without which it may be half of one.
#[derive(Debug, Serialize, Deserialize)]
struct Line {
    sha256: String,
    key: String,
    answer: Value,
}

impl Kept {
    /// Reads what earlier sittings left in a run's folder. What is broken there is answered again.
    ///
    /// # Errors
    /// When the file cannot be read or written.
    pub fn open(folder: &Path) -> Result<Self, RecordError> {
        let path = folder.join(ANSWERED_FILE);
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == ErrorKind::NotFound => Vec::new(),
            Err(source) => return Err(RecordError::Read { path, source }),
        };
        let mut answers = HashMap::new();
        let mut whole = 0;
        for text in bytes.split_inclusive(|&byte| byte == b'\n') {
            let Some(line) = parsed(text) else {
                break;
            };
            whole += text.len() as u64;
            answers.insert(line.key, line.answer);
        }
        let open = || {
            let mut options = OpenOptions::new();
            let file = options.append(true).create(true).open(&path)?;
            file.set_len(whole)?;
            Ok(file)
        };
        match open() {
            Ok(file) => Ok(Self {
                path,
                file,
                answers,
            }),
            Err(source) => Err(RecordError::Write { path, source }),
        }
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.answers.len()
    }

    /// The answer under a key.
    #[must_use]
    pub fn find<T: DeserializeOwned>(&self, key: &str) -> Option<T> {
        T::deserialize(self.answers.get(key)?).ok()
    }

    /// Adds an answer, which is on disk from then on.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn add(&mut self, key: String, answer: &impl Serialize) -> Result<(), RecordError> {
        let write = || {
            let answer = serde_json::to_value(answer)?;
            let sha256 = sum(&key, &answer);
            let line = Line {
                sha256,
                key,
                answer,
            };
            let mut text = serde_json::to_vec(&line)?;
            text.push(b'\n');
            (&self.file).write_all(&text)?;
            Ok((line.key, line.answer))
        };
        match write() {
            Ok((key, answer)) => self.answers.insert(key, answer),
            Err(source) => {
                let path = self.path.clone();
                return Err(RecordError::Write { path, source });
            }
        };
        Ok(())
    }
}

fn sum(key: &str, answer: &Value) -> String {
    hex(&Sha256::digest(format!("{key}{answer}")))
}

fn parsed(text: &[u8]) -> Option<Line> {
    let line: Line = serde_json::from_slice(text.strip_suffix(b"\n")?).ok()?;
    (sum(&line.key, &line.answer) == line.sha256).then_some(line)
}

/// What an answer is known by: its prompt's tokens, its seed, and where it is cut.
#[must_use]
pub fn key(prompt: &[u32], seed: u64, max_new_tokens: usize) -> String {
    let mut sum = Sha256::new();
    sum.update(seed.to_le_bytes());
    sum.update((max_new_tokens as u64).to_le_bytes());
    for token in prompt {
        sum.update(token.to_le_bytes());
    }
    hex(&sum.finalize())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(folder: &Path) {
        let mut kept = Kept::open(folder).unwrap();
        for number in 0..3_u32 {
            let answer = (vec![number; 4], 0.1 + f64::from(number));
            kept.add(format!("k{number}"), &answer).unwrap();
        }
    }

    #[test]
    fn answers_are_there_again_when_the_run_goes_on() {
        let folder = tempfile::tempdir().unwrap();
        filled(folder.path());
        let kept = Kept::open(folder.path()).unwrap();
        assert_eq!(kept.count(), 3);
        assert_eq!(kept.find("k1"), Some((vec![1_u32; 4], 1.1_f64)));
        assert_eq!(kept.find::<Value>("k9"), None);
    }

    #[test]
    fn half_a_line_and_a_damaged_one_are_answered_again() {
        let folder = tempfile::tempdir().unwrap();
        filled(folder.path());
        let path = folder.path().join(ANSWERED_FILE);
        let whole = std::fs::read(&path).unwrap();
        for length in 0..whole.len() {
            std::fs::write(&path, &whole[..length]).unwrap();
            let lines = whole[..length].iter().filter(|&&byte| byte == b'\n');
            let lines = lines.count();
            let mut kept = Kept::open(folder.path()).unwrap();
            assert_eq!(kept.count(), lines, "{length}");
            kept.add("new".to_owned(), &5).unwrap();
            assert_eq!(Kept::open(folder.path()).unwrap().count(), lines + 1);
        }
        for place in 0..whole.len() {
            let mut damaged = whole.clone();
            damaged[place] ^= 1;
            std::fs::write(&path, damaged).unwrap();
            let kept = Kept::open(folder.path()).unwrap();
            assert!(kept.count() < 3, "{place}");
        }
    }
}
