//! What a process with a card launches for the tests of compilation. Its numbers mean nothing
//! there: only the compiler and the driver are asked.

use std::path::Path;

use burn::tensor::backend::Backend;
use burn::tensor::ops::FloatTensorOps;
use burn::tensor::{FloatDType, Shape, Tensor, TensorPrimitive};
use engine::classifier::{self, Start};
use engine::decoder::{self, Continuations, DecoderFiles};
use engine::device::Device;
use engine::embedder;
use engine::generation::{Request, Unwatched};
use engine::models::adapter::AdapterSettings;
use engine::models::{NetworkFiles, Source};
use engine::nn::ops::{
    AttentionOptions, Dropout, Mask, Noise, Operations, Ragged, Segments, Site, token_key,
    watch_kernels,
};

use engine::retrieval::EmbedderFiles;
use engine::shapes::Role;
use engine::training::{
    AdamWOptions, Control, Decay, Example, LossScale, Options, Schedule, Unobserved,
};

use crate::Accelerated as Card;
use crate::decoder::greedy;

/// The formats that a card of this architecture computes in; the last is the one that it chooses by
/// itself.
fn formats() -> Vec<FloatDType> {
    let architecture: u32 = std::env::var("CARD_SM").unwrap().parse().unwrap();
    let mut formats = vec![FloatDType::F32, FloatDType::F16];
    if architecture >= 80 {
        formats.push(FloatDType::BF16);
    }
    formats
}

fn matrix(rows: usize, columns: usize, format: FloatDType) -> Tensor<Card, 2> {
    if rows == 0 {
        // burn would launch a kernel without blocks to fill it, which CUDA refuses.
        let shape = Shape::from([rows, columns]);
        let empty = Card::float_empty(shape, &Default::default(), format);
        return Tensor::from_primitive(TensorPrimitive::Float(empty));
    }
    Tensor::<Card, 2>::ones([rows, columns], &Default::default()).cast(format)
}

fn vector(columns: usize, format: FloatDType) -> Tensor<Card, 1> {
    Tensor::<Card, 1>::ones([columns], &Default::default()).cast(format)
}

fn quarter(lengths: &[usize]) -> Dropout {
    let keys = lengths
        .iter()
        .enumerate()
        .flat_map(|(row, &length)| (0..length).map(move |place| token_key(row, place)));
    let noise = Noise::new(3, 9, std::sync::Arc::new(keys.collect()));
    noise.at(Site { layer: 2, place: 3 }, 0.25).unwrap()
}

/// Every kernel that works on rows.
fn on_rows(lengths: &[usize], columns: usize, format: FloatDType) {
    let rows = lengths.iter().sum();
    let input = || matrix(rows, columns, format).into_primitive().tensor();
    let ragged = Ragged::<Card>::new(Segments::new(lengths), &Default::default());
    let selection = &ragged.tokens;
    for parameters in [FloatDType::F32, format] {
        let vector = || vector(columns, parameters).into_primitive().tensor();
        let gradients = Card::token_norm_backward(input(), vector(), 1e-5, input(), false);
        drop((
            Card::token_norm(input(), vector(), vector(), 1e-5),
            gradients.input,
        ));
    }
    drop((
        Card::exact_gelu(input()),
        Card::exact_gelu_backward(input(), input()),
        Card::token_dropout(input(), &quarter(lengths)),
    ));
    let packed = Card::pack(Card::unpack(input(), selection), selection);
    let packed = Tensor::<Card, 2>::from_primitive(TensorPrimitive::Float(packed));
    assert_eq!(packed.into_data().shape, Shape::from([rows, columns]));
}

/// Softmax and its gradient, with dropout and without.
fn on_scores(lengths: &[usize], format: FloatDType) {
    let longest = lengths.iter().copied().max().unwrap();
    let ragged = Ragged::<Card>::new(Segments::new(lengths), &Default::default());
    let square = || {
        let square = matrix(lengths.len() * 3 * longest, longest, format);
        let square: Tensor<Card, 4> = square.reshape([lengths.len(), 3, longest, longest]);
        square.into_primitive().tensor()
    };
    let causal = Mask::Causal { window: Some(5) };
    for (dropout, mask) in [
        (None, Mask::Full),
        (Some(quarter(lengths)), Mask::Full),
        (None, causal),
        (Some(quarter(lengths)), causal),
    ] {
        let options = AttentionOptions {
            heads: 3,
            scale: 0.5,
            mask,
            dropout,
        };
        let texts = [&ragged; 2];
        let probabilities = Card::attention_probabilities(square(), texts, &options);
        let gradient = Card::attention_scores_gradient(probabilities, square(), texts, &options);
        drop(Tensor::<Card, 4>::from_primitive(TensorPrimitive::Float(gradient)).into_data());
    }
}

#[test]
#[ignore = "started by a test of compilation, with a card"]
fn kernels_of_every_width_and_format() {
    watch_kernels(true);
    for format in formats() {
        // Vectors of 16 bytes down to single values; few rows and many; none.
        for columns in [1, 2, 4, 8, 66, 130, 768, 4096] {
            on_rows(&[3, 1, 5], columns, format);
        }
        on_rows(&[700, 1, 512], 768, format);
        on_rows(&[], 768, format);
        for lengths in [&[1][..], &[9, 33], &[37, 1, 270], &[512, 600]] {
            on_scores(lengths, format);
        }
    }
}

