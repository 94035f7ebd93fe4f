//! A run that cannot succeed says why in one line, and the sweep goes on.

use std::fs;

use ensayo::record::Status;

use crate::checkpoint;
use crate::place::{CONFIG, Place};

const DATA: &str = "data.path = \"../reviews.csv\"\ndata.test_size = 0.25\n";

/// Checks and runs `broken` beside a sound experiment: both say what is wrong with it before anything
/// runs. Returns that.
fn error_of(place: &Place) -> String {
    place.experiment("sound", "");
    // Of an earlier call.
    let _ = fs::remove_dir_all(place.path("results/sound"));
    let error = |command: &[&str]| {
        let said = place.ensayo_with(&[command, &["--set", "training.epochs=1"]].concat(), 2, "");
        assert_eq!(said.code, 2, "{}", said.talk);
        let (_, error) = said.talk.rsplit_once("error: broken: ").unwrap();
        assert_eq!(error.lines().count(), 1, "{error}");
        error.trim_end().to_owned()
    };
    let error_of_run = error(&["run", "--device", "cpu"]);
    assert_eq!(error_of_run, error(&["check"]));
    assert!(!place.path("results/sound").exists());
    place.complete(&["sound"]);
    error_of_run
}

/// Runs `broken`, in which nothing is wrong beforehand, before a sound experiment: the sweep goes on.
/// Returns the error that its record has.
fn failure_of(place: &Place) -> String {
    place.experiment("sound", "");
    let said = place.run(&["--set", "training.epochs=1"]);
    assert_eq!(said.code, 3, "{}", said.talk);
    assert_eq!(place.left("sound/base@1").record().status, Status::Complete);
    let record = place.left("broken/base@1").record();
    assert_eq!(record.status, Status::Failed);
    let error = record.error.unwrap();
    assert_eq!(error.lines().count(), 1, "{error}");
    assert!(said.talk.contains(&error), "{}\n{error}", said.talk);
    error
}

fn on_model(place: &Place, folder: &str) {
    place.experiment_on(
        "broken",
        &format!("model.path = \"../{folder}\"\n{DATA}"),
        "",
    );
}

#[test]
fn damaged_weights_are_named() {
    let place = Place::new();
    checkpoint::write(&place, "cut", 2, &[]);
    let weights = place.path("cut/model.safetensors");
    let bytes = fs::read(&weights).unwrap();
    fs::write(&weights, &bytes[..bytes.len() / 2]).unwrap();
    on_model(&place, "cut");
    let error = error_of(&place);
    assert!(
        error.contains("cut/model.safetensors is damaged") && error.contains("download it again"),
        "{error}"
    );
}

#[test]
fn weights_of_another_network_are_named_by_tensor_and_shape() {
    let place = Place::new();
    checkpoint::write(&place, "other", 2, &[]);
    let wider = CONFIG.replace("\"intermediate_size\": 48", "\"intermediate_size\": 64");
    place.model("other", &wider);
    on_model(&place, "other");
    let error = error_of(&place);
    assert!(
        error.contains("other do not fit its config.json")
            && error.contains("`bert.encoder.layer.0.intermediate.dense.weight` has the shape [48, 32], the network needs [64, 32]"),
        "{error}"
    );
}

#[test]
fn a_head_for_other_classes_is_told_from_wrong_weights() {
    let place = Place::new();
    checkpoint::write(&place, "three", 3, &[]);
    on_model(&place, "three");
    let error = error_of(&place);
    assert!(
        error.contains("three") && error.contains("3 classes") && error.contains("the data has 2"),
        "{error}"
    );
}

#[test]
fn tokens_without_an_embedding_are_named() {
    let place = Place::new();
    place.model(
        "small",
        &CONFIG.replace("\"vocab_size\": 1222", "\"vocab_size\": 90"),
    );
    place.experiment_on(
        "broken",
        &format!("model.random.config = \"../small/config.json\"\n{DATA}"),
        "",
    );
    let error = error_of(&place);
    assert!(
        error.contains("small/tokenizer.json: token `")
            && error.contains("the model's `vocab_size` is 90"),
        "{error}"
    );
}

#[test]
fn divergence_is_a_failure_with_a_remedy() {
    let place = Place::new();
    place.experiment(
        "broken",
        "[[runs]]\nname = \"base\"\ntraining.learning_rate = 1e30\n",
    );
    let error = failure_of(&place);
    assert!(
        error.contains("at step 2") && error.contains("training.learning_rate"),
        "{error}"
    );
}

#[test]
fn divergence_in_the_last_step_is_a_failure_too() {
    let place = Place::new();
    place.experiment(
        "broken",
        "[[runs]]\nname = \"base\"\ntraining.learning_rate = 1e30\ntraining.batch_size = 60\n",
    );
    let error = failure_of(&place);
    assert!(
        error.contains("validation loss") && error.contains("training.learning_rate"),
        "{error}"
    );
}

#[test]
fn what_can_be_seen_beforehand_stops_the_sweep_before_it_begins() {
    let place = Place::new();
    place.experiment("sound", "");
    checkpoint::write(&place, "mute", 2, &[]);
    fs::remove_file(place.path("mute/tokenizer.json")).unwrap();
    on_model(&place, "mute");
    let said = place.run(&[]);
    assert_eq!(said.code, 2);
    assert!(
        said.talk.contains("mute` has no tokenizer.json") && said.talk.contains("broken.toml"),
        "{}",
        said.talk
    );
    assert!(!place.path("results/sound").exists());
    // An experiment asked for by name is none of the other's concern.
    place.complete(&["sound", "--set", "training.epochs=0"]);
}

#[test]
fn a_row_that_cannot_be_used_is_named_in_one_line() {
    let place = Place::new();
    let runs = "[[runs]]\nname = \"base\"\ndata.evaluations = [{ name = \"odd\", rows = [{ text = \"x\", label = 7 }] }]\n";
    place.experiment("broken", runs);
    assert_eq!(
        error_of(&place),
        "evaluation `odd`: row 0: label `7` is unknown: the classes of the main file are `0`, `1`"
    );
}

#[test]
fn an_adapter_for_other_classes_or_another_width_is_refused() {
    let place = Place::new();
    place.experiment("first", "");
    place.complete(&["first", "--set", "training.epochs=0"]);
    let adapter = "results/first/base/seed-1/adapter";
    place.write("three.csv", "text,label\na,x\nb,y\nc,z\nd,z\n");
    let start = |model: &str, data: &str| {
        format!(
            "name = \"broken\"\nkind = \"lora\"\nseeds = [1]\nmodel.random.config = \"../{model}/config.json\"\ndata.path = \"../{data}.csv\"\nlora.init = \"../{adapter}\"\ntraining.max_length = 32\n"
        )
    };
    place.write("experiments/broken.toml", &start("model", "three"));
    let error = error_of(&place);
    assert!(
        error.contains(
            "adapter is for the classes `0`, `1`, the labels of the data are `x`, `y`, `z`"
        ),
        "{error}"
    );
    place.model(
        "wide",
        &CONFIG.replace("\"hidden_size\": 32", "\"hidden_size\": 64"),
    );
    place.write("experiments/broken.toml", &start("wide", "reviews"));
    let error = error_of(&place);
    assert!(
        error.contains("query.lora_A.weight` has the shape [4, 32], the model needs [4, 64]"),
        "{error}"
    );
}
