//! What other tools read is committed under `tests/formats/`, beside what their own readers read in
//! it and the script that asked them.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};

use super::*;
use crate::record::{
    EpochRow, MeasurementRow, MetricRow, ReportRow, RetrievalRow, RunFile, SCHEMA, Status,
    TrainingLogRow, write_rows,
};
use crate::report;

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/formats")
}

fn metric(evaluation: &str, metric: &str, value: f64) -> MetricRow {
    MetricRow {
        evaluation: evaluation.into(),
        metric: metric.into(),
        value,
    }
}

/// Writes a complete run's settings and record; returns its folder.
fn run(
    results: &Path,
    label: (&str, &str, u64),
    settings: &str,
    metrics: Vec<MetricRow>,
) -> PathBuf {
    let (experiment, run, seed) = label;
    let folder = run_folder(results, experiment, run, seed);
    let settings: toml::Table = toml::from_str(settings).unwrap();
    let kind = settings["kind"].as_str().unwrap().to_owned();
    let file = RunFile {
        experiment: experiment.into(),
        run: run.into(),
        seed,
        settings,
    };
    file.write(&folder).unwrap();
    let measurement = |metric: &str, value| MeasurementRow {
        metric: metric.into(),
        value,
    };
    let record = RunRecord {
        schema: SCHEMA,
        experiment: experiment.into(),
        run: run.into(),
        seed,
        kind,
        status: Status::Complete,
        identity: format!("{run}{seed}"),
        identity_parts: BTreeMap::from([("run".to_owned(), run.to_owned())]),
        overrides: Vec::new(),
        adopted_from: None,
        started: "2026-01-02T03:04:05.5Z".into(),
        wall_seconds: 12.25,
        sittings: Vec::new(),
        metrics,
        measurements: vec![
            measurement("train_seconds", 10.0),
            measurement("train_samples_per_second", 6.4),
        ],
        labels: Vec::new(),
        notes: Vec::new(),
        files: BTreeMap::new(),
        environment: crate::record::Environment::default(),
        error: None,
    };
    record.write(&folder).unwrap();
    folder
}

/// A training of two epochs of four steps, logged every other step, whose last loss is no number,
/// and a search with ties, a question that found one of its three relevant chunks, and one without
/// judgements.
fn tree(results: &Path) {
    let settings = "kind = \"lora\"\n[lora]\nrank = 4\n[training]\nepochs = 2\nbatch_size = 8\nlogging_steps = 2\nlearning_rate = 2e-4\nshuffle = true\nkeep = \"best\"\n";
    let metrics = vec![
        metric("run", "steps", 8.0),
        metric("run", "train_tokens", 4321.0),
        metric("run", "train_loss_mean", 0.5625),
        metric("run", "kept_epoch", 1.0),
        metric("test", "accuracy", 0.75),
        metric("test", "loss", 0.59375),
    ];
    let folder = run(results, ("toy", "rank=4", 1), settings, metrics);
    let log = [
        (2, 0.5, 0.71875),
        (4, 1.0, 0.5),
        (6, 1.5, 0.46875),
        (8, 2.0, f64::NAN),
    ];
    let log = log.map(|(step, epoch, loss)| TrainingLogRow {
        step,
        epoch,
        loss,
        learning_rate: 2e-4 * (1.0 - epoch / 2.0),
        gradient_norm: 1.5,
    });
    write_rows(&folder, &log).unwrap();
    let epochs = [(1, 0.625, 0.75), (2, 0.65625, 0.71875)];
    let epochs = epochs.map(|(epoch, validation_loss, accuracy)| EpochRow {
        epoch,
        train_loss: 0.5,
        train_loss_mean: 0.609_375,
        validation_loss,
        accuracy,
    });
    write_rows(&folder, &epochs).unwrap();
    let class = ReportRow {
        evaluation: "test".into(),
        class: "=good".into(),
        precision: Some(0.5),
        recall: Some(1.0),
        f1_score: 0.75,
        support: 3,
    };
    write_rows(&folder, &[class]).unwrap();

    let settings = "kind = \"rag\"\n[retrieval]\ntop_k = 3\n";
    let metrics = vec![
        metric("questions", "mrr", 0.75),
        metric("questions", "recall@3", 2.0 / 3.0),
        metric("what is cd", "relevant_chunks", 3.0),
        metric("grep", "relevant_chunks", 1.0),
    ];
    let folder = run(results, ("search", "cosine", 7), settings, metrics);
    let found = [
        ("what is cd", 1, 12, 0.75, Some(false)),
        ("what is cd", 2, 3, 0.75, Some(true)),
        ("what is cd", 3, 40, 0.25, Some(false)),
        ("grep", 1, 9, 0.5, Some(true)),
        ("awk", 1, 2, 0.125, None),
    ];
    let found = found.map(|(question, rank, chunk, score, relevant)| RetrievalRow {
        question: question.into(),
        rank,
        chunk,
        score,
        relevant,
        text: "x".into(),
    });
    write_rows(&folder, &found).unwrap();
}

