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

#[test]
fn files_and_standard_input_are_read_as_training_reads_them_with_an_answer_for_each_row() {
    let place = Place::new();
    place.experiment("trial", "");
    place.complete(&[]);
    let predict = |arguments: &[&str], input: &str| {
        let arguments = [&["predict", "--device", "cpu", "trial/base"], arguments].concat();
        place.ensayo_with(&arguments, 2, input)
    };
    let texts = |said: Said| -> Vec<String> {
        let rows = shares(&said).into_iter();
        rows.map(|(text, ..)| text).collect()
    };
    let csv = "\u{feff}id,text\n1,\"great, \"\"fun\"\"\nand more\"\n2,\n3,awful\n";
    let json = "\u{feff}{\"text\": \"great, \\\"fun\\\"\\nand more\"}\n\n{\"text\": \"\"}\n{\"id\": 3, \"text\": \"awful\"}\n";
    let expected = ["great, \"fun\"\nand more", "", "awful"];
    place.write("new.csv", csv);
    place.write("new.jsonl", json);
    place.write("new.txt", "a\n");
    for (arguments, input) in [
        (["--input", "new.csv"], ""),
        (["--input", "new.jsonl"], ""),
        (["--input", "-"], csv),
        (["--input", "-"], json),
    ] {
        assert_eq!(texts(predict(&arguments, input)), expected, "{arguments:?}");
    }
    assert_eq!(
        texts(predict(&[], "\u{feff}great\r\n\r\nawful")),
        ["great", "", "awful"]
    );

    for (arguments, input, message) in [
        (
            &["--input", "-"][..],
            "text\n\"never closed\ngood\nbad\n",
            "standard input: line 2 (row 0): the quote that opens on line 2 is never closed",
        ),
        (
            &["--input", "-"],
            "text,text\na,b\n",
            "column `text` appears twice",
        ),
        (
            &["--input", "-"],
            "review\na\n",
            "standard input: no column `text`, which the run was trained on; the file has `review`",
        ),
        (
            &["--input", "-"],
            "{\"text\": 5}\n",
            "`text` is a number: expected a string",
        ),
        (&["--input", "new.txt"], "", "new.txt: unknown kind of file"),
        (&["--input", "none.csv"], "", "none.csv: cannot be read"),
        (&[], "", "standard input is empty"),
    ] {
        let said = predict(arguments, input);
        assert_eq!(
            (said.code, said.output.as_str()),
            (2, ""),
            "{arguments:?} {input:?}"
        );
        assert!(said.talk.contains(message), "{}", said.talk);
    }
}

#[test]
fn only_the_model_the_tokeniser_and_the_adapter_of_the_run_predict() {
    let place = Place::new();
    checkpoint::write(&place, "bare", 2, &["bert.pooler.", "classifier."]);
    let inputs =
        "model.path = \"../bare\"\ndata.path = \"../reviews.csv\"\ndata.test_size = 0.25\n";
    place.experiment_on("trial", inputs, "");
    place.complete(&[]);
    let predict = || {
        place.ensayo_with(
            &["predict", "--device", "cpu", "trial/base", "great"],
            2,
            "",
        )
    };
    assert_eq!(predict().code, 0);
    let adapter = "results/trial/base/seed-1/adapter/adapter_model.safetensors";
    for (file, message) in [
        (
            "bare/config.json",
            "changed since the run: the content of model.path",
        ),
        (
            "bare/tokenizer.json",
            "changed since the run: the content of model.path",
        ),
        (
            "bare/model.safetensors",
            "changed since the run: the content of model.path",
        ),
        (
            adapter,
            "adapter_model.safetensors is not what the run left; `ensayo run --force trial/base@1` makes it again",
        ),
        (
            "results/trial/base/seed-1/adapter/adapter_config.json",
            "adapter_config.json is not what the run left",
        ),
    ] {
        let path = place.path(file);
        let whole = std::fs::read(&path).unwrap();
        let mut other = whole.clone();
        if file.ends_with("json") {
            other.push(b' ');
        } else {
            *other.last_mut().unwrap() ^= 1;
        }
        std::fs::write(&path, &other).unwrap();
        let said = predict();
        assert_eq!((said.code, said.output.as_str()), (2, ""), "{file}");
        assert!(said.talk.contains(message), "{file}: {}", said.talk);
        std::fs::write(&path, &whole).unwrap();
        assert_eq!(predict().code, 0, "{file}");
    }
    let settings = place.path("results/trial/base/seed-1/run.toml");
    let whole = std::fs::read_to_string(&settings).unwrap();
    let other = whole.replace("max_length = 32", "max_length = 16");
    assert_ne!(whole, other);
    std::fs::write(&settings, other).unwrap();
    let said = predict();
    assert_eq!(said.code, 2);
    assert!(
        said.talk
            .contains("changed since the run: training.max_length 32 -> 16"),
        "{}",
        said.talk
    );
    std::fs::write(&settings, whole).unwrap();
    // The data is no part of the classifier.
    std::fs::remove_file(place.path("reviews.csv")).unwrap();
    assert_eq!(predict().code, 0);
}

#[test]
fn a_run_predicts_from_any_folder_with_its_own_model_and_no_other() {
    let place = Place::new();
    checkpoint::write(&place, "bare", 2, &["bert.pooler.", "classifier."]);
    let inputs =
        "model.path = \"../bare\"\ndata.path = \"../reviews.csv\"\ndata.test_size = 0.25\n";
    place.experiment_on("trial", inputs, "");
    place.complete(&[]);
    let predict = |folder: &str, results: &str| {
        std::fs::create_dir_all(place.path(folder)).unwrap();
        let said = std::process::Command::new(env!("CARGO_BIN_EXE_ensayo"))
            .args([
                "predict",
                "--device",
                "cpu",
                "trial/base",
                "great",
                "--results",
                results,
            ])
            .current_dir(place.path(folder))
            .output()
            .unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (
            said.status.code().unwrap(),
            text(said.stdout),
            text(said.stderr),
        )
    };
    let (code, here, talk) = predict(".", "results");
    assert_eq!(code, 0, "{talk}");
    assert_eq!(predict("elsewhere", "../results").1, here);
    // Another model in the place that the settings' own words lead to from there.
    checkpoint::write(&place, "deep/down/bare", 2, &[]);
    std::fs::create_dir_all(place.path("deep/down/experiments")).unwrap();
    assert_eq!(predict("deep/down", "../../results").1, here);

    // Results that were moved together with what they were made from.
    std::fs::create_dir_all(place.path("moved")).unwrap();
    for name in ["results", "bare", "experiments"] {
        std::fs::rename(place.path(name), place.path("moved").join(name)).unwrap();
    }
    let (code, there, talk) = predict("elsewhere", "../moved/results");
    assert_eq!((code, there), (0, here), "{talk}");

    std::fs::remove_dir_all(place.path("moved/bare")).unwrap();
    let (code, _, talk) = predict("elsewhere", "../moved/results");
    assert_eq!(code, 2);
    let was = place.path("").canonicalize().unwrap().join("bare");
    assert!(
        talk.contains("trial/base@1 was made with model.path = ")
            && talk.contains(was.to_str().unwrap()),
        "{talk}"
    );
}
