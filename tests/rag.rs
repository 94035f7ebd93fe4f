//! Retrieval as a person meets it: the bundled experiment from the command line to its files, and what is refused.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on must fail")]

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Exit code, standard output, standard error.
fn ensayo(folder: &Path, arguments: &[&str]) -> (i32, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_ensayo"))
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (
        output.status.code().unwrap(),
        text(output.stdout),
        text(output.stderr),
    )
}

/// A folder with an experiment `trial` over a small document.
struct Place(tempfile::TempDir);

const TRIAL: &str = r#"
name = "trial"
kind = "rag"
[document]
path = "../manual.txt"
[chunks]
size = 6
overlap = 2
[embedder]
kind = "bm25"
[retrieval]
top_k = 2
[generator]
kind = "extractive"
[[questions]]
id = "umask"
text = "¿Qué fija umask?"
relevant = ["mascara"]
[grid]
"retrieval.metric" = ["cosine", "dot"]
"#;

impl Place {
    fn new() -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        fs::create_dir(place.path("experiments")).unwrap();
        fs::write(
            place.path("manual.txt"),
            "La orden umask fija la máscara. La orden cd cambia de carpeta y ya.",
        )
        .unwrap();
        place.write(TRIAL);
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, text: &str) {
        fs::write(self.path("experiments/trial.toml"), text).unwrap();
    }

    fn run(&self, arguments: &[&str]) -> (i32, String, String) {
        ensayo(self.0.path(), arguments)
    }

    /// What `check` says of the experiment with a change.
    fn complaint(&self, from: &str, to: &str) -> String {
        assert!(TRIAL.contains(from));
        self.write(&TRIAL.replace(from, to));
        let (code, _, talk) = self.run(&["check"]);
        assert_eq!(code, 2, "{talk}");
        talk
    }

    /// What is wrong with the inputs, as `run` says before anything runs.
    fn failure(&self) -> String {
        let (code, _, talk) = self.run(&["run", "--device", "cpu", "--force"]);
        assert_eq!(code, 2, "{talk}");
        assert!(!self.path("results/trial").exists());
        let (_, error) = talk.rsplit_once("error: trial: ").unwrap();
        error.trim_end().to_owned()
    }
}

#[test]
fn the_quick_start_finds_and_answers_and_repeats_byte_for_byte() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    for results in [&one, &other] {
        let (code, output, talk) = ensayo(
            root,
            &[
                "run",
                "rag-quickstart",
                "--device",
                "cpu",
                "--results",
                results.path().to_str().unwrap(),
            ],
        );
        assert_eq!(code, 0, "{talk}");
        assert!(
            output.contains("nDCG@k") && output.contains("kind=bm25"),
            "{output}"
        );
    }
    let mut compared = 0;
    for entry in walkdir::WalkDir::new(one.path().join("rag-quickstart")) {
        let entry = entry.unwrap();
        let name = entry.file_name().to_string_lossy().into_owned();
        let same = [
            "retrieval.csv",
            "answers.csv",
            "metrics.csv",
            "agreement.csv",
        ]
        .contains(&name.as_str())
            || entry
                .path()
                .extension()
                .is_some_and(|extension| extension == "svg");
        // What runs cost is measured.
        if same && name != "frontier.svg" {
            let inside = entry.path().strip_prefix(one.path()).unwrap();
            assert!(
                fs::read(entry.path()).unwrap() == fs::read(other.path().join(inside)).unwrap(),
                "{name}"
            );
            compared += 1;
        }
    }
    assert!(compared > 20, "{compared}");
    for plot in ["score-by-rank", "ndcg-by-chunks", "agreement"] {
        assert!(
            one.path()
                .join(format!("rag-quickstart/plots/{plot}.svg"))
                .exists(),
            "{plot}"
        );
    }
    let results = one.path().to_str().unwrap();
    let run = "rag-quickstart/kind=bm25,size=120,top_k=5";
    let (code, output, talk) = ensayo(
        root,
        &[
            "ask",
            run,
            "¿Cómo se combate el pulgón?",
            "--device",
            "cpu",
            "--results",
            results,
        ],
    );
    assert_eq!(code, 0, "{talk}");
    assert!(
        output.contains("jabón potásico") && output.contains("[Contexto "),
        "{output}"
    );
    let (_, _, talk) = ensayo(root, &["run", "rag-quickstart", "--results", results]);
    assert!(talk.contains("0 to execute"), "{talk}");
}

