//! Runs in processes of their own: how these end, and what is left of it.

use std::fs;
use std::path::Path;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use ensayo::plan::Job;
use ensayo::record::Status;
use ensayo::runner::{Event, ProcessLauncher, RunEnd, StopFlag, Sweep};

use crate::made_up::{
    Tree, children_of, decisions, ends, in_children, is_alive, signal, sweep_with,
};

#[test]
fn runs_in_children_leave_their_records_and_logs() {
    let tree = Tree::new();
    let heard = Mutex::new(Vec::new());
    let end = sweep_with(
        &tree.plan(&["noisy", "fails"]),
        &in_children(),
        &StopFlag::new(),
        |event| {
            heard.lock().unwrap().push(event);
        },
    );
    assert_eq!(
        ends(&end),
        [RunEnd::Complete, RunEnd::Failed("there is no spoon".into())]
    );
    let log = fs::read_to_string(tree.folder("noisy").join("run.log")).unwrap();
    assert!(log.contains("a library prints to standard output"), "{log}");
    let heard = heard.into_inner().unwrap();
    assert_eq!(
        heard
            .iter()
            .filter(|event| event.run() == "x/noisy@42")
            .count(),
        3,
        "{heard:?}"
    );
    // Nothing but the run's folder and its lock.
    let mut names: Vec<_> = fs::read_dir(tree.folder("noisy").parent().unwrap())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    names.sort();
    assert_eq!(names, [".seed-42.lock", "seed-42"]);
}

#[test]
fn a_child_that_dies_leaves_a_failed_record() {
    let tree = Tree::new();
    let end = sweep_with(
        &tree.plan(&["panics", "dies", "b"]),
        &in_children(),
        &StopFlag::new(),
        |_| (),
    );
    assert!(
        matches!(
            ends(&end)[..],
            [RunEnd::Failed(_), RunEnd::Failed(_), RunEnd::Complete]
        ),
        "{end:?}"
    );

    let panicked = tree.record("panics").unwrap();
    assert_eq!(panicked.status, Status::Failed);
    let error = panicked.error.unwrap();
    assert!(
        error.contains("panicked at") && error.ends_with("the spoon bent"),
        "{error}"
    );
    let log = fs::read_to_string(tree.folder("panics").join("run.log")).unwrap();
    assert!(log.contains("the spoon bent"), "{log}");

    let error = tree.record("dies").unwrap().error.unwrap();
    assert!(
        error.contains("killed by the system, perhaps because memory ran out"),
        "{error}"
    );
    // Whoever kills it, memory is taken for the reason: 8, 4, 2 and 1 rows at once, and no more.
    let executed = tree.executions();
    let deaths = executed.iter().filter(|run| *run == "dies");
    assert_eq!(deaths.count(), 4);
}

#[test]
fn a_run_that_runs_out_of_memory_goes_on_with_half_as_much_at_once() {
    let tree = Tree::new();
    let runs = ["hungry-2", "killed", "aborts", "b"];
    let notes = Mutex::new(Vec::new());
    let end = sweep_with(
        &tree.plan(&runs),
        &in_children(),
        &StopFlag::new(),
        |event| {
            if let Event::Note { run, text } = event {
                notes.lock().unwrap().push(format!("{run}: {text}"));
            }
        },
    );
    assert_eq!(ends(&end), vec![RunEnd::Complete; 4], "{end:?}");
    assert_eq!(tree.record("hungry-2").unwrap().notes, ["2 halvings"]);
    let memory = "the job's process ran out of memory; it goes on with at most";
    let killed = "the job's process was killed by the system, perhaps because memory ran out";
    let notes = notes.into_inner().unwrap();
    let expected = [
        format!("x/hungry-2@42: {memory} 4 rows at once"),
        format!("x/hungry-2@42: {memory} 2 rows at once"),
        format!("x/killed@42: {killed}"),
        format!("x/aborts@42: {memory} 4 rows at once"),
    ];
    assert_eq!(notes.len(), expected.len(), "{notes:?}");
    for (note, expected) in notes.iter().zip(expected) {
        assert!(note.starts_with(&expected), "{note}");
    }
    let executions = tree.executions();
    let times = |run| executions.iter().filter(|other| *other == run).count();
    assert_eq!(runs.map(times), [3, 2, 2, 1]);
}

#[test]
fn a_run_that_has_not_memory_for_one_row_fails_and_names_the_remedies() {
    let tree = Tree::new();
    let end = sweep_with(
        &tree.plan(&["hungry-99", "b"]),
        &in_children(),
        &StopFlag::new(),
        |_| (),
    );
    let [RunEnd::Failed(reason), RunEnd::Complete] = &ends(&end)[..] else {
        panic!("{end:?}");
    };
    for word in [
        "out of memory",
        "max_length",
        "gradient_checkpointing",
        "precision",
    ] {
        assert!(reason.contains(word), "{reason}");
    }
    let record = tree.record("hungry-99").unwrap();
    assert_eq!(record.status, Status::Failed);
    assert_eq!(record.error.as_ref(), Some(reason));
    assert_eq!(tree.executions().len(), 5);
}

