//! What is run again and what is not, and what runs leave, in one process.

use std::fs;

use ensayo::config::Settings;
use ensayo::plan::{Decision, Planner, Reason, Selection, Source};
use ensayo::record::{self, MetricRow, Status};
use ensayo::runner::{Event, RunEnd, StopFlag, Sweep};

use crate::made_up::{InProcess, Tree, decisions, ends, in_children, sweep, sweep_with};

#[test]
fn resume_skips_finished_runs() {
    let tree = Tree::new();
    let first = tree.plan(&["a", "b"]);
    assert_eq!(decisions(&first), ["new", "new"]);
    assert_eq!(ends(&sweep(&first)), [RunEnd::Complete, RunEnd::Complete]);

    let second = tree.plan(&["a", "b", "c"]);
    assert_eq!(decisions(&second), ["done", "done", "new"]);
    sweep(&second);
    assert_eq!(tree.executions(), ["a", "b", "c"]);
}

#[test]
fn a_run_whose_inputs_changed_after_the_plan_fails() {
    let tree = Tree::new();
    let plan = tree.plan(&["a"]);
    fs::write(tree.inputs().join("data.csv"), "text,label\nother,1\n").unwrap();
    let end = sweep(&plan);
    let [RunEnd::Failed(reason)] = &ends(&end)[..] else {
        panic!("{end:?}");
    };
    assert!(
        reason.contains("changed after the sweep began: the content of data"),
        "{reason}"
    );
    assert_eq!(tree.executions(), Vec::<String>::new());
    assert_eq!(ends(&sweep(&tree.plan(&["a"]))), [RunEnd::Complete]);
}

#[test]
fn a_folder_that_cannot_be_written_is_named_and_the_sweep_goes_on() {
    let tree = Tree::new();
    let plan = tree.plan(&["a", "b"]);
    fs::create_dir_all(tree.folder("a").parent().unwrap()).unwrap();
    fs::write(tree.folder("a"), "in the way").unwrap();
    let end = sweep_with(&plan, &in_children(), &StopFlag::new(), |_| ());
    let [RunEnd::Failed(reason), RunEnd::Complete] = &ends(&end)[..] else {
        panic!("{end:?}");
    };
    assert!(
        reason.starts_with("cannot write") && reason.contains("seed-42"),
        "{reason}"
    );
}

#[test]
fn a_finished_run_leaves_its_settings_tables_and_record() {
    let tree = Tree::new();
    sweep(&tree.plan(&["a"]));
    let folder = tree.folder("a");
    let record = tree.record("a").unwrap();
    assert_eq!(
        (record.status, record.kind.as_str(), record.error),
        (Status::Complete, "lora", None)
    );
    assert_eq!(record.measurements[0].metric, "wall_seconds");
    assert!(
        record.environment.content.contains_key("model")
            && record.environment.content.contains_key("data")
    );
    let file = record::RunFile::<Settings>::read(&folder).unwrap();
    assert_eq!(file.settings, tree.settings("a", 2));
    assert_eq!(
        record::read_rows::<MetricRow>(&folder).unwrap(),
        record.metrics
    );
    assert_eq!(fs::read_to_string(folder.join("answer.txt")).unwrap(), "42");
}

#[test]
fn a_failed_run_leaves_a_record_and_the_sweep_goes_on() {
    let tree = Tree::new();
    let end = sweep(&tree.plan(&["fails", "b"]));
    assert_eq!(
        ends(&end),
        [RunEnd::Failed("there is no spoon".into()), RunEnd::Complete]
    );
    assert_eq!((end.failed(), end.complete()), (1, 1));
    let record = tree.record("fails").unwrap();
    assert_eq!(
        (record.status, record.error.as_deref()),
        (Status::Failed, Some("there is no spoon"))
    );

    let again = tree.plan(&["fails", "b"]);
    assert_eq!(
        decisions(&again),
        ["failed before: there is no spoon", "done"]
    );
    sweep(&again);
    assert_eq!(tree.executions(), ["b", "fails", "fails"]);
}

#[test]
fn fail_fast_begins_nothing_more() {
    let tree = Tree::new();
    let plan = tree.plan(&["a", "fails", "b"]);
    let sweep = Sweep {
        launcher: &InProcess,
        at_once: 1,
        fail_fast: true,
        device: "cpu",
        events: &|_| (),
        stop: &StopFlag::new(),
    };
    let end = sweep.run(&plan.jobs);
    assert_eq!(
        ends(&end),
        [
            RunEnd::Complete,
            RunEnd::Failed("there is no spoon".into()),
            RunEnd::NotStarted
        ]
    );
    assert_eq!(tree.executions(), ["a", "fails"]);
}

