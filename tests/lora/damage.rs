//! Finished results that lost something since, and what stands beside them in a results tree.

use std::fs;

use ensayo::config;

use crate::place::Place;

const RUNS: &str = "[[runs]]\nname = \"a\"\n[[runs]]\nname = \"b\"\nlora.rank = 2\n";

#[test]
fn a_result_that_lost_files_or_rows_is_noticed_and_the_cure_works() {
    let place = Place::new();
    place.experiment("trial", RUNS);
    place.complete(&[]);
    let folder = place.left("trial/a@1").0;
    let predictions = place.left("trial/a@1").read("predictions.csv");
    let fewer: String = predictions.split_inclusive('\n').take(7).collect();
    for (damage, message) in [
        (
            "adapter",
            "its result is damaged: adapter/adapter_config.json is missing, and 2 other files are damaged",
        ),
        (
            "adapter/adapter_model.safetensors",
            "its result is damaged: adapter/adapter_model.safetensors is missing",
        ),
        (
            "predictions.csv",
            "its result is damaged: predictions.csv has ",
        ),
        (
            "classification_report.csv",
            "its result is damaged: classification_report.csv is missing",
        ),
    ] {
        let path = folder.join(damage);
        if damage == "predictions.csv" {
            fs::write(&path, &fewer).unwrap();
        } else if damage == "adapter" {
            fs::remove_dir_all(&path).unwrap();
        } else {
            fs::remove_file(&path).unwrap();
        }
        let plan = place.ensayo_with(&["plan", "--device", "cpu"], 2, "");
        assert!(
            plan.output
                .starts_with("2 runs of 1 experiment: 1 to execute, 1 done")
                && plan.output.contains(message),
            "{damage}: {}",
            plan.output
        );
        let report = place.ensayo_with(&["report"], 2, "");
        assert!(
            report.output.contains(&format!("trial/a@1: {message}"))
                && report
                    .output
                    .contains("`ensayo run trial/a@1` makes it again"),
            "{damage}: {}",
            report.output
        );
        let listed = place.ensayo_with(&["list", "trial/a"], 2, "");
        assert_eq!(listed.output, "trial/a@1  damaged\n");
        if damage == "predictions.csv" {
            let compared = place.ensayo_with(&["compare", "trial/a", "trial/b"], 2, "");
            assert_eq!(compared.code, 2);
            assert!(
                compared
                    .talk
                    .contains("the predictions of trial/a@1 are not what the run left"),
                "{}",
                compared.talk
            );
        }
        place.complete(&["trial/a@1"]);
        assert_eq!(place.left("trial/a@1").read("predictions.csv"), predictions);
        let plan = place.ensayo_with(&["plan", "--device", "cpu"], 2, "");
        assert!(
            plan.output.contains("0 to execute, 2 done"),
            "{}",
            plan.output
        );
    }
}

#[test]
fn a_damaged_result_is_adopted_by_none_and_takes_back_a_whole_copy() {
    let place = Place::new();
    let twins = "[[runs]]\nname = \"a\"\n[[runs]]\nname = \"b\"\n";
    place.experiment("trial", twins);
    place.complete(&[]);
    // Both names have the same files; one of them loses its own.
    fs::remove_file(place.left("trial/a@1").0.join("predictions.csv")).unwrap();
    let said = place.complete(&[]);
    assert!(
        said.talk.contains("restored its kept result"),
        "{}",
        said.talk
    );
    assert!(place.left("trial/a@1").0.join("predictions.csv").is_file());
    fs::remove_file(place.left("trial/a@1").0.join("predictions.csv")).unwrap();
    fs::remove_dir_all(place.path("results/trial/b")).unwrap();
    let plan = place.ensayo_with(&["plan", "--device", "cpu"], 2, "");
    assert!(
        plan.output.contains("1 to execute, 1 to adopt"),
        "{}",
        plan.output
    );
}