#[test]
fn what_makes_no_sense_is_refused_before_anything_runs() {
    let place = Place::new();
    for (from, to, part) in [
        ("overlap = 2", "overlap = 6", "must be below the size 6"),
        (
            "relevant = [\"mascara\"]",
            "relevant = [\"/(/\"]",
            "is not a regular expression",
        ),
        ("relevant = [\"mascara\"]", "relevant = [\" \"]", "is empty"),
        ("id = \"umask\"", "id = \"run\"", "cannot have the id `run`"),
        ("../manual.txt", "../nowhere", "no file or folder"),
        ("kind = \"bm25\"", "path = \"..\"", "has no tokenizer.json"),
        (
            "kind = \"extractive\"",
            "kind = \"extractive\"\ncitation = \" \"",
            "`generator.citation` is empty",
        ),
    ] {
        let talk = place.complaint(from, to);
        assert!(talk.contains(part), "{to}: {talk}");
    }
}

#[test]
fn a_document_that_cannot_be_used_says_why() {
    let place = Place::new();
    for (content, part) in [
        (&b" \r\n\x0c"[..], "manual.txt: the document is empty"),
        (
            b"uno\ndos \xff",
            "manual.txt: line 2: byte 8 of the file is not UTF-8",
        ),
        (b"uno dos", "but the document has only 1 chunks"),
    ] {
        fs::write(place.path("manual.txt"), content).unwrap();
        let error = place.failure();
        assert!(error.contains(part) && !error.contains('\n'), "{error}");
    }
}

#[test]
fn phrases_of_answers_are_the_settings_and_of_ask_too() {
    let place = Place::new();
    let phrases = "kind = \"extractive\"\nnot_found = \"nada\"\ncitation = \"(§{number})\"";
    place.write(&TRIAL.replace("kind = \"extractive\"", phrases));
    let (code, _, talk) = place.run(&["run", "--device", "cpu"]);
    assert_eq!(code, 0, "{talk}");
    let path = place.path("results/trial/metric=cosine/seed-42/answers.csv");
    let answers = fs::read_to_string(path).unwrap();
    assert!(answers.contains("(§0)"), "{answers}");
    let ask = |question| {
        let (code, output, talk) =
            place.run(&["ask", "trial/metric=cosine", question, "--device", "cpu"]);
        assert_eq!(code, 0, "{talk}");
        output
    };
    assert!(ask("cd").contains("1. (§"), "{}", ask("cd"));
    assert!(ask("xyz").starts_with("nada\n"), "{}", ask("xyz"));
}

#[test]
fn a_plan_says_which_settings_change_nothing() {
    let place = Place::new();
    let (code, output, _) = place.run(&["plan"]);
    assert_eq!(code, 0);
    assert!(
        output.contains("trial/metric=dot@42: a lexical embedder has its own similarity"),
        "{output}"
    );
}

