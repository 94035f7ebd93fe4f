//! What a file must hash to.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use sha1::Sha1;
use sha2::{Digest, Sha256};

/// An announced hash: of large files the hub gives the SHA-256, of others git's hash of the
/// content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Sum {
    /// SHA-256 of the bytes.
    Sha256(String),
    /// SHA-1 of `blob <length>`, a zero byte and the bytes.
    Git(String),
}

impl Sum {
    /// The hash that a blob's name is: its length says which.
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        let is_hex = name
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        match name.len() {
            64 if is_hex => Some(Self::Sha256(name.to_owned())),
            40 if is_hex => Some(Self::Git(name.to_owned())),
            _ => None,
        }
    }

    pub(crate) fn text(&self) -> &str {
        match self {
            Self::Sha256(text) | Self::Git(text) => text,
        }
    }

    /// What the file hashes to, by the same method.
    pub(crate) fn of(&self, path: &Path) -> io::Result<String> {
        match self {
            Self::Sha256(_) => sha256(path),
            Self::Git(_) => {
                let length = path.metadata()?.len();
                let mut hash = Sha1::new();
                hash.update(format!("blob {length}\0"));
                digest(path, hash)
            }
        }
    }
}

impl Sum {
    /// Whether bytes in memory have it.
    pub(crate) fn is_of(&self, content: &[u8]) -> bool {
        match self {
            Self::Sha256(text) => hex(&Sha256::digest(content)) == *text,
            Self::Git(text) => {
                let mut hash = Sha1::new();
                hash.update(format!("blob {}\0", content.len()));
                hash.update(content);
                hex(&hash.finalize()) == *text
            }
        }
    }
}

/// SHA-256 of a file.
pub(crate) fn sha256(path: &Path) -> io::Result<String> {
    digest(path, Sha256::new())
}

fn digest<D: Digest>(path: &Path, mut hash: D) -> io::Result<String> {
    let mut file = File::open(path)?;
    let mut buffer = vec![0; 256 * 1024];
    loop {
        match file.read(&mut buffer)? {
            0 => break,
            read => hash.update(&buffer[..read]),
        }
    }
    Ok(hex(&hash.finalize()))
}

/// Lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_those_of_git_and_sha256sum() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        std::fs::write(&path, "hello\n").unwrap();
        // `git hash-object` and `sha256sum`.
        let git = "ce013625030ba8dba906f756967f9e9ca394464a";
        let sha = "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03";
        for name in [git, sha] {
            let sum = Sum::from_name(name).unwrap();
            assert_eq!(sum.of(&path).unwrap(), name);
            assert!(sum.is_of(b"hello\n") && !sum.is_of(b"hello"));
        }
        assert_eq!(Sum::from_name("abc"), None);
        assert_eq!(Sum::from_name(&"G".repeat(64)), None);
    }
}
