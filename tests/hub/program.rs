//! The program with models of the hub: what is planned, fetched and pinned, and what it says without
//! a network.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use engine::shapes::Shapes;
use safetensors::Dtype;
use safetensors::tensor::TensorView;
use serde_json::Value;

use super::repository::{Fault, ID, NEW, OLD, Repository, bytes};

/// What a command did.
pub struct Said {
    pub code: i32,
    pub output: String,
    pub talk: String,
}

/// A folder with experiments, and a cache of the hub.
pub struct Place(tempfile::TempDir);

pub const TRIAL: &str = r#"
name = "trial"
kind = "lora"
[model]
id = "owner/model"
[data]
path = "../data.csv"
test_size = 0.5
[lora]
rank = 2
targets = ["query"]
[training]
epochs = 1
max_length = 16
"#;

impl Place {
    pub fn new() -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        let rows = "good,1\nbad,0\nfine,1\nawful,0\n".repeat(2);
        place.write("data.csv", &format!("text,label\n{rows}"));
        place
    }

    pub fn with(text: &str) -> Self {
        let place = Self::new();
        place.write("experiments/trial.toml", text);
        place
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub fn ensayo(&self, endpoint: &str, variables: &[(&str, &str)], words: &[&str]) -> Said {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ensayo"));
        command.args(words).current_dir(self.0.path());
        for name in [
            "HTTP_PROXY",
            "HTTPS_PROXY",
            "ALL_PROXY",
            "HF_TOKEN",
            "HF_HUB_CACHE",
        ] {
            command.env_remove(name).env_remove(name.to_lowercase());
        }
        command
            .env("HF_ENDPOINT", endpoint)
            .env("HF_HOME", self.path("hf"))
            .envs(variables.iter().copied())
            .stdin(Stdio::null());
        let output = command.output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Said {
            code: output.status.code().unwrap(),
            output: text(output.stdout),
            talk: text(output.stderr),
        }
    }

    fn on(&self, repository: &Repository, words: &[&str]) -> Said {
        self.ensayo(&repository.hub.address, &[], words)
    }

    fn offline(&self, words: &[&str]) -> Said {
        self.ensayo("http://127.0.0.1:1", &[("HF_HUB_OFFLINE", "1")], words)
    }

    fn record(&self) -> Value {
        let path = self.path("results/trial/base/seed-42/record.json");
        serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
    }

    fn cached(&self) -> PathBuf {
        self.path("hf/hub/models--owner--model")
    }
}

/// The bundled encoder with weights, on a hub.
pub fn encoder() -> Repository {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/quickstart-encoder");
    let config = fs::read_to_string(folder.join("config.json")).unwrap();
    let shapes = Shapes::read(&config, 2).unwrap();
    let tensors: Vec<(String, Vec<usize>, Vec<u8>)> = shapes
        .tensors
        .iter()
        .filter(|tensor| !tensor.head)
        .map(|tensor| {
            let count = usize::try_from(tensor.count()).unwrap();
            let values = bytes(count).into_iter();
            let small = values.flat_map(|byte| (f32::from(byte) / 2550.0 - 0.05).to_le_bytes());
            (tensor.name.clone(), tensor.shape.clone(), small.collect())
        })
        .collect();
    let views = tensors.iter().map(|(name, shape, bytes)| {
        let view = TensorView::new(Dtype::F32, shape.clone(), bytes).unwrap();
        (name.as_str(), view)
    });
    let weights = safetensors::serialize(views, None).unwrap();
    Repository::with(&[
        ("config.json", config.into_bytes()),
        (
            "tokenizer.json",
            fs::read(folder.join("tokenizer.json")).unwrap(),
        ),
        ("README.md", b"# A model\n".to_vec()),
        ("model.safetensors", weights),
    ])
}

