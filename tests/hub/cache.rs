//! Caches that are not as they should be.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use ensayo::hub::{HubError, Silent};

use super::repository::{Fault, OLD, Repository, request, sha256};
use super::watching::Watch;
use crate::server::Delivery;

#[test]
fn links_that_leave_the_cache_are_neither_read_nor_followed() {
    let repository = Repository::start();
    let cache = tempfile::tempdir().unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    let snapshot = repository.fetch(cache.path()).unwrap();
    // A file that is a link to somewhere else is replaced by the right one.
    let stranger = elsewhere.path().join("config.json");
    fs::write(&stranger, "{\"not\":\"ours\"}").unwrap();
    let config = snapshot.folder.join("config.json");
    fs::remove_file(&config).unwrap();
    symlink(&stranger, &config).unwrap();
    repository.assert_whole(&repository.fetch(cache.path()).unwrap());
    assert_eq!(fs::read_to_string(&stranger).unwrap(), "{\"not\":\"ours\"}");
    // A folder that is one is not written into.
    fs::remove_dir_all(&snapshot.folder).unwrap();
    symlink(
        elsewhere.path(),
        cache
            .path()
            .join("models--owner--model/snapshots")
            .join(OLD),
    )
    .unwrap();
    let error = repository.fetch(cache.path()).unwrap_err();
    assert!(matches!(error, HubError::LeavesCache { .. }), "{error}");
    assert_eq!(fs::read_dir(elsewhere.path()).unwrap().count(), 1);
}

#[test]
fn blobs_on_another_disk_are_the_users_right() {
    let repository = Repository::start();
    let cache = tempfile::tempdir().unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    let folder = cache.path().join("models--owner--model");
    fs::create_dir_all(&folder).unwrap();
    symlink(elsewhere.path(), folder.join("blobs")).unwrap();
    repository.assert_whole(&repository.fetch(cache.path()).unwrap());
    repository.hub.forget();
    repository.assert_whole(&repository.fetch(cache.path()).unwrap());
    assert_eq!(repository.hub.asked().len(), 0);
}

#[test]
fn a_cache_that_is_deleted_meanwhile_is_filled_anew() {
    for file in ["config.json", "model.safetensors"] {
        let repository = Repository::start();
        let slow = Delivery::Drip(100_000, std::time::Duration::from_millis(10));
        repository.fail("/cdn/", 1, Fault::Deliver(slow));
        let cache = tempfile::tempdir().unwrap();
        let folder = cache.path().to_owned();
        // With the files that have come already, and before the rename of this one.
        let watch = Watch::acting(file, move || fs::remove_dir_all(&folder).unwrap());
        let client = repository.client(cache.path());
        let snapshot = client.fetch(&request(), &watch).unwrap();
        repository.assert_whole(&snapshot);
        repository.assert_nothing_half(cache.path());
    }
}

/// `python_cache.py` lets Python's client write it.
#[test]
fn a_cache_that_python_filled_needs_no_network() {
    let python = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/hub/python-cache");
    let cache = tempfile::tempdir().unwrap();
    let copied = Command::new("cp")
        .arg("-a")
        .arg(python.join("."))
        .arg(cache.path())
        .status();
    assert!(copied.unwrap().success());
    let repository = Repository::start();
    let snapshot = repository.fetch(cache.path()).unwrap();
    assert_eq!(snapshot.files.len(), 4);
    let weights = fs::read(snapshot.folder.join("model.safetensors")).unwrap();
    assert_eq!((snapshot.commit.as_str(), weights.len()), (OLD, 7_680));
    assert_eq!(repository.hub.asked().len(), 0);
    // What this client writes is the same: names, links and tags.
    let ours = tempfile::tempdir().unwrap();
    repository.fetch(ours.path()).unwrap();
    let names = |root: &Path| -> Vec<String> {
        let entries = walkdir::WalkDir::new(root)
            .sort_by_file_name()
            .into_iter()
            .flatten();
        let names = entries.map(|entry| {
            entry
                .path()
                .strip_prefix(root)
                .unwrap()
                .display()
                .to_string()
        });
        names
            .filter(|name| !name.contains("blobs/") && !name.starts_with(".locks"))
            .collect()
    };
    assert_eq!(names(cache.path()), names(ours.path()));
    let tag = |root: &Path| fs::read_to_string(root.join("CACHEDIR.TAG")).unwrap();
    assert_eq!(tag(cache.path()), tag(ours.path()));
}

#[test]
fn a_blob_of_the_wrong_size_is_fetched_again() {
    let repository = Repository::start();
    let cache = tempfile::tempdir().unwrap();
    // As a client leaves it that takes an error page for weights.
    let blobs = cache.path().join("models--owner--model/blobs");
    fs::create_dir_all(&blobs).unwrap();
    fs::write(
        blobs.join(sha256(&repository.file("model.safetensors"))),
        "Internal Error",
    )
    .unwrap();
    repository.assert_whole(&repository.fetch(cache.path()).unwrap());
    repository.assert_nothing_half(cache.path());
}

#[test]
fn a_blob_that_is_here_needs_only_its_link() {
    let repository = Repository::start();
    let cache = tempfile::tempdir().unwrap();
    let snapshot = repository.fetch(cache.path()).unwrap();
    fs::remove_file(snapshot.folder.join("model.safetensors")).unwrap();
    repository.cdn.forget();
    repository.assert_whole(&repository.fetch(cache.path()).unwrap());
    assert_eq!(repository.cdn.asked().len(), 0);
}

#[test]
fn notes_of_python_save_the_listing() {
    let repository = Repository::start();
    let cache = tempfile::tempdir().unwrap();
    let snapshot = repository.fetch(cache.path()).unwrap();
    let notes = cache
        .path()
        .join("models--owner--model/.no_exist")
        .join(OLD);
    fs::remove_dir_all(&notes).unwrap();
    repository.hub.forget();
    let client = repository.client(cache.path());
    assert_eq!(client.fetch(&request(), &Silent).unwrap(), snapshot);
    assert_eq!(repository.hub.asked().len(), 1);
    assert!(notes.join("special_tokens_map.json").exists());
}
