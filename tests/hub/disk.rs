//! Full disks and caches that cannot be written: real ones, mounted for a child where the system
//! lets us.

use std::process::Command;
use std::sync::Mutex;

use super::children::command;
use super::repository::{Fault, OLD, Repository};
use crate::server::Delivery;

/// Mounts are made in a namespace of the child's own and vanish with it.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// Whether a child may mount; in some containers it may not, and there the unit tests of the disk's
/// errors have to do.
fn may_mount() -> bool {
    let tried = Command::new("unshare")
        .args(["-rm", "sh", "-c", "mount -t tmpfs none /mnt"])
        .output();
    tried.is_ok_and(|output| output.status.success())
}

/// What a fetch says whose cache is prepared by a script. `$CACHE` is its folder.
fn said(repository: &Repository, cache: &std::path::Path, script: &str) -> Option<String> {
    if !may_mount() {
        return None;
    }
    let _lock = ONE_AT_A_TIME
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    let script = format!("CACHE=$ENSAYO_TEST_CACHE; {script}");
    let mut command = command(
        repository,
        cache,
        &["unshare", "-rm", "sh", "-c", &script, "sh"],
    );
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned()
        + &String::from_utf8_lossy(&output.stdout);
    Some(format!("{}: {said}", output.status.success()))
}

#[test]
fn what_does_not_fit_is_refused_before_anything_is_fetched() {
    let repository = Repository::start();
    let cache = tempfile::tempdir().unwrap();
    let script = "mount -t tmpfs -o size=300k none $CACHE; exec \"$@\"";
    let Some(said) = said(&repository, cache.path(), script) else {
        return;
    };
    assert!(
        said.starts_with("false") && said.contains("is full"),
        "{said}"
    );
    assert!(
        said.contains("kB are needed") && said.contains("HF_HUB_CACHE"),
        "{said}"
    );
    assert_eq!(
        repository.cdn.asked().len() + repository.hub.count("/resolve/"),
        0
    );
}

#[test]
fn a_disk_that_fills_up_meanwhile_leaves_nothing_half() {
    let repository = Repository::start();
    // Slowly, so that the disk is full before the file is whole.
    let slow = Delivery::Drip(20_000, std::time::Duration::from_millis(20));
    repository.fail("/cdn/", 9, Fault::Deliver(slow));
    let cache = tempfile::tempdir().unwrap();
    let script = "mount -t tmpfs -o size=520k none $CACHE; \
        (sleep 0.25; head -c 1000000 /dev/zero > $CACHE/ballast 2>/dev/null) & \
        \"$@\"; code=$?; ls $CACHE/models--owner--model/blobs $CACHE/models--owner--model/snapshots/* >&2; exit $code";
    let Some(said) = said(&repository, cache.path(), script) else {
        return;
    };
    assert!(
        said.starts_with("false") && said.contains("is full"),
        "{said}"
    );
    let weights = super::repository::sha256(&repository.file("model.safetensors"));
    let named: Vec<&str> = said
        .lines()
        .filter(|line| line.contains(&weights))
        .collect();
    assert!(
        named.iter().all(|line| line.contains(".incomplete")),
        "{said}"
    );
    assert!(
        !said.lines().any(|line| line.trim() == "model.safetensors"),
        "{said}"
    );
}

#[test]
fn a_cache_that_cannot_be_written_is_read_as_it_is_and_else_named() {
    let repository = Repository::start();
    let cache = tempfile::tempdir().unwrap();
    let script = "mount -t tmpfs none $CACHE; mount -o remount,ro $CACHE; exec \"$@\"";
    let Some(said) = said(&repository, cache.path(), script) else {
        return;
    };
    assert!(
        said.starts_with("false") && said.contains("cannot be written"),
        "{said}"
    );
    assert!(said.contains("HF_HUB_CACHE"), "{said}");
    // With everything in it, it need not be written, even where it does not know what is missing.
    let full = tempfile::tempdir().unwrap();
    let snapshot = repository.fetch(full.path()).unwrap();
    let notes = full.path().join("models--owner--model/.no_exist").join(OLD);
    std::fs::remove_dir_all(notes).unwrap();
    let script = "mount --bind $CACHE $CACHE; mount -o remount,bind,ro $CACHE; exec \"$@\"";
    let said = super::disk::said(&repository, full.path(), script).unwrap();
    assert!(said.starts_with("true"), "{said}");
    repository.assert_whole(&snapshot);
}
