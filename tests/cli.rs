//! The program as a person meets it: what it prints where, and its exit codes. Nothing here trains a model.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on must fail")]

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use ensayo::record::{self, Environment, RunRecord, Status};

/// A folder with an experiment `trial` on the bundled encoder.
struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        let encoder = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/quickstart-encoder");
        fs::create_dir(place.path("experiments")).unwrap();
        fs::write(
            place.path("data.csv"),
            "text,label\ngood,1\nbad,0\nfine,1\nawful,0\n",
        )
        .unwrap();
        place.write(
            "trial",
            &format!(
                r#"
                name = "trial"
                kind = "lora"
                description = "A trial"
                seeds = [1, 2]
                [model]
                random = {{ config = "{}", seed = 0 }}
                [data]
                path = "../data.csv"
                [lora]
                targets = ["query"]
                [training]
                max_length = 32
                [grid]
                "lora.rank" = [2, 4]
                "#,
                encoder.join("config.json").display()
            ),
        );
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path(&format!("experiments/{name}.toml")), text).unwrap();
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ensayo"));
        command
            .args(arguments)
            .current_dir(self.0.path())
            .stdin(Stdio::null());
        command
    }

    /// Exit code, standard output, standard error.
    fn run(&self, arguments: &[&str]) -> (i32, String, String) {
        let Output {
            status,
            stdout,
            stderr,
        } = self.command(arguments).output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (status.code().unwrap(), text(stdout), text(stderr))
    }
}

#[test]
fn list_shows_experiments_and_with_patterns_runs() {
    let place = Place::new();
    let (code, output, _) = place.run(&["list"]);
    assert_eq!(code, 0);
    assert!(
        output.contains("trial       lora     4  1 2       0        A trial"),
        "{output}"
    );
    let (code, output, talk) = place.run(&["list", "trial@2"]);
    assert_eq!(
        (code, output.as_str(), talk.as_str()),
        (0, "trial/rank=2@2  not run\ntrial/rank=4@2  not run\n", "")
    );
}

#[test]
fn plan_tells_the_number_of_runs_first_and_writes_no_results() {
    let place = Place::new();
    let (code, output, _) = place.run(&["plan", "trial/rank=4", "--set", "training.epochs=1"]);
    assert_eq!(code, 0);
    assert!(
        output.starts_with("2 runs of 1 experiment: 2 to execute, 0 done; no estimate"),
        "{output}"
    );
    assert!(output.contains("trial/rank=4@1  no estimate  "), "{output}");
    // Predicted memory, then the decision.
    assert!(output.contains(" MB  new"), "{output}");
    assert!(!place.path("results/trial").exists());
}

#[test]
fn bad_input_is_exit_code_2_with_a_message_on_standard_error() {
    let place = Place::new();
    let cases: [(&[&str], &str); 9] = [
        (&["plan", "trail"], "did you mean `trial`?"),
        (&["run", "trial/rank=8"], "did you mean `rank=2`"),
        (&["plan", "trial@3"], "the seeds are 1, 2"),
        (&["run", "--experiments", "nowhere"], "nowhere"),
        (
            &["run", "--device", "gpu"],
            "a device is auto, cpu or cuda:N",
        ),
        (
            &["plan", "--set", "training.epoch=1"],
            "did you mean `training.epochs`?",
        ),
        (&["show", "trial"], "no results folder"),
        (&["predict", "trial/rank=2@1", "good"], "no results folder"),
        (&["compare", "trial"], "no results folder"),
    ];
    for (arguments, message) in cases {
        let (code, output, talk) = place.run(arguments);
        assert_eq!((code, output.as_str()), (2, ""), "{arguments:?}");
        assert!(talk.contains(message), "{arguments:?}: {talk}");
    }
}

