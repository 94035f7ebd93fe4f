//! The count of a small network by hand, and what every setting must do to it.

use super::*;

const BERT: &str = r#"{"model_type": "bert", "vocab_size": 10, "hidden_size": 8, "num_hidden_layers": 2, "num_attention_heads": 2,
    "intermediate_size": 16, "max_position_embeddings": 12, "type_vocab_size": 2}"#;

const DEBERTA: &str = r#"{"model_type": "deberta-v2", "vocab_size": 10, "hidden_size": 8, "num_hidden_layers": 2, "num_attention_heads": 2,
    "intermediate_size": 16, "max_position_embeddings": 12, "type_vocab_size": 0, "relative_attention": true, "position_buckets": 4,
    "position_biased_input": false, "share_att_key": true, "pos_att_type": "p2c|c2p"}"#;

/// Query and value adapted with rank 2, or only those of the last layer.
fn memory(config: &str, change: impl FnOnce(&mut Workload<'_>), lengths: &[usize]) -> Memory {
    let shapes = Shapes::read(config, 2).unwrap();
    let targets = ["query".to_owned(), "value".to_owned()];
    let linears = shapes.resolve_targets(&targets).unwrap();
    let adapters: Vec<_> = linears.into_iter().map(|linear| (linear, 2)).collect();
    let mut workload = Workload {
        adapters: &adapters,
        adapter_dropout: true,
        float_bytes: 4,
        gradient_checkpointing: false,
        threads: Some(2),
    };
    change(&mut workload);
    shapes.training_memory(&workload, lengths)
}

#[test]
fn what_a_small_network_keeps_is_counted_by_hand() {
    let memory = memory(BERT, |_| (), &[3, 4]);
    // 7 tokens in 2 layers: 5 tensors of 8 and 1 of 16, and for each of 2 adapters its input and
    // its 2 inner values.
    assert_eq!(memory.activations, 4 * 7 * 2 * (5 * 8 + 16 + 2 * (8 + 2)));
    let adapters = 2 * 2 * (8 * 2 + 2 * 8);
    let head = 8 * 2 + 2;
    assert_eq!(memory.trained, 4 * (4 * adapters + 3 * head));
    let shapes = Shapes::read(BERT, 2).unwrap();
    assert_eq!(memory.weights, 4 * shapes.total_parameters());
}

#[test]
fn relative_positions_are_counted_once_for_a_batch_and_as_far_as_texts_reach() {
    let of = |config, lengths| memory(config, |_| (), lengths).activations;
    let without = 4 * 2 * (5 * 8 + 16 + 2 * (8 + 2));
    // As keys and as queries, and what the query's adapter keeps of them: 2 * 4 rows of a table, or
    // 2 * 3 - 1 distances.
    let row = 4 * 2 * (2 * 8 + 8 + 2);
    assert_eq!(of(DEBERTA, &[9, 9]), 18 * without + 8 * row);
    assert_eq!(of(DEBERTA, &[3, 3, 3]), 9 * without + 5 * row);
    assert_eq!(of(BERT, &[9, 9]), 18 * without);
}

#[test]
fn checkpointing_keeps_the_inputs_of_layers_and_one_layer() {
    let all = memory(BERT, |_| (), &[3, 4]).activations;
    let checkpointed = memory(BERT, |work| work.gradient_checkpointing = true, &[3, 4]);
    assert_eq!(checkpointed.activations, all / 2 + 4 * 7 * 2 * 8);
}

#[test]
fn layers_below_the_lowest_adapter_keep_nothing() {
    let all = memory(BERT, |_| (), &[3, 4]).activations;
    let upper = memory(BERT, |work| work.adapters = &work.adapters[2..], &[3, 4]);
    assert_eq!(upper.activations, all / 2);
}

#[test]
fn sixteen_bits_halve_what_is_frozen_and_kept_but_not_what_is_trained() {
    let [single, half] = [4, 2].map(|bytes| memory(BERT, |work| work.float_bytes = bytes, &[3, 4]));
    assert_eq!(half.activations, single.activations / 2);
    assert_eq!(half.trained, single.trained);
    let head = (8 * 2 + 2) * 4;
    assert_eq!(half.weights - head, (single.weights - head) / 2);
}

#[test]
fn allocations_are_what_the_sums_are_made_of() {
    for config in [BERT, DEBERTA] {
        for threads in [None, Some(2)] {
            let memory = memory(config, |work| work.threads = threads, &[3, 4]);
            let listed: u64 = memory
                .allocations
                .iter()
                .map(|(bytes, count)| bytes * count)
                .sum();
            // Workspace leaves out what the layer has freed by then; the list has it.
            assert!(listed >= memory.total(), "{listed} {}", memory.total());
        }
    }
}