#[test]
fn changed_settings_run_again_and_the_plan_says_which() {
    let tree = Tree::new();
    sweep(&tree.plan(&["a"]));
    let changed = tree.plan_with(&["a"], 3, false);
    assert_eq!(decisions(&changed), ["changed: training.epochs 2 -> 3"]);
    fs::write(tree.folder("a").join("stale.txt"), "of the first attempt").unwrap();
    sweep(&changed);
    assert_eq!(tree.executions(), ["a", "a"]);
    assert!(!tree.folder("a").join("stale.txt").exists());
    assert_eq!(decisions(&tree.plan_with(&["a"], 3, false)), ["done"]);
}

#[test]
fn changed_data_runs_again_and_moved_data_does_not() {
    let tree = Tree::new();
    sweep(&tree.plan(&["a"]));
    fs::write(
        tree.inputs().join("data.csv"),
        "text,label\ngood,1\nworse,0\n",
    )
    .unwrap();
    assert_eq!(
        decisions(&tree.plan(&["a"])),
        ["changed: the content of data.path"]
    );
}

#[test]
fn force_repeats_finished_runs() {
    let tree = Tree::new();
    sweep(&tree.plan(&["a"]));
    let forced = tree.plan_with(&["a"], 2, true);
    assert_eq!(forced.runs[0].decision, Decision::Run(Reason::Forced));
    assert_eq!(ends(&sweep(&forced)), [RunEnd::Complete]);
    assert_eq!(tree.executions(), ["a", "a"]);
}

#[test]
fn an_interrupted_run_is_recorded_and_repeated() {
    let tree = Tree::new();
    let stop = StopFlag::new();
    let end = sweep_with(&tree.plan(&["slow", "b"]), &InProcess, &stop, |event| {
        if matches!(event, Event::Stage { .. }) {
            stop.raise();
        }
    });
    assert_eq!(ends(&end), [RunEnd::Interrupted, RunEnd::NotStarted]);
    assert_eq!(tree.record("slow").unwrap().status, Status::Interrupted);
    assert_eq!(
        decisions(&tree.plan(&["slow", "b"])),
        ["interrupted before", "new"]
    );
}

#[test]
fn a_run_without_a_record_was_interrupted() {
    let tree = Tree::new();
    sweep(&tree.plan(&["a"]));
    fs::remove_file(tree.folder("a").join("record.json")).unwrap();
    assert_eq!(decisions(&tree.plan(&["a"])), ["interrupted before"]);
}

#[test]
fn an_unreadable_record_is_repeated_but_a_newer_one_is_not_replaced() {
    let tree = Tree::new();
    sweep(&tree.plan(&["a"]));
    let path = tree.folder("a").join("record.json");
    fs::write(&path, "{").unwrap();
    assert!(decisions(&tree.plan(&["a"]))[0].starts_with("its record cannot be read"));

    fs::write(&path, r#"{ "schema": 999 }"#).unwrap();
    let cells = tree.cells(&["a"], 2);
    let source = Source {
        experiment: "x",
        description: None,
        compare: None,
        seeds: &[42],
        overrides: &[],
        cells: &cells,
    };
    let planner = Planner {
        results: &tree.results,
        selection: &Selection::default(),
        force: false,
        device: "auto",
        format: Some("f32"),
    };
    let error = planner.plan(&[source]).unwrap_err().to_string();
    assert!(error.contains("schema 999"), "{error}");
    assert_eq!(decisions(&tree.plan_with(&["a"], 2, true)), ["forced"]);
}

#[test]
fn earlier_records_give_estimates() {
    let tree = Tree::new();
    assert_eq!(tree.plan(&["a"]).runs[0].estimate_seconds, None);
    sweep(&tree.plan(&["a"]));
    let seconds = tree.record("a").unwrap().wall_seconds;
    let plan = tree.plan_with(&["b"], 6, false);
    assert!((plan.runs[0].estimate_seconds.unwrap() - 3.0 * seconds).abs() < 1e-9);
    assert!(plan.estimate_seconds().is_some());
}

#[test]
fn only_selected_runs_are_planned_but_the_plan_file_has_all() {
    let tree = Tree::new();
    let selection = Selection::parse(&["x/b*"]).unwrap();
    let planner = Planner {
        results: &tree.results,
        selection: &selection,
        force: false,
        device: "auto",
        format: Some("f32"),
    };
    let cells = tree.cells(&["a", "b1", "b2"], 2);
    let source = Source {
        experiment: "x",
        description: Some("trial"),
        compare: None,
        seeds: &[1, 2],
        overrides: &[],
        cells: &cells,
    };
    let plan = planner.plan(&[source]).unwrap();
    let labels: Vec<_> = plan
        .runs
        .iter()
        .map(|planned| planned.spec.label())
        .collect();
    assert_eq!(labels, ["x/b1@1", "x/b1@2", "x/b2@1", "x/b2@2"]);
    plan.write_files(&tree.results).unwrap();
    let file = record::PlanFile::read(&tree.results, "x").unwrap().unwrap();
    assert_eq!((file.runs.len(), file.kind.as_str()), (6, "lora"));
}