#[test]
fn a_model_comes_before_its_runs_and_its_commit_stays_with_them() {
    let (repository, place) = (encoder(), Place::with(TRIAL));
    let said = place.on(&repository, &["check"]);
    assert_eq!(said.code, 0, "{}", said.talk);
    let unseen = "owner/model: not in the cache of the hub, so it is not looked into";
    assert!(said.output.contains(unseen), "{}", said.output);
    assert_eq!(repository.hub.asked().len(), 0);

    let said = place.on(&repository, &["plan", "--device", "cpu"]);
    assert_eq!(said.code, 0, "{}", said.talk);
    let line = "owner/model at main (012345678901): 3 files to fetch, ";
    assert!(said.output.contains(line), "{}", said.output);
    assert!(said.output.contains("1 to execute"), "{}", said.output);
    assert_eq!(repository.cdn.asked().len(), 0);
    assert!(!place.path("hf").exists() && !place.path("results").exists());

    let said = place.on(&repository, &["run", "--device", "cpu"]);
    assert_eq!(said.code, 0, "{}", said.talk);
    assert!(said.talk.contains(line), "{}", said.talk);
    let record = place.record();
    assert_eq!(record["environment"]["content"]["model"], OLD);
    assert_eq!(record["identity_parts"]["model.revision"], OLD);
    let settings = place.path("results/trial/base/seed-42/run.toml");
    let settings = fs::read_to_string(settings).unwrap();
    assert!(settings.contains(&format!("revision = \"{OLD}\"")));
    let card = place.path("results/trial/base/seed-42/adapter/adapter_config.json");
    assert!(fs::read_to_string(card).unwrap().contains(ID));

    // From here on the cache is enough.
    repository.hub.forget();
    for words in [&["run", "--device", "cpu"][..], &["plan"], &["check"]] {
        let said = place.on(&repository, words);
        assert_eq!(said.code, 0, "{}", said.talk);
        assert!(!said.output.contains("fetch"), "{}", said.output);
    }
    assert_eq!(repository.hub.asked().len(), 0);
    let said = place.offline(&["predict", "trial/base", "good", "--device", "cpu"]);
    assert_eq!(said.code, 0, "{}", said.talk);
    let said = place.offline(&["run", "--force", "--device", "cpu"]);
    assert_eq!(said.code, 0, "{}", said.talk);
}

#[test]
fn a_branch_that_moves_on_is_followed_only_when_asked() {
    let (repository, place) = (encoder(), Place::with(TRIAL));
    assert_eq!(place.on(&repository, &["run", "--device", "cpu"]).code, 0);
    repository.move_on("tokenizer_config.json", b"{}");
    repository.hub.forget();
    let said = place.on(&repository, &["plan"]);
    assert!(
        said.output.contains("0 to execute, 1 done"),
        "{}",
        said.output
    );
    assert_eq!(repository.hub.asked().len(), 0);

    // Another program follows the branch.
    fs::write(place.cached().join("refs/main"), NEW).unwrap();
    let said = place.on(&repository, &["plan"]);
    assert!(
        said.output.contains("0 to execute, 1 done"),
        "{}",
        said.output
    );
    let line = "`main` is 012345678901 for these results, and by now abcdefabcdef in the cache";
    assert!(said.output.contains(line), "{}", said.output);
    // A done run needs no cache.
    fs::rename(place.path("hf"), place.path("elsewhere")).unwrap();
    for words in [&["run"][..], &["plan"], &["show", "trial"]] {
        let said = place.offline(words);
        assert_eq!(said.code, 0, "{}", said.talk);
        assert!(!said.output.contains("to execute") || said.output.contains("0 to execute"));
        assert!(!said.output.contains("stale"), "{}", said.output);
    }
    fs::rename(place.path("elsewhere"), place.path("hf")).unwrap();

    let said = place.on(&repository, &["plan", "--refresh"]);
    assert_eq!(said.code, 0, "{}", said.talk);
    let moved = "owner/model: `main` has moved on the hub, from 012345678901 to abcdefabcdef";
    assert!(said.output.contains(moved), "{}", said.output);
    let change = format!("model.revision {OLD} -> {NEW}");
    assert!(said.output.contains(&change), "{}", said.output);
    assert_eq!(place.record()["environment"]["content"]["model"], OLD);

    let said = place.on(&repository, &["run", "--refresh", "--device", "cpu"]);
    assert_eq!(said.code, 0, "{}", said.talk);
    assert_eq!(place.record()["environment"]["content"]["model"], NEW);
    let said = place.offline(&["plan"]);
    assert!(
        said.output.contains("0 to execute, 1 done"),
        "{}",
        said.output
    );
    // The commit that it was comes back by name, from what is kept.
    let pinned = TRIAL.replace(
        "owner/model\"",
        &format!("owner/model\"\nrevision = \"{OLD}\""),
    );
    place.write("experiments/trial.toml", &pinned);
    let said = place.offline(&["plan"]);
    assert!(
        said.output.contains("restores its kept result"),
        "{}",
        said.output
    );
}

