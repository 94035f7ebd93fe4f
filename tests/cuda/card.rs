//! The card of software as tests see it: its libraries built, its environment, what it wrote down. See `README.md` beside this file.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use serde_json::Value;

/// Where CUDA's wheels were installed with `pip install --target`; without it, a toolkit that the program would find by itself serves as well.
const WHEELS: &str = "ENSAYO_CUDA_WHEELS";

/// What the card does with kernels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// NVRTC compiles them, and their launches are checked.
    Check,
    /// They run on the processor, under the one architecture for which cubecl writes plain C++.
    Run,
}

/// The libraries, built, and CUDA's compiler and headers.
#[derive(Debug)]
pub struct Card {
    libraries: PathBuf,
    /// For `CUDA_PATH`.
    pub cuda: PathBuf,
    nvrtc: PathBuf,
    /// Where CUDA's wheels are, if it is they that serve.
    pub wheels: Option<PathBuf>,
    /// For the folders of tests.
    scratch: PathBuf,
}

/// One compilation or launch that the card wrote down.
pub type Entry = Value;

impl Card {
    /// The card, built at the first call; `None`, with the reason on standard error, where something for it is missing.
    pub fn get() -> Option<&'static Self> {
        static CARD: OnceLock<Option<Card>> = OnceLock::new();
        let card = CARD.get_or_init(|| {
            Self::build()
                .inspect_err(|missing| eprintln!("skipped: {missing}"))
                .ok()
        });
        card.as_ref()
    }

    fn build() -> Result<Self, String> {
        let program = std::env::current_exe().map_err(|error| error.to_string())?;
        let name = program.file_stem().unwrap_or_default();
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR"))
            .join("card")
            .join(name);
        let _ = fs::remove_dir_all(&folder);
        let (cuda, nvrtc) = toolkit(&folder.join("cuda"))?;
        let sources = sources();
        let libraries = folder.join("lib");
        fs::create_dir_all(&libraries).map_err(|error| error.to_string())?;
        let built = Command::new("sh")
            .arg(sources.join("build.sh"))
            .arg(&libraries)
            .env("CUDA_PATH", &cuda)
            .output()
            .map_err(|error| format!("the card of software cannot be built: {error}"))?;
        if !built.status.success() {
            return Err(format!(
                "the card of software does not compile (it needs a C and a C++ compiler):\n{}",
                String::from_utf8_lossy(&built.stderr)
            ));
        }
        Ok(Self {
            libraries,
            cuda,
            nvrtc,
            wheels: std::env::var_os(WHEELS).map(PathBuf::from),
            scratch: folder,
        })
    }

    /// A folder of its own for a test.
    pub fn folder(&self, name: &str) -> PathBuf {
        let folder = self.scratch.join(name);
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        folder
    }

    /// The card's own test, which launches kernels with known results, compiled.
    pub fn self_test(&self) -> PathBuf {
        let program = self.scratch.join("selftest");
        let compiled = Command::new("g++")
            .args(["-std=c++17", "-I"])
            .arg(self.cuda.join("include"))
            .arg(sources().join("selftest.cpp"))
            .arg("-L")
            .arg(&self.libraries)
            .args(["-lcuda", "-lnvrtc", "-o"])
            .arg(&program)
            .output()
            .unwrap();
        assert!(
            compiled.status.success(),
            "{}",
            String::from_utf8_lossy(&compiled.stderr)
        );
        program
    }

    /// The command `program`, which will find this card; what happens is written to `log`. `architecture` is 75 for compute capability 7.5.
    pub fn command(&self, program: &Path, mode: Mode, architecture: u32, log: &Path) -> Command {
        let scratch = log.join("home");
        fs::create_dir_all(&scratch).unwrap();
        let mut libraries = OsString::from(&self.libraries);
        if let Some(others) = std::env::var_os("LD_LIBRARY_PATH") {
            libraries.push(":");
            libraries.push(others);
        }
        // What cubecl chooses for one card must not be taken for another's: it would keep that for all programs below the current folder.
        let choices = log.join("choices");
        let settings = format!("[autotune]\ncache = {{ file = '{}' }}\n", choices.display());
        fs::write(log.join("cubecl.toml"), settings).unwrap();
        let mut command = Command::new(program);
        command
            .current_dir(log)
            .env("LD_LIBRARY_PATH", libraries)
            .env("LD_PRELOAD", self.libraries.join("libpreload.so"))
            .env("CUDA_PATH", &self.cuda)
            // False timings must not reach the choices that burn keeps for a real card.
            .env("HOME", &scratch)
            .env("XDG_CACHE_HOME", &scratch)
            .env("CARD_MODE", if mode == Mode::Run { "run" } else { "check" })
            .env("CARD_SM", architecture.to_string())
            .env("CARD_NVRTC", &self.nvrtc)
            .env("CARD_LOG", log)
            .env(
                "CARD_CACHE",
                Path::new(env!("CARGO_TARGET_TMPDIR"))
                    .join("card")
                    .join("kernels"),
            )
            // Nothing is computed when kernels are only checked; a card is tried by sums that come to this.
            .env("CARD_ANSWER", "probe-cuda=64");
        if mode == Mode::Check {
            // More than the machine has: nothing of it is touched.
            command.env("CARD_MEMORY", (256_u64 << 30).to_string());
            // Nine tenths of the time would go into the optimisation of burn's products.
            if std::env::var_os("ENSAYO_TEST_OPTIMISED").is_none() {
                command.env("CARD_QUICK", "matmul");
            }
        }
        command
    }
}

/// The folder of the card's sources.
fn sources() -> PathBuf {
    Path::new(file!()).canonicalize().map_or_else(
        // Tests run in their package's folder, the compiler in the workspace's.
        |_| Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/cuda"),
        |file| file.parent().unwrap().to_owned(),
    )
}

/// CUDA's folder with `include/`, and the real NVRTC.
fn toolkit(cache: &Path) -> Result<(PathBuf, PathBuf), String> {
    let mut places = crate::Places::of_this_process();
    cache.clone_into(&mut places.cache);
    if let Some(wheels) = std::env::var_os(WHEELS) {
        places.cuda_path = Some(wheels.into());
    }
    let toolkit = crate::Toolkit::find(&places)
        .map_err(|error| format!("{error}\n(or set {WHEELS} to where they are)"))?;
    let libraries = toolkit.libraries.ok_or("no NVRTC beside CUDA's headers")?;
    let mut found: Vec<_> = fs::read_dir(&libraries)
        .map_err(|error| error.to_string())?
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| {
            let name = path.file_name().and_then(|name| name.to_str());
            name.is_some_and(|name| name.starts_with("libnvrtc.so"))
        })
        .collect();
    found.sort();
    let nvrtc = found.pop().ok_or("no NVRTC beside CUDA's headers")?;
    Ok((toolkit.root, nvrtc))
}

/// What was written down in `log` of one sort, `compilations` or `launches`, by all processes.
pub fn entries(log: &Path, sort: &str) -> Vec<Entry> {
    let files = fs::read_dir(log).unwrap().flatten();
    let files = files.filter(|file| {
        let name = file.file_name();
        let name = name.to_string_lossy();
        name.starts_with(sort) && name.ends_with(".jsonl")
    });
    let texts = files.map(|file| fs::read_to_string(file.path()).unwrap());
    let entries = texts.flat_map(|text| {
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect::<Vec<Entry>>()
    });
    entries.collect()
}
