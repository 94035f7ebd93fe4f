//! The standard cache of the hub, on disk as Python's client has it, so that each reuses the
//! other's files:
//!
//! ```text
//! models--org--name/refs/<revision>             the commit it stood for
//! models--org--name/blobs/<hash>                contents
//! models--org--name/snapshots/<commit>/<path>   links to them
//! models--org--name/.no_exist/<commit>/<path>   names that the commit is known not to have
//! .locks/models--org--name/<hash>.lock
//! ```
//!
//! Names and places are those of the `hf-hub` crate; writing is done here, because that crate's is
//! not atomic.

use std::fs;
use std::io::{self, ErrorKind, Write};
use std::path::{Component, Path, PathBuf};

use hf_hub::{Cache, CacheRepo, Repo, RepoType};

use super::disk::{At, DiskFault, flush_folder};

/// What the cache knows of a file of a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Presence {
    /// It is here.
    Here(PathBuf),
    /// The commit has no such file.
    Missing,
    /// Nobody asked yet.
    Unknown,
}

/// One repository's part of the cache.
#[derive(Debug)]
pub(crate) struct RepositoryCache {
    root: PathBuf,
    name: String,
    places: CacheRepo,
    links: bool,
}

impl RepositoryCache {
    pub(crate) fn new(root: &Path, id: &str, revision: &str, links: bool) -> Self {
        let repository = || Repo::with_revision(id.into(), RepoType::Model, revision.into());
        Self {
            root: root.to_owned(),
            name: repository().folder_name(),
            places: Cache::new(root.to_owned()).repo(repository()),
            links,
        }
    }

    /// The repository's folder.
    pub(crate) fn folder(&self) -> PathBuf {
        self.root.join(&self.name)
    }

    /// Tells programs that make backups that the folder can be had again, as Python does.
    pub(crate) fn tag(&self) -> Result<(), DiskFault> {
        const TAG: &str = "Signature: 8a477f597d28d172789f06886806bc55\n# This file is a cache directory tag created by huggingface_hub.\n# For information about cache directory tags, see:\n#\thttps://bford.info/cachedir/\n";
        let path = self.root.join("CACHEDIR.TAG");
        if path.exists() {
            return Ok(());
        }
        write_whole(&path, TAG.as_bytes())
    }

    /// The folder with a commit's files.
    pub(crate) fn snapshot(&self, commit: &str) -> PathBuf {
        self.places.pointer_path(commit)
    }

    pub(crate) fn blob(&self, hash: &str) -> PathBuf {
        self.folder().join("blobs").join(hash)
    }

    /// Where a blob collects. One name for all attempts, so that any process can go on with it
    /// under the lock.
    pub(crate) fn part(&self, hash: &str) -> PathBuf {
        self.folder()
            .join("blobs")
            .join(format!("{hash}.incomplete"))
    }

    pub(crate) fn lock(&self, hash: &str) -> PathBuf {
        let folder = self.root.join(".locks").join(&self.name);
        folder.join(format!("{hash}.lock"))
    }

    /// The commit that the revision stood for when it was last asked.
    pub(crate) fn commit(&self, revision: &str) -> Option<String> {
        let path = self.folder().join("refs").join(revision);
        let commit = fs::read_to_string(path).ok()?.trim().to_owned();
        is_commit(&commit).then_some(commit)
    }

    /// Notes the commit of a revision.
    pub(crate) fn set_commit(&self, revision: &str, commit: &str) -> Result<(), DiskFault> {
        if revision == commit || self.commit(revision).as_deref() == Some(commit) {
            return Ok(());
        }
        let path = self.folder().join("refs").join(revision);
        write_whole(&path, commit.as_bytes())
    }

    /// What is known of a file.
    pub(crate) fn presence(&self, commit: &str, file: &str) -> Presence {
        let path = self.snapshot(commit).join(file);
        if path.is_file() && self.is_inside(&path) {
            return Presence::Here(path);
        }
        if self.no_exist(commit, file).exists() {
            return Presence::Missing;
        }
        Presence::Unknown
    }

    /// Notes that a commit has no such file.
    pub(crate) fn set_missing(&self, commit: &str, file: &str) -> Result<(), DiskFault> {
        let path = self.no_exist(commit, file);
        if path.exists() {
            return Ok(());
        }
        write_whole(&path, b"")
    }

    fn no_exist(&self, commit: &str, file: &str) -> PathBuf {
        self.folder().join(".no_exist").join(commit).join(file)
    }

    /// Whether a path, its links followed, is in the repository's folder. Blobs may lie on another
    /// disk behind a link that the user set.
    fn is_inside(&self, path: &Path) -> bool {
        let Ok(real) = path.canonicalize() else {
            return false;
        };
        [self.folder().join("blobs"), self.folder().join("snapshots")]
            .iter()
            .filter_map(|folder| folder.canonicalize().ok())
            .any(|folder| real.starts_with(folder))
    }

