//! Tells the program which commit it is built from, for the records. Without git, or outside a checkout, it is told nothing.
#![allow(clippy::print_stdout, reason = "how a build script speaks to cargo")]
use std::path::Path;
use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=src");
    println!("cargo::rerun-if-changed=engine");
    println!("cargo::rerun-if-changed=Cargo.lock");
    // A package inside somebody else's checkout has no commit of its own.
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).canonicalize().ok();
    let top = git(&["rev-parse", "--show-toplevel"]);
    if here.is_none() || top.and_then(|top| Path::new(&top).canonicalize().ok()) != here {
        return;
    }
    // Moves with every commit and every change of branch. A path that does not exist would run this script every time.
    if let Some(log) = git(&["rev-parse", "--git-path", "logs/HEAD"])
        && Path::new(&log).exists()
    {
        println!("cargo::rerun-if-changed={log}");
    }
    if let Some(commit) = git(&[
        "describe",
        "--always",
        "--dirty",
        "--abbrev=12",
        "--exclude=*",
    ]) {
        println!("cargo::rustc-env=ENSAYO_COMMIT={commit}");
    }
}

/// What git answers, if it does.
fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let text = text.trim();
    (output.status.success() && !text.is_empty()).then(|| text.to_owned())
}