#[test]
fn of_a_job_of_several_runs_only_the_one_that_lacked_memory_has_less_at_once() {
    let tree = Tree::new();
    let plan = tree.plan(&["a", "hungry-1", "hungry-0"]);
    let runs = plan.jobs.iter().flat_map(|job| job.runs.clone()).collect();
    let sweep = Sweep {
        launcher: &in_children(),
        at_once: 1,
        fail_fast: false,
        device: "cpu",
        events: &|_| (),
        stop: &StopFlag::new(),
    };
    let end = sweep.run(&[Job { runs, halvings: 0 }]);
    assert_eq!(ends(&end), vec![RunEnd::Complete; 3], "{end:?}");
    assert_eq!(tree.record("hungry-1").unwrap().notes, ["1 halvings"]);
    assert_eq!(tree.record("hungry-0").unwrap().notes, ["0 halvings"]);
    assert_eq!(tree.executions(), ["a", "hungry-0", "hungry-1", "hungry-1"]);
}

#[test]
fn a_program_that_cannot_start_fails_the_run() {
    let tree = Tree::new();
    let launcher = ProcessLauncher::new("/nowhere/ensayo", ["job"], "cpu");
    let end = sweep_with(&tree.plan(&["a"]), &launcher, &StopFlag::new(), |_| ());
    assert_eq!(end.failed(), 1);
    assert!(
        tree.record("a")
            .unwrap()
            .error
            .unwrap()
            .contains("cannot start /nowhere/ensayo")
    );
}

#[test]
fn stopping_once_lets_a_child_end_its_step() {
    let tree = Tree::new();
    let stop = StopFlag::new();
    let end = sweep_with(&tree.plan(&["slow", "b"]), &in_children(), &stop, |event| {
        if matches!(event, Event::Stage { .. }) {
            stop.raise();
        }
    });
    assert_eq!(ends(&end), [RunEnd::Interrupted, RunEnd::NotStarted]);
    assert_eq!(tree.record("slow").unwrap().status, Status::Interrupted);
}

#[test]
fn stopping_twice_kills_a_child_that_does_not_listen() {
    let tree = Tree::new();
    let stop = StopFlag::new();
    let begin = Instant::now();
    let end = sweep_with(&tree.plan(&["deaf"]), &in_children(), &stop, |event| {
        if matches!(event, Event::Stage { .. }) {
            stop.raise();
            stop.raise();
        }
    });
    assert!(begin.elapsed() < Duration::from_secs(30));
    assert_eq!(ends(&end), [RunEnd::Interrupted]);
    assert_eq!(tree.record("deaf"), None);
    assert_eq!(decisions(&tree.plan(&["deaf"])), ["interrupted before"]);
}

#[test]
fn a_child_ends_within_a_second_of_its_parents_death_wherever_it_stands() {
    for run in ["deaf", "slow"] {
        let tree = Tree::new();
        let mut runner = tree.runner(&[run]);
        tree.wait("execution", || {
            (!tree.executions().is_empty()).then_some(())
        });
        let children = children_of(runner.id());
        if children.is_empty() {
            // This system does not show who is whose child.
            let _ = runner.kill();
            let _ = runner.wait();
            return;
        }
        runner.kill().unwrap();
        runner.wait().unwrap();
        let died = Instant::now();
        while children.iter().any(|&child| is_alive(child)) {
            assert!(died.elapsed() < Duration::from_millis(1500), "{run}");
            std::thread::sleep(Duration::from_millis(10));
        }
        // One that listens has time to say how far it came.
        let attempt = tree.record(run).map(|record| record.status);
        let expected = (run == "slow").then_some(Status::Interrupted);
        assert_eq!(attempt, expected, "{run}");
        assert_eq!(decisions(&tree.plan(&[run])), ["interrupted before"]);
    }
}

#[test]
fn a_signal_to_a_child_is_an_interruption_and_no_failure() {
    for (name, run) in [("-TERM", "slow"), ("-INT", "slow"), ("-HUP", "slow")] {
        let tree = Tree::new();
        let own = std::process::id();
        let before = children_of(own);
        let end = sweep_with(
            &tree.plan(&[run]),
            &in_children(),
            &StopFlag::new(),
            |event| {
                if matches!(event, Event::Stage { .. }) {
                    let log = tree.work(run).join("run.log");
                    let mine: Vec<u32> = children_of(own)
                        .into_iter()
                        .filter(|child| !before.contains(child) && writes_to(*child, &log))
                        .collect();
                    assert_eq!(mine.len(), 1);
                    signal(name, &mine);
                }
            },
        );
        assert_eq!(ends(&end), [RunEnd::Interrupted], "{name}");
        assert_eq!((end.failed(), end.interrupted()), (0, 1));
        assert_eq!(tree.record(run).unwrap().status, Status::Interrupted);
    }
}

/// Whether a process has this file for its standard error: the tests of a program start children side by side.
fn writes_to(process: u32, log: &Path) -> bool {
    fs::read_link(format!("/proc/{process}/fd/2")).is_ok_and(|file| file == log)
}
