//! A result is its identity: never lost, never computed twice, whatever the settings do in between.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use ensayo::plan::Plan;
use ensayo::record::{self, Status};
use ensayo::runner::{Event, RunEnd, StopFlag};

use crate::made_up::{InProcess, Tree, decisions, ends, sweep, sweep_with};

/// Identities of the finished results that are kept.
fn kept(tree: &Tree) -> Vec<String> {
    let folders = fs::read_dir(record::kept_folder(&tree.results));
    let mut identities: Vec<String> = folders
        .into_iter()
        .flatten()
        .map(|folder| {
            let record = record::read(&folder.unwrap().path()).unwrap().unwrap();
            assert_eq!(record.status, Status::Complete);
            record.identity
        })
        .collect();
    identities.sort();
    identities
}

fn identity(plan: &Plan) -> String {
    plan.runs[0].spec.identity.clone()
}

#[test]
fn going_back_to_earlier_settings_takes_back_their_result() {
    let tree = Tree::new();
    let first = tree.plan(&["a"]);
    sweep(&first);
    let changed = tree.plan_with(&["a"], 3, false);
    assert_eq!(decisions(&changed), ["changed: training.epochs 2 -> 3"]);
    sweep(&changed);
    assert_eq!(kept(&tree), [identity(&first)]);

    let back = tree.plan(&["a"]);
    assert_eq!(decisions(&back), ["restores its kept result"]);
    assert_eq!(ends(&sweep(&back)), [RunEnd::Complete]);
    assert_eq!(tree.record("a").unwrap().identity, identity(&first));
    assert_eq!(decisions(&tree.plan(&["a"])), ["done"]);
    // And forth, as often as one likes: each execution is kept once.
    for epochs in [3, 2, 3] {
        let plan = tree.plan_with(&["a"], epochs, false);
        assert_eq!(decisions(&plan), ["restores its kept result"]);
        sweep(&plan);
    }
    assert_eq!(tree.executions(), ["a", "a"]);
    let mut both = [identity(&first), identity(&changed)];
    both.sort();
    assert_eq!(kept(&tree), both);
}

#[test]
fn a_failure_or_an_interruption_leaves_the_older_result_standing() {
    let tree = Tree::new();
    let first = tree.plan(&["fails"]);
    let good = record::RunRecord {
        identity: identity(&first),
        // Of another run's files this one has none.
        files: BTreeMap::new(),
        ..finished(&tree)
    };
    good.write(&tree.folder("fails")).unwrap();
    fs::write(tree.folder("fails").join("predictions.csv"), "precious").unwrap();
    assert_eq!(decisions(&tree.plan(&["fails"])), ["done"]);

    let changed = tree.plan_with(&["fails"], 3, false);
    assert!(matches!(ends(&sweep(&changed))[..], [RunEnd::Failed(_)]));
    assert_eq!(tree.record("fails").unwrap(), good);
    assert!(tree.folder("fails").join("predictions.csv").exists());
    let attempt = record::read(&changed.runs[0].spec.work_folder());
    assert_eq!(attempt.unwrap().unwrap().status, Status::Failed);
    assert_eq!(
        decisions(&tree.plan_with(&["fails"], 3, false)),
        ["failed before: there is no spoon"]
    );
    assert_eq!(decisions(&tree.plan(&["fails"])), ["done"]);
}

/// A record of a finished run `fails`.
fn finished(tree: &Tree) -> record::RunRecord {
    sweep(&tree.plan(&["other"]));
    record::RunRecord {
        run: "fails".into(),
        ..tree.record("other").unwrap()
    }
}

#[test]
fn interrupted_trainings_of_several_settings_lie_side_by_side() {
    let tree = Tree::new();
    let plans = [2, 3].map(|epochs| tree.plan_with(&["slow"], epochs, false));
    for plan in &plans {
        let stop = StopFlag::new();
        let end = sweep_with(plan, &InProcess, &stop, |event| {
            if matches!(event, Event::Stage { .. }) {
                let folder = plan.runs[0].spec.work_folder();
                fs::write(folder.join(record::CHECKPOINT_FILE), identity(plan)).unwrap();
                stop.raise();
            }
        });
        assert_eq!(ends(&end), [RunEnd::Interrupted]);
    }
    for epochs in [2, 3] {
        let plan = tree.plan_with(&["slow"], epochs, false);
        assert_eq!(decisions(&plan), ["interrupted before"]);
    }
    // Each sitting finds the checkpoint of its own settings, wherever it lies by now.
    for plan in &plans {
        let spec = &plan.runs[0].spec;
        record::take_up(
            &spec.work_folder(),
            &spec.folder,
            &[record::CHECKPOINT_FILE],
        )
        .unwrap();
        let state = spec.work_folder().join(record::CHECKPOINT_FILE);
        assert_eq!(fs::read_to_string(state).unwrap(), identity(plan));
    }
}

