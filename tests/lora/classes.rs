//! Classes go by the names that a stored head has for them, and an adapter keeps its classes' names.

use std::fs;

use serde_json::{Value, json};

use crate::checkpoint::{self, Stored};
use crate::place::{CONFIG, Place, Said, reviews};

/// What a run says that only judges.
const UNTRAINED: [&str; 2] = ["--set", "training.epochs=0"];

/// The small network's configuration with names of classes.
fn named(names: &[&str]) -> String {
    let mut config: Value = serde_json::from_str(CONFIG).unwrap();
    let names = names.iter().enumerate();
    config["id2label"] = names
        .map(|(number, name)| (number.to_string(), json!(name)))
        .collect::<serde_json::Map<_, _>>()
        .into();
    config.to_string()
}

/// A place whose reviews are labelled in words.
fn place() -> Place {
    let place = Place::new();
    let rows = reviews(80).into_iter().map(|(text, label)| {
        let label = ["negative", "positive"][label];
        format!("{text},{label}\n")
    });
    let rows: String = rows.collect();
    place.write("words.csv", &format!("text,label\n{rows}"));
    place
}

fn inputs(model: &str) -> String {
    format!("model.path = \"../{model}\"\ndata.path = \"../words.csv\"\ndata.test_size = 0.25\n")
}

/// Each test text's probability of a class, by the name in the header.
fn shares(place: &Place, label: &str, class: &str) -> Vec<(String, String)> {
    let left = place.left(label);
    let text = left.read("predictions.csv");
    let header = text.lines().next().unwrap().to_owned();
    let wanted = format!("probability_{class}");
    let column = header.split(',').position(|name| name == wanted).unwrap();
    let rows = left.predictions("test");
    let mut shares: Vec<_> = rows
        .iter()
        .map(|row| (row[6].to_owned(), row[column].to_owned()))
        .collect();
    shares.sort();
    shares
}

/// Swaps the two rows of the head.
fn swap(stored: &mut Vec<Stored>) {
    for tensor in stored {
        if tensor.name.starts_with("classifier.") {
            let half = tensor.values.len() / 2;
            tensor.values.rotate_left(half);
        }
    }
}

/// What `check` and `run` say is wrong, in one line, before anything runs.
fn refused(place: &Place) -> String {
    let error = |command: &[&str]| {
        let said = place.ensayo_with(command, 2, "");
        assert_eq!(said.code, 2, "{}{}", said.output, said.talk);
        let (_, error) = said.talk.rsplit_once("error: ").unwrap();
        assert_eq!(error.trim_end().lines().count(), 1, "{error}");
        error.trim_end().to_owned()
    };
    let said = error(&["run", "--device", "cpu"]);
    assert_eq!(said, error(&["check"]));
    said
}

fn checked(place: &Place) -> Said {
    let said = place.ensayo_with(&["check"], 2, "");
    assert_eq!(said.code, 0, "{}", said.talk);
    said
}

#[test]
fn classes_follow_the_order_of_a_stored_head() {
    let place = place();
    let (one, other) = (
        named(&["positive", "negative"]),
        named(&["negative", "positive"]),
    );
    checkpoint::write_changed(&place, "one", &one, 2, |_| {});
    checkpoint::write_changed(&place, "other", &other, 2, swap);
    place.experiment_on("one", &inputs("one"), "");
    place.experiment_on("other", &inputs("other"), "");
    let order = "classes in the order of the head: 0 is `positive`, 1 is `negative`";
    assert!(checked(&place).output.contains(order));
    place.complete(&UNTRAINED);
    let (one, other) = (place.left("one/base@1"), place.left("other/base@1"));
    assert_eq!(one.record().labels, ["positive", "negative"]);
    assert!(one.record().notes.iter().any(|note| note == order));
    assert_eq!(other.record().labels, ["negative", "positive"]);
    assert!(other.record().notes.is_empty());
    // The same network in another order says the same of each text, and is right as often.
    for class in ["positive", "negative"] {
        assert_eq!(
            shares(&place, "one/base@1", class),
            shares(&place, "other/base@1", class)
        );
    }
    assert_eq!(
        one.metric("test", "accuracy"),
        other.metric("test", "accuracy")
    );
    assert_eq!(one.metric("test", "loss"), other.metric("test", "loss"));
}

