//! RoBERTa, XLM-R and their adapters against transformers and PEFT.

use burn::module::Module;
use burn::tensor::FloatDType;
use engine::checkpoint::Checkpoint;
use engine::models::{Classifier, EncoderClassifier, adapter, count, trained, unfreeze};
use engine::nn::Tokens;
use engine::nn::ops::alone_with_gradients;
use engine::shapes::{Architecture, Role};
use engine::training::summed_cross_entropy;

use crate::bert::B;
use crate::fixture::{
    Fixture, assert_close, assert_close_to_scale, assert_relative, path, values, weights,
};

/// Folders of whole checkpoints and their classes.
const FAMILY: [(&str, usize); 2] = [("roberta", 2), ("xlm-roberta", 3)];

/// A checkpoint of any encoder, its dropout switched off, and what was not in it.
pub fn load(folder: &str, classes: usize) -> (Architecture, EncoderClassifier<B>, Vec<String>) {
    load_in(folder, classes, FloatDType::F32)
}

/// The same with its frozen weights in a number format.
pub fn load_in(
    folder: &str,
    classes: usize,
    format: FloatDType,
) -> (Architecture, EncoderClassifier<B>, Vec<String>) {
    let folder = path(folder);
    let text = std::fs::read_to_string(folder.join("config.json")).unwrap();
    let mut config = Architecture::read(&text, Role::Classifier { classes }).unwrap();
    config.override_dropout(0.0);
    let shapes = config.shapes();
    let checkpoint = Checkpoint::open(&folder, &shapes.tensors, shapes.spelling).unwrap();
    let device = Default::default();
    let weights = weights(&checkpoint, 0, format, &device);
    let model = EncoderClassifier::new(&config, &weights).unwrap();
    let fresh = checkpoint.fresh().to_vec();
    (config, model, fresh)
}

/// Compares logits, together and alone, and the last hidden states.
pub fn check_forward(model: &EncoderClassifier<B>, fixture: &Fixture, prefix: &str) {
    let device = Default::default();
    let texts = fixture.texts(prefix);
    let tokens = Tokens::new(&texts, &device);
    let logits = values(model.logits(&tokens, None));
    let expected = fixture.floats(&format!("{prefix}logits"));
    assert_close(&format!("{prefix}logits"), &logits, &expected, 1e-5);
    assert_close_to_scale(
        &format!("{prefix}last_hidden_state"),
        &values(model.hidden_states(&tokens, None)),
        &fixture.floats(&format!("{prefix}last_hidden_state")),
        1e-5,
    );
    let classes = logits.len() / texts.len();
    let alone = fixture.floats(&format!("{prefix}logits_alone"));
    for (row, text) in texts.iter().enumerate() {
        let range = row * classes..(row + 1) * classes;
        let single = values(model.logits(&Tokens::new(&[text], &device), None));
        let what = format!("{prefix}row {row} alone");
        assert_close(&what, &single, &logits[range.clone()], 1e-5);
        assert_close(&what, &single, &alone[range], 1e-5);
    }
}

#[test]
fn logits_equal_transformers_for_ragged_batches_and_single_rows() {
    for (folder, classes) in FAMILY {
        let (_, model, fresh) = load(&format!("{folder}/checkpoint"), classes);
        assert!(fresh.is_empty(), "{fresh:?}");
        let fixture = Fixture::read(&format!("{folder}/forward.safetensors"));
        // The last batch spells the padding token out.
        for batch in 0..5 {
            check_forward(&model, &fixture, &format!("batch.{batch}."));
        }
    }
}

#[test]
fn checkpoints_without_a_head_start_it_afresh_and_say_so() {
    let expected = [
        "classifier.dense.weight",
        "classifier.dense.bias",
        "classifier.out_proj.weight",
        "classifier.out_proj.bias",
    ];
    for folder in ["roberta/bare", "roberta/mlm"] {
        let (_, model, fresh) = load(folder, 2);
        assert_eq!(fresh, expected, "{folder}");
        let fixture = Fixture::read(&format!("{folder}/expected.safetensors"));
        let tokens = Tokens::new(&fixture.texts(""), &Default::default());
        let hidden = values(model.hidden_states(&tokens, None));
        assert_close(folder, &hidden, &fixture.floats("last_hidden_state"), 1e-5);
    }
}