#[test]
fn runs_that_share_their_vectors_compute_them_once() {
    let place = Place::new();
    let config =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("models/quickstart-encoder/config.json");
    let random = format!("random = {{ config = \"{}\", seed = 1 }}", config.display());
    place.write(&TRIAL.replace("kind = \"bm25\"", &random));
    let (_, output, _) = place.run(&["plan", "--device", "cpu"]);
    let pair = "trial/metric=cosine@42 and trial/metric=dot@42 share the vectors of their chunks";
    assert!(
        output.contains(&format!("{pair}, which are computed once")),
        "{output}"
    );
    let (code, _, talk) = place.run(&["run", "--device", "cpu"]);
    assert_eq!(code, 0, "{talk}");
    let cached = |run: &str| {
        let path = place.path(&format!("results/trial/{run}/seed-42/measurements.csv"));
        fs::read_to_string(path)
            .unwrap()
            .contains("vectors_from_cache,1.0")
    };
    assert!(!cached("metric=cosine") && cached("metric=dot"));
    let (_, output, _) = place.run(&["plan", "--device", "cpu", "--force"]);
    assert!(
        output.contains(&format!("{pair}, which are in the cache")),
        "{output}"
    );
    let (code, output, talk) = place.run(&[
        "ask",
        "trial/metric=dot",
        "¿Qué hace cd?",
        "--device",
        "cpu",
    ]);
    assert!(code == 0 && output.contains("1. [Contexto "), "{talk}");
}