#[test]
fn other_names_are_refused_with_both_and_a_fresh_head_takes_any() {
    let place = place();
    checkpoint::write_changed(&place, "cats", &named(&["cat", "dog"]), 2, |_| {});
    let of_cats = inputs("cats");
    place.experiment_on("trial", &of_cats, "");
    let said = refused(&place);
    assert!(
        said.contains("cats is for the classes `cat`, `dog`, the labels of the data are `negative`, `positive`")
            && said.contains("model.head = \"fresh\""),
        "{said}"
    );
    place.experiment_on("trial", &format!("{of_cats}model.head = \"fresh\"\n"), "");
    place.complete(&UNTRAINED);
    let record = place.left("trial/base@1").record();
    assert_eq!(record.labels, ["negative", "positive"]);
    assert_eq!(
        record.notes,
        ["started afresh: classifier.weight, classifier.bias"]
    );
    // The run's own head is what predicts.
    let said = place.ensayo_with(
        &["predict", "--device", "cpu", "trial/base", "great"],
        2,
        "",
    );
    assert_eq!(said.code, 0, "{}", said.talk);
}

#[test]
fn another_number_of_classes_is_refused_with_both_names_and_takes_a_fresh_head() {
    let place = place();
    checkpoint::write_changed(&place, "three", &named(&["a", "b", "c"]), 3, |_| {});
    let of_three = inputs("three");
    place.experiment_on("trial", &of_three, "");
    let said = refused(&place);
    assert!(
        said.contains("is for 3 classes (`a`, `b`, `c`), the data has 2: `negative`, `positive`")
            && said.contains("model.head = \"fresh\""),
        "{said}"
    );
    place.experiment_on("trial", &format!("{of_three}model.head = \"fresh\"\n"), "");
    place.complete(&UNTRAINED);
}

#[test]
fn a_head_without_names_says_in_which_order_it_takes_the_labels() {
    let place = place();
    checkpoint::write_changed(&place, "mute", &named(&["LABEL_0", "LABEL_1"]), 2, |_| {});
    place.experiment_on("trial", &inputs("mute"), "");
    let note = "mute does not name its classes, so they are taken in this order: 0 is `negative`, 1 is `positive`";
    assert!(checked(&place).output.contains(note));
    place.complete(&UNTRAINED);
    let notes = place.left("trial/base@1").record().notes;
    assert!(notes.iter().any(|said| said.contains(note)), "{notes:?}");
    // Labels that are numbers are the head's own.
    let numbers = inputs("mute").replace("words.csv", "reviews.csv");
    place.experiment_on("trial", &numbers, "");
    assert!(!checked(&place).output.contains("does not name"));
}

#[test]
fn an_adapter_keeps_the_names_and_the_order_of_its_classes() {
    let place = place();
    let config = named(&["positive", "negative"]);
    checkpoint::write_changed(&place, "model", &config, 2, |_| {});
    place.experiment_on("first", &inputs("model"), "");
    place.complete(&["first"]);
    let first = place.left("first/base@1");
    let kept: Value = serde_json::from_str(&first.read("adapter/config.json")).unwrap();
    assert_eq!(kept["id2label"], json!({"0": "positive", "1": "negative"}));
    assert_eq!(kept["label2id"], json!({"positive": 0, "negative": 1}));
    assert_eq!(kept["hidden_size"], 32);
    let base = fs::canonicalize(place.path("model")).unwrap();
    let card = first.read("adapter/README.md");
    assert!(
        card.contains(&format!(
            "base, adapter = {:?}, \".\"",
            base.to_str().unwrap()
        )),
        "{card}"
    );
    assert!(card.contains("max_length=32"), "{card}");
    let config: Value = serde_json::from_str(&first.read("adapter/adapter_config.json")).unwrap();
    assert_eq!(config["base_model_name_or_path"], json!(base));

    // The order is the adapter's, whatever the model below has for a head.
    checkpoint::write(&place, "bare", 2, &["classifier."]);
    let second = |more: &str| {
        let inputs = inputs("bare");
        let text = format!(
            "name = \"second\"\nkind = \"lora\"\nseeds = [2]\n{inputs}{more}\nlora.init = \"../results/first/base/seed-1/adapter\"\ntraining.max_length = 32\n"
        );
        place.write("experiments/second.toml", &text);
    };
    second("");
    place.complete(&["second", UNTRAINED[0], UNTRAINED[1]]);
    assert_eq!(
        place.left("second/base@2").record().labels,
        ["positive", "negative"]
    );
    for class in ["positive", "negative"] {
        assert_eq!(
            shares(&place, "first/base@1", class),
            shares(&place, "second/base@2", class)
        );
    }
    let renamed = place.path("results/first/base/seed-1/adapter/config.json");
    fs::write(&renamed, r#"{"id2label": {"0": "cat", "1": "dog"}}"#).unwrap();
    let said = refused(&place);
    assert!(
        said.contains("adapter is for the classes `cat`, `dog`"),
        "{said}"
    );
    second("model.head = \"fresh\"");
    place.complete(&["second", UNTRAINED[0], UNTRAINED[1]]);
    assert_eq!(
        place.left("second/base@2").record().labels,
        ["negative", "positive"]
    );
}
