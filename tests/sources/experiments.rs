//! Experiments whose data and documents come from elsewhere, from a TOML to a result.

use std::fmt::Write;
use std::fs;

use ensayo::steam::Dialect;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::hub::program::{Place, Said};
use crate::server::{Reply, Server};
use crate::steam::service::Steam;

const MANUAL: &str = "Las parcelas cuestan noventa euros al año.\n\nEl riego empieza a las ocho de la tarde.\n\nNo se puede quemar nada en verano.\n";

const SEARCH: &str = r#"
name = "trial"
kind = "rag"
[document]
DOCUMENT
[chunks]
strategy = "words"
size = 8
overlap = 0
[embedder]
kind = "bm25"
[retrieval]
top_k = 1
[generator]
kind = "none"
[[questions]]
id = "cuota"
text = "¿Cuánto cuestan las parcelas?"
relevant = ["noventa euros"]
"#;

const REVIEWS: &str = r#"
name = "trial"
kind = "lora"
[model]
random = { config = "ENCODER/config.json", seed = 0 }
[data.steam]
app = 322170
positive = 12
negative = 30
[lora]
rank = 2
targets = ["query"]
[training]
epochs = 1
max_length = 16
"#;

fn search(lines: &str) -> Place {
    Place::with(&SEARCH.replace("DOCUMENT", lines))
}

fn reviews() -> Place {
    let encoder = concat!(env!("CARGO_MANIFEST_DIR"), "/models/quickstart-encoder");
    Place::with(&REVIEWS.replace("ENCODER", encoder))
}

fn hash(text: &str) -> String {
    let mut digits = String::new();
    for byte in Sha256::digest(text) {
        write!(digits, "{byte:02x}").unwrap();
    }
    digits
}

fn said(place: &Place, variables: &[(&str, &str)], words: &[&str]) -> Said {
    let own = place.path("own");
    let mut all = vec![("ENSAYO_CACHE", own.to_str().unwrap())];
    all.extend(variables);
    place.ensayo("http://127.0.0.1:1", &all, words)
}