#[test]
fn whatever_lies_beside_the_runs_is_no_name_of_a_run() {
    let place = Place::new();
    place.experiment(
        "trial",
        &format!("{RUNS}\n[compare]\nexperiments = [\"other\"]\n"),
    );
    place.experiment("other", "");
    place.complete(&[]);
    let names = |folder: &str| -> Vec<String> {
        let entries = fs::read_dir(place.path(folder)).unwrap().flatten();
        let names = entries.map(|entry| entry.file_name().into_string().unwrap());
        names.filter(|name| !name.starts_with('.')).collect()
    };
    let mut refused = 0;
    for name in names("results/trial") {
        if !["a", "b"].contains(&name.as_str()) {
            assert!(config::run_fault(&name).is_some(), "{name}");
            refused += 1;
        }
    }
    assert_eq!(refused, 4, "{:?}", names("results/trial"));
    for name in names("results") {
        let ours = !["trial", "other"].contains(&name.as_str());
        assert_eq!(config::experiment_fault(&name).is_some(), ours, "{name}");
    }
    place.experiment("report", "");
    place.experiment("trial", "[[runs]]\nname = \"plan.json\"\n");
    let said = place.ensayo_with(&["check"], 2, "");
    assert_eq!(said.code, 2);
    for message in [
        "the experiment's name cannot be `report`",
        "a run's name cannot be `plan.json`",
    ] {
        assert!(said.talk.contains(message), "{}", said.talk);
    }
}

#[test]
fn a_report_that_cannot_be_written_still_prints_its_table() {
    let place = Place::new();
    place.experiment("trial", RUNS);
    place.complete(&[]);
    fs::remove_dir_all(place.path("results/report")).unwrap();
    fs::write(place.path("results/report"), "in the way").unwrap();
    let said = place.ensayo_with(&["report"], 2, "");
    assert_ne!(said.code, 0);
    assert!(
        said.output.contains("accuracy [95 % interval]"),
        "{}",
        said.output
    );
    assert!(said.talk.contains("results/report"), "{}", said.talk);
}

#[test]
fn show_tells_of_a_later_attempt_that_failed() {
    let place = Place::new();
    place.experiment("trial", RUNS);
    place.complete(&[]);
    place.experiment(
        "trial",
        "[[runs]]\nname = \"a\"\ntraining.learning_rate = 1e30\n",
    );
    assert_eq!(place.run(&[]).code, 3);
    let said = place.ensayo_with(&["show", "trial/a"], 2, "");
    assert_eq!(said.code, 0, "{}", said.talk);
    assert!(
        said.output.contains("trial/a@1: complete")
            && said
                .output
                .contains("a later attempt with the present settings failed: "),
        "{}",
        said.output
    );
}

#[test]
fn the_table_is_ranked_by_a_figure_on_request() {
    let place = Place::new();
    place.experiment("trial", RUNS);
    place.complete(&[]);
    let order = |metric: &str| {
        let said = place.ensayo_with(&["report", "--sort", metric], 2, "");
        assert_eq!(said.code, 0, "{}", said.talk);
        let find = |name: &str| said.output.find(&format!("\n{name} ")).unwrap();
        find("a") < find("b")
    };
    let parameters = ["a", "b"].map(|run| {
        let left = place.left(&format!("trial/{run}@1"));
        left.metric("run", "trainable_parameters")
    });
    assert!(parameters[0] > parameters[1]);
    assert!(!order("trainable_parameters"), "the smaller first");
    let losses = ["a", "b"].map(|run| place.left(&format!("trial/{run}@1")).metric("test", "loss"));
    assert_eq!(order("loss"), losses[0] <= losses[1]);
    let said = place.ensayo_with(&["report", "--sort", "lustre"], 2, "");
    assert_eq!(said.code, 2);
    assert!(
        said.talk
            .contains("no run has a figure `lustre` to sort by; there are accuracy, "),
        "{}",
        said.talk
    );
}

#[test]
fn no_number_of_epochs_makes_a_plan_slow() {
    let place = Place::new();
    place.experiment("trial", RUNS);
    let begun = std::time::Instant::now();
    let plan = [
        "plan",
        "--device",
        "cpu",
        "--set",
        "training.epochs=100000000000",
    ];
    let said = place.ensayo_with(&plan, 2, "");
    assert_eq!(said.code, 0, "{}", said.talk);
    assert!(said.output.contains(" MB  new"), "{}", said.output);
    // Drawing them all would take months.
    assert!(begun.elapsed().as_secs() < 60);
}
