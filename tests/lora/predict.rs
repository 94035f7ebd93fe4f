//! `ensayo predict` says what the run itself said of the same texts.

use crate::checkpoint;
use crate::place::{Place, Said};

/// The probabilities of class 1 in a CSV of predictions, with the columns of its text, its class and its probability.
fn shares(said: &Said) -> Vec<(String, String, f64)> {
    assert_eq!(said.code, 0, "{}", said.talk);
    assert!(
        said.output
            .starts_with("text,prediction,probability_0,probability_1\n"),
        "{}",
        said.output
    );
    let mut reader = csv::Reader::from_reader(said.output.as_bytes());
    let rows = reader.records().map(Result::unwrap);
    rows.map(|row| {
        let parsed = |index: usize| row[index].parse::<f64>().unwrap();
        assert!((parsed(2) + parsed(3) - 1.0).abs() < 1e-9);
        (row[0].to_owned(), row[1].to_owned(), parsed(3))
    })
    .collect()
}

#[test]
fn predictions_are_those_of_the_run_wherever_the_texts_come_from() {
    let place = Place::new();
    checkpoint::write(&place, "bare", 2, &["bert.pooler.", "classifier."]);
    let inputs =
        "model.path = \"../bare\"\ndata.path = \"../reviews.csv\"\ndata.test_size = 0.25\n";
    place.experiment_on("trial", inputs, "");
    place.complete(&[]);
    let expected: Vec<(String, String, f64)> = place
        .left("trial/base@1")
        .predictions("test")
        .iter()
        .map(|row| {
            (
                row[6].to_owned(),
                row[3].to_owned(),
                row[5].parse().unwrap(),
            )
        })
        .collect();
    let texts: Vec<&str> = expected.iter().map(|(text, ..)| text.as_str()).collect();
    place.write("new.csv", &format!("id,text\n1,{}\n", texts.join("\n1,")));

    let predict = ["predict", "--device", "cpu", "trial/base"];
    let arguments = place.ensayo_with(&[&predict[..], &texts[..3]].concat(), 2, "");
    let lines = place.ensayo_with(&predict, 2, &texts.join("\n"));
    let file = place.ensayo_with(&[&predict[..], &["--input", "new.csv"]].concat(), 2, "");
    for (said, count) in [(arguments, 3), (lines, 20), (file, 20)] {
        let said = shares(&said);
        assert_eq!(said.len(), count);
        for (said, expected) in said.iter().zip(&expected) {
            assert_eq!((&said.0, &said.1), (&expected.0, &expected.1));
            // Six digits are in the file; a batch of other texts differs in the seventh.
            assert!((said.2 - expected.2).abs() < 1e-6, "{said:?} {expected:?}");
        }
    }
}

#[test]
fn only_complete_runs_predict() {
    let place = Place::new();
    place.experiment(
        "trial",
        "[[runs]]\nname = \"wild\"\ntraining.learning_rate = 1e30\n",
    );
    assert_eq!(place.run(&[]).code, 3);
    let said = place.ensayo_with(&["predict", "trial/wild", "great"], 2, "");
    assert_eq!((said.code, said.output.as_str()), (2, ""));
    assert!(said.talk.contains("did not complete"), "{}", said.talk);
}