/// Files below a folder by their paths in it.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let entries = walkdir::WalkDir::new(folder).into_iter();
    let files = entries.map(|entry| entry.unwrap().into_path());
    let files = files.filter(|path| path.is_file());
    let inside = |path: &Path| path.strip_prefix(folder).unwrap().to_owned();
    files
        .map(|path| (inside(&path), fs::read(&path).unwrap()))
        .collect()
}

fn exported(results: &Path) -> Vec<Exported> {
    let report = report::build(results, &[]).unwrap();
    report.export(results, &Format::ALL).unwrap()
}

#[test]
fn exports_are_the_files_that_the_tools_readers_were_given() {
    let results = tempfile::tempdir().unwrap();
    tree(results.path());
    let all = exported(results.path());
    let runs: Vec<usize> = all.iter().map(|exported| exported.runs).collect();
    assert_eq!(runs, [2, 1, 1]);
    for Exported { folder, format, .. } in all {
        let committed = fixtures().join(format.folder());
        let written = files(&folder);
        if std::env::var_os("ENSAYO_WRITE_FORMATS").is_some() {
            let _ = fs::remove_dir_all(&committed);
            for (path, content) in &written {
                let path = committed.join(path);
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(path, content).unwrap();
            }
        }
        assert!(!written.is_empty());
        assert_eq!(
            written.keys().collect::<Vec<_>>(),
            files(&committed).keys().collect::<Vec<_>>()
        );
        assert!(
            written == files(&committed),
            "{} is not what tests/formats/ has; ENSAYO_WRITE_FORMATS=1 writes it, then run read.py",
            format.name()
        );
    }
}

/// What the tools' readers read in the committed files.
fn read(tool: &str) -> Value {
    let text = fs::read_to_string(fixtures().join("read.json")).unwrap();
    serde_json::from_str::<Value>(&text).unwrap()[tool].clone()
}

#[test]
fn tensorboard_reads_the_curves_figures_and_settings() {
    let read = read("tensorboard");
    let training = &read["toy/rank=4/seed-1"];
    assert_eq!(
        training["scalars"]["train/loss"],
        json!([[2, 0.71875], [4, 0.5], [6, 0.46875], [8, "nan"]])
    );
    assert_eq!(
        training["scalars"]["epoch/test_accuracy"],
        json!([[4, 0.75], [8, 0.71875]])
    );
    assert_eq!(
        training["scalars"]["final/test/loss"],
        json!([[8, 0.59375]])
    );
    let settings = &training["hparams"];
    assert_eq!(settings["lora.rank"], 4.0);
    assert_eq!(settings["training.shuffle"], true);
    assert_eq!(settings["kind"], "lora");
    assert_eq!(training["group"], "toy/rank=4");
    assert_eq!(training["status"], "STATUS_SUCCESS");
    assert_eq!(training["wall_times"], json!([1_767_323_045.0]));
    let search = &read["search/cosine/seed-7"];
    assert_eq!(search["scalars"]["final/questions/mrr"], json!([[0, 0.75]]));
    // The backend of its table of hyperparameters, over the whole folder.
    assert_eq!(
        read["sessions"],
        json!(["search/cosine/seed-7", "toy/rank=4/seed-1"])
    );
}

#[test]
fn transformers_reads_the_state_of_the_trainer() {
    let state = &read("trainer_state")["toy/rank=4/seed-1"];
    assert_eq!(
        (&state["global_step"], &state["max_steps"]),
        (&json!(8), &json!(8))
    );
    assert_eq!(
        (&state["epoch"], &state["num_train_epochs"]),
        (&json!(2.0), &json!(2))
    );
    assert_eq!(
        (&state["logging_steps"], &state["train_batch_size"]),
        (&json!(2), &json!(8))
    );
    assert_eq!(
        (&state["best_metric"], &state["best_global_step"]),
        (&json!(0.625), &json!(4))
    );
    assert_eq!(state["num_input_tokens_seen"], 4321);
    let history = state["log_history"].as_array().unwrap();
    assert_eq!(
        history[1],
        json!({"epoch": 1.0, "grad_norm": 1.5, "learning_rate": 1e-4, "loss": 0.5, "step": 4})
    );
    assert_eq!(
        history[2],
        json!({"epoch": 1.0, "eval_accuracy": 0.75, "eval_loss": 0.625, "step": 4})
    );
    assert_eq!(history[4]["loss"], "nan");
    assert_eq!(
        history[6],
        json!({"epoch": 2.0, "step": 8, "train_loss": 0.5625, "train_runtime": 10.0, "train_samples_per_second": 6.4})
    );
    assert_eq!(history.len(), 7);
}

