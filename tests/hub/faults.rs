//! Every fault of a download ends in a complete, verified file or in a clear error, with nothing
//! half-written.

use std::fs;
use std::time::Duration;

use ensayo::hub::http::{Pause, Settings};
use ensayo::hub::{Hub, HubError, Silent};

use super::repository::{Fault, Repository, request, settings, sha256};
use super::watching::Watch;
use crate::server::Delivery;

/// Faults that pass are survived, wherever they strike.
#[test]
fn faults_that_pass_end_in_the_right_bytes() {
    let date = "Wed, 21 Oct 2015 07:28:00 GMT";
    let faults = [
        Fault::Status(500, vec![]),
        Fault::Status(502, vec![]),
        Fault::Status(503, vec![("Retry-After", "3".into())]),
        Fault::Status(504, vec![]),
        Fault::Status(408, vec![]),
        Fault::Status(429, vec![]),
        Fault::Status(429, vec![("RateLimit", "\"resolvers\";r=0;t=55".into())]),
        Fault::Status(429, vec![("Retry-After", "7".into())]),
        Fault::Status(429, vec![("Retry-After", date.into())]),
        Fault::Deliver(Delivery::Cut(0)),
        Fault::Deliver(Delivery::Cut(10)),
        Fault::Deliver(Delivery::Stall(10)),
        Fault::WrongLength(1_000),
    ];
    for part in [
        "/api/models/owner/model/revision",
        "tokenizer.json",
        "/cdn/",
    ] {
        for fault in &faults {
            let repository = Repository::start();
            repository.fail(part, 2, fault.clone());
            let cache = tempfile::tempdir().unwrap();
            match repository.fetch(cache.path()) {
                Ok(snapshot) => repository.assert_whole(&snapshot),
                Err(error) => panic!("{part}, {fault:?}: {error}"),
            }
            repository.assert_nothing_half(cache.path());
            // And the next time all is well.
            repository.heal();
            repository.assert_whole(&repository.fetch(cache.path()).unwrap());
        }
    }
}

/// Faults that do not pass end in an error that names the file and what happened.
#[test]
fn faults_that_stay_end_in_a_clear_error() {
    let drip = Delivery::Drip(1, Duration::from_millis(20));
    let faults = [
        (Fault::Status(500, vec![]), "answers 500"),
        (Fault::Status(418, vec![]), "answers 418"),
        (Fault::Status(429, vec![]), "429"),
        (Fault::Deliver(Delivery::Cut(10)), "broke off 4 times"),
        (Fault::Deliver(Delivery::Stall(10)), "broke off 4 times"),
        (Fault::Deliver(drip), "broke off 4 times"),
        (Fault::WrongLength(-1_000), "instead of"),
        (Fault::WrongLength(1_000), "instead of"),
        (Fault::Corrupt, "its hash is"),
        (Fault::Html, "a web page"),
    ];
    for (fault, words) in faults {
        let repository = Repository::start();
        repository.fail("/cdn/", usize::MAX, fault.clone());
        let cache = tempfile::tempdir().unwrap();
        let error = repository.fetch(cache.path()).unwrap_err().to_string();
        assert!(
            error.contains("owner/model") && error.contains(words),
            "{fault:?}: {error}"
        );
        repository.assert_nothing_half(cache.path());
        let weights = sha256(&repository.file("model.safetensors"));
        let blob = cache
            .path()
            .join("models--owner--model/blobs")
            .join(weights);
        assert!(!blob.exists(), "{fault:?}");
        repository.heal();
        repository.assert_whole(&repository.fetch(cache.path()).unwrap());
    }
}

#[test]
fn small_files_are_checked_too() {
    let repository = Repository::start();
    repository.fail("tokenizer.json", 1, Fault::Corrupt);
    let cache = tempfile::tempdir().unwrap();
    repository.assert_whole(&repository.fetch(cache.path()).unwrap());
    let other = tempfile::tempdir().unwrap();
    repository.fail("tokenizer.json", 2, Fault::Corrupt);
    let error = repository.fetch(other.path()).unwrap_err();
    assert!(
        matches!(&error, HubError::Corrupted { file, .. } if file == "tokenizer.json"),
        "{error}"
    );
    repository.assert_nothing_half(other.path());
}

#[test]
fn a_broken_download_goes_on_where_it_stopped() {
    let repository = Repository::start();
    for at in [100_000, 150_000] {
        repository.fail("/cdn/", 1, Fault::Deliver(Delivery::Cut(at)));
    }
    let cache = tempfile::tempdir().unwrap();
    repository.assert_whole(&repository.fetch(cache.path()).unwrap());
    let asked = repository.cdn.asked();
    let ranges: Vec<_> = asked.iter().map(|asked| asked.header("range")).collect();
    assert_eq!(ranges, [None, Some("bytes=100000-"), Some("bytes=250000-")]);
    // Signed addresses expire: each attempt begins at the hub.
    assert_eq!(
        repository
            .hub
            .count("resolve/0123456789012345678901234567890123456789/model.safetensors"),
        3
    );
}

