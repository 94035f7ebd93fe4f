//! What a person does between two sweeps: no finished result is lost, mixed or computed twice.

use std::fs;

use crate::place::{Place, csv, reviews};

const RUNS: &str = "[[runs]]\nname = \"a\"\n[[runs]]\nname = \"b\"\nlora.rank = 2\n";

fn place() -> Place {
    let place = Place::new();
    place.experiment("trial", RUNS);
    place
}

/// Edits the experiment's file.
fn edit(place: &Place, from: &str, to: &str) {
    let path = place.path("experiments/trial.toml");
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains(from), "{text}");
    fs::write(path, text.replace(from, to)).unwrap();
}

#[test]
fn a_setting_that_cannot_work_costs_no_finished_result() {
    let place = place();
    place.complete(&[]);
    let before = place.left("trial/a@1").read("predictions.csv");
    edit(&place, "data.path", "data.label = \"lable\"\ndata.path");
    for command in ["check", "plan", "run"] {
        let said = place.ensayo_with(&[command], 2, "");
        assert_eq!(said.code, 2, "{command}: {}", said.talk);
        assert!(said.talk.contains("lable"), "{command}: {}", said.talk);
        // Once for all runs that share the data.
        assert_eq!(said.talk.matches("lable").count(), 1, "{}", said.talk);
    }
    assert_eq!(place.left("trial/a@1").read("predictions.csv"), before);
    assert!(place.path("results/trial/a/seed-1/adapter").is_dir());
}

#[test]
fn a_first_look_with_set_is_marked_and_taken_back() {
    let place = place();
    place.complete(&[]);
    let before = place.left("trial/a@1").record();
    let said = place.complete(&["trial/a", "--set", "training.epochs=1"]);
    let line = |name: &str| {
        said.output
            .lines()
            .find(|line| line.starts_with(name))
            .unwrap()
    };
    assert!(line("a ").ends_with("stale"), "{}", said.output);
    assert!(!line("b ").ends_with("stale"), "{}", said.output);
    assert!(
        said.output.contains("--set training.epochs=1"),
        "{}",
        said.output
    );
    let summary = fs::read_to_string(place.path("results/trial/summary.csv")).unwrap();
    let status: Vec<&str> = summary
        .lines()
        .skip(1)
        .map(|line| line.split(',').nth(2).unwrap())
        .collect();
    assert_eq!(status, ["stale", "complete"], "{summary}");

    let refused = place.ensayo_with(&["compare", "trial/a", "trial/b"], 2, "");
    assert_eq!(refused.code, 2, "{}", refused.output);
    assert!(
        refused.talk.contains("training.epochs 1 -> 2"),
        "{}",
        refused.talk
    );
    let compared = place.ensayo_with(&["compare", "trial/a", "trial/b", "--stale"], 2, "");
    assert_eq!(compared.code, 0, "{}", compared.talk);

    let plan = place.ensayo_with(&["plan"], 2, "");
    assert!(
        plan.output.contains("restores its kept result"),
        "{}",
        plan.output
    );
    place.complete(&[]);
    let after = place.left("trial/a@1").record();
    assert_eq!(after.started, before.started);
    assert_eq!(after.identity, before.identity);
}

#[test]
fn a_new_axis_trains_only_what_is_new() {
    let place = place();
    edit(&place, RUNS, "[grid]\n\"lora.rank\" = [1, 2]\n");
    place.complete(&[]);
    edit(&place, "[grid]\n", "[grid]\n\"lora.alpha\" = [16, 32]\n");
    let plan = place.ensayo_with(&["plan"], 2, "");
    assert!(
        plan.output.contains("2 to execute, 2 to adopt"),
        "{}",
        plan.output
    );
    place.complete(&[]);
    let adopted = place.left("trial/alpha=16,rank=1@1").record();
    assert_eq!(adopted.adopted_from.as_deref(), Some("trial/rank=1@1"));
}

#[test]
fn a_row_never_averages_two_settings() {
    let place = Place::new();
    let inputs = "seeds = [1, 2]\nmodel.random.config = \"../model/config.json\"\ndata.path = \"../reviews.csv\"\ndata.test_size = 0.25";
    place.experiment_on("trial", inputs, "");
    place.complete(&[]);
    edit(&place, "seeds = [1, 2]", "seeds = [1]");
    edit(&place, "epochs = 2", "epochs = 1");
    // Edited but not run: what the tables show is marked.
    let said = place.ensayo_with(&["report"], 2, "");
    let line = said
        .output
        .lines()
        .find(|line| line.starts_with("base "))
        .unwrap();
    assert!(line.ends_with("stale"), "{}", said.output);
    place.complete(&[]);
    let summary = fs::read_to_string(place.path("results/trial/summary.csv")).unwrap();
    let mut rows = csv::Reader::from_reader(summary.as_bytes());
    let head = rows.headers().unwrap().clone();
    let at = |name: &str| head.iter().position(|title| title == name).unwrap();
    let rows: Vec<csv::StringRecord> = rows.records().map(Result::unwrap).collect();
    let column =
        |name: &str| -> Vec<String> { rows.iter().map(|row| row[at(name)].to_owned()).collect() };
    assert_eq!(column("seed"), ["1", "2"]);
    assert_eq!(column("status"), ["complete", "stale"]);
    assert!(column("stale")[0].is_empty() && !column("stale")[1].is_empty());
}

