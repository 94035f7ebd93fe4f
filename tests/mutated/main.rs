//! Broken files by the hundred thousand, read as the program reads them: never a panic, never more memory than the file warrants, never a standstill.
//!
//! `ENSAYO_TEST_CASES=10` reads ten times as many, `ENSAYO_TEST_SEED=7` others. A file that fails is kept, and its path printed. `fuzz/` searches
//! the same formats without an end.

#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test that cannot go on must fail and say where its files are"
)]

#[path = "../unkillable/dice.rs"]
#[expect(
    dead_code,
    reason = "shared with the tests of killed processes, which need more"
)]
mod dice;
mod formats;
mod fuzzer;
mod mutator;

use std::fs;
use std::panic::{self, catch_unwind};
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use dice::Dice;
use formats::{FORMATS, Format};
use mutator::{mutate, mutate_header};
use peak_alloc::PeakAlloc;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// The folder of the project.
const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// Memory is counted for the whole process, so formats take turns.
static TURN: Mutex<()> = Mutex::new(());

/// No file of these sizes takes a second to read; a busy machine may.
const STANDSTILL: Duration = Duration::from_secs(20);
/// Failures after which a format is left.
const ENOUGH: usize = 5;

fn number(name: &str, default: u64) -> u64 {
    let Ok(text) = std::env::var(name) else {
        return default;
    };
    text.parse()
        .unwrap_or_else(|_| panic!("{name} is {text}, not a number"))
}

/// Reads one file and says what was wrong with how that went.
fn fault(format: &Format, folder: &Path, content: &[u8]) -> Result<bool, String> {
    fs::write(folder.join(format.file), content).unwrap();
    MEMORY.reset_peak_usage();
    let (before, begun) = (MEMORY.current_usage(), Instant::now());
    let read = catch_unwind(|| (format.read)(folder));
    let (taken, time) = (MEMORY.peak_usage().saturating_sub(before), begun.elapsed());
    let warranted = format.allowance + format.multiple * content.len();
    match read {
        Err(panic) => {
            let said = panic.downcast_ref::<String>().map(String::as_str);
            let said = said.or_else(|| panic.downcast_ref::<&str>().copied());
            Err(format!("panicked: {}", said.unwrap_or_default()))
        }
        Ok(_) if taken > warranted => Err(format!(
            "took {taken} bytes of memory for a file of {}, more than {warranted}",
            content.len()
        )),
        Ok(_) if time > STANDSTILL => Err(format!("took {time:?}")),
        Ok(read) => Ok(read),
    }
}

fn survives(name: &str) {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let format = FORMATS.iter().find(|format| format.name == name).unwrap();
    let seed = number("ENSAYO_TEST_SEED", 1);
    let cases = format.cases * usize::try_from(number("ENSAYO_TEST_CASES", 1)).unwrap();
    // Where the process itself dies, the file stays where this says.
    let folder = format.folder();
    eprintln!(
        "{name}: seed {seed}, {}",
        folder.path().join(format.file).display()
    );
    let sound = (format.sound)();
    // Fills caches, starts threads and reads what a panic's backtrace needs, whose memory is no file's.
    for content in &sound {
        let _ = fault(format, folder.path(), content);
    }
    for content in &sound {
        fault(format, folder.path(), content)
            .unwrap_or_else(|fault| panic!("a sound file {fault}"));
    }
    let hook = panic::take_hook();
    panic::set_hook(Box::new(|_| ()));
    let mut dice = Dice::new(seed);
    let (mut faults, mut of_use) = (Vec::new(), 0);
    for case in 0..cases {
        let mut content = sound[dice.below(sound.len())].clone();
        let other = &sound[dice.below(sound.len())];
        if format.has_header && dice.below(4) > 0 {
            mutate_header(&mut content, other, &mut dice);
        } else {
            mutate(&mut content, other, &mut dice);
        }
        // A list of the process that grows takes memory once, a file each time that it is read.
        let read = fault(format, folder.path(), &content)
            .or_else(|_| fault(format, folder.path(), &content));
        match read {
            Ok(read) => of_use += usize::from(read),
            Err(fault) => {
                let extension = Path::new(format.file)
                    .file_name()
                    .unwrap()
                    .to_string_lossy()
                    .into_owned();
                let kept = std::env::temp_dir().join(format!("ensayo-{seed}-{case}-{extension}"));
                fs::write(&kept, &content).unwrap();
                faults.push(format!("{}: {fault}", kept.display()));
                if faults.len() == ENOUGH {
                    break;
                }
            }
        }
    }
    panic::set_hook(hook);
    eprintln!("{name}: {cases} files, {of_use} of use");
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

macro_rules! broken {
    ($($test:ident: $name:literal,)*) => {
        $(#[test]
        fn $test() {
            survives($name);
        })*

        #[test]
        fn every_format_has_its_test() {
            assert_eq!(FORMATS.each_ref().map(|format| format.name), [$($name),*]);
        }
    };
}

broken! {
    broken_experiments_do_no_harm: "toml",
    broken_tables_do_no_harm: "csv",
    broken_lines_of_json_do_no_harm: "jsonl",
    broken_configurations_do_no_harm: "config.json",
    broken_tokenisers_do_no_harm: "tokenizer.json",
    broken_pieces_do_no_harm: "spm.model",
    broken_weights_do_no_harm: "safetensors",
    broken_lists_of_shards_do_no_harm: "safetensors index",
    broken_pickles_do_no_harm: "bin",
    broken_adapter_settings_do_no_harm: "adapter_config.json",
    broken_adapters_do_no_harm: "adapter_model.safetensors",
    broken_checkpoints_do_no_harm: "checkpoint.safetensors",
    broken_records_do_no_harm: "record.json",
}
