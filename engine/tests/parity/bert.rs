//! BERT and its adapters against transformers and PEFT.

use burn::backend::{Autodiff, Flex};
use burn::tensor::{FloatDType, Tensor};
use engine::checkpoint::Checkpoint;
use engine::models::bert::BertClassifier;
use engine::models::{Classifier, adapter, count, trained, unfreeze};
use engine::nn::Tokens;
use engine::nn::ops::alone_with_gradients;
use engine::shapes::bert::BertConfig;
use engine::shapes::{Network, Role};
use engine::training::summed_cross_entropy;

use crate::fixture::{
    Fixture, assert_close, assert_close_to_scale, assert_relative, card, config, path, values,
    weights,
};

pub type B = Autodiff<Flex>;

/// A checkpoint fixture's model, its dropout switched off.
pub fn load(folder: &str, classes: usize) -> (BertConfig, BertClassifier<B>) {
    let (model, config, _) = load_with_fresh(folder, classes);
    (config, model)
}

fn load_with_fresh(folder: &str, classes: usize) -> (BertClassifier<B>, BertConfig, Vec<String>) {
    let folder = path(folder);
    let mut config = config(&folder);
    config.override_dropout(0.0);
    let shapes = config.shapes(Role::Classifier { classes }).unwrap();
    let checkpoint = Checkpoint::open(&folder, &shapes.tensors, shapes.spelling).unwrap();
    let device = Default::default();
    let weights = weights(&checkpoint, 0, FloatDType::F32, &device);
    let model = BertClassifier::new(&config, classes, &weights).unwrap();
    (model, config, checkpoint.fresh().to_vec())
}

fn check_forward(model: &BertClassifier<B>, fixture: &Fixture, prefix: &str) {
    let device = Default::default();
    let texts = fixture.texts(prefix);
    let tokens = Tokens::new(&texts, &device);
    let logits = values(model.logits(&tokens, None));
    assert_close(
        &format!("{prefix}logits"),
        &logits,
        &fixture.floats(&format!("{prefix}logits")),
        1e-5,
    );
    assert_close_to_scale(
        &format!("{prefix}last_hidden_state"),
        &values(model.hidden_states(&tokens, None)),
        &fixture.floats(&format!("{prefix}last_hidden_state")),
        1e-5,
    );
    let classes = logits.len() / texts.len();
    for (row, text) in texts.iter().enumerate() {
        let alone = values(model.logits(&Tokens::new(&[text], &device), None));
        assert_close(
            &format!("{prefix}row {row} alone"),
            &alone,
            &logits[row * classes..(row + 1) * classes],
            1e-5,
        );
    }
}

#[test]
fn logits_equal_transformers_for_ragged_batches_and_single_rows() {
    for (folder, fixture, classes) in [
        ("checkpoint", "forward", 2),
        ("checkpoint-3-labels", "forward-3-labels", 3),
        ("sharded", "forward", 2),
    ] {
        let (_, model) = load(&format!("bert/{folder}"), classes);
        let fixture = Fixture::read(&format!("bert/{fixture}.safetensors"));
        let batches = (0..)
            .map(|batch| format!("batch.{batch}."))
            .take_while(|prefix| fixture.has(&format!("{prefix}lengths")));
        let mut checked = 0;
        for prefix in batches {
            check_forward(&model, &fixture, &prefix);
            let labels = fixture.integers(&format!("{prefix}labels"));
            let tokens = Tokens::new(&fixture.texts(&prefix), &Default::default());
            #[allow(clippy::cast_precision_loss)]
            let loss =
                summed_cross_entropy(model.logits(&tokens, None), &labels) / labels.len() as f32;
            assert_close(
                &format!("{prefix}loss"),
                &values(loss),
                &fixture.floats(&format!("{prefix}loss")),
                1e-5,
            );
            checked += 1;
        }
        assert!(checked > 1, "{folder}");
    }
}

#[test]
fn checkpoints_without_a_head_start_it_afresh_and_say_so() {
    let head = ["classifier.weight", "classifier.bias"];
    let pooler = ["bert.pooler.dense.weight", "bert.pooler.dense.bias"];
    for (folder, expected) in [
        ("bert/bare", head.to_vec()),
        ("bert/pretraining", head.to_vec()),
        ("bert/mlm", [pooler, head].concat()),
    ] {
        let (model, _, mut fresh) = load_with_fresh(folder, 2);
        fresh.sort();
        let mut expected = expected;
        expected.sort_unstable();
        assert_eq!(fresh, expected, "{folder}");
        let fixture = Fixture::read(&format!("{folder}/expected.safetensors"));
        let tokens = Tokens::new(&fixture.texts(""), &Default::default());
        let hidden = values(model.hidden_states(&tokens, None));
        assert_close(folder, &hidden, &fixture.floats("last_hidden_state"), 1e-5);
        let bias = values(model.head()[0].1.bias.as_ref().unwrap().val());
        assert!(bias.iter().all(|&value| value == 0.0), "{folder}: {bias:?}");
    }
}

#[test]
fn adapters_of_peft_give_its_logits_and_gradients() {
    for case in ["query-value", "all-linears"] {
        let (_, mut model) = load("bert/checkpoint", 2);
        let settings =
            adapter::read(&mut model, &path(&format!("bert/lora/{case}/adapter"))).unwrap();
        assert_eq!((settings.rank, settings.alpha), (4, 16.0), "{case}");
        let fixture = Fixture::read(&format!("bert/lora/{case}/expected.safetensors"));
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
        let expected = fixture
            .names()
            .iter()
            .filter(|name| name.starts_with("gradient."))
            .count();
        assert_eq!(compared, expected, "{case}");
    }
}

