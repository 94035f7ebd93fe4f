//! Documents by address and hash.

use std::path::Path;

use ensayo::hub::Silent;
use ensayo::hub::documents::{DocumentError, Documents};
use ensayo::hub::http::{Http, Proxies};

use super::repository::{bytes, settings, sha256};
use crate::server::{Delivery, Reply, Server};

fn text() -> Vec<u8> {
    let words = bytes(30_000).into_iter().map(|byte| b'a' + byte % 26);
    words.collect()
}

fn server() -> Server {
    let broken = std::sync::atomic::AtomicBool::new(false);
    Server::start(move |asked| match asked.path.as_str() {
        "/manual.txt" => Reply::new(200, text())
            .with("Content-Type", "text/plain")
            .ranged(asked),
        "/broken.txt" => {
            let first = !broken.swap(true, std::sync::atomic::Ordering::SeqCst);
            let reply = Reply::new(200, text()).ranged(asked);
            let delivery = if first {
                Delivery::Cut(9_000)
            } else {
                Delivery::Whole
            };
            Reply { delivery, ..reply }
        }
        "/moved.txt" => Reply::new(302, "").with("Location", "/manual.txt"),
        "/page" => Reply::new(200, "<p>x").with("Content-Type", "text/html"),
        "/unsaid" => Reply::new(200, "<!DOCTYPE html><p>x"),
        "/paper.pdf" => Reply::new(200, "%PDF-1.7"),
        "/a.zip" => Reply::new(200, b"PK\0\0".to_vec()),
        _ => Reply::new(404, ""),
    })
}

fn documents(folder: &Path, offline: bool) -> Documents {
    let http = Http::new(settings(), Proxies::default(), None).unwrap();
    Documents::new(http, folder.to_owned(), offline)
}

/// Only what is whole has its final name.
fn assert_clean(folder: &Path) {
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let name = entry.file_name().into_string().unwrap();
        if let Some(hash) = name.strip_suffix(".txt") {
            assert_eq!(hash, sha256(&std::fs::read(entry.path()).unwrap()));
        }
    }
}

#[test]
fn a_document_is_fetched_once_and_checked() {
    let server = server();
    let folder = tempfile::tempdir().unwrap();
    let hash = sha256(&text());
    for path in ["manual.txt", "moved.txt", "broken.txt"] {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("{}/{path}", server.address);
        let document = documents(folder.path(), false)
            .fetch(&url, Some(&hash), &Silent)
            .unwrap();
        assert_eq!(
            (document.sha256.as_str(), document.bytes),
            (hash.as_str(), 30_000)
        );
        assert!(std::fs::read(&document.path).unwrap() == text());
        assert_clean(folder.path());
    }
    let ranges = server
        .asked()
        .iter()
        .filter(|asked| asked.header("range").is_some())
        .count();
    assert_eq!(ranges, 1);
    let url = format!("{}/manual.txt", server.address);
    documents(folder.path(), false)
        .fetch(&url, Some(&hash), &Silent)
        .unwrap();
    server.forget();
    let upper = hash.to_uppercase();
    let again = documents(folder.path(), true)
        .fetch(&url, Some(&upper), &Silent)
        .unwrap();
    assert_eq!(
        documents(folder.path(), true).cached(&hash),
        Some(again.clone())
    );
    assert_eq!(server.asked().len(), 0);
    // A damaged file is not believed.
    std::fs::write(&again.path, "x").unwrap();
    assert_eq!(documents(folder.path(), true).cached(&hash), None);
    documents(folder.path(), false)
        .fetch(&url, Some(&hash), &Silent)
        .unwrap();
    assert_clean(folder.path());
}

#[test]
fn without_a_hash_the_one_that_was_found_is_named() {
    let server = server();
    let folder = tempfile::tempdir().unwrap();
    let url = format!("{}/manual.txt", server.address);
    let error = documents(folder.path(), false)
        .fetch(&url, None, &Silent)
        .unwrap_err();
    let line = format!("sha256 = \"{}\"", sha256(&text()));
    assert!(error.to_string().contains(&line), "{error}");
    // Pasted in, it costs no second download.
    server.forget();
    documents(folder.path(), false)
        .fetch(&url, Some(&sha256(&text())), &Silent)
        .unwrap();
    assert_eq!(server.asked().len(), 0);
}

#[test]
fn what_is_no_text_or_another_one_is_refused_with_words() {
    let server = server();
    let folder = tempfile::tempdir().unwrap();
    let fetch = |path: &str, hash: Option<&str>, offline| {
        let url = format!("{}/{path}", server.address);
        documents(folder.path(), offline)
            .fetch(&url, hash, &Silent)
            .unwrap_err()
    };
    for (path, words) in [
        ("page", "web page"),
        ("unsaid", "web page"),
        ("paper.pdf", "pdftotext"),
        ("a.zip", "binary"),
    ] {
        let error = fetch(path, None, false).to_string();
        assert!(
            error.contains(words) && error.contains("`path`"),
            "{path}: {error}"
        );
    }
    let other = "0".repeat(64);
    let error = fetch("manual.txt", Some(&other), false);
    assert!(
        matches!(&error, DocumentError::Changed { found, .. } if *found == sha256(&text())),
        "{error}"
    );
    assert!(matches!(
        fetch("manual.txt", Some("abc"), false),
        DocumentError::BadHash { .. }
    ));
    assert!(matches!(
        fetch("nothing", None, false),
        DocumentError::Refused { status: 404, .. }
    ));
    let error = fetch("manual.txt", Some(&other), true).to_string();
    assert!(error.contains("HF_HUB_OFFLINE"), "{error}");
    assert_clean(folder.path());
}
