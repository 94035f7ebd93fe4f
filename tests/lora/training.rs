//! What the settings of `[training]` do to a run.

use ensayo::record::{EpochRow, TrainingLogRow};

use crate::place::{Place, column, csv, reviews};

#[test]
fn training_learns_what_can_be_learnt() {
    let place = Place::new();
    place.write("reviews.csv", &csv(&reviews(600)));
    let runs = r#"
[[runs]]
name = "all-layers"
model.dropout = 0.0
lora.rank = 16
lora.dropout = 0.0
lora.targets = ["query", "key", "value", "attention_output", "intermediate", "output"]
training.epochs = 10
training.learning_rate = 4e-3
"#;
    place.experiment("trial", runs);
    place.complete(&[]);
    let left = place.left("trial/all-layers@1");
    assert_eq!(left.metric("test", "rows"), 150.0);
    let accuracy = left.metric("test", "accuracy");
    assert!(accuracy > 0.9, "{accuracy}");
    let epochs: Vec<EpochRow> = left.rows();
    assert_eq!(epochs.len(), 10);
    assert!(epochs[9].train_loss_mean < 0.5 * epochs[0].train_loss_mean);
    assert_eq!(epochs[9].accuracy, accuracy);
    assert_eq!(epochs[9].validation_loss, left.metric("test", "loss"));
}

#[test]
fn without_epochs_a_run_judges_the_model_as_it_is() {
    let place = Place::new();
    place.experiment(
        "trial",
        "[[runs]]\nname = \"narrow\"\nlora.rank = 1\n[[runs]]\nname = \"wide\"\nlora.rank = 4\n",
    );
    let said = place.complete(&["--set", "training.epochs=0"]);
    assert!(said.output.contains("trial"), "{}", said.output);
    let left = place.left("trial/narrow@1");
    // The update of a fresh adapter is 0, whatever its rank.
    assert_eq!(
        left.read("predictions.csv"),
        place.left("trial/wide@1").read("predictions.csv")
    );
    assert_eq!(left.rows::<TrainingLogRow>(), []);
    assert_eq!(left.rows::<EpochRow>(), []);
    assert_eq!(left.metric("run", "steps"), 0.0);
    assert_eq!(left.metric("run", "kept_epoch"), 0.0);
    assert!(left.metric("run", "train_loss_mean").is_nan());
    assert_eq!(left.predictions("test").len(), 20);
    for file in [
        "classification_report.csv",
        "adapter/adapter_config.json",
        "adapter/adapter_model.safetensors",
        "adapter/README.md",
    ] {
        assert!(left.0.join(file).is_file(), "{file}");
    }
}

#[test]
fn only_without_shuffling_the_first_step_sees_the_first_rows() {
    let place = Place::new();
    place.write("test.csv", &csv(&reviews(4)));
    let inputs = "model.random.config = \"../model/config.json\"\nmodel.dropout = 0.0\ndata.path = \"../reviews.csv\"\ndata.test_path = \"../test.csv\"";
    let runs = r#"
[[runs]]
name = "first"
data.limit = 8
training.shuffle = false
[[runs]]
name = "ordered"
training.shuffle = false
[[runs]]
name = "shuffled"
"#;
    place.experiment_on("trial", inputs, runs);
    place.complete(&[
        "--set",
        "training.epochs=1",
        "--set",
        "training.logging_steps=1",
        "--set",
        "lora.dropout=0.0",
    ]);
    let first = |run: &str| {
        let left = place.left(&format!("trial/{run}@1"));
        left.rows::<TrainingLogRow>()[0].loss
    };
    assert_eq!(first("first"), first("ordered"));
    assert_ne!(first("first"), first("shuffled"));
}

#[test]
fn the_learning_rate_warms_up_and_falls() {
    let place = Place::new();
    place.experiment("trial", "[[runs]]\nname = \"warm\"\ntraining.warmup_steps = 4\ntraining.logging_steps = 1\ntraining.gradient_accumulation = 2\n");
    place.complete(&[]);
    let log: Vec<TrainingLogRow> = place.left("trial/warm@1").rows();
    // 60 rows, 8 a batch, 2 batches a step: 4 steps an epoch.
    assert_eq!(log.len(), 8);
    let rates: Vec<f64> = log.iter().map(|row| row.learning_rate / 5e-3).collect();
    let expected = [0.0, 0.25, 0.5, 0.75, 1.0, 0.75, 0.5, 0.25];
    for (rate, expected) in rates.iter().zip(expected) {
        assert!((rate - expected).abs() < 1e-12, "{rates:?}");
    }
    assert_eq!((log[3].step, log[3].epoch), (4, 1.0));
}