#[test]
fn an_embedder_that_needs_prefixes_says_so_until_it_has_them() {
    let place = Place::new();
    let encoder = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/quickstart-encoder");
    fs::create_dir(place.path("my-e5")).unwrap();
    for name in ["config.json", "tokenizer.json"] {
        fs::copy(encoder.join(name), place.path("my-e5").join(name)).unwrap();
    }
    let random = "random = { config = \"../my-e5/config.json\", seed = 1 }";
    let with = |prefixes: &str| {
        let text = TRIAL.replace("kind = \"bm25\"", &format!("{random}\n{prefixes}"));
        place.write(&text);
        let (code, output, talk) = place.run(&["check"]);
        assert_eq!(code, 0, "{talk}");
        output
    };
    let said = with("");
    for part in [
        "“query: ” before every question",
        "document_prefix = \"passage: \"",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    let said = with("query_prefix = \"query: \"\ndocument_prefix = \"passage: \"");
    assert!(!said.contains("E5"), "{said}");
    let found = || {
        let (code, _, talk) = place.run(&["run", "--device", "cpu"]);
        assert_eq!(code, 0, "{talk}");
        let file = |name: &str| {
            let path = format!("results/trial/metric=cosine/seed-42/{name}");
            fs::read_to_string(place.path(&path)).unwrap()
        };
        let cached = file("measurements.csv").contains("vectors_from_cache,1.0");
        (file("retrieval.csv"), cached)
    };
    let (both, cached) = found();
    assert!(!cached);
    // Another prefix of questions is another run, over the same vectors of chunks.
    with("query_prefix = \"\"\ndocument_prefix = \"passage: \"");
    let (chunks_alone, cached) = found();
    assert!(cached && chunks_alone != both);
    let talk = place.complaint(
        "kind = \"bm25\"",
        "kind = \"bm25\"\nquery_prefix = \"query: \"",
    );
    assert!(
        talk.contains("`embedder.query_prefix` has no effect beside `kind`"),
        "{talk}"
    );
}

#[test]
fn runs_that_this_version_cannot_execute_are_skipped_with_the_reason() {
    let place = Place::new();
    let decoder = "id = \"owner/decoder\"\nprecision = \"fp4\"\n[prompt]\ntemplate = \"{% for part in fragments %}{{ part.text }}{% endfor %}{{ question }}\"";
    let runs = "[[runs]]\nname = \"four-bits\"\n[[runs]]\nname = \"sentences\"\ngenerator.kind = \"extractive\"\n";
    let text = TRIAL.replace("kind = \"extractive\"", decoder);
    let (text, _) = text.split_once("[grid]").unwrap();
    place.write(&format!("{text}{runs}"));
    let (code, _, talk) = place.run(&["check"]);
    assert_eq!(code, 0, "{talk}");
    let (code, output, talk) = place.run(&["plan"]);
    assert_eq!(code, 0, "{talk}");
    assert!(
        output.contains("trial/four-bits@42: `run` will skip it: generator.precision is fp4"),
        "{output}"
    );
    for _ in 0..2 {
        let (code, _, talk) = place.run(&["run", "--device", "cpu"]);
        assert_eq!(code, 0, "{talk}");
        assert!(
            talk.contains("trial/four-bits@42: skipped: generator.precision is fp4"),
            "{talk}"
        );
    }
    assert!(
        place
            .path("results/trial/sentences/seed-42/answers.csv")
            .exists()
    );
    assert!(!place.path("results/trial/four-bits").exists());
    let (code, _, talk) = place.run(&["run", "trial/four-bits", "--device", "cpu"]);
    assert!(code == 2 && talk.contains("nothing was run"), "{talk}");
}

#[test]
fn several_questions_are_asked_on_standard_input() {
    let place = Place::new();
    let (code, _, talk) = place.run(&["run", "--device", "cpu"]);
    assert_eq!(code, 0, "{talk}");
    let ask = |arguments: &[&str], input: &str| {
        let mut child = Command::new(env!("CARGO_BIN_EXE_ensayo"))
            .arg("ask")
            .args(arguments)
            .args(["--device", "cpu"])
            .current_dir(place.0.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child
            .stdin
            .take()
            .unwrap()
            .write_all(input.as_bytes())
            .unwrap();
        let output = child.wait_with_output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (
            output.status.code().unwrap(),
            text(output.stdout),
            text(output.stderr),
        )
    };
    let (code, output, talk) = ask(
        &["--run", "trial/metric=cosine"],
        "¿Qué fija umask?\n\n¿Qué hace cd?\n",
    );
    assert_eq!(code, 0, "{talk}");
    let (first, second) = output.split_once("== ¿Qué hace cd?\n").unwrap();
    assert!(
        first.starts_with("== ¿Qué fija umask?\n\nLa orden umask"),
        "{output}"
    );
    assert!(second.contains("1. [Contexto "), "{output}");
    let (_, alone, _) = ask(&["--run", "trial/metric=cosine", "¿Qué fija umask?"], "");
    let (_, as_before, _) = ask(&["trial/metric=cosine", "¿Qué fija umask?"], "");
    assert!(
        alone == as_before && alone.starts_with("La orden umask"),
        "{alone}"
    );
    for (arguments, part) in [
        (
            &["trial/metric=cosine"][..],
            "standard input has no question",
        ),
        (
            &["--run", "trial/metric=cosine", "¿Qué", "hace?"],
            "one word too many",
        ),
        (&[], "no run"),
    ] {
        let (code, _, talk) = ask(arguments, "");
        assert!(code == 2 && talk.contains(part), "{talk}");
    }
}

#[test]
fn a_document_is_asked_only_as_it_was_when_it_was_searched() {
    let place = Place::new();
    let (code, _, talk) = place.run(&["run", "--device", "cpu"]);
    assert_eq!(code, 0, "{talk}");
    let agreement = fs::read_to_string(place.path("results/trial/agreement.csv")).unwrap();
    assert!(
        agreement.contains("metric=cosine,metric=dot,umask,2,1,"),
        "{agreement}"
    );
    let ask = [
        "ask",
        "trial/metric=cosine",
        "¿Qué hace cd?",
        "--device",
        "cpu",
    ];
    let (code, output, talk) = place.run(&ask);
    assert_eq!(code, 0, "{talk}");
    assert!(output.contains("1. [Contexto "), "{output}");
    let (code, _, talk) = place.run(&["ask", "trial", "¿Qué hace cd?"]);
    assert!(code == 2 && talk.contains("more than one run"), "{talk}");
    fs::write(place.path("manual.txt"), "Otra cosa.").unwrap();
    let (code, _, talk) = place.run(&ask);
    assert!(
        code == 2 && talk.contains("changed since the run: the content of document.path"),
        "{talk}"
    );
}