#[test]
fn without_a_network_a_plan_says_what_it_cannot_know_and_a_run_what_to_do() {
    let place = Place::with(TRIAL);
    let cases = [
        (&[][..], "127.0.0.1 cannot be reached"),
        (
            &[("HF_HUB_OFFLINE", "1")][..],
            "switched off by HF_HUB_OFFLINE: unset it",
        ),
    ];
    for (variables, cure) in cases {
        let say = |words: &[&str]| place.ensayo("http://127.0.0.1:1", variables, words);
        let said = say(&["plan"]);
        assert_eq!(said.code, 0, "{}", said.talk);
        assert!(said.output.contains("1 to execute"), "{}", said.output);
        assert!(said.output.contains(cure), "{}", said.output);
        for words in [&["run"][..], &["fetch"], &["plan", "--refresh"]] {
            let said = say(words);
            assert_eq!((said.code, said.output.as_str()), (2, ""), "{}", said.talk);
            assert!(
                said.talk.contains("error: trial: owner/model"),
                "{}",
                said.talk
            );
            assert!(said.talk.contains(cure), "{}", said.talk);
        }
        assert_eq!(say(&["check"]).code, 0);
        assert!(!place.path("results/trial").exists());
    }
}

#[test]
fn what_no_hub_has_is_refused_before_anything_runs() {
    let repository = encoder();
    let place = Place::with(&TRIAL.replace("owner/model", "owner/modell"));
    for words in [["plan"], ["run"], ["fetch"]] {
        let said = place.on(&repository, &words);
        assert_eq!((said.code, said.output.as_str()), (2, ""), "{}", said.talk);
        assert!(
            said.talk.contains("there is `owner/model`"),
            "{}",
            said.talk
        );
    }
    let place = Place::with(&TRIAL.replace("model\"", "model\"\nrevision = \"v9\""));
    let said = place.on(&repository, &["plan"]);
    assert_eq!(said.code, 2);
    assert!(
        said.talk.contains("no revision `v9`") && said.talk.contains("`v1`"),
        "{}",
        said.talk
    );
    // Only the files tell which layers there are.
    let place = Place::with(&TRIAL.replace("\"query\"", "\"querry\""));
    let said = place.on(&repository, &["run"]);
    assert_eq!(said.code, 2, "{}", said.talk);
    assert!(
        said.talk.contains("did you mean \"query\"?"),
        "{}",
        said.talk
    );
    assert!(said.talk.contains("trial.toml:11:"), "{}", said.talk);
    assert!(!place.path("results/trial").exists());
    let said = place.offline(&["check"]);
    assert_eq!(said.code, 2, "{}", said.output);
    // What is wrong with the data is said before anything is fetched.
    let place = Place::with(TRIAL);
    place.write("data.csv", "text,label\ngood,1\nbad\n");
    let said = place.on(&repository, &["run"]);
    assert_eq!(said.code, 2, "{}", said.output);
    assert!(said.talk.contains("data.csv"), "{}", said.talk);
    assert!(!place.path("hf").exists());
}

