//! The files that a run left.

use walkdir::WalkDir;

use crate::report::seed::SeedReport;

/// A file in a run's folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::report) struct File {
    /// Its name, with `/` on every system.
    pub name: String,
    /// Its length.
    pub bytes: u64,
    /// The sha256 that the record states; none of what is no part of the result.
    pub sha256: Option<String>,
}

/// Files lie no deeper in a run's folder: `adapter/<file>`.
const DEEPEST: usize = 2;

/// The files in its folder, hidden ones left out; those that cannot be looked at, too.
pub(in crate::report) fn of(seed: &SeedReport) -> Vec<File> {
    let folder = seed.folder();
    let walk = WalkDir::new(folder).min_depth(1).max_depth(DEEPEST);
    let found = walk.sort_by_file_name().into_iter().flatten();
    let file = |entry: walkdir::DirEntry| {
        if !entry.file_type().is_file() || entry.file_name().to_string_lossy().starts_with('.') {
            return None;
        }
        let path = entry.path().strip_prefix(folder).ok()?;
        let parts: Vec<&str> = path
            .iter()
            .map(|part| part.to_str())
            .collect::<Option<_>>()?;
        let name = parts.join("/");
        let record = seed.record.as_ref();
        let stated = record.and_then(|record| record.files.get(&name));
        Some(File {
            bytes: entry.metadata().ok()?.len(),
            sha256: stated.map(|stated| stated.sha256.clone()),
            name,
        })
    };
    found.filter_map(file).collect()
}

/// A length as people read it: `512 B`, `4.1 KB`, `310.0 MB`.
#[expect(clippy::cast_precision_loss, reason = "shown with one decimal")]
pub(in crate::report) fn length(bytes: u64) -> String {
    let mut size = bytes as f64;
    if bytes < 1000 {
        return format!("{bytes} B");
    }
    for unit in ["KB", "MB", "GB"] {
        size /= 1000.0;
        if size < 999.95 {
            return format!("{size:.1} {unit}");
        }
    }
    format!("{:.1} TB", size / 1000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_read_well() {
        let said = [0, 999, 4096, 999_960, 310_000_000, 5_000_000_000_000].map(length);
        assert_eq!(
            said,
            ["0 B", "999 B", "4.1 KB", "1.0 MB", "310.0 MB", "5.0 TB"]
        );
    }
}
