//! The files that a run left.

use crate::record::{LeftFile, files_in};
use crate::report::seed::SeedReport;

/// A file in a run's folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::report) struct File {
    /// Its name, with `/` on every system.
    pub name: String,
    /// What the record states of it; nothing of what is no part of the result.
    pub stated: Option<LeftFile>,
}

/// The files in its folder, hidden ones left out; none where it cannot be read.
pub(in crate::report) fn of(seed: &SeedReport) -> Vec<File> {
    let names = files_in(seed.folder()).unwrap_or_default();
    let stated = |name: &String| seed.record.as_ref()?.files.get(name).cloned();
    names
        .into_iter()
        .map(|name| File {
            stated: stated(&name),
            name,
        })
        .collect()
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