#[test]
fn a_broken_experiment_stops_only_those_who_ask_for_it() {
    let place = Place::new();
    place.write("broken", "name = \"broken\"\nkind = \"lora\"\nseed = 1\n");
    let (code, _, talk) = place.run(&["check"]);
    assert_eq!(code, 2);
    assert!(
        talk.contains("unknown key `seed`") && talk.contains("broken.toml:3:1"),
        "{talk}"
    );

    let (code, output, talk) = place.run(&["check", "trial"]);
    assert_eq!(code, 0, "{talk}");
    assert!(
        output.ends_with("\n4 runs of 1 experiment: all sound\n"),
        "{output}"
    );
    assert_eq!(talk, "", "the other's problems are its own");

    let (code, output, _) = place.run(&["list"]);
    assert_eq!(code, 0);
    assert!(output.contains("has problems"), "{output}");
}

#[test]
fn the_schema_is_json_on_standard_output() {
    let (code, output, talk) = Place::new().run(&["check", "--schema"]);
    assert_eq!((code, talk.as_str()), (0, ""));
    let schema: serde_json::Value = serde_json::from_str(&output).unwrap();
    assert!(schema.is_object());
}

#[test]
fn a_job_without_an_assignment_is_refused() {
    let (code, _, talk) = Place::new().run(&["job"]);
    assert_eq!(code, 1);
    assert!(talk.contains("for ensayo's own use"), "{talk}");
}

