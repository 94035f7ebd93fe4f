//! A sweep that is killed at random moments, again and again, leaves the tree of one that never was.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Child;
use std::thread::sleep;
use std::time::{Duration, Instant};

use ensayo::record;

use crate::dice::Dice;
use crate::place::Place;
use crate::processes::{can_find_children, children, kill_all, kill_tree, start};
use crate::tree::{assert_alike, assert_equal, stop_clocks};

/// Narrow layers, so that most of the time goes into everything but arithmetic.
const CONFIG: &str = r#"{
    "model_type": "bert",
    "vocab_size": 1222, "type_vocab_size": 2, "max_position_embeddings": 32,
    "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 24
}"#;

/// Three runs with everything that a checkpoint has to carry.
const RUNS: &str = r#"
[grid]
"lora.rank" = [1, 2, 3]
"#;

fn place() -> Place {
    let place = Place::new();
    place.model("model", CONFIG);
    let inputs = "model.random.config = \"../model/config.json\"\ndata.path = \"../reviews.csv\"\ndata.test_size = 0.25\ndata.validation_size = 0.2";
    place.experiment_on("trial", inputs, RUNS);
    let path = place.path("experiments/trial.toml");
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains("batch_size = 8\n"));
    fs::write(path, text.replace("batch_size = 8\n", SETTINGS)).unwrap();
    edit(&place, EPOCHS);
    place
}

/// One row at once: a child that is killed alone is taken for one that ran out of memory, and a half of more rows would round otherwise.
const SETTINGS: &str =
    "batch_size = 1\ngradient_accumulation = 16\nkeep = \"best\"\nearly_stopping = 3\n";

/// What the experiment trains for in the end, and in between.
const EPOCHS: usize = 4;
const OTHER_EPOCHS: usize = 3;

/// Edits the experiment's file, as a person may between two sweeps.
fn edit(place: &Place, epochs: usize) {
    let path = place.path("experiments/trial.toml");
    let text = fs::read_to_string(&path).unwrap();
    let lines = text.lines().map(|line| {
        if line.starts_with("epochs = ") {
            format!("epochs = {epochs}\n")
        } else {
            format!("{line}\n")
        }
    });
    fs::write(&path, lines.collect::<String>()).unwrap();
}

fn arguments(results: &str) -> Vec<&str> {
    vec!["--results", results]
}

/// Identities of all finished results, wherever they lie.
fn finished(results: &Path) -> BTreeSet<String> {
    let records = walkdir::WalkDir::new(results).into_iter().flatten();
    let records = records.filter(|entry| entry.file_name() == "record.json");
    // A folder on its way from place to place is read where it arrives.
    let records = records.filter_map(|entry| record::read(entry.path().parent()?).ok()?);
    let complete = records.filter(|record| record.status == record::Status::Complete);
    complete.map(|record| record.identity).collect()
}

/// Fails if one of these finished results is gone; says which there are now. A child that has lost
/// its parent may move one at the very moment, which is then found in its new place.
fn assert_none_is_lost(results: &Path, seen: &BTreeSet<String>) -> BTreeSet<String> {
    for _ in 0..100 {
        let now = finished(results);
        if now.is_superset(seen) {
            return now;
        }
        sleep(Duration::from_millis(50));
    }
    panic!("a finished result of {seen:?} is lost");
}

/// What is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Victim {
    All,
    Child,
    Parent,
}

/// When.
#[derive(Debug, Clone, Copy)]
enum Moment {
    /// After so long.
    At(Duration),
    /// As soon as a file of this name, or with this beginning, appears in a run's folder or in one of the report's.
    Appears(&'static str),
}

/// In the order in which a sweep writes them: planning, beginning, between writing a file and its renaming, checkpoint, evaluation, adapter,
/// record, report.
const FILES: [&str; 10] = [
    "plan.json",
    "run.toml",
    ".part-",
    "checkpoint.safetensors",
    "predictions.csv",
    "adapter",
    "metrics.csv",
    "record.json",
    "summary.csv",
    "index.html",
];

/// Folders in which something may appear.
fn watched(results: &Path) -> Vec<PathBuf> {
    let mut folders = vec![
        results.join("report"),
        results.join("trial"),
        results.join("trial/plots"),
    ];
    folders.extend((1..=3).map(|rank| results.join(format!("trial/rank={rank}/seed-1"))));
    let work = fs::read_dir(results.join(".work")).into_iter().flatten();
    folders.extend(work.flatten().map(|entry| entry.path()));
    folders
}

/// Files of the watched folders whose names begin so.
fn present(results: &Path, beginning: &str) -> BTreeSet<PathBuf> {
    let entries = watched(results)
        .into_iter()
        .filter_map(|folder| fs::read_dir(folder).ok());
    let paths = entries.flatten().flatten().map(|entry| entry.path());
    let begins = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with(beginning)
    };
    paths.filter(begins).collect()
}

/// Waits for the moment; false if the process ends before.
fn wait_for(moment: Moment, run: &mut Child, results: &Path) -> bool {
    let begun = Instant::now();
    let mut known = match moment {
        Moment::At(_) => BTreeSet::new(),
        Moment::Appears(name) => present(results, name),
    };
    loop {
        let now = match moment {
            Moment::At(delay) if begun.elapsed() >= delay => return true,
            Moment::At(_) => BTreeSet::new(),
            Moment::Appears(name) => present(results, name),
        };
        if !now.is_subset(&known) {
            return true;
        }
        known = now;
        if run.try_wait().unwrap().is_some() {
            return false;
        }
        sleep(Duration::from_micros(100));
    }
}

