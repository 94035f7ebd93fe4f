//! What the settings of `[data]` do to a run.

use std::fmt::Write as _;

use crate::place::{Place, column, csv, reviews};

const MODEL: &str = "model.random.config = \"../model/config.json\"\n";

/// The reviews as JSON lines with labels in words.
fn jsonl(rows: &[(String, usize)]) -> String {
    rows.iter().fold(String::new(), |mut file, (text, label)| {
        let label = ["thumbs down", "thumbs up"][*label];
        let row = serde_json::json!({ "review": text, "verdict": label });
        writeln!(file, "{row}").unwrap();
        file
    })
}

#[test]
fn labels_in_words_go_through_every_file() {
    let place = Place::new();
    let rows = reviews(72);
    place.write("train.jsonl", &jsonl(&rows[..60]));
    place.write("test.jsonl", &jsonl(&rows[60..]));
    let inputs = format!(
        "{MODEL}data.path = \"../train.jsonl\"\ndata.test_path = \"../test.jsonl\"\ndata.text = \"review\"\ndata.label = \"verdict\""
    );
    place.experiment_on("trial", &inputs, "");
    place.complete(&[]);
    let left = place.left("trial/base@1");
    assert_eq!(left.record().labels, ["thumbs down", "thumbs up"]);
    assert_eq!(left.metric("run", "train_rows"), 60.0);
    let header =
        "evaluation,row,label,prediction,probability_thumbs down,probability_thumbs up,text\n";
    assert!(left.read("predictions.csv").starts_with(header));
    let predictions = left.predictions("test");
    let texts: Vec<&str> = rows[60..].iter().map(|(text, _)| text.as_str()).collect();
    assert_eq!(column(&predictions, 6), texts);
    for (row, (_, label)) in predictions.iter().zip(&rows[60..]) {
        assert_eq!(&row[2], ["thumbs down", "thumbs up"][*label]);
        let share: f64 = row[5].parse().unwrap();
        let predicted = ["thumbs down", "thumbs up"][usize::from(share > 0.5)];
        assert_eq!(&row[3], predicted);
    }
    let report = left.read("classification_report.csv");
    assert!(
        report.contains("\ntest,thumbs down,") && report.contains("\ntest,thumbs up,"),
        "{report}"
    );
}

#[test]
fn further_evaluations_come_from_rows_and_from_files() {
    let place = Place::new();
    place.write("more.csv", &csv(&reviews(87)[80..]));
    let runs = r#"
[[runs]]
name = "judged"
data.evaluations = [
    { name = "custom", rows = [{ text = "a great game", label = 1 }, { text = "awful", label = 0 }, { text = "boring", label = 1 }] },
    { name = "later", path = "../more.csv" },
]
[[runs]]
name = "alone"
"#;
    place.experiment("trial", runs);
    place.complete(&[]);
    let left = place.left("trial/judged@1");
    assert_eq!(left.metric("custom", "rows"), 3.0);
    assert_eq!(left.metric("later", "rows"), 7.0);
    let custom = left.predictions("custom");
    assert_eq!(column(&custom, 1), ["0", "1", "2"]);
    assert_eq!(column(&custom, 2), ["1", "0", "1"]);
    assert_eq!(column(&custom, 6), ["a great game", "awful", "boring"]);
    let right = custom.iter().filter(|row| row[2] == row[3]).count();
    assert!((left.metric("custom", "accuracy") - right as f64 / 3.0).abs() < 1e-12);
    assert!(
        left.read("classification_report.csv")
            .contains("\nlater,weighted avg,")
    );
    // They judge; they change nothing.
    let alone = place.left("trial/alone@1");
    assert_eq!(left.predictions("test"), alone.predictions("test"));
    assert_eq!(
        left.read("training_log.csv"),
        alone.read("training_log.csv")
    );
}

#[test]
fn a_limit_takes_the_first_rows_of_the_file() {
    let place = Place::new();
    place.experiment(
        "trial",
        "[[runs]]\nname = \"limited\"\ndata.limit = 20\ntraining.epochs = 1\n",
    );
    place.complete(&[]);
    let left = place.left("trial/limited@1");
    assert_eq!(left.metric("run", "train_rows"), 15.0);
    let test = left.predictions("test");
    assert_eq!(test.len(), 5);
    let rows = column(&test, 1);
    assert!(
        rows.iter().all(|row| row.parse::<usize>().unwrap() < 20),
        "{rows:?}"
    );
}

#[test]
fn texts_in_training_and_test_are_counted_and_dropped_on_demand() {
    let place = Place::new();
    let rows = reviews(44);
    place.write("train.csv", &csv(&rows[..40]));
    // The last 3 training texts are tested too, one of them twice.
    let tested = [&rows[37..], &rows[39..40]].concat();
    place.write("test.csv", &csv(&tested));
    let inputs = format!("{MODEL}data.path = \"../train.csv\"\ndata.test_path = \"../test.csv\"");
    let runs = "[[runs]]\nname = \"kept\"\n[[runs]]\nname = \"dropped\"\ndata.deduplicate = true\n";
    place.experiment_on("trial", &inputs, runs);
    let said = place.complete(&["--set", "training.epochs=1"]);
    for (run, trained, fate) in [("kept", 40.0, "kept"), ("dropped", 37.0, "dropped")] {
        let left = place.left(&format!("trial/{run}@1"));
        assert_eq!(left.metric("run", "train_texts_in_test"), 3.0);
        assert_eq!(left.metric("run", "train_rows"), trained);
        assert_eq!(left.metric("test", "rows"), 8.0);
        let notes = left.record().notes.join("\n");
        let note = format!("is also in the test split: 3 ({fate}");
        assert!(
            notes.contains(&note) && said.talk.contains(&note),
            "{notes}"
        );
    }
}