#[test]
fn a_reader_who_has_had_enough_is_no_error() {
    let place = Place::new();
    let mut child = place
        .command(&["check", "--schema"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // Closed before anything is read.
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
}

#[test]
fn reports_of_an_unreadable_record_go_on_without_it() {
    let place = Place::new();
    let folder = place.path("results/trial/rank=2/seed-1");
    fs::create_dir_all(&folder).unwrap();
    fs::File::create(folder.join("record.json"))
        .unwrap()
        .write_all(b"{")
        .unwrap();
    let (code, _, talk) = place.run(&["show", "trial"]);
    assert_eq!(code, 2);
    assert!(
        talk.contains("warning: ") && talk.contains("record.json"),
        "{talk}"
    );
    let (code, output, _) = place.run(&["plan", "trial/rank=2@1"]);
    assert_eq!(code, 0);
    assert!(output.contains("its record cannot be read"), "{output}");
}

#[test]
fn runs_that_cannot_be_executed_are_refused_before_anything_runs() {
    let place = Place::new();
    place.write(
        "search",
        "name = \"search\"\nkind = \"prompt\"\ndata.path = \"../data.csv\"\nmodel.id = \"org/decoder\"\nmodel.precision = \"nf4\"\n\
         classification.mode = \"chunks\"\nprompt.template = \"{{ reviews }}\"\n",
    );
    for command in ["check", "plan", "list"] {
        assert_eq!(place.run(&[command, "search"]).0, 0, "{command}");
    }
    let (code, output, talk) = place.run(&["run", "search"]);
    assert_eq!((code, output.as_str()), (2, ""));
    assert!(
        talk.contains("`search`: model.precision is nf4") && talk.contains("nothing was run"),
        "{talk}"
    );
    assert!(!place.path("results/search").exists());
}

#[test]
fn a_planned_run_without_a_record_is_not_called_unknown() {
    let place = Place::new();
    let plan = r#"{"schema": 1, "experiment": "trial", "kind": "lora", "runs":
        [{"run": "rank=2", "seed": 1, "identity": "0", "axes": []}]}"#;
    fs::create_dir_all(place.path("results/trial")).unwrap();
    fs::write(place.path("results/trial/plan.json"), plan).unwrap();
    for command in ["show", "report"] {
        let (code, _, talk) = place.run(&[command, "trial"]);
        assert_eq!(code, 2);
        assert!(
            talk.contains("trial/rank=2@1 has no readable record"),
            "{talk}"
        );
    }
    let (_, _, talk) = place.run(&["show", "trail"]);
    assert!(talk.contains("no run has left a record"), "{talk}");
}

#[test]
fn a_file_is_no_results_folder() {
    let place = Place::new();
    for command in ["plan", "run", "show", "report"] {
        let (code, output, talk) = place.run(&[command, "trial", "--results", "data.csv"]);
        assert_eq!((code, output.as_str()), (2, ""), "{command}");
        assert!(talk.contains("data.csv is a file"), "{command}: {talk}");
    }
}

/// A complete run of `trial` with these answers to ten rows.
fn leave_run(place: &Place, run: &str, seed: u64, answers: &str) {
    let folder = record::run_folder(&place.path("results"), "trial", run, seed);
    let record = RunRecord {
        schema: record::SCHEMA,
        experiment: "trial".into(),
        run: run.into(),
        seed,
        kind: "lora".into(),
        status: Status::Complete,
        identity: "abc".into(),
        identity_parts: BTreeMap::new(),
        overrides: vec![],
        adopted_from: None,
        started: "2026-01-01T00:00:00Z".into(),
        wall_seconds: 1.5,
        sittings: Vec::new(),
        metrics: vec![],
        measurements: vec![],
        labels: vec!["0".into(), "1".into()],
        notes: vec![],
        files: BTreeMap::new(),
        environment: Environment::default(),
        error: None,
    };
    record.write(&folder).unwrap();
    let rows = answers.chars().enumerate();
    let rows = rows.map(|(row, answer)| format!("test,{row},1,{answer},0.5,0.5,text {row}\n"));
    let head = "evaluation,row,label,prediction,probability_0,probability_1,text\n";
    let text = head.to_owned() + &rows.collect::<String>();
    fs::write(folder.join(record::PREDICTIONS_FILE), text).unwrap();
}

#[test]
fn compare_tells_two_runs_apart_and_more_in_pairs() {
    let place = Place::new();
    leave_run(&place, "a", 1, "1111111111");
    leave_run(&place, "b", 1, "1110000000");
    leave_run(&place, "b", 2, "1110000000");
    leave_run(&place, "c", 1, "1111111100");
    let (code, output, talk) = place.run(&["compare", "trial/a", "trial/b@1"]);
    assert_eq!((code, talk.as_str()), (0, ""), "{output}");
    insta::assert_snapshot!(output);
    let (code, output, _) = place.run(&["compare", "trial"]);
    assert_eq!(code, 0);
    assert!(
        output.starts_with("1, trial/a@1, has the highest accuracy: 1.0000 ["),
        "{output}"
    );
    let (code, output, _) = place.run(&["compare", "trial", "--baseline", "trial/c"]);
    assert_eq!(code, 0);
    assert!(
        output.starts_with("2, trial/c@1, is the baseline: accuracy 0.8000 ["),
        "{output}"
    );
    let (code, output, _) = place.run(&["compare", "trial", "--csv"]);
    assert_eq!(code, 0);
    // Two runs against the best, below the head.
    assert_eq!(output.lines().count(), 3, "{output}");
    let (code, output, _) = place.run(&["compare", "trial", "--csv", "--all-pairs"]);
    assert_eq!(code, 0);
    // Three pairs below the head.
    assert_eq!(output.lines().count(), 4, "{output}");
    assert!(
        output.starts_with("evaluation,rows,first,second,"),
        "{output}"
    );
    // Two seeds of one run are two runs.
    let (code, output, _) = place.run(&["compare", "trial/b@1", "trial/b@2"]);
    assert_eq!(code, 0);
    assert!(output.contains("they differ on 0 rows of 10"), "{output}");
}

#[test]
fn compare_refuses_what_cannot_be_compared() {
    let place = Place::new();
    leave_run(&place, "a", 1, "1111111111");
    leave_run(&place, "b", 1, "111");
    let cases: [(&[&str], &str); 5] = [
        (
            &["compare", "trial", "--baseline", "trial*"],
            "--baseline trial* means more than one run",
        ),
        (&["compare", "trial/a"], "only trial/a is left to compare"),
        (
            &["compare", "trial/a", "trial/b"],
            "not evaluated on the same rows of `test`: 10 rows against 3",
        ),
        (
            &["compare", "trial/a", "trial/z"],
            "`trial/z` matches nothing",
        ),
        (
            &["compare", "trial", "--evaluation", "tset"],
            "not every run has an evaluation `tset`; they share test",
        ),
    ];
    for (arguments, message) in cases {
        let (code, output, talk) = place.run(arguments);
        assert_eq!((code, output.as_str()), (2, ""), "{arguments:?}");
        assert!(talk.contains(message), "{arguments:?}: {talk}");
    }
}

#[cfg(unix)]
#[test]
fn watching_waits_for_results_and_ends_well_with_ctrl_c() {
    use std::io::{BufRead, BufReader};
    let place = Place::new();
    let mut watching = place
        .command(&["report", "--watch"])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = BufReader::new(watching.stderr.take().unwrap()).lines();
    let first = said.next().unwrap().unwrap();
    assert!(
        first.starts_with("waiting: ") && first.contains("results"),
        "{first}"
    );
    let pid = watching.id().to_string();
    let sent = Command::new("kill").args(["-INT", &pid]).status().unwrap();
    assert!(sent.success());
    assert_eq!(watching.wait().unwrap().code(), Some(0));
}

/// A study of the experiment `trial`.
const STUDY: &str = r#"
name = "mine"
title = "A study"
[[runs]]
name = "Small"
run = "trial/rank=2"
[[figures]]
number = 1
caption = "What is trained"
kind = "parameters"
runs = ["Small"]
"#;

#[test]
fn studies_are_checked_with_the_experiments_and_never_taken_for_one() {
    let place = Place::new();
    fs::create_dir(place.path("experiments/studies")).unwrap();
    place.write("studies/mine", STUDY);
    let (code, output, talk) = place.run(&["check"]);
    assert_eq!(code, 0, "{talk}");
    assert!(
        output.ends_with("\n1 study with 1 table: all sound\n"),
        "{output}"
    );
    let (code, output, _) = place.run(&["list"]);
    assert_eq!((code, output.lines().count()), (0, 2), "{output}");

    place.write(
        "studies/mine",
        &STUDY.replace("trial/rank=2", "trial/rank=3"),
    );
    let (code, _, talk) = place.run(&["check"]);
    assert_eq!(code, 2);
    for part in [
        "`trial` has no run `rank=3`",
        "did you mean `trial/rank=2`?",
        "mine.toml:6:7",
        "1 problem in 1 study",
    ] {
        assert!(talk.contains(part), "{part}\n{talk}");
    }
}

#[test]
fn a_report_has_a_line_and_a_page_for_each_study() {
    let place = Place::new();
    fs::create_dir(place.path("experiments/studies")).unwrap();
    place.write("studies/mine", STUDY);
    leave_run(&place, "rank=4", 1, "1110000000");
    let (code, output, talk) = place.run(&["report"]);
    assert_eq!(code, 0, "{talk}");
    assert!(
        output.contains("mine: 1 table, no published values: results/report/studies/mine.html\n"),
        "{output}"
    );
    let table = fs::read_to_string(place.path("results/report/studies/mine/figure-01.md"));
    assert!(table.unwrap().contains("    ensayo run trial/rank=2\n"));

    // What is wrong with a study is said before anything is written.
    fs::remove_dir_all(place.path("results/report")).unwrap();
    place.write("studies/mine", &STUDY.replace("kind", "sort"));
    let (code, _, talk) = place.run(&["report"]);
    assert_eq!(code, 2);
    assert!(
        talk.contains("mine.toml:10:1") && talk.contains("unknown key `sort`"),
        "{talk}"
    );
    assert!(!place.path("results/report").exists());
}
