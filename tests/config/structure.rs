//! Unknown keys, wrong types and values out of range.

use ensayo::config::Look;
use insta::assert_snapshot;
use proptest::prelude::*;

use crate::{SOUND, after, complaints, study, with};

#[test]
fn unknown_keys_are_suggested_by_nearness_place_and_other_tools_names() {
    assert_snapshot!(after(
        "rank = 4",
        "rnak = 4\nlora_alpha = 8\nlearning_rate = 1e-3\ncolour = \"red\"\n\"training.epochs\" = 3"
    ));
}

#[test]
fn a_table_of_another_kind_says_so() {
    assert_snapshot!(with("[chunks]\nsize = 3\n"));
}

#[test]
fn wrong_types_say_what_was_meant() {
    assert_snapshot!(complaints(WRONG_TYPES));
}

const WRONG_TYPES: &str = r#"
name = "sweep"
kind = "lora"
model = "tiny"

[data]
path = 3
limit = 10.0
deduplicate = "true"

[lora]
rank = "4"
alpha = "big"
targets = "query"
dropout = [0.1, 0.2]

[training]
shuffle = 1
epochs = 1979-05-27
batch_size = 99999999999999999999
schedule = "lineal"
"#;

#[test]
fn numbers_out_of_range_say_the_range() {
    assert_snapshot!(complaints(
        &SOUND
            .replace("rank = 4", "rank = 0\nalpha = 0\ndropout = 1.0")
            .replace("reviews.csv\"", "reviews.csv\"\ntest_size = 1\nvalidation_size = 0.0\nlimit = 0")
            .replace("max_length = 64", "max_length = 0\nepochs = -1\nbatch_size = 0\nlearning_rate = nan\nweight_decay = inf\nadam_beta1 = 1.0")
    ));
}

#[test]
fn missing_tables_and_keys_are_named() {
    assert_snapshot!(complaints(
        "name = \"sweep\"\nkind = \"lora\"\n[data]\ntext = \"review\"\n"
    ));
}

#[test]
fn a_misspelt_required_key_is_not_reported_missing_as_well() {
    assert_snapshot!(after("[data]\npath", "[data]\npaht"));
}

#[test]
fn a_base_mistake_is_not_repeated_for_every_run() {
    assert_snapshot!(with(
        "dropuot = 0.1\n[[runs]]\nname = \"a\"\n[[runs]]\nname = \"b\"\ntraining.epochs = \"2\"\n[grid]\n\"lora.rank\" = [1, 2, 3]\n"
    ));
}

#[test]
fn columns_are_right_after_letters_of_several_bytes() {
    assert_snapshot!(after(
        "[training]",
        "[training] # año\nschedule = \"ñandú\""
    ));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever a slip of the keyboard makes of a file, it is read or complained about, at a place that can be shown.
    #[test]
    fn slips_of_the_keyboard_are_survived(
        at in 0..SLIPPERY.chars().count(),
        taken in 0..12_usize,
        typed in "[\\[\\]={}\",.#\n 0-9a-zéñ$-]{0,6}",
    ) {
        let text: String =
            SLIPPERY.chars().take(at).chain(typed.chars()).chain(SLIPPERY.chars().skip(at + taken)).collect();
        let found = study(&[("sweep", &text)], &[]);
        prop_assert!(found.grids.len() == 1 || !found.problems.is_empty());
        for problem in found.problems.iter() {
            for (span, _) in &problem.labels {
                prop_assert!(span.source.text.get(span.start..span.end).is_some(), "{problem:?}");
            }
        }
        prop_assert_eq!(found.problems.render(Look::Plain, 100).is_empty(), false);
    }
}

const SLIPPERY: &str = r#"
name = "sweep"
kind = "lora"
description = "el año de la ñ"
seeds = [1, 2]
[model]
path = "../${MODELS}/tiny"
[data]
path = "../data/reviews.csv"
[[data.evaluations]]
name = "mine"
rows = [{ text = "good", label = 1 }]
[lora]
rank = 4
targets = ["query", "value"]
[training]
max_length = 64
[[runs]]
name = "año"
training.epochs = 1
[grid]
"lora.rank" = [4, 8]
lora.dropout = [0.0, 0.1]
[[grid.zip]]
"lora.alpha" = [8, 16]
"lora.targets" = [["query"], ["key", "value"]]
[[grid.exclude]]
"lora.rank" = 8
"lora.alpha" = 8
"#;
