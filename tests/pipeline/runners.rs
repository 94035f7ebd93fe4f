//! Several runners on one folder of results, and runners that die.

use std::process::Command;
use std::sync::Mutex;

use ensayo::record::Status;
use ensayo::runner::{Event, RunEnd, RunLock, StopFlag, Sweep};

use crate::made_up::{InProcess, Tree, decisions, ends, sweep_with};

#[test]
fn two_runners_at_once_never_do_a_run_twice() {
    let tree = Tree::new();
    let runs = [
        "pause-1", "pause-2", "pause-3", "fails-4", "pause-5", "pause-6",
    ];
    // Both plan before either runs, so each believes that all is to do.
    let plans = [tree.plan(&runs), tree.plan(&runs)];
    let ends: Vec<_> = std::thread::scope(|scope| {
        let sweeps = plans.each_ref().map(|plan| {
            scope.spawn(|| {
                let sweep = Sweep {
                    launcher: &InProcess,
                    at_once: 2,
                    fail_fast: false,
                    device: "cpu",
                    events: &|_| (),
                    stop: &StopFlag::new(),
                };
                sweep.run(&plan.jobs)
            })
        });
        sweeps
            .into_iter()
            .map(|sweep| sweep.join().unwrap())
            .collect()
    });
    let mut sorted = runs;
    sorted.sort_unstable();
    assert_eq!(tree.executions(), sorted);
    // Each knows the fate of all of them.
    for end in &ends {
        assert_eq!((end.complete(), end.failed()), (5, 1), "{end:?}");
    }
}

#[test]
fn two_runner_processes_never_do_a_run_twice() {
    let tree = Tree::new();
    let runs = ["pause-1", "pause-2", "pause-3", "pause-4"];
    let mut runners = [tree.runner(&runs), tree.runner(&runs), tree.runner(&runs)];
    for runner in &mut runners {
        assert!(runner.wait().unwrap().success());
    }
    assert_eq!(tree.executions(), runs);
}

#[test]
fn a_run_in_progress_elsewhere_is_waited_for_and_its_result_taken() {
    let tree = Tree::new();
    let plan = tree.plan(&["a", "b"]);
    let lock = Mutex::new(RunLock::acquire(&tree.work("a")).unwrap());
    let heard = Mutex::new(Vec::new());
    let end = sweep_with(&plan, &InProcess, &StopFlag::new(), |event| {
        // The other runner ends once this one has turned to its second run.
        if matches!(&event, Event::Finished { run, .. } if run == "x/b@42") {
            let mut record = tree.record("b").unwrap();
            record.run = "a".into();
            record.identity.clone_from(&plan.runs[0].spec.identity);
            record.write(&tree.folder("a")).unwrap();
            lock.lock().unwrap().take();
        }
        heard.lock().unwrap().push(event);
    });
    assert_eq!(ends(&end), [RunEnd::Complete, RunEnd::Complete]);
    assert_eq!(tree.executions(), ["b"]);
    let heard = heard.into_inner().unwrap();
    assert!(matches!(heard[0], Event::Busy { .. }));
    assert!(matches!(
        heard[heard.len() - 1],
        Event::Found {
            status: Status::Complete,
            ..
        }
    ));
}

#[test]
fn a_dead_owners_lock_is_taken_over() {
    let tree = Tree::new();
    let mut runner = tree.runner(&["deaf"]);
    let folder = tree.work("deaf");
    tree.wait("locked run", || {
        (folder.join("run.toml").exists() && RunLock::is_held(&folder).unwrap()).then_some(())
    });
    assert!(RunLock::acquire(&folder).unwrap().is_none());
    // The runner's child owns the lock. It does not listen to the end of its input, so it is killed as well.
    let child = tree.wait("child", || {
        let children = Command::new("pgrep")
            .args(["-P", &runner.id().to_string()])
            .output()
            .unwrap();
        String::from_utf8(children.stdout)
            .unwrap()
            .lines()
            .next()
            .and_then(|line| line.parse::<u32>().ok())
    });
    runner.kill().unwrap();
    runner.wait().unwrap();
    assert!(
        RunLock::acquire(&folder).unwrap().is_none(),
        "a child without its runner still owns its run"
    );
    assert!(
        Command::new("kill")
            .args(["-9", &child.to_string()])
            .status()
            .unwrap()
            .success()
    );
    drop(tree.wait("free lock", || RunLock::acquire(&folder).unwrap()));
    assert_eq!(decisions(&tree.plan(&["deaf"])), ["interrupted before"]);
}

#[test]
fn a_child_whose_runner_dies_stops_cleanly() {
    let tree = Tree::new();
    let mut runner = tree.runner(&["slow"]);
    tree.wait("execution", || {
        (!tree.executions().is_empty()).then_some(())
    });
    runner.kill().unwrap();
    runner.wait().unwrap();
    let record = tree.wait("record", || tree.record("slow"));
    assert_eq!(record.status, Status::Interrupted);
}