#[test]
fn a_result_is_adopted_under_another_name() {
    let tree = Tree::new();
    sweep(&tree.plan(&["a"]));
    // The same settings under a new name, as when an axis is added.
    let renamed = tree.plan_of(&[("a", "a"), ("renamed", "a")]);
    assert_eq!(decisions(&renamed), ["done", "adopts the result of x/a@42"]);
    assert_eq!(
        ends(&sweep(&renamed)),
        [RunEnd::Complete],
        "what is done is no job"
    );
    assert_eq!(tree.executions(), ["a"]);
    let record = tree.record("renamed").unwrap();
    assert_eq!(
        (record.label().as_str(), record.adopted_from.as_deref()),
        ("x/renamed@42", Some("x/a@42"))
    );
    let answer: PathBuf = tree.folder("renamed").join("answer.txt");
    assert_eq!(fs::read_to_string(&answer).unwrap(), "42");
    let settings = fs::read_to_string(tree.folder("renamed").join("run.toml")).unwrap();
    assert!(settings.contains("run = \"renamed\""), "{settings}");
    assert_eq!(
        decisions(&tree.plan_of(&[("renamed", "a")])),
        ["done"],
        "under its new name, too"
    );
    assert_eq!(decisions(&tree.plan(&["b"])), ["new"]);
}

#[test]
fn equal_runs_of_one_plan_are_computed_once() {
    let tree = Tree::new();
    let plan = tree.plan_of(&[("a", "a"), ("b", "a"), ("c", "a")]);
    assert_eq!(
        decisions(&plan),
        [
            "new",
            "adopts the result of x/a@42 when it is done",
            "adopts the result of x/a@42 when it is done"
        ]
    );
    assert_eq!(ends(&sweep(&plan)), vec![RunEnd::Complete; 3]);
    assert_eq!(tree.executions(), ["a"]);
}

#[test]
fn a_forced_run_keeps_what_it_replaces() {
    let tree = Tree::new();
    sweep(&tree.plan(&["a"]));
    let before = tree.record("a").unwrap();
    sweep(&tree.plan_with(&["a"], 2, true));
    assert_eq!(kept(&tree), [before.identity]);
    assert_ne!(tree.record("a").unwrap().started, before.started);
}

#[test]
fn what_a_killed_process_was_about_to_move_finds_its_place() {
    let tree = Tree::new();
    let plan = tree.plan(&["a"]);
    sweep(&plan);
    let changed = tree.plan_with(&["a"], 3, false);
    sweep(&changed);
    // Killed before its result took the place: the place is empty, or has an older one.
    let work = changed.runs[0].spec.work_folder();
    fs::rename(tree.folder("a"), &work).unwrap();
    record::tidy(&tree.results);
    assert_eq!(tree.record("a").unwrap().identity, identity(&changed));
    // Killed after the two had changed places.
    let kept_one = record::kept_folder(&tree.results).join(identity(&plan));
    fs::rename(&kept_one, &work).unwrap();
    assert_eq!(
        decisions(&tree.plan(&["a"])),
        ["restores its kept result"],
        "found even there"
    );
    record::tidy(&tree.results);
    assert_eq!(kept(&tree), [identity(&plan)]);
    assert_eq!(tree.record("a").unwrap().identity, identity(&changed));
}

#[test]
fn a_runner_that_planned_before_gives_an_unplaced_result_its_place() {
    let tree = Tree::new();
    // Planned while there was nothing; then another runner finished the run and was killed before
    // its result had its place.
    let (same, renamed) = (tree.plan(&["a"]), tree.plan_of(&[("b", "a")]));
    sweep(&tree.plan(&["a"]));
    let work = same.runs[0].spec.work_folder();
    fs::rename(tree.folder("a"), &work).unwrap();

    assert_eq!(ends(&sweep(&renamed)), [RunEnd::Complete]);
    let adopted = tree.record("b").unwrap();
    assert_eq!(adopted.adopted_from.as_deref(), Some("x/a@42"));

    assert_eq!(ends(&sweep(&same)), [RunEnd::Complete]);
    assert_eq!(tree.record("a").unwrap().adopted_from, None);
    assert!(!work.exists());
    assert_eq!(tree.executions(), ["a"]);
}

#[test]
fn a_result_in_another_number_format_is_another_result() {
    let tree = Tree::new();
    sweep(&tree.plan(&["a"]));
    let on_a_card = tree.plan_in(&["a"], "bf16");
    assert_eq!(
        decisions(&on_a_card),
        ["changed: model.precision f32 -> bf16"]
    );
}

#[test]
fn the_time_of_all_sittings_is_counted() {
    let tree = Tree::new();
    let plan = tree.plan(&["slow"]);
    let spec = &plan.runs[0].spec;
    let stop = StopFlag::new();
    sweep_with(&plan, &InProcess, &stop, |event| {
        if matches!(event, Event::Stage { .. }) {
            fs::write(spec.work_folder().join(record::CHECKPOINT_FILE), "").unwrap();
            std::thread::sleep(std::time::Duration::from_millis(300));
            stop.raise();
        }
    });
    let first = tree.record("slow").unwrap();
    assert_eq!(first.sittings.len(), 1);
    let stop = StopFlag::new();
    sweep_with(&tree.plan(&["slow"]), &InProcess, &stop, |event| {
        if matches!(event, Event::Stage { .. }) {
            stop.raise();
        }
    });
    let both = tree.record("slow").unwrap();
    assert_eq!(both.sittings.len(), 2);
    assert_eq!(both.sittings[0], first.sittings[0]);
    let sum: f64 = both.sittings.iter().map(|sitting| sitting.seconds).sum();
    assert!(
        (both.wall_seconds - sum).abs() < 1e-9 && sum > 0.3,
        "{both:?}"
    );
    assert_eq!(
        both.measurements[0].value.to_bits(),
        both.wall_seconds.to_bits()
    );
}