#[test]
fn clean_removes_what_is_asked_for_and_nothing_by_itself() {
    let place = place();
    place.complete(&[]);
    place.complete(&["--force"]);
    let kept = place.path("results/.kept");
    let count = || fs::read_dir(&kept).unwrap().count();
    assert_eq!(count(), 2);
    let clean = |arguments: &[&str]| {
        let said = place.ensayo_with(&[&["clean"], arguments].concat(), 2, "");
        assert_eq!(said.code, 0, "{}", said.talk);
        said.output
    };
    let overview = clean(&[]);
    assert!(overview.contains("--kept"), "{overview}");
    assert!(clean(&["--kept"]).contains("nothing was removed"));
    assert!(clean(&["--kept", "--older-than", "1", "--yes"]).starts_with("0 items"));
    assert_eq!(count(), 2);
    assert!(clean(&["--orphans"]).starts_with("0 items"));
    edit(&place, "name = \"b\"", "name = \"c\"");
    let orphans = clean(&["--orphans", "--dry-run"]);
    assert!(orphans.contains("trial/b/seed-1"), "{orphans}");
    assert!(clean(&["--kept", "--yes"]).contains("2 items removed"));
    assert_eq!(count(), 0);
    assert!(place.path("results/trial/b/seed-1/record.json").exists());
    clean(&["--caches"]);
    assert!(!place.path("results/.cache/tokens").exists());
}

#[test]
fn what_lacks_a_variable_is_skipped_unless_it_is_named() {
    let place = place();
    let inputs = "model.path = \"${ENSAYO_TEST_UNSET}\"\ndata.path = \"../reviews.csv\"\ndata.test_size = 0.25";
    place.experiment_on("needs", inputs, "");
    let line = "needs: skipped, set ENSAYO_TEST_UNSET";
    for command in ["check", "plan", "run"] {
        let said = place.ensayo_with(&[command], 2, "");
        assert_eq!(said.code, 0, "{command}: {}", said.talk);
        assert!(said.talk.contains(line), "{command}: {}", said.talk);
        let named = place.ensayo_with(&[command, "needs"], 2, "");
        assert_eq!(named.code, 2, "{command}");
        let other = place.ensayo_with(&[command, "trial"], 2, "");
        assert_eq!(other.code, 0, "{command}");
        assert!(!other.talk.contains("needs"), "{command}: {}", other.talk);
    }
    let list = place.ensayo_with(&["list"], 2, "");
    assert!(list.output.contains("skipped, set"), "{}", list.output);
}

#[test]
fn files_stand_for_names_and_the_home_folder_is_understood() {
    let place = place();
    let said = place.ensayo_with(&["run", "experiments/trial.toml", "--dry-run"], 2, "");
    assert_eq!(said.code, 0, "{}", said.talk);
    assert!(said.output.contains("2 to execute"), "{}", said.output);
    assert!(!place.path("results/trial").exists());

    edit(&place, "\"../reviews.csv\"", "\"~/nowhere/reviews.csv\"");
    let said = place.ensayo_with(&["check"], 2, "");
    let home = std::env::var("HOME").unwrap();
    assert!(said.talk.contains(&home) && !said.talk.contains("~/nowhere/reviews.csv`"));

    edit(&place, "\"~/nowhere/reviews.csv\"", "\"../reviews.csv\"");
    edit(
        &place,
        "model.random.config = \"../model/config.json\"",
        "model.path = \"bert-base-uncased\"",
    );
    let said = place.ensayo_with(&["check"], 2, "");
    assert!(
        said.talk.contains("id = \"bert-base-uncased\""),
        "{}",
        said.talk
    );
}

#[test]
fn check_sees_what_would_fail_in_the_first_seconds() {
    let place = place();
    let mut rows = csv(&reviews(80));
    for _ in 0..7 {
        rows.push_str(",1\n");
    }
    place.write("reviews.csv", &rows);
    let said = place.ensayo_with(&["check"], 2, "");
    assert_eq!(said.code, 2, "{}", said.output);
    assert!(
        said.talk.contains("line 82") && said.talk.contains("2 more"),
        "{}",
        said.talk
    );
    place.write("reviews.csv", &csv(&reviews(80)));
    place.write("model/tokenizer.json", "{ \"nonsense\": 1 }");
    let said = place.ensayo_with(&["check"], 2, "");
    assert_eq!(said.code, 2, "{}", said.output);
    assert!(said.talk.contains("tokenizer.json"), "{}", said.talk);
    assert!(!place.path("results/trial").exists());
}

#[test]
fn check_says_the_classes_and_their_counts() {
    let said = place().ensayo_with(&["check"], 2, "");
    assert_eq!(said.code, 0, "{}", said.talk);
    assert!(
        said.output.contains("60 training, 20 test rows; classes:"),
        "{}",
        said.output
    );
}
