//! What the checks need from outside: variables and files. Injected, so that the checks run on
//! made-up ones in tests.

use std::io;
use std::path::{Component, Path, PathBuf};

use super::SteamReviews;

/// The machine as far as a configuration can refer to it.
pub trait Environment {
    /// An environment variable, if it is set to valid Unicode.
    fn variable(&self, name: &str) -> Option<String>;

    /// Whether an environment variable is set to something that is no valid Unicode.
    fn is_garbled(&self, _name: &str) -> bool {
        false
    }

    /// Whether the path leads to a file.
    fn is_file(&self, path: &Path) -> bool;

    /// Whether the path leads to a folder.
    fn is_folder(&self, path: &Path) -> bool;

    /// Whether the path leads to something that is neither: a pipe, a socket, a device.
    fn is_special(&self, _path: &Path) -> bool {
        false
    }

    /// The text of a file.
    ///
    /// # Errors
    /// When it cannot be read or is not UTF-8.
    fn read(&self, path: &Path) -> io::Result<String>;

    /// Where reviews from Steam are put. Nothing is fetched.
    fn reviews(&self, _reviews: &SteamReviews) -> Option<PathBuf> {
        None
    }

    /// The folder of a model of the hub, if its files are on this machine. Nothing is fetched.
    fn hub_model(&self, _id: &str, _revision: &str) -> Option<PathBuf> {
        None
    }
}

/// The machine the process runs on.
#[derive(Debug, Clone, Copy, Default)]
pub struct System;

impl Environment for System {
    fn variable(&self, name: &str) -> Option<String> {
        std::env::var(name).ok()
    }

    fn is_garbled(&self, name: &str) -> bool {
        matches!(std::env::var(name), Err(std::env::VarError::NotUnicode(_)))
    }

    fn is_file(&self, path: &Path) -> bool {
        path.is_file()
    }

    fn is_folder(&self, path: &Path) -> bool {
        path.is_dir()
    }

    fn is_special(&self, path: &Path) -> bool {
        std::fs::metadata(path).is_ok_and(|found| !found.is_file() && !found.is_dir())
    }

    fn read(&self, path: &Path) -> io::Result<String> {
        // A pipe would be waited for without an end.
        if self.is_special(path) {
            return Err(io::Error::other("it is a pipe or a device, not a file"));
        }
        std::fs::read_to_string(path)
    }
}

/// Replaces each `${NAME}` by the variable's value, and `~` at the beginning by the home folder.
///
/// # Errors
/// With what is wrong: a variable that is not set or is not UTF-8, or a `${` without its `}`.
pub(super) fn expand(text: &str, environment: &dyn Environment) -> Result<String, ExpandError> {
    let variable = |name: &str| {
        let value = environment.variable(name).filter(|value| !value.is_empty());
        value.ok_or_else(|| {
            let name = name.to_owned();
            if environment.is_garbled(&name) {
                ExpandError::Garbled(name)
            } else {
                ExpandError::Unset(name)
            }
        })
    };
    let mut expanded = String::new();
    let mut rest = text;
    if text == "~" || text.starts_with("~/") {
        expanded.push_str(&variable("HOME")?);
        rest = &text[1..];
    }
    while let Some(start) = rest.find("${") {
        expanded.push_str(&rest[..start]);
        let after = &rest[start + 2..];
        let end = after.find('}').ok_or(ExpandError::Open)?;
        expanded.push_str(&variable(&after[..end])?);
        rest = &after[end + 1..];
    }
    expanded.push_str(rest);
    Ok(expanded)
}

/// Why a path's variables could not be replaced.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum ExpandError {
    /// The variable is not set, or empty.
    Unset(String),
    /// The variable is set to something that is not UTF-8.
    Garbled(String),
    /// A `${` has no `}`.
    Open,
}

/// Joins `path` to `folder` and takes out `.` and `..` by name alone, so that a path stays readable
/// and does not depend on links.
pub(super) fn join(folder: &Path, path: &str) -> PathBuf {
    let mut joined = PathBuf::new();
    for component in folder.join(path).components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => match joined.components().next_back() {
                Some(Component::Normal(_)) => {
                    joined.pop();
                }
                Some(Component::RootDir | Component::Prefix(_)) => {}
                _ => joined.push(".."),
            },
            other => joined.push(other),
        }
    }
    if joined.as_os_str().is_empty() {
        PathBuf::from(".")
    } else {
        joined
    }
}

#[cfg(test)]
mod tests;
