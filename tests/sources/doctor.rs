//! `ensayo doctor`, with services that answer and services that do not.

use std::process::{Command, Output};

use serde_json::json;

use crate::server::{Reply, Server};

/// Exit code, standard output, standard error.
fn doctor(arguments: &[&str], hub: &str, steam: &str) -> (i32, String, String) {
    let place = tempfile::tempdir().unwrap();
    let Output {
        status,
        stdout,
        stderr,
    } = Command::new(env!("CARGO_BIN_EXE_ensayo"))
        .arg("doctor")
        .args(arguments)
        .current_dir(place.path())
        .env("HF_HOME", place.path().join("hf"))
        .env("ENSAYO_CACHE", place.path().join("own"))
        .env("HF_ENDPOINT", hub)
        .env("ENSAYO_STEAM_ADDRESS", steam)
        .env_remove("HF_HUB_OFFLINE")
        .env_remove("TRANSFORMERS_OFFLINE")
        .output()
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (status.code().unwrap(), text(stdout), text(stderr))
}

fn services() -> Server {
    Server::start(|asked| match asked.path.split('?').next() {
        Some("/api/models") => Reply::json(&json!([])),
        _ => Reply::json(&json!({ "response": { "query_summary": {
            "num_reviews": 0, "total_positive": 1, "total_negative": 1, "total_reviews": 2,
        } } })),
    })
}

#[test]
fn doctor_asks_nobody_unless_told_to() {
    let server = services();
    let (_, said, _) = doctor(&[], &server.address, &server.address);
    for what in ["ensayo ", "processor", "memory", "hub cache", "not checked"] {
        assert!(said.contains(what), "{what} in {said}");
    }
    assert_eq!(server.asked().len(), 0);
}

#[test]
fn doctor_says_that_the_services_answer() {
    let server = services();
    let (_, said, _) = doctor(&["--online"], &server.address, &server.address);
    assert!(
        said.contains(&format!("{} answers", server.address)),
        "{said}"
    );
    assert!(said.contains("Steam           answers"), "{said}");
    assert_eq!(server.asked().len(), 2);
}

#[test]
fn doctor_names_a_service_that_does_not_answer_and_fails() {
    let server = services();
    let closed = Server::start(|_| Reply::new(404, "gone"));
    let (code, said, error) = doctor(&["--online"], &closed.address, &server.address);
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("TROUBLE  hub"), "{said}");
    assert!(error.contains("1 trouble found"), "{error}");
    let (code, said, _) = doctor(&["--online"], &server.address, &closed.address);
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("TROUBLE  Steam"), "{said}");
}
