//! A process that computes ends at its first panic, whichever thread it is on, and says what of the
//! device failed.

use std::io::{self, Write};
use std::panic::{self, PanicHookInfo};
use std::time::Duration;

use super::failure::DeviceFailure;
use super::memory::{OUT_OF_MEMORY, says_out_of_memory};
use super::tuning::CARD;
use crate::nn::ops::names_kernels;

/// The exit code of a process that leaves since a card failed; its last words are [`CARD_FAILED`]
/// and what it is.
pub const DEVICE_FAILURE: u8 = 13;

/// The words of a message before the card and its failure.
pub const CARD_FAILED: &str = "failed on ";

/// What a panic was about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Panic {
    /// Memory ran out.
    OutOfMemory,
    /// A card, or the compiler for it.
    Device,
    /// Something else.
    Other,
}

impl Panic {
    /// The exit code by which a job's process informs its parent: [`OUT_OF_MEMORY`],
    /// [`DEVICE_FAILURE`], or that of Rust's own panics.
    #[must_use]
    pub fn exit_code(self) -> u8 {
        match self {
            Self::OutOfMemory => OUT_OF_MEMORY,
            Self::Device => DEVICE_FAILURE,
            Self::Other => 101,
        }
    }
}

/// Makes the process leave at a panic of any thread, with an exit code by what it was about.
/// cubecl's threads panic when a card is full or fails, and the thread that waits for them may wait
/// for ever, or see a later and different error.
///
/// The processor's allocator aborts the process instead, with words that [`says_out_of_memory`]
/// knows.
pub fn leave_at_a_panic(exit_code: fn(Panic) -> u8) {
    let before = panic::take_hook();
    panic::set_hook(Box::new(move |panic: &PanicHookInfo<'_>| {
        before(panic);
        let said = panic.payload_as_str().unwrap_or_default();
        let about = if says_out_of_memory(said) {
            Panic::OutOfMemory
        } else if let Some(failure) = DeviceFailure::recognise(said) {
            if names_kernels() {
                // cubecl names kernels from a thread of its own.
                std::thread::sleep(Duration::from_millis(200));
            }
            let card = CARD.get().map_or("the card", String::as_str);
            // Where the other end has closed, nothing is lost.
            let _ = writeln!(io::stderr(), "{CARD_FAILED}{card}: {failure}");
            Panic::Device
        } else {
            Panic::Other
        };
        std::process::exit(i32::from(exit_code(about)));
    }));
}
