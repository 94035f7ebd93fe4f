//! One include folder out of the several that CUDA's wheels have: cubecl takes one.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::ToolkitError;

/// The wheels' folders below `nvidia` whose headers kernels include.
const PACKAGES: [&str; 4] = ["cuda_runtime", "cuda_nvcc", "cuda_cccl", "cuda_nvrtc"];

/// A folder below `cache` whose `include/` has links to all headers of the wheels in `packages`,
/// made unless it is there.
pub(super) fn merged(packages: &Path, cache: &Path) -> Result<PathBuf, ToolkitError> {
    let sources: Vec<PathBuf> = PACKAGES
        .iter()
        .map(|package| packages.join(package).join("include"))
        .filter(|folder| folder.is_dir())
        .collect();
    let folder = cache.join(key(packages, &sources));
    // Links lead nowhere once an environment is gone.
    if folder.join("include").join("cuda_runtime.h").exists() {
        return Ok(folder);
    }
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| ToolkitError::Merge { path, source }
    };
    fs::create_dir_all(cache).map_err(failed(cache))?;
    let scratch = tempfile::tempdir_in(cache).map_err(failed(cache))?;
    for source in &sources {
        link_all(source, &scratch.path().join("include")).map_err(failed(source))?;
    }
    if folder.exists() {
        fs::remove_dir_all(&folder).map_err(failed(&folder))?;
    }
    match fs::rename(scratch.path(), &folder) {
        // Another process was faster.
        Err(_) if folder.join("include").is_dir() => {}
        renamed => renamed.map_err(failed(&folder))?,
    }
    Ok(folder)
}

/// Changes with the wheels' place and versions.
fn key(packages: &Path, sources: &[PathBuf]) -> String {
    let mut versions: Vec<_> = packages
        .parent()
        .and_then(|folder| fs::read_dir(folder).ok())
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.file_name())
        .filter(|name| is_version(name))
        .collect();
    versions.sort();
    let mut hash = Sha256::new();
    let sources = sources.iter().map(|path| path.as_os_str());
    for word in sources.chain(versions.iter().map(AsRef::as_ref)) {
        hash.update(word.as_encoded_bytes());
        hash.update([0]);
    }
    let hash = hash.finalize();
    let start = hash.first_chunk().copied().unwrap_or_default();
    format!("{:016x}", u64::from_be_bytes(start))
}

/// Whether a name is that of a wheel's record, such as `nvidia_cuda_nvcc_cu12-12.8.93.dist-info`.
fn is_version(name: &OsStr) -> bool {
    name.to_str()
        .is_some_and(|name| name.starts_with("nvidia_cuda_") && name.ends_with(".dist-info"))
}

#[cfg(unix)]
fn link(from: &Path, to: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(from, to)
}

/// Elsewhere links take special rights.
#[cfg(not(unix))]
fn link(from: &Path, to: &Path) -> io::Result<()> {
    fs::copy(from, to).map(|_| ())
}

/// Links to all files below `from`, in the same folders below `to`.
fn link_all(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        if from.is_dir() {
            link_all(&from, &to)?;
        } else if !to.exists() {
            link(&fs::canonicalize(&from)?, &to)?;
        }
    }
    Ok(())
}
