//! How long a plan and a report take beside many finished runs, and how much memory.
//!
//! ```sh
//! cargo bench --bench many_runs -- --runs 10000
//! ```
//!
//! One run of the quick start's encoder is trained; all others are copies of its files with settings and figures of their
//! own, as a sweep over two settings would have left them.

mod line;

use std::error::Error;
use std::fs;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use clap::Parser;
use ensayo::record::{self, PlanFile, RunFile, run_folder};

/// What to measure.
#[derive(Debug, Parser)]
struct Arguments {
    /// Finished runs
    #[arg(long, default_value_t = 1000)]
    runs: usize,
    /// Given by `cargo bench`
    #[arg(long, hide = true)]
    bench: bool,
}

/// Values of the second setting.
const ALPHAS: usize = 10;

fn main() -> ExitCode {
    line::print(measure(&Arguments::parse()))
}

fn measure(arguments: &Arguments) -> Result<String, Box<dyn Error>> {
    let place = tempfile::tempdir()?;
    let place = place.path();
    let runs = arguments.runs.div_ceil(ALPHAS) * ALPHAS;
    fs::create_dir(place.join("experiments"))?;
    fs::write(place.join("experiments/many.toml"), experiment(runs))?;
    ensayo(place, &["run", "many/alpha=1,learning_rate=1e-4"])?;
    fill(&place.join("results"))?;

    let plan = ensayo(place, &["plan", "many"])?;
    let report = ensayo(place, &["report"])?;
    let again = ensayo(place, &["report"])?;
    let page = fs::metadata(place.join("results/report/index.html"))?.len();
    Ok(format!(
        "{runs} runs: plan {plan}; report {report}; report again {again}; page {} kB",
        page / 1000
    ))
}

/// An experiment of so many runs.
fn experiment(runs: usize) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let rates: Vec<String> = (1..=runs / ALPHAS)
        .map(|rate| format!("{rate}e-4"))
        .collect();
    let alphas: Vec<String> = (1..=ALPHAS).map(|alpha| alpha.to_string()).collect();
    format!(
        "name = \"many\"\nkind = \"lora\"\n\
         [model]\nrandom = {{ config = '{}', seed = 0 }}\n\
         [data]\npath = '{}'\ntext = \"text\"\nlabel = \"label\"\ntest_size = 0.2\n\
         [lora]\nrank = 2\ntargets = [\"query\"]\n\
         [training]\nepochs = 2\nmax_length = 64\n\
         [grid]\n\"lora.alpha\" = [{}]\n\"training.learning_rate\" = [{}]\n",
        root.join("models/quickstart-encoder/config.json").display(),
        root.join("data/quickstart-reviews.csv").display(),
        alphas.join(", "),
        rates.join(", "),
    )
}

/// Gives every run of the plan that has none a copy of the finished one's result.
fn fill(results: &Path) -> Result<(), Box<dyn Error>> {
    let plan = PlanFile::read(results, "many")?.ok_or("there is no plan")?;
    let folder = |run: &str, seed| run_folder(results, "many", run, seed);
    let (mut source, mut finished) = (None, None);
    for planned in &plan.runs {
        let place = folder(&planned.run, planned.seed);
        if let Some(record) = record::read(&place)? {
            (source, finished) = (Some(place), Some(record));
        }
    }
    let (source, finished) = source.zip(finished).ok_or("no run was finished")?;
    let settings = RunFile::<toml::Table>::read(&source)?.settings;
    for (number, planned) in plan.runs.iter().enumerate() {
        let place = folder(&planned.run, planned.seed);
        if place == source {
            continue;
        }
        let mut own = finished.clone();
        own.run.clone_from(&planned.run);
        own.identity.clone_from(&planned.identity);
        #[expect(clippy::cast_precision_loss, reason = "below a thousand")]
        for row in own
            .metrics
            .iter_mut()
            .filter(|row| row.metric == "accuracy")
        {
            row.value = 0.5 + (number * 7919 % 1000) as f64 / 2500.0;
        }
        let mut settings = settings.clone();
        for (key, value) in &planned.axes {
            own.identity_parts.insert(key.clone(), value.clone());
            let (table, key) = key.split_once('.').ok_or("an axis of no table")?;
            let table = settings.get_mut(table).and_then(toml::Value::as_table_mut);
            let table = table.ok_or("an axis of a table that no run has")?;
            table.insert(key.to_owned(), value.parse()?);
        }
        for name in record::files_in(&source)? {
            let to = place.join(&name);
            fs::create_dir_all(to.parent().unwrap_or(&place))?;
            if name != "record.json" && name != "run.toml" {
                fs::hard_link(source.join(&name), to)?;
            }
        }
        let file = RunFile {
            experiment: "many".to_owned(),
            run: planned.run.clone(),
            seed: planned.seed,
            settings,
        };
        fs::write(place.join("run.toml"), toml::to_string(&file)?)?;
        fs::write(place.join("record.json"), serde_json::to_vec_pretty(&own)?)?;
    }
    Ok(())
}

/// Runs the program to its end; says how long that took and the most memory that it held, where the system tells.
fn ensayo(place: &Path, arguments: &[&str]) -> Result<String, Box<dyn Error>> {
    let begun = Instant::now();
    let mut child = Command::new(env!("CARGO_BIN_EXE_ensayo"))
        .args(arguments)
        .current_dir(place)
        .stdout(Stdio::null())
        .spawn()?;
    let mut peak = None;
    let status = loop {
        peak = peak_kilobytes(child.id()).or(peak);
        if let Some(status) = child.try_wait()? {
            break status;
        }
        thread::sleep(Duration::from_millis(5));
    };
    if !status.success() {
        return Err(format!("`ensayo {}` failed", arguments.join(" ")).into());
    }
    let seconds = begun.elapsed().as_secs_f64();
    let memory = peak.map_or_else(String::new, |peak| format!(" and {} MB", peak / 1000));
    Ok(format!("{seconds:.1} s{memory}"))
}

/// The most memory that a process held so far.
fn peak_kilobytes(process: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.parse().ok()
}