#[test]
fn a_written_adapter_is_read_back_to_the_same_logits() {
    let folder = tempfile::tempdir().unwrap();
    for case in ["query-value", "all-linears"] {
        let (_, mut model) = load("bert/checkpoint", 2);
        let settings =
            adapter::read(&mut model, &path(&format!("bert/lora/{case}/adapter"))).unwrap();
        adapter::write(&mut model, folder.path(), &settings, &[], &card()).unwrap();
        let (_, mut again) = load("bert/checkpoint", 2);
        assert_eq!(adapter::read(&mut again, folder.path()).unwrap(), settings);
        let tokens = Tokens::new(
            &Fixture::read("bert/forward.safetensors").texts("batch.0."),
            &Default::default(),
        );
        assert_eq!(
            values(again.logits(&tokens, None)),
            values(model.logits(&tokens, None)),
            "{case}"
        );

        let theirs = Fixture::read(&format!(
            "bert/lora/{case}/adapter/adapter_model.safetensors"
        ));
        let ours = Fixture::read(
            folder
                .path()
                .join("adapter_model.safetensors")
                .to_str()
                .unwrap(),
        );
        let sorted = |fixture: &Fixture| {
            let mut names = fixture.names();
            names.sort();
            names
        };
        assert_eq!(sorted(&ours), sorted(&theirs), "{case}");
    }
}

#[test]
fn a_fresh_pooler_travels_with_the_adapter() {
    let folder = tempfile::tempdir().unwrap();
    let (mut model, config, fresh) = load_with_fresh("bert/mlm", 2);
    let targets = config
        .shapes(Role::Classifier { classes: 2 })
        .unwrap()
        .resolve_targets(&["query".into()])
        .unwrap()
        .iter()
        .map(|linear| linear.module.clone())
        .collect();
    let settings = adapter::AdapterSettings {
        rank: 2,
        alpha: 4.0,
        dropout: 0.0,
        modules: targets,
        ..adapter::AdapterSettings::default()
    };
    adapter::attach(&mut model, &settings, 5);
    adapter::write(&mut model, folder.path(), &settings, &fresh, &card()).unwrap();

    // Another seed draws another pooler; the adapter must replace it.
    let folder_of_base = path("bert/mlm");
    let shapes = config.shapes(Role::Classifier { classes: 2 }).unwrap();
    let checkpoint = Checkpoint::open(&folder_of_base, &shapes.tensors, shapes.spelling).unwrap();
    let device = Default::default();
    let weights = weights(&checkpoint, 99, FloatDType::F32, &device);
    let mut again: BertClassifier<B> = BertClassifier::new(&config, 2, &weights).unwrap();
    let tokens = Tokens::new(&[[2_u32, 7, 9, 3]], &device);
    assert_ne!(
        values(again.logits(&tokens, None)),
        values(model.logits(&tokens, None))
    );
    adapter::read(&mut again, folder.path()).unwrap();
    assert_eq!(
        values(again.logits(&tokens, None)),
        values(model.logits(&tokens, None))
    );
}

#[test]
fn the_built_model_has_the_parameters_that_shapes_lists() {
    let (config, mut model) = load("bert/checkpoint", 2);
    let shapes = config.shapes(Role::Classifier { classes: 2 }).unwrap();
    let linears: Vec<(String, [usize; 2])> = model
        .linears()
        .into_iter()
        .map(|(name, linear)| (name, linear.sizes()))
        .collect();
    let expected: Vec<(String, [usize; 2])> = shapes
        .linears
        .iter()
        .map(|linear| (linear.module.clone(), [linear.input, linear.output]))
        .collect();
    assert_eq!(linears, expected);
    assert_eq!(
        burn::module::Module::num_params(&model) as u64,
        shapes.total_parameters()
    );

    let targets = ["query".to_owned(), "output".to_owned()];
    let modules = shapes
        .resolve_targets(&targets)
        .unwrap()
        .iter()
        .map(|linear| linear.module.clone())
        .collect();
    adapter::attach(
        &mut model,
        &adapter::AdapterSettings {
            rank: 3,
            alpha: 6.0,
            dropout: 0.0,
            modules,
            ..adapter::AdapterSettings::default()
        },
        1,
    );
    assert_eq!(
        count(&mut model),
        shapes.trainable_parameters(3, &targets).unwrap()
    );
}

#[test]
fn a_fresh_adapter_changes_nothing() {
    let (config, mut model) = load("bert/checkpoint", 2);
    let tokens = Tokens::new(
        &Fixture::read("bert/forward.safetensors").texts("batch.0."),
        &Default::default(),
    );
    let before = values::<B, 2>(model.logits(&tokens, None));
    let modules = config
        .shapes(Role::Classifier { classes: 2 })
        .unwrap()
        .linears
        .into_iter()
        .map(|linear| linear.module)
        .collect();
    adapter::attach(
        &mut model,
        &adapter::AdapterSettings {
            rank: 4,
            alpha: 8.0,
            dropout: 0.1,
            modules,
            ..adapter::AdapterSettings::default()
        },
        1,
    );
    let after: Tensor<B, 2> = model.logits(&tokens, None);
    assert_eq!(values(after), before);
}