#[test]
fn ir_measures_finds_our_order_and_scores() {
    let read = &read("trec")["search/cosine.seed-7"];
    assert_eq!(read["order"]["what%20is%20cd"], json!(["12", "3", "40"]));
    assert_eq!(read["order"]["awk"], json!(["2"]));
    let scores = |relevant: &[bool], total| {
        let scores = crate::metrics::rank_scores(relevant, total, 3).unwrap();
        [
            scores.hit,
            scores.recall,
            scores.reciprocal_rank,
            scores.ndcg,
        ]
    };
    let ours = [
        ("what%20is%20cd", scores(&[false, true, false], 3)),
        ("grep", scores(&[true], 1)),
    ];
    for (question, ours) in ours {
        for (name, own) in ["Success@3", "R@3", "RR", "nDCG@3"].iter().zip(ours) {
            let theirs = read["measures"][question][name].as_f64().unwrap();
            assert!(
                (theirs - own).abs() < 1e-12,
                "{question} {name} {theirs} {own}"
            );
        }
    }
}

#[test]
fn the_long_table_has_every_figure_with_its_step_and_epoch() {
    let results = tempfile::tempdir().unwrap();
    tree(results.path());
    let report = report::build(results.path(), &[]).unwrap();
    write_long_table(results.path(), &report.experiments).unwrap();
    let text = fs::read_to_string(results.path().join("report/metrics.csv")).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(
        lines[0],
        "experiment,run,seed,evaluation,step,epoch,metric,value"
    );
    for line in [
        "search,cosine,7,questions,,,mrr,0.75",
        "toy,rank=4,1,test,,,accuracy,0.75",
        "toy,rank=4,1,test,,,precision(=good),0.5",
        "toy,rank=4,1,test,,,support(=good),3.0",
        "toy,rank=4,1,measured,,,train_seconds,10.0",
        "toy,rank=4,1,train,2,0.5,loss,0.71875",
        "toy,rank=4,1,train,8,2,loss,NaN",
        "toy,rank=4,1,train,4,1,train_loss_mean,0.609375",
        "toy,rank=4,1,test,8,2,accuracy,0.71875",
    ] {
        assert!(lines.contains(&line), "{line}\n{text}");
    }
    // 4 + 2 figures of the search; 6 + 4 + 2 of the training, 3 a logged step, 4 an epoch.
    assert_eq!(lines.len(), 1 + 6 + 12 + 3 * 4 + 4 * 2);
}

#[test]
fn what_is_no_more_goes_from_the_exports_and_what_is_broken_stops_nothing() {
    let results = tempfile::tempdir().unwrap();
    tree(results.path());
    exported(results.path());
    let export = results.path().join("report/export");
    let state = export.join("trainer_state/toy/rank=4/seed-1/trainer_state.json");
    assert!(state.is_file() && export.join("trec/search/cosine.seed-7.run").is_file());

    fs::remove_file(results.path().join("search/cosine/seed-7/retrieval.csv")).unwrap();
    let log = results.path().join("toy/rank=4/seed-1/training_log.csv");
    fs::write(
        log,
        "step,epoch,loss,learning_rate,gradient_norm\nmany,0,0,0,0\n",
    )
    .unwrap();
    let all = exported(results.path());
    let runs: Vec<usize> = all.iter().map(|exported| exported.runs).collect();
    assert_eq!(runs, [1, 0, 0]);
    assert!(!state.exists() && !export.join("trec/search").exists());
    // Nothing half-done stays either.
    let left: Vec<_> = fs::read_dir(&export)
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(left.len(), 3, "{left:?}");
    // The broken run keeps its figures in the long table.
    let report = report::build(results.path(), &[]).unwrap();
    write_long_table(results.path(), &report.experiments).unwrap();
    let text = fs::read_to_string(results.path().join("report/metrics.csv")).unwrap();
    assert!(text.contains("toy,rank=4,1,test,,,accuracy,0.75\n"));
}

#[test]
fn stale_and_unfinished_runs_are_left_out() {
    let results = tempfile::tempdir().unwrap();
    tree(results.path());
    let folder = results.path().join("toy/rank=4/seed-1");
    let mut record = crate::record::read(&folder).unwrap().unwrap();
    record.status = Status::Interrupted;
    record.write(&folder).unwrap();
    let runs = |results: &Path| exported(results).iter().map(|all| all.runs).sum::<usize>();
    assert_eq!(runs(results.path()), 2);
    crate::report::sample::write_plan(results.path(), "search", &[("other", 7)]);
    assert_eq!(runs(results.path()), 0);
}

#[test]
fn names_of_formats_are_those_of_the_command_line() {
    let names = |names: &[&str]| {
        names
            .iter()
            .map(|&name| name.to_owned())
            .collect::<Vec<_>>()
    };
    for format in Format::ALL {
        assert_eq!(Format::of_names(&names(&[format.name()])), [format]);
    }
    assert_eq!(
        Format::of_names(&names(&["trec", "all", "trec"])),
        Format::ALL
    );
    assert_eq!(Format::of_names(&[]), []);
}
