//! Whether a launch waits for the card, so that a kernel that fails is known by name.

use std::io::{self, Write};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use burn_cubecl::CubeRuntime;
use cubecl::prelude::*;

/// Whether every launch is waited for; see [`watch_kernels`].
static WATCHED: AtomicBool = AtomicBool::new(false);

/// Whether each launch of a kernel of ours waits for the card and panics where something has
/// failed, with the kernel's name. Otherwise errors come to light when a result is read, without a
/// name, or not at all: burn throws away what it finds when it begins to choose kernels by timing.
pub fn watch_kernels(watch: bool) {
    WATCHED.store(watch || names_kernels(), Ordering::Relaxed);
}

/// How the panic of a watched launch names its kernel.
pub const LAUNCHED: &str = "launched kernel: ";

/// Launches `kernel`; see [`watch_kernels`].
pub(super) fn watched<R: CubeRuntime>(
    client: &ComputeClient<R>,
    kernel: &str,
    launch: impl FnOnce(),
) {
    if !WATCHED.load(Ordering::Relaxed) {
        return launch();
    }
    // What failed before is not this kernel's fault.
    settle(client, "");
    launch();
    settle(client, &format!("{LAUNCHED}{kernel}\n"));
}

fn settle<R: CubeRuntime>(client: &ComputeClient<R>, launched: &str) {
    if let Err(error) = cubecl::future::block_on(client.sync()) {
        panic!("{launched}{error:?}");
    }
    if names_kernels() {
        // cubecl names kernels from a thread of its own, which may be a little late.
        std::thread::sleep(Duration::from_millis(2));
        let _ = writeln!(io::stderr(), "{ALL_WELL}");
    }
}

/// The variable of a process in which cubecl writes to standard error which kernels it launches,
/// since one of them is known to fail.
pub const NAME_KERNELS: &str = "ENSAYO_NAME_KERNELS";
/// What such a process writes when all kernels launched before have succeeded.
pub const ALL_WELL: &str = "kernels so far: all well";

/// Whether this is such a process.
#[must_use]
pub fn names_kernels() -> bool {
    static NAMES: LazyLock<bool> = LazyLock::new(|| std::env::var_os(NAME_KERNELS).is_some());
    *NAMES
}
