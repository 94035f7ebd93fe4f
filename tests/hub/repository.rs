//! A hub with one repository and a second host for large files, as the real one answers.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ensayo::hub::http::{Pause, Settings};
use ensayo::hub::{Environment, Freshness, Hub, ModelRequest, Silent, Snapshot, Wanted};
use serde_json::{Value, json};
use sha1::Sha1;
use sha2::{Digest, Sha256};

use crate::server::{Asked, Delivery, Reply, Server};

pub const ID: &str = "owner/model";
pub const OLD: &str = "0123456789012345678901234567890123456789";
pub const NEW: &str = "abcdefabcdefabcdefabcdefabcdefabcdefabcd";

/// A way for an answer to go wrong.
#[derive(Debug, Clone)]
pub enum Fault {
    Status(u16, Vec<(&'static str, String)>),
    Deliver(Delivery),
    WrongLength(i64),
    /// One byte differs.
    Corrupt,
    Html,
    /// The request's range is not heeded.
    NoRange,
    Redirect(String),
}

/// What is wrong, for requests whose line has a part, so many times.
#[derive(Debug, Clone)]
struct Switch {
    part: String,
    times: usize,
    fault: Fault,
}

#[derive(Default)]
struct State {
    files: BTreeMap<String, Vec<u8>>,
    commit: String,
    switches: Vec<Switch>,
    /// Whether the listing leaves out sizes and hashes, as mirrors do.
    bare: bool,
    cdn: String,
}

/// The servers, and what they have.
pub struct Repository {
    pub hub: Server,
    pub cdn: Server,
    state: Arc<Mutex<State>>,
}

/// Larger files are kept elsewhere.
const LARGE: usize = 5_000;

pub fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

pub fn git(bytes: &[u8]) -> String {
    let mut hash = Sha1::new();
    hash.update(format!("blob {}\0", bytes.len()));
    hash.update(bytes);
    hex(&hash.finalize())
}

fn hex(bytes: &[u8]) -> String {
    let digits: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    digits.concat()
}

/// Bytes that are not like each other.
pub fn bytes(length: usize) -> Vec<u8> {
    let mut state = 88_172_645_463_325_252_u64;
    let next = |_| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[0]
    };
    (0..length).map(next).collect()
}

/// Weights with one tensor.
pub fn weights(length: usize) -> Vec<u8> {
    let header = format!(
        r#"{{"__metadata__":{{"format":"pt"}},"w":{{"dtype":"F32","shape":[{},2],"data_offsets":[0,{}]}}}}"#,
        length / 8,
        length / 8 * 8
    );
    let mut file = (header.len() as u64).to_le_bytes().to_vec();
    file.extend(header.into_bytes());
    file.extend(bytes(length / 8 * 8));
    file
}

impl Repository {
    /// A repository with a classifier.
    pub fn start() -> Self {
        Self::with(&[
            (
                "config.json",
                br#"{"model_type":"roberta","hidden_size":8}"#.to_vec(),
            ),
            ("tokenizer.json", br#"{"version":"1.0"}"#.to_vec()),
            ("tokenizer_config.json", b"{}".to_vec()),
            ("README.md", b"# A model\n".to_vec()),
            ("pytorch_model.bin", bytes(9_000)),
            ("model.safetensors", weights(400_000)),
        ])
    }

    pub fn with(files: &[(&str, Vec<u8>)]) -> Self {
        let files = files
            .iter()
            .map(|(name, content)| ((*name).to_owned(), content.clone()));
        let state = Arc::new(Mutex::new(State {
            files: files.collect(),
            commit: OLD.to_owned(),
            ..State::default()
        }));
        let start = |answer: fn(&State, &Asked) -> Reply| {
            let state = Arc::clone(&state);
            Server::start(move |asked| {
                let mut state = state.lock().unwrap();
                let reply = answer(&state, asked);
                spoiled(&mut state, asked, reply)
            })
        };
        let (hub, cdn) = (start(hub_answer), start(cdn_answer));
        state.lock().unwrap().cdn.clone_from(&cdn.address);
        Self { hub, cdn, state }
    }

    /// Makes requests whose line has `part` fail so many times.
    pub fn fail(&self, part: &str, times: usize, fault: Fault) {
        self.state.lock().unwrap().switches.push(Switch {
            part: part.to_owned(),
            times,
            fault,
        });
    }

    pub fn heal(&self) {
        self.state.lock().unwrap().switches.clear();
    }

    pub fn bare(&self) {
        self.state.lock().unwrap().bare = true;
    }

    /// The branch moves on, with other content of one file.
    pub fn move_on(&self, file: &str, content: &[u8]) {
        let mut state = self.state.lock().unwrap();
        NEW.clone_into(&mut state.commit);
        state.files.insert(file.to_owned(), content.to_vec());
    }

    pub fn file(&self, name: &str) -> Vec<u8> {
        self.state.lock().unwrap().files[name].clone()
    }

    pub fn environment(&self, cache: &Path) -> Environment {
        let mut environment = Environment::from_variables(|_| None);
        environment.endpoint.clone_from(&self.hub.address);
        cache.clone_into(&mut environment.cache);
        environment
    }

    pub fn client(&self, cache: &Path) -> Hub {
        Hub::with_settings(self.environment(cache), settings()).unwrap()
    }

    /// Fetches into a cache.
    pub fn fetch(&self, cache: &Path) -> Result<Snapshot, ensayo::hub::HubError> {
        self.client(cache).fetch(&request(), &Silent)
    }

    /// Checks that all that has a final name is what the repository has.
    pub fn assert_nothing_half(&self, cache: &Path) {
        let state = self.state.lock().unwrap();
        let hashes: BTreeMap<String, &Vec<u8>> = state
            .files
            .values()
            .flat_map(|content| [(sha256(content), content), (git(content), content)])
            .collect();
        for entry in walkdir::WalkDir::new(cache).into_iter().flatten() {
            let path = entry.path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            let is_blob = path
                .parent()
                .is_some_and(|folder| folder.ends_with("blobs"));
            if is_blob && entry.file_type().is_file() && !name.ends_with(".incomplete") {
                let content = std::fs::read(path).unwrap();
                assert!(hashes[&name] == &content, "{} is not whole", path.display());
            }
            if entry.file_type().is_symlink() {
                assert!(path.exists(), "{} leads nowhere", path.display());
            }
        }
    }

    /// Checks that a snapshot has the right bytes.
    pub fn assert_whole(&self, snapshot: &Snapshot) {
        assert!(!snapshot.files.is_empty());
        for name in &snapshot.files {
            assert!(
                std::fs::read(snapshot.folder.join(name)).unwrap() == self.file(name),
                "{name}"
            );
        }
    }
}

pub fn request() -> ModelRequest {
    ModelRequest {
        id: ID.to_owned(),
        revision: "main".to_owned(),
        wanted: Wanted::Classifier,
        freshness: Freshness::Cached,
    }
}

/// Real waits would make the tests long: times are short, and pauses are not slept.
pub fn settings() -> Settings {
    Settings {
        connect_timeout: Duration::from_secs(2),
        answer_timeout: Duration::from_millis(400),
        stall_timeout: Duration::from_millis(400),
        drip_window: Duration::from_millis(300),
        drip_bytes: 2_000,
        attempts: 4,
        pause: Pause::new(|_| {}),
        ..Settings::default()
    }
}

fn hub_answer(state: &State, asked: &Asked) -> Reply {
    let path = asked.path.split('?').next().unwrap();
    if path == "/api/models" {
        let entry = |id: &str| json!({ "_id": "1", "id": id, "likes": 3 });
        let near = ["owner/model", "owner/model-large", "other/thing"].map(entry);
        return Reply::json(&Value::from(near.to_vec()));
    }
    if path == format!("/api/models/{ID}/refs") {
        return Reply::json(
            &json!({ "branches": [{ "name": "main" }], "tags": [{ "name": "v1" }], "converts": [] }),
        );
    }
    if let Some(revision) = path.strip_prefix(&format!("/api/models/{ID}/revision/")) {
        return listing(state, revision);
    }
    if let Some(rest) = path.strip_prefix(&format!("/{ID}/resolve/")) {
        let (revision, name) = rest.split_once('/').unwrap();
        return resolve(state, asked, revision, name);
    }
    Reply::new(401, r#"{"error":"Invalid username or password."}"#)
        .with("X-Error-Message", "Invalid username or password.")
}

fn knows(state: &State, revision: &str) -> bool {
    revision == "main" || revision == OLD || revision == state.commit
}

fn listing(state: &State, revision: &str) -> Reply {
    if !knows(state, revision) {
        return Reply::new(404, r#"{"error":"Invalid rev id"}"#)
            .with("X-Error-Code", "RevisionNotFound")
            .with("X-Error-Message", "Invalid rev id");
    }
    let commit = if revision == "main" {
        &state.commit
    } else {
        revision
    };
    let siblings = state.files.iter().map(|(name, content)| {
        if state.bare {
            return json!({ "rfilename": name });
        }
        let mut entry = json!({ "rfilename": name, "size": content.len(), "blobId": git(content) });
        if content.len() > LARGE {
            entry["lfs"] =
                json!({ "sha256": sha256(content), "size": content.len(), "pointerSize": 134 });
        }
        entry
    });
    Reply::json(&json!({
        "_id": "1", "id": ID, "author": "owner", "sha": commit, "gated": false, "private": false,
        "downloads": 7, "likes": 3, "pipeline_tag": "text-classification", "library_name": "transformers",
        "createdAt": "2022-03-02T23:29:04.000Z", "lastModified": "2023-01-01T00:00:00.000Z",
        "tags": ["pytorch", "license:mit", "en"],
        "siblings": siblings.collect::<Vec<_>>(),
    }))
}

fn resolve(state: &State, asked: &Asked, revision: &str, name: &str) -> Reply {
    if !knows(state, revision) {
        return Reply::new(404, "Invalid rev id").with("X-Error-Code", "RevisionNotFound");
    }
    let commit = if revision == "main" {
        &state.commit
    } else {
        revision
    };
    let Some(content) = state.files.get(name) else {
        return Reply::new(404, "Entry not found")
            .with("X-Error-Code", "EntryNotFound")
            .with("X-Repo-Commit", commit);
    };
    if content.len() <= LARGE {
        return Reply::new(200, content.clone())
            .with("ETag", &format!("\"{}\"", git(content)))
            .with("X-Repo-Commit", commit)
            .ranged(asked);
    }
    let hash = sha256(content);
    Reply::new(302, "moved")
        .with("Location", &format!("{}/cdn/{hash}?signed=yes", state.cdn))
        .with("X-Repo-Commit", commit)
        .with("ETag", &format!("\"{}\"", git(content)))
        .with("X-Linked-Etag", &format!("\"{hash}\""))
        .with("X-Linked-Size", &content.len().to_string())
}

fn cdn_answer(state: &State, asked: &Asked) -> Reply {
    let hash = asked
        .path
        .trim_start_matches("/cdn/")
        .split('?')
        .next()
        .unwrap();
    match state.files.values().find(|content| sha256(content) == hash) {
        Some(content) => Reply::new(200, content.clone())
            .with("ETag", "\"another\"")
            .ranged(asked),
        None => Reply::new(403, "expired"),
    }
}

fn spoiled(state: &mut State, asked: &Asked, reply: Reply) -> Reply {
    let line = asked.line();
    let matching = |switch: &&mut Switch| switch.times > 0 && line.contains(&switch.part);
    let Some(switch) = state.switches.iter_mut().find(matching) else {
        return reply;
    };
    switch.times -= 1;
    match switch.fault.clone() {
        Fault::Status(status, headers) => headers.into_iter().fold(
            Reply::new(status, r#"{"error":"no"}"#),
            |reply, (name, value)| reply.with(name, &value),
        ),
        Fault::Deliver(delivery) => Reply { delivery, ..reply },
        Fault::WrongLength(wrong_length) => Reply {
            wrong_length,
            ..reply
        },
        Fault::Corrupt => {
            let mut reply = reply;
            if let Some(byte) = reply.body.last_mut() {
                *byte ^= 1;
            }
            reply
        }
        Fault::Html => Reply::new(200, "<!doctype html><p>log in")
            .with("Content-Type", "text/html; charset=utf-8"),
        Fault::NoRange if reply.status == 206 => {
            let hash = asked
                .path
                .trim_start_matches("/cdn/")
                .split('?')
                .next()
                .unwrap()
                .to_owned();
            let content = state.files.values().find(|content| sha256(content) == hash);
            Reply::new(200, content.unwrap().clone())
        }
        Fault::NoRange => reply,
        Fault::Redirect(target) => Reply::new(307, "").with("Location", &target),
    }
}
