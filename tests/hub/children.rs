//! Fetches in processes of their own: two at once, and some that are killed.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use ensayo::hub::{Hub, Silent};

use super::repository::{Fault, Repository, request, settings};
use crate::server::Delivery;

const ENDPOINT: &str = "ENSAYO_TEST_ENDPOINT";
const CACHE: &str = "ENSAYO_TEST_CACHE";

/// Not a test of its own: what a child does when a test starts this binary again.
#[test]
fn child() {
    let (Ok(endpoint), Ok(cache)) = (std::env::var(ENDPOINT), std::env::var(CACHE)) else {
        return;
    };
    let is_certificates = |name: &str| name == "SSL_CERT_FILE";
    let mut environment = ensayo::hub::Environment::from_variables(|name| {
        is_certificates(name).then(|| std::env::var(name).ok())?
    });
    environment.endpoint = endpoint;
    environment.cache = cache.into();
    let client = Hub::with_settings(environment, settings()).unwrap();
    if let Err(error) = client.fetch(&request(), &Silent) {
        panic!("{error}");
    }
}

/// Starts a fetch; `shell` may stand before it.
pub fn command(repository: &Repository, cache: &Path, shell: &[&str]) -> Command {
    let binary = std::env::current_exe().unwrap();
    let binary = binary.to_str().unwrap();
    let words = [
        shell,
        &[binary, "--exact", "hub::children::child", "--nocapture"],
    ]
    .concat();
    let mut command = Command::new(words[0]);
    command
        .args(&words[1..])
        .env(ENDPOINT, &repository.hub.address)
        .env(CACHE, cache)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

fn start(repository: &Repository, cache: &Path) -> Child {
    command(repository, cache, &[]).spawn().unwrap()
}

#[test]
fn two_processes_fetch_a_file_once() {
    let repository = Repository::start();
    // Slowly, so that all meet.
    let slow = Delivery::Drip(50_000, Duration::from_millis(40));
    repository.fail("/cdn/", 1, Fault::Deliver(slow));
    let cache = tempfile::tempdir().unwrap();
    let children: Vec<Child> = (0..3).map(|_| start(&repository, cache.path())).collect();
    for child in children {
        let output = child.wait_with_output().unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    assert_eq!(repository.cdn.asked().len(), 1);
    assert_eq!(repository.hub.count("tokenizer.json"), 1);
    repository.assert_nothing_half(cache.path());
    repository.assert_whole(&repository.fetch(cache.path()).unwrap());
}

#[test]
fn killed_fifty_times_it_ends_with_the_right_bytes() {
    let repository = Repository::start();
    let slow = Delivery::Drip(6_000, Duration::from_millis(15));
    repository.fail("/cdn/", usize::MAX, Fault::Deliver(slow));
    let cache = tempfile::tempdir().unwrap();
    for kill in 0..50 {
        let mut child = start(&repository, cache.path());
        // Anywhere from before the first request to the middle of the weights.
        std::thread::sleep(Duration::from_millis(5 + (kill * 37) % 250));
        child.kill().unwrap();
        child.wait().unwrap();
        repository.assert_nothing_half(cache.path());
        // Of some the whole cache goes too, so that all places are killed at, not only the last.
        if kill % 10 == 9 {
            std::fs::remove_dir_all(cache.path().join("models--owner--model")).unwrap_or_default();
        }
    }
    let resumed = repository
        .cdn
        .asked()
        .iter()
        .filter(|asked| asked.header("range").is_some())
        .count();
    assert!(resumed > 5, "only {resumed} of them went on");
    repository.heal();
    let output = start(&repository, cache.path()).wait_with_output().unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    repository.assert_nothing_half(cache.path());
    repository.assert_whole(&repository.fetch(cache.path()).unwrap());
}
