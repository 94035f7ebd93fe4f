//! Where CUDA's compiler and headers are: an installed toolkit, or the wheels of a Python
//! environment, whose include folders are merged into one.
//!
//! cubecl compiles kernels at run time. It takes headers from `$CUDA_PATH/include` and lets the
//! dynamic linker find NVRTC, which reads its path once, when a process starts; a process whose
//! environment is not yet right is therefore started again.

mod merge;

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use thiserror::Error;

/// What installs the compiler and the headers without a toolkit, into the Python environment that
/// is active.
pub const INSTALL: &str = "pip install 'nvidia-cuda-nvrtc-cu12==12.8.*' 'nvidia-cuda-runtime-cu12==12.8.*' 'nvidia-cuda-nvcc-cu12==12.8.*' 'nvidia-cuda-cccl-cu12==12.8.*'";

/// Headers that kernels include, each with the package that brings it. Without the last two, burn's
/// products on matrix units would silently be left out.
const HEADERS: [(&str, &str); 3] = [
    ("cuda_runtime.h", "nvidia-cuda-runtime-cu12"),
    ("crt/mma.h", "nvidia-cuda-nvcc-cu12"),
    ("nv/target", "nvidia-cuda-cccl-cu12"),
];
/// Set by a process for its successor to the folder it has found, so that processes do not start
/// each other for ever.
const FOUND: &str = "ENSAYO_CUDA_TOOLKIT";
/// The version whose compiler and driver this program calls, as CUDA counts: 12.8.
const VERSION: u32 = 12_080;
const CUDA_PATH: &str = "CUDA_PATH";
const LIBRARY_PATH: &str = "LD_LIBRARY_PATH";

/// A CUDA compiler with its headers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Toolkit {
    /// The folder that has `include/`.
    pub root: PathBuf,
    /// The folder of NVRTC, unless the linker finds it by itself.
    pub libraries: Option<PathBuf>,
}

/// Why there is no usable toolkit.
#[derive(Debug, Error)]
pub enum ToolkitError {
    /// There is none anywhere.
    #[error(
        "CUDA's compiler and headers are not found, neither in CUDA_PATH nor in /usr/local/cuda nor in an active Python environment. Install them with\n  {INSTALL}\nor install the CUDA 12 toolkit, 12.8 or later"
    )]
    None,
    /// `CUDA_PATH` leads to something else.
    #[error(
        "CUDA_PATH is {}, where there is neither include/cuda_runtime.h nor the wheels' nvidia/cuda_runtime. Unset it, or install CUDA's compiler and headers into the active Python environment with\n  {INSTALL}",
        path.display()
    )]
    WrongPath {
        /// Its value.
        path: PathBuf,
    },
    /// It is too old.
    #[error(
        "the CUDA toolkit in {} is of version {}.{}, and 12.8 or later is needed. This line installs all of it:\n  {INSTALL}",
        folder.display(), version / 1000, version % 1000 / 10
    )]
    Old {
        /// Its headers.
        folder: PathBuf,
        /// As CUDA counts: 12080 for 12.8.
        version: u32,
    },
    /// A header is missing.
    #[error(
        "CUDA's header {header} is missing in {}. The package {package} has it; this line installs all that is needed:\n  {INSTALL}",
        folder.display()
    )]
    Header {
        /// Its name below `include/`.
        header: &'static str,
        /// What has it.
        package: &'static str,
        /// Where it was looked for.
        folder: PathBuf,
    },
    /// The wheels' headers cannot be put together.
    #[error("cannot merge the headers of CUDA's wheels in {}: {source}", path.display())]
    Merge {
        /// The file or folder.
        path: PathBuf,
        /// What the system answered.
        source: std::io::Error,
    },
}

/// Where to look.
#[derive(Debug, Clone, Default)]
pub struct Places {
    /// `CUDA_PATH`.
    pub cuda_path: Option<PathBuf>,
    /// Folders where toolkits are installed.
    pub installed: Vec<PathBuf>,
    /// Python environments: the active ones.
    pub environments: Vec<PathBuf>,
    /// Where merged headers are kept.
    pub cache: PathBuf,
}

impl Places {
    /// Those of this process and system.
    #[must_use]
    pub fn of_this_process() -> Self {
        let variable = |name: &str| {
            let value = std::env::var_os(name).filter(|value| !value.is_empty());
            value.map(PathBuf::from)
        };
        let home = variable("HOME").map(|home| home.join(".cache"));
        let cache = variable("XDG_CACHE_HOME").or(home);
        Self {
            cuda_path: variable(CUDA_PATH),
            installed: ["/usr/local/cuda", "/opt/cuda", "/usr"]
                .map(PathBuf::from)
                .into(),
            environments: ["VIRTUAL_ENV", "CONDA_PREFIX"]
                .into_iter()
                .filter_map(variable)
                .collect(),
            cache: cache
                .unwrap_or_else(std::env::temp_dir)
                .join("ensayo")
                .join("cuda"),
        }
    }
}