#[test]
fn fetch_brings_what_matching_experiments_need_and_nothing_twice() {
    let (repository, place) = (encoder(), Place::with(TRIAL));
    let absent = TRIAL.replace("owner/model", "owner/absent");
    place.write("experiments/other.toml", &absent.replace("trial", "other"));
    let said = place.on(&repository, &["fetch", "trial"]);
    assert_eq!(said.code, 0, "{}", said.talk);
    let folder = place.cached().join("snapshots").join(OLD);
    let row = "owner/model  main  012345678901  3 files  ";
    assert!(said.output.starts_with(row), "{}", said.output);
    assert!(
        said.output.contains(folder.to_str().unwrap()),
        "{}",
        said.output
    );
    assert!(!folder.join("README.md").exists());
    assert_eq!(repository.hub.count("absent"), 0);
    repository.hub.forget();
    let again = place.on(&repository, &["fetch", "trial"]);
    assert_eq!((again.code, &again.output), (0, &said.output));
    assert_eq!(repository.hub.asked().len(), 0);
    assert!(!place.path("results").exists());

    let said = place.offline(&["run", "trial", "--device", "cpu"]);
    assert_eq!(said.code, 0, "{}", said.talk);

    let lexical = "name = \"words\"\nkind = \"rag\"\ndocument.path = \"../data.csv\"\nchunks.size = 2\n\
        embedder.kind = \"bm25\"\nretrieval.top_k = 1\ngenerator.kind = \"none\"\n[[questions]]\nid = \"a\"\ntext = \"good\"\n";
    place.write("experiments/words.toml", lexical);
    let said = place.on(&repository, &["fetch", "words"]);
    assert_eq!((said.code, said.output.as_str()), (0, ""), "{}", said.talk);
    assert!(
        said.talk.contains("need nothing from elsewhere"),
        "{}",
        said.talk
    );
}

const SEARCH: &str = r#"
name = "trial"
kind = "rag"
[document]
path = "../manual.txt"
[chunks]
strategy = "sentences"
size = 12
[embedder]
id = "owner/model"
[retrieval]
top_k = 2
[generator]
kind = "none"
[[questions]]
id = "umask"
text = "what does umask set?"
relevant = ["mask"]
"#;

#[test]
fn an_embedder_comes_with_its_pooling_and_finds_what_its_folder_finds() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/parity/embedders/bert");
    let mut files: Vec<(String, Vec<u8>)> = Vec::new();
    for entry in walkdir::WalkDir::new(&folder) {
        let entry = entry.unwrap();
        if entry.file_type().is_file() {
            let name = entry.path().strip_prefix(&folder).unwrap();
            let name = name.to_str().unwrap().to_owned();
            files.push((name, fs::read(entry.path()).unwrap()));
        }
    }
    let listed: Vec<(&str, Vec<u8>)> = files
        .iter()
        .map(|(name, content)| (name.as_str(), content.clone()))
        .collect();
    let (repository, place) = (Repository::with(&listed), Place::with(SEARCH));
    let text = "The order umask sets the mask of new files. The order cd changes the folder. Both belong to the shell.";
    place.write("manual.txt", text);
    let said = place.on(&repository, &["check"]);
    assert!(
        said.output.contains("owner/model: not in the cache"),
        "{}",
        said.talk
    );
    let said = place.on(&repository, &["run", "--device", "cpu"]);
    assert_eq!(said.code, 0, "{}", said.talk);
    assert_eq!(place.record()["environment"]["content"]["embedder"], OLD);
    let snapshot = place.cached().join("snapshots").join(OLD);
    assert!(snapshot.join("2_Dense/model.safetensors").is_file());
    assert!(!snapshot.join("expected.safetensors").exists());
    let table = || fs::read_to_string(place.path("results/trial/base/seed-42/retrieval.csv"));
    let by_id = table().unwrap();

    let by_path = SEARCH.replace(
        "id = \"owner/model\"",
        &format!("path = \"{}\"", folder.display()),
    );
    place.write("experiments/trial.toml", &by_path);
    let said = place.offline(&["run", "--device", "cpu"]);
    assert_eq!(said.code, 0, "{}", said.talk);
    assert_eq!(table().unwrap(), by_id);
}

#[test]
fn a_gated_model_says_where_to_ask_before_anything_runs() {
    let (repository, place) = (encoder(), Place::with(TRIAL));
    let code = vec![("X-Error-Code", "GatedRepo".to_owned())];
    repository.fail("/resolve/", usize::MAX, Fault::Status(403, code));
    let said = place.on(&repository, &["run"]);
    assert_eq!((said.code, said.output.as_str()), (2, ""), "{}", said.talk);
    let cure = format!(
        "accept its conditions at {}/owner/model",
        repository.hub.address
    );
    assert!(said.talk.contains(&cure), "{}", said.talk);
    assert!(!place.path("results/trial").exists());
}
