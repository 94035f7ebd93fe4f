//! Checkpoints with and without a head, and adapters as a run's end and another's beginning.

use crate::checkpoint;
use crate::place::{Place, column};

const DATA: &str = "data.path = \"../reviews.csv\"\ndata.test_size = 0.25\n";

#[test]
fn an_adapter_says_what_peft_asks() {
    let place = Place::new();
    place.experiment("trial", "");
    place.complete(&[]);
    let left = place.left("trial/base@1");
    let config: serde_json::Value =
        serde_json::from_str(&left.read("adapter/adapter_config.json")).unwrap();
    assert_eq!(config["peft_type"], "LORA");
    assert_eq!(config["task_type"], "SEQ_CLS");
    assert_eq!(
        (&config["r"], &config["lora_alpha"]),
        (&4.into(), &16.0.into())
    );
    assert_eq!(config["lora_dropout"], 0.1);
    assert_eq!(config["modules_to_save"], serde_json::json!(["classifier"]));
    assert_eq!(
        config["target_modules"],
        serde_json::json!(["intermediate.dense", "query", "value"])
    );
    let bytes = std::fs::read(left.0.join("adapter/adapter_model.safetensors")).unwrap();
    let tensors = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    // Two layers with three adapters of two matrices each, and the head.
    assert_eq!(tensors.len(), 14);
    let down = "base_model.model.bert.encoder.layer.1.attention.self.query.lora_A.weight";
    assert_eq!(tensors.tensor(down).unwrap().shape(), [4, 32]);
    let trained: usize = tensors
        .tensors()
        .iter()
        .map(|(_, view)| view.shape().iter().product::<usize>())
        .sum();
    assert_eq!(left.metric("run", "trainable_parameters"), trained as f64);
    let card = left.read("adapter/README.md");
    assert!(
        card.contains("library_name: peft") && card.contains("trial/base@1"),
        "{card}"
    );
}

#[test]
fn a_run_begins_where_the_adapter_it_starts_from_ended() {
    let place = Place::new();
    // Without a pooler, whose fresh values depend on the seed and must travel with the adapter.
    checkpoint::write(&place, "bare", 2, &["bert.pooler.", "classifier."]);
    let inputs = format!("model.path = \"../bare\"\n{DATA}");
    place.experiment_on("first", &inputs, "");
    let said = place.complete(&["first"]);
    let first = place.left("first/base@1");
    let note = "not in the checkpoint, started afresh: bert.pooler.dense.weight, bert.pooler.dense.bias, classifier.weight, classifier.bias";
    assert!(said.talk.contains(note), "{}", said.talk);
    assert_eq!(first.record().notes, [note]);

    let second = |lora: &str| {
        format!(
            "name = \"second\"\nkind = \"lora\"\nseeds = [2]\n{inputs}\n[lora]\ninit = \"../results/first/base/seed-1/adapter\"\n{lora}[training]\nmax_length = 32\nepochs = 0\nbatch_size = 8\n"
        )
    };
    place.write("experiments/second.toml", &second(""));
    place.complete(&["second"]);
    let again = place.left("second/base@2");
    assert_eq!(first.read("predictions.csv"), again.read("predictions.csv"));
    let tensors =
        |left: &crate::place::Left| std::fs::read(left.0.join("adapter/adapter_model.safetensors"));
    assert_eq!(tensors(&first).unwrap(), tensors(&again).unwrap());
    let settings = again.read("run.toml");
    assert!(
        ["rank = 4\n", "alpha = 16.0\n", "dropout = 0.1\n"]
            .iter()
            .all(|line| settings.contains(line)),
        "{settings}"
    );
    let config = |left: &crate::place::Left| -> serde_json::Value {
        serde_json::from_str(&left.read("adapter/adapter_config.json")).unwrap()
    };
    for key in ["r", "lora_alpha", "target_modules", "modules_to_save"] {
        assert_eq!(config(&first)[key], config(&again)[key], "{key}");
    }

    // It goes on from there, and refuses another rank.
    place.complete(&["second", "--set", "training.epochs=1"]);
    assert_ne!(first.read("predictions.csv"), again.read("predictions.csv"));
    place.write("experiments/second.toml", &second("rank = 8\n"));
    let said = place.run(&["second"]);
    assert_eq!(said.code, 2);
    assert!(
        said.talk
            .contains("`lora.rank` is 8, but the adapter this starts from has 4"),
        "{}",
        said.talk
    );
}

#[test]
fn a_checkpoint_with_a_head_begins_with_its_own() {
    let place = Place::new();
    checkpoint::write(&place, "headed", 2, &[]);
    checkpoint::write(&place, "headless", 2, &["classifier."]);
    let inputs = format!("model.path = \"../headed\"\nseeds = [1, 2]\n{DATA}");
    place.experiment_on("headed", &inputs, "");
    place.experiment_on("headless", &inputs.replace("../headed", "../headless"), "");
    place.complete(&["--set", "training.epochs=0"]);
    let shares = |label: &str| {
        let predictions = place.left(label).predictions("test");
        column(&predictions, 4).join(" ")
    };
    // Only what starts afresh depends on the seed.
    assert_eq!(shares("headed/base@1"), shares("headed/base@2"));
    assert_ne!(shares("headless/base@1"), shares("headless/base@2"));
    assert!(place.left("headed/base@1").record().notes.is_empty());
    assert_eq!(
        place.left("headless/base@1").record().notes,
        ["not in the checkpoint, started afresh: classifier.weight, classifier.bias"]
    );
}
