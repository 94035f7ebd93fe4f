//! Work of every sort in place of models, the processes that do it, and a tree of results to do it in.

use std::fs::{self, File};
use std::io::{BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use ensayo::config::Settings;
use ensayo::grid::Cell;
use ensayo::plan::{Job, Plan, Planner, RunSpec, Selection, Source};
use ensayo::record::{self, MetricRow, RunRecord};
use ensayo::runner::{
    Context, Event, Execute, ExecuteError, JobEnd, Launcher, Outcome, ProcessLauncher, RunEnd,
    StopFlag, Sweep, SweepEnd, run_job, serve,
};

const RESULTS: &str = "ENSAYO_TEST_RESULTS";
const RUNS: &str = "ENSAYO_TEST_RUNS";

/// Work that does what the run's name begins with, and notes every execution in `<results>/executions`.
pub struct MadeUp;

impl Execute for MadeUp {
    fn execute(&self, spec: &RunSpec, context: &mut Context<'_>) -> Result<Outcome, ExecuteError> {
        let results = record::results_of(context.folder);
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
        // In cubecl's words, which the engine's own tests take from cubecl itself.
        panic!("can't allocate buffer of size: {}", 1_u64 << 40);
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
pub struct InProcess;

impl Launcher for InProcess {
    fn launch(&self, job: &Job, events: &mut dyn FnMut(Event), stop: &StopFlag) -> JobEnd {
        match run_job(job, "cpu", &MadeUp, events, stop) {
            Ok(()) => JobEnd::Exited,
            Err(error) => JobEnd::Died(error.to_string()),
        }
    }
}

/// Executes jobs in real processes.
pub fn in_children() -> ProcessLauncher {
    ProcessLauncher::new(
        std::env::current_exe().unwrap(),
        as_test("made_up::acts_as_child"),
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
    engine::device::leave_at_a_panic(engine::device::Panic::exit_code);
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

pub fn kill_hard(process: u32) {
    let status = Command::new("kill")
        .args(["-9", &process.to_string()])
        .status()
        .unwrap();
    assert!(status.success());
    std::thread::sleep(Duration::from_secs(10));
}

/// A results tree with one experiment `x`, whose runs are named by each test.
pub struct Tree {
    root: Option<tempfile::TempDir>,
    pub results: PathBuf,
}

impl Tree {
    pub fn new() -> Self {
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

    pub fn inputs(&self) -> &Path {
        self.root
            .as_ref()
            .map_or_else(|| self.results.parent().unwrap(), tempfile::TempDir::path)
    }

    /// Settings of a run's own, since runs with the same ones share their result.
    pub fn settings(&self, run: &str, epochs: usize) -> Settings {
        let own: f64 = run
            .bytes()
            .map(f64::from)
            .fold(1.0, |sum, byte| (sum * 31.0 + byte) % 9973.0);
        serde_json::from_value(serde_json::json!({
            "kind": "lora",
            "model": { "path": self.inputs().join("model"), "precision": "auto" },
            "data": {
                "path": self.inputs().join("data.csv"), "text": "text", "label": "label",
                "test_size": 0.2, "split_seed": 42, "deduplicate": false,
            },
            "lora": { "rank": 8, "alpha": 8.0, "targets": ["query"], "dropout": 0.0 },
            "training": {
                "epochs": epochs, "batch_size": 8, "gradient_accumulation": 1, "learning_rate": 2e-4, "weight_decay": own / 1e4,
                "adam_beta1": 0.9, "adam_beta2": 0.999, "adam_epsilon": 1e-8, "max_gradient_norm": 1.0, "schedule": "linear",
                "warmup_steps": 0, "max_length": 512, "logging_steps": 50, "shuffle": true, "keep": "last",
            },
        }))
        .unwrap()
    }

    pub fn cells(&self, runs: &[&str], epochs: usize) -> Vec<Cell> {
        let runs: Vec<_> = runs.iter().map(|run| (*run, *run)).collect();
        self.cells_of(&runs, epochs)
    }

    /// Cells by their names, with the settings of the runs named second.
    fn cells_of(&self, runs: &[(&str, &str)], epochs: usize) -> Vec<Cell> {
        let cell = |&(name, settings): &(&str, &str)| Cell {
            name: name.to_owned(),
            settings: self.settings(settings, epochs),
            axes: Vec::new(),
        };
        runs.iter().map(cell).collect()
    }

    pub fn plan(&self, runs: &[&str]) -> Plan {
        self.plan_with(runs, 2, false)
    }

    pub fn plan_with(&self, runs: &[&str], epochs: usize, force: bool) -> Plan {
        self.plan_cells(&self.cells(runs, epochs), force, "f32")
    }

    /// A plan of runs by their names, with the settings of the runs named second.
    pub fn plan_of(&self, runs: &[(&str, &str)]) -> Plan {
        self.plan_cells(&self.cells_of(runs, 2), false, "f32")
    }

    /// A plan for a device whose own number format it is.
    pub fn plan_in(&self, runs: &[&str], format: &str) -> Plan {
        self.plan_cells(&self.cells(runs, 2), false, format)
    }

    fn plan_cells(&self, cells: &[Cell], force: bool, format: &str) -> Plan {
        let planner = Planner {
            results: &self.results,
            selection: &Selection::default(),
            force,
            device: "auto",
            format: Some(format),
        };
        let source = Source {
            experiment: "x",
            description: None,
            compare: None,
            seeds: &[42],
            overrides: &[],
            cells,
        };
        planner.plan(&[source]).unwrap()
    }

    pub fn folder(&self, run: &str) -> PathBuf {
        record::run_folder(&self.results, "x", run, 42)
    }

    /// Where a run of two epochs is worked on.
    pub fn work(&self, run: &str) -> PathBuf {
        self.plan(&[run]).runs[0].spec.work_folder()
    }

    pub fn record(&self, run: &str) -> Option<RunRecord> {
        record::read(&self.folder(run)).unwrap()
    }

    pub fn executions(&self) -> Vec<String> {
        let text = fs::read_to_string(self.results.join("executions")).unwrap_or_default();
        let mut runs: Vec<_> = text
            .lines()
            .map(|line| line["x/".len()..].replace("@42", ""))
            .collect();
        runs.sort();
        runs
    }

    /// Waits until there is something, or fails.
    pub fn wait<T>(&self, what: &str, mut look: impl FnMut() -> Option<T>) -> T {
        let begin = Instant::now();
        while begin.elapsed() < Duration::from_secs(20) {
            if let Some(found) = look() {
                return found;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("no {what} in {}", self.results.display());
    }

    pub fn runner(&self, runs: &[&str]) -> Child {
        Command::new(std::env::current_exe().unwrap())
            .args(as_test("made_up::acts_as_runner"))
            .env(RESULTS, &self.results)
            .env(RUNS, runs.join(","))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap()
    }
}

/// Process ids of a process's children; none where the system does not show them.
pub fn children_of(parent: u32) -> Vec<u32> {
    // Each thread has those that it started.
    let threads = fs::read_dir(format!("/proc/{parent}/task"));
    let lists = threads.into_iter().flatten().flatten().map(|thread| {
        let list = fs::read_to_string(thread.path().join("children"));
        list.unwrap_or_default()
    });
    let pids: Vec<String> = lists
        .flat_map(|list| {
            let pids = list.split_whitespace().map(str::to_owned);
            pids.collect::<Vec<_>>()
        })
        .collect();
    pids.iter().filter_map(|pid| pid.parse().ok()).collect()
}

/// Whether a process is still at work; what only waits to be counted is not.
pub fn is_alive(process: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    let state = stat.rsplit_once(')').map_or("", |(_, after)| after);
    !matches!(state.trim_start().chars().next(), None | Some('Z' | 'X'))
}

/// Sends a signal to processes.
pub fn signal(name: &str, processes: &[u32]) {
    let pids = processes.iter().map(u32::to_string);
    let status = Command::new("kill").arg(name).args(pids).status().unwrap();
    assert!(status.success());
}

pub fn sweep(plan: &Plan) -> SweepEnd {
    sweep_with(plan, &InProcess, &StopFlag::new(), |_| ())
}

pub fn sweep_with(
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

pub fn decisions(plan: &Plan) -> Vec<String> {
    plan.runs
        .iter()
        .map(|planned| planned.decision.to_string())
        .collect()
}

pub fn ends(end: &SweepEnd) -> Vec<RunEnd> {
    end.runs.iter().map(|run| run.end.clone()).collect()
}