fn record(place: &Place) -> Value {
    let path = place.path("results/trial/base/seed-42/record.json");
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

#[test]
fn a_document_comes_from_its_address_once_and_counts_by_its_hash() {
    let server = Server::start(|_| Reply::new(200, MANUAL).with("Content-Type", "text/plain"));
    let url = format!("{}/manual.txt", server.address);
    let place = search(&format!("url = \"{url}\"\nsha256 = \"{}\"", hash(MANUAL)));

    let check = said(&place, &[], &["check"]);
    assert_eq!(check.code, 0, "{}", check.talk);
    assert!(check.output.contains("not fetched yet"), "{}", check.output);
    let plan = said(&place, &[], &["plan"]);
    assert_eq!(plan.code, 0, "{}", plan.talk);
    assert!(
        plan.output.contains("manual.txt: to fetch"),
        "{}",
        plan.output
    );
    assert_eq!(server.asked().len(), 0, "a plan fetches nothing");

    let run = said(&place, &[], &["run"]);
    assert_eq!(run.code, 0, "{}", run.talk);
    let first = record(&place);
    assert_eq!(server.asked().len(), 1);
    let again = said(&place, &[("HF_HUB_OFFLINE", "1")], &["run", "--force"]);
    assert_eq!(again.code, 0, "{}", again.talk);
    assert_eq!(server.asked().len(), 1);

    // The same document from a file is the same run.
    place.write("manual.txt", MANUAL);
    let local = SEARCH.replace("DOCUMENT", "path = \"../manual.txt\"");
    place.write("experiments/trial.toml", &local);
    let plan = said(&place, &[], &["plan"]);
    assert!(plan.output.contains("done"), "{}", plan.output);
    assert_eq!(record(&place)["identity"], first["identity"]);
}

#[test]
fn a_document_without_its_hash_is_refused_with_the_one_to_paste_in() {
    let server = Server::start(|_| Reply::new(200, MANUAL));
    let place = search(&format!("url = \"{}/manual.txt\"", server.address));
    assert_eq!(said(&place, &[], &["check"]).code, 0);
    let plan = said(&place, &[], &["plan"]);
    assert_eq!(plan.code, 0, "{}", plan.talk);
    assert!(
        plan.output.contains("`document.sha256` is missing"),
        "{}",
        plan.output
    );
    for words in [&["run"][..], &["fetch"]] {
        let refused = said(&place, &[], words);
        assert_eq!(refused.code, 2, "{}", refused.talk);
        let line = format!("sha256 = \"{}\"", hash(MANUAL));
        assert!(refused.talk.contains(&line), "{}", refused.talk);
    }
    assert!(!place.path("results/trial/base/seed-42").exists());
}

#[test]
fn where_all_are_asked_for_what_cannot_be_fetched_is_skipped() {
    let place = search("path = \"../manual.txt\"");
    place.write("manual.txt", MANUAL);
    let encoder = concat!(env!("CARGO_MANIFEST_DIR"), "/models/quickstart-encoder");
    let random = format!("random = {{ config = \"{encoder}/config.json\", seed = 0 }}");
    let of_hub = REVIEWS
        .replace("ENCODER", encoder)
        .replace(&random, "id = \"owner/model\"")
        .replace("\"trial\"", "\"distant\"");
    place.write("experiments/distant.toml", &of_hub);
    let offline = [("HF_HUB_OFFLINE", "1")];

    let run = said(&place, &offline, &["run"]);
    assert_eq!(run.code, 0, "{}", run.talk);
    assert!(
        run.talk.contains("distant: skipped: owner/model"),
        "{}",
        run.talk
    );
    assert_eq!(record(&place)["status"], "complete");
    assert!(!place.path("results/distant").exists());

    let named = said(&place, &offline, &["run", "distant"]);
    assert_eq!(named.code, 2, "{}", named.talk);
    fs::remove_file(place.path("experiments/trial.toml")).unwrap();
    let none = said(&place, &offline, &["run"]);
    assert_eq!(none.code, 2, "{}", none.talk);
    assert!(
        none.talk.contains("error: distant: owner/model"),
        "{}",
        none.talk
    );
}

#[test]
fn a_document_that_is_another_one_is_refused() {
    let server = Server::start(|_| Reply::new(200, "something else"));
    let url = format!("{}/manual.txt", server.address);
    let place = search(&format!("url = \"{url}\"\nsha256 = \"{}\"", hash(MANUAL)));
    let run = said(&place, &[], &["run"]);
    assert_eq!(run.code, 2, "{}", run.talk);
    assert!(
        run.talk.contains("the document has changed"),
        "{}",
        run.talk
    );

    // The same goes for a file.
    place.write("manual.txt", "something else");
    let local = format!("path = \"../manual.txt\"\nsha256 = \"{}\"", hash(MANUAL));
    place.write(
        "experiments/trial.toml",
        &SEARCH.replace("DOCUMENT", &local),
    );
    let check = said(&place, &[], &["check"]);
    assert_eq!(check.code, 2, "{}", check.output);
    assert!(check.talk.contains("take the right file"), "{}", check.talk);
}

#[test]
fn reviews_are_fetched_before_the_first_run_and_their_file_counts() {
    let steam = Steam::start(12, 20, Dialect::Service);
    let address = steam.server.address.clone() + "/reviews/";
    let there = ("ENSAYO_STEAM_ADDRESS", address.as_str());
    let place = reviews();

    let check = said(&place, &[there], &["check"]);
    assert_eq!(check.code, 0, "{}", check.talk);
    assert!(
        check.output.contains("game 322170 are not fetched yet"),
        "{}",
        check.output
    );
    let plan = said(&place, &[there], &["plan"]);
    assert_eq!(plan.code, 0, "{}", plan.talk);
    assert!(plan.output.contains("42 of 42 to fetch"), "{}", plan.output);
    assert_eq!(steam.server.asked().len(), 0, "a plan fetches nothing");
    let offline = said(&place, &[there, ("HF_HUB_OFFLINE", "1")], &["run"]);
    assert_eq!(offline.code, 2, "{}", offline.talk);
    assert!(offline.talk.contains("ensayo fetch"), "{}", offline.talk);

    let fetch = said(&place, &[there], &["fetch"]);
    assert_eq!(fetch.code, 0, "{}", fetch.talk);
    assert!(fetch.output.contains("32 rows"), "{}", fetch.output);
    let fewer = "fewer negative reviews: the game has no more of them";
    assert!(fetch.talk.contains(fewer), "{}", fetch.talk);
    steam.server.forget();

    let run = said(&place, &[("HF_HUB_OFFLINE", "1")], &["run"]);
    assert_eq!(run.code, 0, "{}", run.talk);
    let first = record(&place);
    assert_eq!(steam.server.asked().len(), 0);
    let plan = said(&place, &[], &["plan"]);
    assert!(plan.output.contains("done"), "{}", plan.output);

    // The same rows from a file of one's own are the same run.
    let out = place.path("mine.csv");
    let words = [
        "fetch",
        "reviews",
        "--app",
        "322170",
        "--positive",
        "12",
        "--negative",
        "30",
    ];
    let words = [&words[..], &["--out", out.to_str().unwrap()]].concat();
    let own = said(&place, &[("HF_HUB_OFFLINE", "1")], &words);
    assert_eq!(own.code, 0, "{}", own.talk);
    assert!(own.output.contains("positive       12"), "{}", own.output);
    let encoder = concat!(env!("CARGO_MANIFEST_DIR"), "/models/quickstart-encoder");
    let text = REVIEWS.replace("ENCODER", encoder);
    let (before, after) = text.split_once("[data.steam]").unwrap();
    let (_, after) = after.split_once("[lora]").unwrap();
    place.write(
        "experiments/trial.toml",
        &format!("{before}[data]\npath = \"../mine.csv\"\n[lora]{after}"),
    );
    let plan = said(&place, &[], &["plan"]);
    assert!(plan.output.contains("done"), "{}", plan.output);
    assert_eq!(record(&place)["identity"], first["identity"]);
}

#[test]
fn reviews_of_no_game_are_refused_before_anything_runs() {
    let steam = Steam::start(5, 5, Dialect::Service);
    let address = steam.server.address.clone() + "/reviews/";
    let there = ("ENSAYO_STEAM_ADDRESS", address.as_str());
    let place = reviews();
    let run = said(&place, &[there], &["run", "--set", "data.steam.app=1"]);
    assert_eq!(run.code, 2, "{}", run.talk);
    assert!(run.talk.contains("knows no reviews"), "{}", run.talk);
    for (set, words) in [
        ("data.steam.language=English", "not Steam's name"),
        ("data.steam.negative=0", "is 0"),
    ] {
        let check = said(&place, &[there], &["check", "--set", set]);
        assert_eq!(check.code, 2, "{set}: {}", check.output);
        assert!(check.talk.contains(words), "{set}: {}", check.talk);
    }
}
