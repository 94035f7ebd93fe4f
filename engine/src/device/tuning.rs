//! What burn learns of a card by timing: which kernels are fast. Kept for each model of card and
//! driver, and read for candidates that did not compile.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Once, OnceLock};

use cubecl::config::cache::CacheConfig;
use cubecl::config::profiling::ProfilingLogLevel;
use cubecl::config::{CubeClRuntimeConfig, RuntimeConfig};

use super::Device;
use super::failure::compilations;
use crate::nn::ops::{names_kernels, watch_kernels};

/// The card in use, as messages name it.
pub(super) static CARD: OnceLock<String> = OnceLock::new();

impl Device {
    /// To be called before the first work on a device; nothing on the processor. burn's choices of
    /// kernels are remembered below `cache`, for this model of card and this driver, and launches
    /// are watched ([`watch_kernels`]) until somebody ends that. Returns whether nothing is
    /// remembered yet, so that the first steps will take minutes.
    pub fn prepare(self, cache: &Path) -> bool {
        let Some(folder) = self.tuning_folder(cache) else {
            return false;
        };
        let is_first = !folder.exists();
        remember_tuning(&folder);
        CARD.get_or_init(|| format!("{self}, {}", self.card().unwrap_or_default()));
        watch_kernels(true);
        is_first
    }

    /// Candidates of matrix products that did not compile when burn chose among them, by kernel,
    /// with the compiler's first error: what is left may be slower. `cache` is that of
    /// [`Device::prepare`].
    #[must_use]
    pub fn left_out(self, cache: &Path) -> BTreeMap<String, String> {
        let folder = self.tuning_folder(cache);
        folder.map_or_else(BTreeMap::new, |folder| left_out(&folder))
    }

    /// Where a card's choices of kernels are kept.
    fn tuning_folder(self, cache: &Path) -> Option<PathBuf> {
        let words = [self.card()?, self.driver().unwrap_or_default()].join(" ");
        let words = words.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '.');
        let words: Vec<_> = words.filter(|word| !word.is_empty()).collect();
        Some(cache.join("autotune").join(words.join("-")))
    }
}

/// Has burn remember in `folder` which kernels it chose, since choosing takes a while on a card.
///
/// Compiled kernels are not kept: cubecl 0.10 finds them again by their names, whatever has become
/// of their code, and whatever card they were for.
pub(super) fn remember_tuning(folder: &Path) {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let mut config = CubeClRuntimeConfig::from_current_dir().override_from_env();
        config.autotune.cache = CacheConfig::File(folder.to_owned());
        if names_kernels() {
            config.profiling.logger.level = ProfilingLogLevel::Minimal;
            config.profiling.logger.stderr = true;
        }
        // Where a client was made before, it has chosen its own place already.
        if CubeClRuntimeConfig::storage().lock().is_none() {
            CubeClRuntimeConfig::set(config);
        }
    });
}

/// The kernels that did not compile, from the choices in a folder.
fn left_out(folder: &Path) -> BTreeMap<String, String> {
    let files = walkdir::WalkDir::new(folder).into_iter().flatten();
    let texts = files.filter_map(|file| std::fs::read_to_string(file.path()).ok());
    let mut failed = BTreeMap::new();
    for text in texts {
        // JSON in which an error stands as `Debug` writes it.
        let text = text.replace("\\\\n", "\n").replace("\\n", "\n");
        for (kernel, line) in compilations(&text) {
            let kernel = kernel.unwrap_or_else(|| "(unnamed)".to_owned());
            failed.entry(kernel).or_insert(line);
        }
    }
    failed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn candidates_that_failed_are_read_from_the_choices_that_are_kept() {
        let folder = tempfile::tempdir().unwrap();
        let reason = "[Compilation Error] \n    x(57): error: no operator\n[Source]  \n#include <x>\n__global__ void __launch_bounds__(256)matmul_entry_f16 (\n";
        let error = format!("{:?}", format!("Generic {{ reason: {reason:?} }}"));
        let entry = format!(
            "{{\"outcome\":{{\"Err\":{{\"Unknown\":{{\"name\":\"x\",\"err\":{error}}}}}}}}}\n"
        );
        std::fs::create_dir(folder.path().join("deep")).unwrap();
        std::fs::write(folder.path().join("deep/matmul.json.log"), entry.repeat(2)).unwrap();
        let failed = left_out(folder.path());
        assert_eq!(failed.len(), 1);
        assert_eq!(failed["matmul_entry_f16"], "x(57): error: no operator");
    }
}