#[test]
fn the_part_of_an_earlier_process_is_used_if_it_is_right() {
    let weights_of = |repository: &Repository| repository.file("model.safetensors");
    let part = |repository: &Repository, cache: &std::path::Path, content: &[u8]| {
        let blobs = cache.join("models--owner--model/blobs");
        fs::create_dir_all(&blobs).unwrap();
        let name = format!("{}.incomplete", sha256(&weights_of(repository)));
        fs::write(blobs.join(name), content).unwrap();
    };
    // The first part of the file, the whole of it, more than it, and something else.
    let repository = Repository::start();
    let right = weights_of(&repository);
    let longer = [right.as_slice(), b"more"].concat();
    let parts: [(&[u8], &[Option<&str>]); 4] = [
        (&right[..1_000], &[Some("bytes=1000-")]),
        (&right, &[]),
        (&longer, &[None]),
        (&[7; 1_000], &[Some("bytes=1000-"), None]),
    ];
    for (content, expected) in parts {
        repository.cdn.forget();
        let cache = tempfile::tempdir().unwrap();
        part(&repository, cache.path(), content);
        repository.assert_whole(&repository.fetch(cache.path()).unwrap());
        let asked = repository.cdn.asked();
        let ranges: Vec<_> = asked.iter().map(|asked| asked.header("range")).collect();
        assert_eq!(ranges, expected);
        repository.assert_nothing_half(cache.path());
    }
}

#[test]
fn a_server_that_knows_no_ranges_sends_everything_again() {
    let repository = Repository::start();
    repository.fail("/cdn/", 1, Fault::Deliver(Delivery::Cut(100_000)));
    repository.fail("/cdn/", usize::MAX, Fault::NoRange);
    let cache = tempfile::tempdir().unwrap();
    repository.assert_whole(&repository.fetch(cache.path()).unwrap());
    repository.assert_nothing_half(cache.path());
}

#[test]
fn servers_are_waited_for_as_long_as_they_say() {
    let repository = Repository::start();
    let headers = |name, value: &str| Fault::Status(429, vec![(name, value.to_owned())]);
    repository.fail(
        "tokenizer.json",
        1,
        headers("RateLimit", "\"resolvers\";r=0;t=55"),
    );
    repository.fail("/cdn/", 1, headers("Retry-After", "7"));
    repository.fail("/revision/", 2, Fault::Status(503, vec![]));
    let cache = tempfile::tempdir().unwrap();
    let slept = std::sync::Arc::new(std::sync::Mutex::new(Duration::ZERO));
    let counter = std::sync::Arc::clone(&slept);
    let settings = Settings {
        pause: Pause::new(move |time| *counter.lock().unwrap() += time),
        ..settings()
    };
    let client = Hub::with_settings(repository.environment(cache.path()), settings).unwrap();
    let watch = Watch::default();
    client.fetch(&request(), &watch).unwrap();
    let waits = watch.waits.lock().unwrap().clone();
    assert_eq!(
        waits,
        [(1.0, false), (2.0, false), (55.0, true), (7.0, true)]
    );
    assert_eq!(slept.lock().unwrap().as_secs(), 65);

    // More than anybody would wait for is an error that says how long.
    repository.fail("/revision/", 1, headers("Retry-After", "9000"));
    let other = tempfile::tempdir().unwrap();
    let error = repository.fetch(other.path()).unwrap_err().to_string();
    assert!(error.contains("9000 s"), "{error}");
}

#[test]
fn a_stop_keeps_what_has_come() {
    let repository = Repository::start();
    let slow = Delivery::Drip(40_000, Duration::from_millis(30));
    repository.fail("/cdn/", 1, Fault::Deliver(slow));
    let cache = tempfile::tempdir().unwrap();
    let watch = std::sync::Arc::new(Watch::default());
    let stopper = std::sync::Arc::clone(&watch);
    let stop = std::thread::spawn(move || {
        while !stopper
            .said
            .lock()
            .unwrap()
            .iter()
            .any(|said| said.contains("model.safetensors"))
        {
            std::thread::sleep(Duration::from_millis(5));
        }
        std::thread::sleep(Duration::from_millis(100));
        stopper
            .stop
            .store(true, std::sync::atomic::Ordering::SeqCst);
    });
    let error = repository
        .client(cache.path())
        .fetch(&request(), watch.as_ref())
        .unwrap_err();
    stop.join().unwrap();
    assert!(error.to_string().contains("stopped"), "{error}");
    repository.assert_nothing_half(cache.path());
    repository.cdn.forget();
    repository
        .client(cache.path())
        .fetch(&request(), &Silent)
        .unwrap();
    assert!(repository.cdn.asked()[0].header("range").is_some());
}
