//! Reads what libFuzzer makes up as one of the formats of `tests/mutated`, which the program's name tells.

#![no_main]

#[path = "../tests/unkillable/dice.rs"]
mod dice;
#[path = "../tests/mutated/formats.rs"]
mod formats;
#[path = "../tests/mutated/mutator.rs"]
mod mutator;

use std::path::Path;
use std::sync::LazyLock;

use dice::Dice;
use formats::{FORMATS, Format};
use libfuzzer_sys::{fuzz_mutator, fuzz_target};
use mutator::{mutate, mutate_header};

/// The folder of the project.
const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

struct Target {
    format: &'static Format,
    folder: tempfile::TempDir,
    sound: Vec<Vec<u8>>,
}

static TARGET: LazyLock<Target> = LazyLock::new(|| {
    let program = std::env::args().next().unwrap_or_default();
    let name = Path::new(&program)
        .file_stem()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    // `adapter_config` is `adapter_config.json`, `index` is `safetensors index`.
    let meant = |format: &&Format| {
        format.name == name
            || format.name.starts_with(&format!("{name}."))
            || format.name.ends_with(&format!(" {name}"))
    };
    let format = FORMATS
        .iter()
        .find(meant)
        .expect("the program is called like none of the formats");
    // What the tokenizers crate panics at is caught where it is used; libFuzzer's own hook would end the process before that.
    std::panic::set_hook(Box::new(|_| ()));
    Target {
        format,
        folder: format.folder(),
        sound: (format.sound)(),
    }
});

/// Writes the sound files into the corpus folders that have none yet. libFuzzer goes by the longest file of its corpus:
/// without any it begins with a few bytes, and what is cut to those is sound no more.
fn sow() {
    let folders = std::env::args().skip(1).filter(|argument| !argument.starts_with('-'));
    for folder in folders.map(std::path::PathBuf::from).filter(|folder| folder.is_dir()) {
        let is_empty = std::fs::read_dir(&folder).is_ok_and(|mut entries| entries.next().is_none());
        for (number, content) in TARGET.sound.iter().enumerate().filter(|_| is_empty) {
            std::fs::write(folder.join(format!("sound-{number}")), content)
                .expect("the corpus folder can be written");
        }
    }
}

fuzz_target!(init: sow(), |content: &[u8]| {
    let target = &*TARGET;
    std::fs::write(target.folder.path().join(target.format.file), content)
        .expect("the temporary folder can be written");
    (target.format.read)(target.folder.path());
});

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    let Target { format, sound, .. } = &*TARGET;
    let mut dice = Dice::new(seed.into());
    let fitting: Vec<&Vec<u8>> = sound.iter().filter(|file| file.len() <= max_size).collect();
    let own;
    let other: &[u8] = match fitting.as_slice() {
        // Nothing is sound at this length.
        [] => {
            own = data[..size].to_vec();
            &own
        }
        files => files[dice.below(files.len())],
    };
    // Now and then it begins again with a sound file, and always where there is nothing to begin with.
    let mut content = if size < 8 || dice.below(16) == 0 {
        other.to_vec()
    } else {
        data[..size].to_vec()
    };
    if format.has_header && dice.below(4) > 0 {
        mutate_header(&mut content, other, &mut dice);
    } else {
        mutate(&mut content, other, &mut dice);
    }
    let count = content.len().min(max_size);
    data[..count].copy_from_slice(&content[..count]);
    count
});