    /// Puts a finished part under its final name.
    pub(crate) fn keep(&self, hash: &str) -> Result<(), DiskFault> {
        let (part, blob) = (self.part(hash), self.blob(hash));
        fs::rename(&part, &blob).at(&part)?;
        flush_folder(&self.folder().join("blobs"));
        Ok(())
    }

    /// Makes a commit's file out of a blob. Refuses to write where links lead out of the cache.
    pub(crate) fn link(&self, commit: &str, file: &str, hash: &str) -> Result<(), LinkFault> {
        let snapshot = self.snapshot(commit);
        let path = snapshot.join(file);
        let folder = path.parent().unwrap_or(&snapshot).to_owned();
        fs::create_dir_all(&folder).at(&folder)?;
        if !self.is_inside(&folder) {
            return Err(LinkFault::Leaves(folder));
        }
        if self.links {
            let up = "../".repeat(file.split('/').count() + 1);
            let target = PathBuf::from(format!("{up}blobs/{hash}"));
            if fs::read_link(&path).is_ok_and(|found| found == target) {
                return Ok(());
            }
            // Making a link is one step; only where something else stands, it has to be replaced in
            // one.
            let made = match symlink(&target, &path) {
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                    replace_by(&path, |temporary| symlink(&target, temporary))
                }
                made => made.at(&path),
            };
            match made {
                Err(DiskFault::Other { source, .. }) if source.kind() == ErrorKind::Unsupported => {
                }
                linked => return Ok(linked?),
            }
        }
        let blob = self.blob(hash);
        Ok(replace_by(&path, |temporary| {
            fs::copy(&blob, temporary).map(drop)
        })?)
    }
}

/// A file of a snapshot could not be made.
#[derive(Debug)]
pub(crate) enum LinkFault {
    Disk(DiskFault),
    Leaves(PathBuf),
}

impl From<DiskFault> for LinkFault {
    fn from(fault: DiskFault) -> Self {
        Self::Disk(fault)
    }
}

#[cfg(unix)]
fn symlink(target: &Path, path: &Path) -> io::Result<()> {
    match std::os::unix::fs::symlink(target, path) {
        // What file systems without links answer.
        Err(error) if error.kind() == ErrorKind::PermissionDenied => {
            Err(ErrorKind::Unsupported.into())
        }
        made => made,
    }
}

#[cfg(not(unix))]
fn symlink(_: &Path, _: &Path) -> io::Result<()> {
    Err(ErrorKind::Unsupported.into())
}

/// Makes something beside `path` and renames it over it, so that readers find the old or the new.
fn replace_by(path: &Path, make: impl Fn(&Path) -> io::Result<()>) -> Result<(), DiskFault> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let temporary = path.with_file_name(format!(".{name}.{}.part", std::process::id()));
    let replaced = make(&temporary).and_then(|()| fs::rename(&temporary, path));
    if replaced.is_err() {
        let _ = fs::remove_file(&temporary);
    }
    replaced.at(path)
}

/// Writes a small file so that readers find all of it or nothing.
pub(crate) fn write_whole(path: &Path, content: &[u8]) -> Result<(), DiskFault> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder).at(folder)?;
    let write = || -> io::Result<()> {
        let mut file = tempfile::Builder::new();
        // Private by default; a cache follows the user's umask.
        #[cfg(unix)]
        file.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
        let mut file = file.tempfile_in(folder)?;
        file.as_file_mut().write_all(content)?;
        file.as_file().sync_all()?;
        file.persist(path)?;
        Ok(())
    };
    write().at(path)?;
    flush_folder(folder);
    Ok(())
}

/// Whether a revision is itself a commit.
pub(crate) fn is_commit(revision: &str) -> bool {
    revision.len() == 40 && revision.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Whether a name stays below the folder that it is joined to, on every system.
pub(crate) fn is_below(name: &str) -> bool {
    !name.is_empty()
        && !name.contains(['\\', '\0', ':'])
        && name.split('/').all(|part| !part.is_empty() && part != ".")
        && Path::new(name)
            .components()
            .all(|component| matches!(component, Component::Normal(_)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_lead_elsewhere_are_noticed() {
        for name in ["config.json", "1_Pooling/config.json", "a..b/c"] {
            assert!(is_below(name), "{name}");
        }
        for name in [
            "", "/x", "../x", "a/../x", "a//b", "./a", "a\\b", "c:x", "a/", "..", "a\0",
        ] {
            assert!(!is_below(name), "{name}");
        }
    }

    #[test]
    fn a_commit_is_forty_digits() {
        assert!(is_commit(&"a0".repeat(20)));
        assert!(!is_commit("main") && !is_commit(&"g".repeat(40)) && !is_commit(&"a".repeat(39)));
    }
}