#[test]
#[ignore = "started by a test of compilation, with a card"]
fn tensors_of_more_than_two_to_the_32_elements() {
    watch_kernels(true);
    let (rows, columns) = ((1 << 20) + 1, 1 << 12);
    let tensor = || {
        // Only its size matters; it is never read.
        let shape = Shape::from([rows, columns]);
        let tensor = Card::float_empty(shape, &Default::default(), FloatDType::F16);
        Tensor::<Card, 2>::from_primitive(TensorPrimitive::Float(tensor))
    };
    let input = || tensor().into_primitive().tensor();
    let vector = || vector(columns, FloatDType::F32).into_primitive().tensor();
    let lengths = vec![1; rows];
    let ragged = Ragged::<Card>::new(Segments::new(&lengths), &Default::default());
    let selection = &ragged.tokens;
    for output in [
        Card::exact_gelu(input()),
        Card::token_norm(input(), vector(), vector(), 1e-5),
        Card::token_dropout(input(), &quarter(&lengths)),
        Card::pack(input(), selection),
        Card::unpack(input(), selection),
    ] {
        Card::sync(&Default::default()).unwrap();
        drop(output);
    }
}

/// Two steps of training and an evaluation, as the program asks for them.
fn train(config: &Path, format: FloatDType, checkpointing: bool) {
    let device = Device::Cuda(0);
    let source = Source::Random { config, seed: 1 };
    let files = NetworkFiles::open(source, Role::Classifier { classes: 2 }, Some(0.1), 1).unwrap();
    let modules = files
        .shapes
        .linears
        .iter()
        .map(|linear| linear.module.clone());
    let settings = AdapterSettings {
        rank: 8,
        alpha: 16.0,
        dropout: 0.1,
        modules: modules.collect(),
        ..AdapterSettings::default()
    };
    let start = Start::Fresh {
        settings: &settings,
        seed: 1,
    };
    let mut model = classifier::load(&files, start, format, device).unwrap();
    let examples: Vec<Example> = [9, 33, 1, 17]
        .into_iter()
        .enumerate()
        .map(|(row, length)| Example {
            tokens: (0..length).map(|token| 5 + token % 50).collect(),
            label: row % 2,
            row,
        })
        .collect();
    let options = Options {
        epochs: 1,
        batch_size: 2,
        micro_batch_size: 2,
        gradient_checkpointing: checkpointing,
        loss_scale: (format == FloatDType::F16).then(LossScale::default),
        gradient_accumulation: 1,
        schedule: Schedule {
            peak: 1e-3,
            warmup_steps: 0,
            total_steps: 2,
            decay: Decay::Linear,
        },
        adamw: AdamWOptions::default(),
        max_gradient_norm: 1.0,
        logging_steps: 1,
        shuffle: true,
        keep_best: false,
        early_stopping: None,
        seed: 1,
    };
    let history = model
        .fine_tune(&examples, &examples, &options, None, &mut Unobserved)
        .unwrap();
    assert_eq!(history.steps, 2);
}

#[test]
#[ignore = "started by a test of compilation, with a card"]
fn training_and_embedding() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let bert = folder.join("../models/quickstart-encoder/config.json");
    let deberta = folder.join("tests/parity/deberta/buckets/checkpoint/config.json");
    // A product's candidates take seconds each to compile, so these are the formats of a run that
    // asks for none. f16 is that of the oldest card.
    let own = formats().pop().unwrap();
    for format in [FloatDType::F32, own] {
        train(&bert, format, format == FloatDType::F32);
        let source = Source::Random {
            config: &bert,
            seed: 1,
        };
        let files = EmbedderFiles::open(source).unwrap();
        let embedder = embedder::load(&files, format, Device::Cuda(0)).unwrap();
        let texts = [vec![5; 40], vec![6], vec![7; 12]];
        let vectors = embedder.embed(&texts, None, &mut |_| {});
        assert_eq!(vectors.values.len(), texts.len() * vectors.width);
    }
    train(&deberta, own, false);
}

#[test]
#[ignore = "started by a test of compilation, with a card"]
fn reading_and_writing() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let config = folder.join("../models/quickstart-decoder/config.json");
    let own = formats().pop().unwrap();
    for format in [FloatDType::F32, own] {
        let source = Source::Random {
            config: &config,
            seed: 1,
        };
        let files = DecoderFiles::open(source).unwrap();
        let mut decoder = decoder::load(&files, format, Device::Cuda(0)).unwrap();
        let requests = [40, 3].map(|length| Request {
            prompt: vec![5; length],
            max_new_tokens: 3,
            seed: 0,
        });
        let mut observer = Unwatched::default();
        let speed = decoder.generate(&requests, &greedy(), &mut observer);
        assert_eq!((speed.written_tokens, observer.answers.len()), (6, 2));
        let asked = [Continuations {
            prompt: vec![5; 7],
            continuations: vec![vec![1], vec![2, 3]],
        }];
        let likelihoods = decoder.likelihoods(&asked, &mut |_| Control::Continue);
        assert_eq!(likelihoods.unwrap()[0].len(), 2);
    }
}