const HALF_WRITTEN: &str = "while a file was half-written";

/// What a killed sweep left behind, in a word.
fn phase(results: &Path) -> &'static str {
    let any = |name| !present(results, name).is_empty();
    let records = present(results, "record.json").len();
    if any(".part-") {
        HALF_WRITTEN
    } else if records == 3 {
        "after the last record"
    } else if !any("plan.json") {
        "before anything was written"
    } else if !any("run.toml") {
        "before the first run"
    } else if present(results, "run.toml").len() == records {
        "between runs"
    } else if present(results, "metrics.csv").len() > records {
        "while a record was written"
    } else if present(results, "predictions.csv").len() > records {
        "while an adapter was written"
    } else if any("checkpoint.safetensors") {
        "after a checkpoint"
    } else {
        "before a run's first checkpoint"
    }
}

/// A number from the environment.
fn number(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(
        text.parse()
            .unwrap_or_else(|_| panic!("{name} is {text}, not a number")),
    )
}

#[test]
fn a_sweep_that_is_killed_again_and_again_leaves_the_tree_of_an_undisturbed_one() {
    if !can_find_children() {
        eprintln!("skipped: this system does not show who is whose child");
        return;
    }
    let wanted = number("ENSAYO_TEST_KILLS").unwrap_or(50);
    let seed = number("ENSAYO_TEST_SEED").unwrap_or_else(|| u64::from(std::process::id()));
    eprintln!("ENSAYO_TEST_SEED={seed}");
    let mut dice = Dice::new(seed);
    let place = place();
    let undisturbed = place.path("undisturbed");
    let begun = Instant::now();
    place.complete(&arguments("undisturbed"));
    let whole = begun.elapsed();

    let (mut kills, mut rounds) = (0, 0);
    let mut phases: BTreeMap<&str, usize> = BTreeMap::new();
    while kills < wanted {
        let name = format!("killed-{rounds}");
        let results = place.path(&name);
        let mut in_round = 0;
        let mut known = BTreeSet::new();
        // Until it ends by itself, or has been disturbed enough.
        while in_round < 12 && kills < wanted {
            let other = dice.below(3) == 0;
            edit(&place, if other { OTHER_EPOCHS } else { EPOCHS });
            let mut run = start(&place, &arguments(&name));
            let moment = if dice.below(2) == 0 {
                // Rather early than late, so that a sweep is killed more than once before its end.
                Moment::At(whole.mul_f64(dice.share() * dice.share()))
            } else {
                Moment::Appears(FILES[dice.below(FILES.len())])
            };
            let victim = [
                Victim::All,
                Victim::All,
                Victim::All,
                Victim::Child,
                Victim::Parent,
            ][dice.below(5)];
            if !wait_for(moment, &mut run, &results) {
                assert!(
                    matches!(run.wait().unwrap().code(), Some(0 | 3)),
                    "{}",
                    talk(&mut run)
                );
                break;
            }
            if dice.below(2) == 0 {
                sleep(Duration::from_micros(dice.below(3000) as u64));
            }
            if !strike(victim, &mut run) {
                continue;
            }
            kills += 1;
            in_round += 1;
            known = assert_none_is_lost(&results, &known);
            *phases.entry(phase(&results)).or_default() += 1;
        }
        edit(&place, EPOCHS);
        finish(&place, &name);
        assert_none_is_lost(&results, &known);
        assert_alike(&results, &undisturbed);
        rounds += 1;
        if kills < wanted {
            fs::remove_dir_all(&results).unwrap();
        } else {
            // What is drawn from the clocks is compared with the clocks stopped.
            for results in [&results, &undisturbed] {
                stop_clocks(results);
                let results = results.to_str().unwrap();
                let said = place.ensayo_with(&["report", "--results", results], 2, "");
                assert_eq!(said.code, 0, "{}", said.talk);
            }
            assert_equal(&results, &undisturbed);
        }
    }
    eprintln!("{kills} kills in {rounds} sweeps:");
    for (phase, count) in &phases {
        eprintln!("  {count:5} {phase}");
    }
    // Fifty kills reach every stage of a sweep but perhaps the shortest.
    let halves = phases.get(HALF_WRITTEN).copied().unwrap_or(0);
    assert!(wanted < 50 || phases.len() >= 4 && halves > 0, "{phases:?}");
}

/// Kills; false if there was nothing left to kill.
fn strike(victim: Victim, run: &mut Child) -> bool {
    match victim {
        Victim::All => {
            let lived = run.try_wait().unwrap().is_none();
            kill_tree(run);
            lived
        }
        Victim::Parent => {
            let lived = run.try_wait().unwrap().is_none();
            // Its child, if it has one, stops by itself; the next runner may have to wait for it.
            let _ = run.kill();
            run.wait().unwrap();
            lived
        }
        Victim::Child => {
            let children = children(run.id());
            kill_all(&children);
            // The runner tells what happened and goes on with the next run.
            let talk = talk(run);
            let code = run.wait().unwrap().code();
            let died = talk.contains("killed by the system");
            assert!(
                code == Some(0) || code == Some(3) && died,
                "{code:?} {talk}"
            );
            !children.is_empty()
        }
    }
}

fn talk(run: &mut Child) -> String {
    let mut text = String::new();
    run.stderr
        .take()
        .unwrap()
        .read_to_string(&mut text)
        .unwrap();
    text
}

/// Runs what is left to its end.
fn finish(place: &Place, results: &str) {
    let said = place.run(&arguments(results));
    assert_eq!(said.code, 0, "{}", said.talk);
}