/// Compares what an adapter of PEFT gives on a checkpoint: results, and the gradient of everything
/// that is trained.
pub fn check_adapter(folder: &str, classes: usize, case: &str) {
    let (_, mut model, _) = load(&format!("{folder}/checkpoint"), classes);
    adapter::read(&mut model, &path(&format!("{folder}/lora/{case}/adapter"))).unwrap();
    let fixture = Fixture::read(&format!("{folder}/lora/{case}/expected.safetensors"));
    check_forward(&model, &fixture, "");

    let _turn = alone_with_gradients();
    unfreeze(&mut model);
    let labels = fixture.integers("labels");
    let tokens = Tokens::new(&fixture.texts(""), &Default::default());
    #[allow(clippy::cast_precision_loss)]
    let loss = summed_cross_entropy(model.logits(&tokens, None), &labels) / labels.len() as f32;
    assert_close(case, &values(loss.clone()), &fixture.floats("loss"), 1e-5);
    let mut gradients = loss.backward();
    let mut compared = 0;
    for (name, parameter) in trained(&mut model) {
        let name = format!("gradient.base_model.model.{name}");
        let gradient = values(parameter.take_gradient(&mut gradients).unwrap());
        assert_relative(&name, &gradient, &fixture.floats(&name), 1e-4);
        compared += 1;
    }
    let names = fixture.names();
    let expected = names.iter().filter(|name| name.starts_with("gradient."));
    assert_eq!(compared, expected.count(), "{folder} {case}");
}

/// Compares the built model's linear layers and counts with those that shapes list.
pub fn check_counts(folder: &str, classes: usize) {
    let (config, mut model, _) = load(&format!("{folder}/checkpoint"), classes);
    let shapes = config.shapes();
    let linears = model.linears();
    let linears = linears.iter().map(|(name, linear)| (name, linear.sizes()));
    let expected = shapes.linears.iter();
    assert!(linears.eq(expected.map(|linear| (&linear.module, [linear.input, linear.output]))));
    assert_eq!(model.num_params() as u64, shapes.total_parameters());

    let targets = ["value".to_owned(), "intermediate".to_owned()];
    let modules = shapes.resolve_targets(&targets).unwrap();
    let settings = adapter::AdapterSettings {
        rank: 3,
        alpha: 6.0,
        modules: modules.iter().map(|linear| linear.module.clone()).collect(),
        ..adapter::AdapterSettings::default()
    };
    adapter::attach(&mut model, &settings, 1);
    assert_eq!(
        count(&mut model),
        shapes.trainable_parameters(3, &targets).unwrap()
    );
}

#[test]
fn adapters_of_peft_give_its_logits_and_gradients() {
    for (folder, classes, case) in [
        ("roberta", 2, "query-value"),
        ("roberta", 2, "all-linears"),
        ("xlm-roberta", 3, "query-value"),
    ] {
        check_adapter(folder, classes, case);
    }
}

#[test]
fn the_built_model_has_the_parameters_that_shapes_lists() {
    for (folder, classes) in FAMILY {
        check_counts(folder, classes);
    }
}

#[test]
fn dropout_acts_at_both_places_of_the_head() {
    use engine::nn::ops::Noise;
    let folder = path("roberta/checkpoint");
    let text = std::fs::read_to_string(folder.join("config.json")).unwrap();
    let logits = |probability: f64, step: u64| {
        let json: serde_json::Value = serde_json::from_str(&text).unwrap();
        let mut json = json.as_object().unwrap().clone();
        for key in ["hidden_dropout_prob", "attention_probs_dropout_prob"] {
            json.insert(key.into(), 0.0.into());
        }
        json.insert("classifier_dropout".into(), probability.into());
        let json = serde_json::to_string(&json).unwrap();
        let config = Architecture::read(&json, Role::Classifier { classes: 2 }).unwrap();
        let shapes = config.shapes();
        let checkpoint = Checkpoint::open(&folder, &shapes.tensors, shapes.spelling).unwrap();
        let device = Default::default();
        let weights = weights(&checkpoint, 0, FloatDType::F32, &device);
        let model: EncoderClassifier<B> = EncoderClassifier::new(&config, &weights).unwrap();
        let texts = [vec![0_u32, 7, 2], vec![0, 9, 9, 2]];
        let keys = engine::nn::token_keys(&texts, &[0, 1]);
        let noise = Noise::new(1, step, keys);
        values(model.logits(&Tokens::new(&texts, &device), Some(&noise)))
    };
    assert_eq!(logits(0.0, 1), logits(0.0, 2));
    assert_eq!(logits(0.5, 1), logits(0.5, 1));
    assert_ne!(logits(0.5, 1), logits(0.5, 2));
    assert_ne!(logits(0.5, 1), logits(0.0, 1));
}