impl Toolkit {
    /// The first complete one that is new enough: where `CUDA_PATH` leads, if it is set; else the
    /// wheels of an active Python environment; else an installed one.
    ///
    /// # Errors
    /// When there is none, or the one that was asked for lacks something.
    pub fn find(places: &Places) -> Result<Self, ToolkitError> {
        if let Some(path) = &places.cuda_path {
            let found = match installed(path) {
                None => wheels(path, &places.cache)?,
                found => found,
            };
            let found = found.ok_or_else(|| ToolkitError::WrongPath { path: path.clone() })?;
            return found.complete();
        }
        // One that is incomplete, as those that come with PyTorch, or old, as a distribution's,
        // must not hide a complete one.
        let wheels = places
            .environments
            .iter()
            .filter_map(|root| wheels(root, &places.cache).transpose());
        let installed = places
            .installed
            .iter()
            .filter_map(|root| installed(root).map(Ok));
        let mut lacking = None;
        for found in wheels.chain(installed) {
            match found.and_then(Self::complete) {
                Ok(toolkit) => return Ok(toolkit),
                Err(error) => lacking = lacking.or(Some(error)),
            }
        }
        Err(lacking.unwrap_or(ToolkitError::None))
    }

    fn complete(self) -> Result<Self, ToolkitError> {
        let folder = self.root.join("include");
        // An installed toolkit may have CUDA's C++ library in a folder of its own, which cubecl
        // knows.
        let has = |header: &str| {
            folder.join(header).exists() || folder.join("cccl").join(header).exists()
        };
        if let Some(&(header, package)) = HEADERS.iter().find(|(header, _)| !has(header)) {
            return Err(ToolkitError::Header {
                header,
                package,
                folder,
            });
        }
        match version(&folder) {
            Some(version) if version < VERSION => Err(ToolkitError::Old { folder, version }),
            _ => Ok(self),
        }
    }

    /// The variables with which a process finds this toolkit, given those that it has now; none if
    /// it does already.
    #[must_use]
    pub fn missing_variables(
        &self,
        variable: impl Fn(&str) -> Option<OsString>,
    ) -> Vec<(&'static str, OsString)> {
        if variable(FOUND).is_some_and(|found| Path::new(&found) == self.root) {
            return Vec::new();
        }
        let mut missing = Vec::new();
        if variable(CUDA_PATH).is_none_or(|path| Path::new(&path) != self.root) {
            missing.push((CUDA_PATH, self.root.clone().into_os_string()));
        }
        let libraries = variable(LIBRARY_PATH).unwrap_or_default();
        if let Some(folder) = &self.libraries
            && !std::env::split_paths(&libraries).any(|path| path == *folder)
        {
            // Last: what the user has put there goes first.
            let mut path = libraries;
            if !path.is_empty() {
                path.push(":");
            }
            path.push(folder);
            missing.push((LIBRARY_PATH, path));
        }
        if !missing.is_empty() {
            missing.push((FOUND, self.root.clone().into_os_string()));
        }
        missing
    }
}

/// The variables that this process lacks to find CUDA's compiler and headers, which it only can
/// have from its start; none where it finds them.
///
/// # Errors
/// When they are not installed.
pub fn missing_variables() -> Result<Vec<(&'static str, OsString)>, ToolkitError> {
    let toolkit = Toolkit::find(&Places::of_this_process())?;
    Ok(toolkit.missing_variables(|name| std::env::var_os(name)))
}

/// The toolkit that is installed in a folder, if one is.
fn installed(root: &Path) -> Option<Toolkit> {
    let header = root.join("include").join("cuda_runtime.h");
    header.exists().then(|| Toolkit {
        root: root.to_owned(),
        libraries: ["lib64", "lib", "targets/x86_64-linux/lib"]
            .iter()
            .map(|name| root.join(name))
            .find(|folder| has_compiler(folder)),
    })
}

/// The wheels below a Python environment, its `site-packages`, a folder that pip installed into, or
/// their own folder `nvidia`; merged.
fn wheels(root: &Path, cache: &Path) -> Result<Option<Toolkit>, ToolkitError> {
    let Some(packages) = nvidia(root) else {
        return Ok(None);
    };
    let root = merge::merged(&packages, cache)?;
    let libraries = packages.join("cuda_nvrtc").join("lib");
    let libraries = has_compiler(&libraries).then_some(libraries);
    Ok(Some(Toolkit { root, libraries }))
}

/// The folder `nvidia` of the wheels, if there is one with CUDA's headers.
fn nvidia(root: &Path) -> Option<PathBuf> {
    let has_wheels = |folder: &PathBuf| folder.join("cuda_runtime").join("include").is_dir();
    let near = [root.to_owned(), root.join("nvidia")];
    let pythons = std::fs::read_dir(root.join("lib")).into_iter().flatten();
    let below = pythons
        .flatten()
        .map(|python| python.path().join("site-packages").join("nvidia"));
    near.into_iter().chain(below).find(has_wheels)
}

/// The version that `cuda.h` defines, if it does.
fn version(headers: &Path) -> Option<u32> {
    let text = std::fs::read_to_string(headers.join("cuda.h")).ok()?;
    let (_, after) = text.split_once("#define CUDA_VERSION ")?;
    after.split_whitespace().next()?.parse().ok()
}

fn has_compiler(folder: &Path) -> bool {
    let files = std::fs::read_dir(folder).into_iter().flatten().flatten();
    files.into_iter().any(|file| {
        file.file_name()
            .to_str()
            .is_some_and(|name| name.starts_with("libnvrtc.so"))
    })
}

#[cfg(test)]
mod tests;
