//! Files that are not what their name says: what they are, and the command that makes of them what
//! is read.

mod encoding;
mod formats;

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

pub(super) use encoding::misread;

/// What a file is read for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    /// Labelled rows, from a `.csv`.
    Table,
    /// The same, from a `.jsonl`.
    Lines,
    /// Text to search in.
    Text,
}

impl Use {
    /// The ending of files that are read for this.
    fn ending(self) -> &'static str {
        match self {
            Self::Table => "csv",
            Self::Lines => "jsonl",
            Self::Text => "txt",
        }
    }
}

/// How to come by what is read.
enum Way {
    /// A command, with `{in}` and `{out}` in the places of the files.
    Command(&'static str),
    /// The same, where what is made has another ending than what is read usually has.
    Ending(&'static str, &'static str),
    /// Words.
    Advice(&'static str),
}

/// What a file is, where it is known not to be what it is read for, and what to do about it: to
/// follow its path and a colon.
pub(super) fn foreign(path: &Path, bytes: &[u8], wanted: Use) -> Option<String> {
    let (name, way) = formats::of(path, bytes, wanted)?;
    let said = match way {
        Way::Command(command) => made(command, path, wanted.ending()),
        Way::Ending(command, ending) => made(command, path, ending),
        Way::Advice(words) => words.to_owned(),
    };
    Some(format!("the file is {name}: {said}"))
}

fn made(command: &str, path: &Path, ending: &str) -> String {
    let target = target(path, ending);
    let command = command
        .replace("{in}", &quoted(path.as_os_str()))
        .replace("{out}", &quoted(target.as_os_str()));
    format!("`{command}` makes `{}` of it", target.display())
}

/// What to do about a table whose values stand between other marks than commas.
pub(super) fn separated(path: &Path, separator: char) -> String {
    let separator = separator.to_string().replace('\t', "\\t");
    let (file, target) = (quoted(path.as_os_str()), target(path, "csv"));
    let target = quoted(target.as_os_str());
    format!(
        "put a line `sep={separator}` before the header: `(printf 'sep={separator}\\n'; cat {file}) > {target}`"
    )
}

/// Where a command puts what it makes: beside the file, under a name of its own.
fn target(path: &Path, ending: &str) -> PathBuf {
    let packed = ["gz", "bz2", "xz", "zst"];
    let is_packed = |path: &Path| {
        let ending = path.extension().and_then(OsStr::to_str);
        ending.is_some_and(|ending| {
            packed
                .iter()
                .any(|known| ending.eq_ignore_ascii_case(known))
        })
    };
    if is_packed(path) {
        let unpacked = path.with_extension("");
        if unpacked.extension().is_some() {
            return unpacked;
        }
    }
    let plain = path.with_extension(ending);
    if plain != path {
        return plain;
    }
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!("{stem}-converted.{ending}"))
}

/// A name as a shell takes it.
fn quoted(name: &OsStr) -> String {
    let name = name.to_string_lossy();
    let is_plain = |letter: char| letter.is_alphanumeric() || "/._-+:@%,=".contains(letter);
    if !name.is_empty() && !name.starts_with('-') && name.chars().all(is_plain) {
        return name.into_owned();
    }
    let dashed = if name.starts_with('-') { "./" } else { "" };
    format!("'{dashed}{}'", name.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests;
