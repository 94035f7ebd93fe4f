//! The pipeline from cells to records with made-up work in place of models: resuming, failures, interruption, locks, and
//! children that die. Processes are real where it says so; they are this test program, asked for one of its ignored tests.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test that cannot go on must fail; children speak on standard output"
)]

use std::fs::{self, File};
use std::io::{BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use ensayo::config::Settings;
use ensayo::grid::Cell;
use ensayo::plan::{Decision, Job, Plan, Planner, Reason, RunSpec, Selection, Source};
use ensayo::record::{self, MetricRow, RunRecord, Status};
use ensayo::runner::{
    Context, Event, Execute, ExecuteError, JobEnd, Launcher, Outcome, ProcessLauncher, RunEnd,
    RunLock, StopFlag, Sweep, SweepEnd, run_job, serve,
};

const RESULTS: &str = "ENSAYO_TEST_RESULTS";
const RUNS: &str = "ENSAYO_TEST_RUNS";

/// Work that does what the run's name begins with, and notes every execution in `<results>/executions`.
struct MadeUp;

impl Execute for MadeUp {
    fn execute(&self, spec: &RunSpec, context: &mut Context<'_>) -> Result<Outcome, ExecuteError> {
        let results = context.folder.ancestors().nth(3).unwrap();
        let mut executions = File::options()
            .create(true)
            .append(true)
            .open(results.join("executions"))?;
        executions.write_all(format!("{}\n", spec.label()).as_bytes())?;
        (context.events)(Event::Stage {
            run: spec.label(),
            stage: "pretending".into(),
        });

        let mut outcome = Outcome::default();
        outcome.metrics.push(MetricRow {
            evaluation: "test".into(),
            metric: "accuracy".into(),
            value: 0.75,
        });
        match spec.run.split('-').next().unwrap() {
            "fails" => return Err(ExecuteError::message("there is no spoon")),
            "panics" => panic!("the spoon bent"),
            "dies" => kill_hard(std::process::id()),
            // "hungry-2" has enough after two halvings.
            "hungry" => {
                let enough = spec.run.split('-').nth(1).unwrap().parse().unwrap();
                if context.halvings < enough {
                    fill_the_card();
                }
                outcome.notes.push(format!("{} halvings", context.halvings));
            }
            "killed" if context.halvings == 0 => kill_hard(std::process::id()),
            "aborts" if context.halvings == 0 => run_out_of_heap(),
            "noisy" => println!("a library prints to standard output"),
            "pause" => std::thread::sleep(Duration::from_millis(30)),
            "slow" => {
                for _ in 0..1000 {
                    std::thread::sleep(Duration::from_millis(10));
                    if context.stop.is_raised() {
                        outcome.interrupted = true;
                        break;
                    }
                }
            }
            "deaf" => std::thread::sleep(Duration::from_mins(1)),
            _ => {}
        }
        fs::write(context.folder.join("answer.txt"), "42")?;
        Ok(outcome)
    }
}

/// What a device's thread does when its card is full: it panics, and the calling thread is none the wiser.
fn fill_the_card() {
    let device = std::thread::spawn(|| {
        let full = cubecl::server::IoError::BufferTooBig {
            size: 1 << 40,
            backtrace: cubecl::backtrace::BackTrace::capture(),
        };
        #[allow(clippy::unnecessary_literal_unwrap)]
        Err::<(), _>(full).unwrap();
    });
    assert!(device.join().is_err());
    panic!("call to a dead device");
}

/// What Rust's allocator does when it fails, which cannot be caught.
fn run_out_of_heap() {
    let layout = std::alloc::Layout::array::<u8>(1 << 40).unwrap();
    std::alloc::handle_alloc_error(layout);
}

/// Executes jobs in the calling thread.
struct InProcess;

impl Launcher for InProcess {
    fn launch(&self, job: &Job, events: &mut dyn FnMut(Event), stop: &StopFlag) -> JobEnd {
        match run_job(job, "cpu", &MadeUp, events, stop) {
            Ok(()) => JobEnd::Exited,
            Err(error) => JobEnd::Died(error.to_string()),
        }
    }
}

/// Executes jobs in real processes.
fn in_children() -> ProcessLauncher {
    ProcessLauncher::new(
        std::env::current_exe().unwrap(),
        as_test("acts_as_child"),
        "cpu",
    )
}

fn as_test(name: &str) -> Vec<String> {
    [
        name,
        "--exact",
        "--ignored",
        "--nocapture",
        "--test-threads=1",
    ]
    .map(str::to_owned)
    .to_vec()
}

#[test]
#[ignore = "not a test: the child's side of those that start processes"]
fn acts_as_child() {
    // The harness has begun a line.
    println!();
    ensayo::device::leave_when_out_of_memory();
    serve(BufReader::new(std::io::stdin()), std::io::stdout(), &MadeUp).unwrap();
}

#[test]
#[ignore = "not a test: a runner of its own for those that start several"]
fn acts_as_runner() {
    let results = PathBuf::from(std::env::var(RESULTS).unwrap());
    let runs = std::env::var(RUNS).unwrap();
    let runs: Vec<&str> = runs.split(',').collect();
    let tree = Tree {
        root: None,
        results,
    };
    let end = sweep_with(&tree.plan(&runs), &in_children(), &StopFlag::new(), |_| ());
    assert!(
        end.runs.iter().all(|run| run.end == RunEnd::Complete),
        "{end:?}"
    );
}

fn kill_hard(process: u32) {
    let status = Command::new("kill")
        .args(["-9", &process.to_string()])
        .status()
        .unwrap();
    assert!(status.success());
    std::thread::sleep(Duration::from_secs(10));
}

/// A results tree with one experiment `x`, whose runs are named by each test.
struct Tree {
    root: Option<tempfile::TempDir>,
    results: PathBuf,
}

impl Tree {
    fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("model")).unwrap();
        fs::write(root.path().join("model/config.json"), "{}").unwrap();
        fs::write(root.path().join("data.csv"), "text,label\ngood,1\nbad,0\n").unwrap();
        let results = root.path().join("results");
        fs::create_dir(&results).unwrap();
        Self {
            root: Some(root),
            results,
        }
    }

    fn inputs(&self) -> &Path {
        self.root
            .as_ref()
            .map_or_else(|| self.results.parent().unwrap(), tempfile::TempDir::path)
    }

    fn settings(&self, epochs: usize) -> Settings {
        serde_json::from_value(serde_json::json!({
            "kind": "lora",
            "model": { "path": self.inputs().join("model"), "precision": "auto" },
            "data": {
                "path": self.inputs().join("data.csv"), "text": "text", "label": "label",
                "test_size": 0.2, "split_seed": 42, "deduplicate": false,
            },
            "lora": { "rank": 8, "alpha": 8.0, "targets": ["query"], "dropout": 0.0 },
            "training": {
                "epochs": epochs, "batch_size": 8, "gradient_accumulation": 1, "learning_rate": 2e-4, "weight_decay": 0.01,
                "adam_beta1": 0.9, "adam_beta2": 0.999, "adam_epsilon": 1e-8, "max_gradient_norm": 1.0, "schedule": "linear",
                "warmup_steps": 0, "max_length": 512, "logging_steps": 50, "shuffle": true, "keep": "last",
            },
        }))
        .unwrap()
    }

    fn cells(&self, runs: &[&str], epochs: usize) -> Vec<Cell> {
        let cell = |run: &&str| Cell {
            name: (*run).to_owned(),
            settings: self.settings(epochs),
            axes: Vec::new(),
        };
        runs.iter().map(cell).collect()
    }

    fn plan(&self, runs: &[&str]) -> Plan {
        self.plan_with(runs, 2, false)
    }

    fn plan_with(&self, runs: &[&str], epochs: usize, force: bool) -> Plan {
        let planner = Planner {
            results: &self.results,
            selection: &Selection::default(),
            force,
            device: "auto",
        };
        let cells = self.cells(runs, epochs);
        let source = Source {
            experiment: "x",
            description: None,
            compare: None,
            seeds: &[42],
            overrides: &[],
            cells: &cells,
        };
        planner.plan(&[source]).unwrap()
    }

    fn folder(&self, run: &str) -> PathBuf {
        record::run_folder(&self.results, "x", run, 42)
    }

    fn record(&self, run: &str) -> Option<RunRecord> {
        record::read(&self.folder(run)).unwrap()
    }

    fn executions(&self) -> Vec<String> {
        let text = fs::read_to_string(self.results.join("executions")).unwrap_or_default();
        let mut runs: Vec<_> = text
            .lines()
            .map(|line| line["x/".len()..].replace("@42", ""))
            .collect();
        runs.sort();
        runs
    }

    /// Waits until there is something, or fails.
    fn wait<T>(&self, what: &str, mut look: impl FnMut() -> Option<T>) -> T {
        let begin = Instant::now();
        while begin.elapsed() < Duration::from_secs(20) {
            if let Some(found) = look() {
                return found;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("no {what} in {}", self.results.display());
    }

    fn runner(&self, runs: &[&str]) -> Child {
        Command::new(std::env::current_exe().unwrap())
            .args(as_test("acts_as_runner"))
            .env(RESULTS, &self.results)
            .env(RUNS, runs.join(","))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap()
    }
}

fn sweep(plan: &Plan) -> SweepEnd {
    sweep_with(plan, &InProcess, &StopFlag::new(), |_| ())
}

fn sweep_with(
    plan: &Plan,
    launcher: &dyn Launcher,
    stop: &StopFlag,
    events: impl Fn(Event) + Sync,
) -> SweepEnd {
    Sweep {
        launcher,
        at_once: 1,
        fail_fast: false,
        device: "cpu",
        events: &events,
        stop,
    }
    .run(&plan.jobs)
}

fn decisions(plan: &Plan) -> Vec<String> {
    plan.runs
        .iter()
        .map(|planned| planned.decision.to_string())
        .collect()
}

fn ends(end: &SweepEnd) -> Vec<RunEnd> {
    end.runs.iter().map(|run| run.end.clone()).collect()
}

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
    assert_eq!(file.settings, tree.settings(2));
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
    let lock = Mutex::new(RunLock::acquire(&tree.folder("a")).unwrap());
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
    let folder = tree.folder("deaf");
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
    tree.wait("free lock", || RunLock::acquire(&folder).unwrap());
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