#[test]
fn the_best_epoch_is_kept_as_if_training_had_ended_there() {
    let place = Place::new();
    let runs = r#"
[[runs]]
name = "best"
training.keep = "best"
[[runs]]
name = "last"
[[runs]]
name = "impatient"
training.early_stopping = 1
[[runs]]
name = "impatient-best"
training.keep = "best"
training.early_stopping = 1
"#;
    place.experiment("trial", runs);
    // Large steps: the validation loss rises soon.
    let wild = [
        "--set",
        "training.epochs=6",
        "--set",
        "training.learning_rate=3e-2",
        "--set",
        "training.schedule=constant",
        "--set",
        "data.validation_size=0.2",
    ];
    place.complete(&wild);
    let (best, last) = (place.left("trial/best@1"), place.left("trial/last@1"));
    let epochs: Vec<EpochRow> = best.rows();
    assert_eq!(epochs, last.rows());
    let lowest = epochs
        .iter()
        .min_by(|a, b| a.validation_loss.total_cmp(&b.validation_loss))
        .unwrap();
    assert!(lowest.epoch < 6, "{epochs:?}");
    assert_eq!(best.metric("validation", "loss"), lowest.validation_loss);
    assert_eq!(best.metric("validation", "accuracy"), lowest.accuracy);
    assert_eq!(best.metric("run", "kept_epoch"), lowest.epoch as f64);
    assert_eq!(last.metric("validation", "loss"), epochs[5].validation_loss);
    assert_eq!(last.metric("run", "kept_epoch"), 6.0);
    let note = format!("kept the weights of epoch {}", lowest.epoch);
    assert!(
        best.record().notes.contains(&note),
        "{:?}",
        best.record().notes
    );

    // Patience of one epoch: over with the first that is no better than one before.
    let first_worse = (1..6)
        .find(|&index| {
            epochs[..index]
                .iter()
                .any(|before| before.validation_loss <= epochs[index].validation_loss)
        })
        .unwrap();
    let (impatient, choosy) = (
        place.left("trial/impatient@1"),
        place.left("trial/impatient-best@1"),
    );
    for stopped in [&impatient, &choosy] {
        assert_eq!(stopped.rows::<EpochRow>(), epochs[..=first_worse]);
        let notes = stopped.record().notes;
        let note = format!("stopped after epoch {} of 6", first_worse + 1);
        assert!(
            notes.iter().any(|said| said.starts_with(&note)),
            "{notes:?}"
        );
    }
    assert_eq!(
        impatient.metric("validation", "loss"),
        epochs[first_worse].validation_loss
    );

    let (kept, until) = (
        best.read("predictions.csv"),
        format!("training.epochs={}", lowest.epoch),
    );
    place.complete(&[&["trial/last"], &wild[..], &["--set", &until]].concat());
    assert_eq!(last.rows::<EpochRow>().len(), lowest.epoch);
    assert_eq!(last.read("predictions.csv"), kept);
}

#[test]
fn a_validation_split_leaves_the_test_rows_what_they_are() {
    let place = Place::new();
    place.experiment(
        "trial",
        "[[runs]]\nname = \"two\"\n[[runs]]\nname = \"three\"\ndata.validation_size = 0.2\n",
    );
    place.complete(&["--set", "training.epochs=1"]);
    let (two, three) = (place.left("trial/two@1"), place.left("trial/three@1"));
    let (before, after) = (two.predictions("test"), three.predictions("test"));
    assert_eq!(before.len(), 20);
    for index in [1, 2, 6] {
        assert_eq!(column(&before, index), column(&after, index));
    }
    let validation = three.predictions("validation");
    assert_eq!(validation.len(), 12);
    assert_eq!(three.metric("run", "train_rows"), 48.0);
    assert_eq!(two.metric("run", "train_rows"), 60.0);
    let tested = column(&after, 6);
    assert!(
        !column(&validation, 6)
            .iter()
            .any(|text| tested.contains(text))
    );
    // The epochs are judged by the validation rows alone.
    let epochs: Vec<EpochRow> = three.rows();
    assert_eq!(
        epochs[0].validation_loss,
        three.metric("validation", "loss")
    );
}

#[test]
fn a_run_shorter_than_a_logging_interval_has_no_logged_loss_and_still_a_report() {
    let place = Place::new();
    place.experiment("trial", "[[runs]]\nname = \"short\"\ntraining.logging_steps = 1000\n[[runs]]\nname = \"late\"\ntraining.logging_steps = 10\n");
    let said = place.complete(&[]);
    assert!(
        said.talk.contains("epoch 1/2: test loss") && !said.talk.contains("NaN"),
        "{}",
        said.talk
    );
    let short = place.left("trial/short@1");
    assert_eq!(short.rows::<TrainingLogRow>(), []);
    let epochs: Vec<EpochRow> = short.rows();
    assert!(epochs.iter().all(|epoch| epoch.train_loss.is_nan()));
    assert!(epochs.iter().all(|epoch| epoch.train_loss_mean.is_finite()));
    assert!(short.read("epochs.csv").contains("\n1,NaN,0."));

    // 8 steps an epoch: the only row of the log falls into the second.
    let late = place.left("trial/late@1");
    let (log, epochs) = (late.rows::<TrainingLogRow>(), late.rows::<EpochRow>());
    assert_eq!(log.len(), 1);
    assert!(epochs[0].train_loss.is_nan());
    assert_eq!(epochs[1].train_loss, log[0].loss);
    assert_eq!(log[0].epoch, 1.25);

    let plots: Vec<_> = std::fs::read_dir(place.path("results/trial/plots"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "svg"))
        .collect();
    assert!(plots.len() >= 4, "{plots:?}");
    for plot in plots {
        let drawing = std::fs::read_to_string(&plot).unwrap();
        assert!(!drawing.contains("NaN"), "{}", plot.display());
    }
}

#[test]
fn dropout_of_the_model_can_be_switched_off() {
    let place = Place::new();
    let runs = r#"
[[runs]]
name = "configured"
lora.dropout = 0.0
[[runs]]
name = "off"
lora.dropout = 0.0
model.dropout = 0.0
[[runs]]
name = "none"
lora.dropout = 0.0
model.random.config = "../calm/config.json"
"#;
    place.model(
        "calm",
        &crate::place::CONFIG.replace("prob\": 0.1", "prob\": 0.0"),
    );
    place.experiment("trial", runs);
    place.complete(&[]);
    let log = |run: &str| {
        place
            .left(&format!("trial/{run}@1"))
            .read("training_log.csv")
    };
    assert_eq!(log("off"), log("none"));
    assert_ne!(log("off"), log("configured"));
}
