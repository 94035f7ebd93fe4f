//! The cells of a grid: their names, order and number.

use std::collections::BTreeSet;

use ensayo::config::{LONGEST_NAME, Settings, name_fault};
use proptest::prelude::*;

use crate::{SOUND, cell_names, laid_out};

fn names(more: &str) -> Vec<String> {
    cell_names(&format!("{SOUND}{more}"))
}

#[test]
fn names_are_short_and_readable() {
    assert_eq!(
        names(
            "[grid]\n\"lora.rank\" = [4, 8]\n\"lora.targets\" = [[\"query\", \"value\"], [\"key\"]]\n"
        ),
        [
            "rank=4,targets=query+value",
            "rank=4,targets=key",
            "rank=8,targets=query+value",
            "rank=8,targets=key"
        ]
    );
    assert_eq!(
        names("[grid]\n\"training.learning_rate\" = [2e-4, 0.001]\n"),
        ["learning_rate=2e-4", "learning_rate=0.001"]
    );
    assert_eq!(
        names("[grid]\n\"data.deduplicate\" = [true, false]\n"),
        ["deduplicate=true", "deduplicate=false"]
    );
}

#[test]
fn keys_that_end_alike_are_told_apart() {
    assert_eq!(
        names("[grid]\n\"lora.dropout\" = [0.0]\n\"model.dropout\" = [0.1]\nlora.rank = [2]\n"),
        ["lora.dropout=0.0,model.dropout=0.1,rank=2"]
    );
}

#[test]
fn named_runs_come_first_and_both_are_a_union() {
    assert_eq!(
        names("[[runs]]\nname = \"b\"\n[[runs]]\nname = \"a\"\n[grid]\n\"lora.rank\" = [1, 2]\n"),
        ["b", "a", "rank=1", "rank=2"]
    );
}

#[test]
fn zipped_axes_move_together_and_stand_where_they_are_written() {
    assert_eq!(
        names(
            "[grid]\n\"training.epochs\" = [1, 2]\n[[grid.zip]]\n\"lora.rank\" = [4, 8]\n\"lora.alpha\" = [16, 32]\n[[grid.exclude]]\n\"lora.rank\" = 8\n\"training.epochs\" = 1\n"
        ),
        [
            "epochs=1,rank=4,alpha=16",
            "epochs=2,rank=4,alpha=16",
            "epochs=2,rank=8,alpha=32"
        ]
    );
}

#[test]
fn values_that_no_folder_can_have_are_replaced_and_stay_different() {
    let found = names("[grid]\n\"data.label\" = [\"a/b\", \"a:b\", \"A-B\", \"plain\"]\n");
    assert_eq!(found[3], "label=plain");
    for name in &found[..3] {
        assert!(name.to_lowercase().starts_with("label=a-b-"), "{name}");
    }
    assert_eq!(
        found
            .iter()
            .map(|name| name.to_lowercase())
            .collect::<BTreeSet<_>>()
            .len(),
        4
    );
    assert_eq!(
        found[0],
        names("[grid]\n\"data.label\" = [\"A-B\", \"a/b\"]\n")[1],
        "the order of the values does not matter"
    );
}

#[test]
fn paths_are_named_by_their_last_part() {
    assert_eq!(
        names("[grid]\n\"data.path\" = [\"../data/reviews.csv\", \"../data/other.csv\"]\n"),
        ["path=reviews.csv", "path=other.csv"]
    );
}

#[test]
fn values_that_only_look_alike_get_different_names() {
    let text = SOUND.replace("path = \"../models/tiny\"", "id = \"org/model\"");
    let found = cell_names(&format!(
        "{text}[grid]\n\"lora.targets\" = [[\"a+b\"], [\"a\", \"b\"]]\n"
    ));
    assert_ne!(found[0], found[1]);
    let found = names(
        "[grid]\n\"data.path\" = [\"../data/reviews.csv\", \"../models/../data/reviews.csv\"]\n",
    );
    assert_ne!(found[0], found[1]);
}

#[test]
fn overlong_names_end_in_a_hash() {
    let module = |layer: usize| format!("\"bert.encoder.layer.{layer}.attention.self.query\"");
    let found = names(&format!(
        "[grid]\n\"lora.targets\" = [[{0}, {1}, \"key\"], [{0}, {1}, \"value\"]]\n\"training.learning_rate\" = [2e-4]\n",
        module(0),
        module(1)
    ));
    assert!(
        found[0] != found[1] && found.iter().all(|name| name.len() == LONGEST_NAME),
        "{found:?}"
    );
}

#[test]
fn neither_runs_nor_grid_is_one_run_called_base() {
    assert_eq!(names(""), ["base"]);
    assert_eq!(names("[grid]\n"), ["base"]);
}

#[derive(Debug, Clone)]
struct Sketch {
    ranks: usize,
    alphas: usize,
    epochs: usize,
    zipped: usize,
    excluded: BTreeSet<(usize, usize)>,
}

impl Sketch {
    fn text(&self) -> String {
        use std::fmt::Write;
        let list = |count: usize| {
            (1..=count)
                .map(|value| value.to_string())
                .collect::<Vec<_>>()
                .join(", ")
        };
        let mut text = format!("{SOUND}[grid]\n");
        for (key, count) in [
            ("lora.rank", self.ranks),
            ("lora.alpha", self.alphas),
            ("training.epochs", self.epochs),
        ] {
            writeln!(text, "\"{key}\" = [{}]", list(count)).unwrap();
        }
        writeln!(
            text,
            "[[grid.zip]]\n\"training.batch_size\" = [{0}]\n\"data.limit\" = [{0}]",
            list(self.zipped)
        )
        .unwrap();
        for (rank, epochs) in &self.excluded {
            writeln!(
                text,
                "[[grid.exclude]]\n\"lora.rank\" = {rank}\n\"training.epochs\" = {epochs}"
            )
            .unwrap();
        }
        text
    }
}

fn sketches() -> impl Strategy<Value = Sketch> {
    (1..5_usize, 1..4_usize, 1..4_usize, 1..4_usize).prop_flat_map(
        |(ranks, alphas, epochs, zipped)| {
            // Always one point fewer than there are, so that something is left.
            proptest::collection::btree_set((1..=ranks, 1..=epochs), 0..ranks * epochs).prop_map(
                move |excluded| Sketch {
                    ranks,
                    alphas,
                    epochs,
                    zipped,
                    excluded,
                },
            )
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_grid_is_its_product_without_the_excluded(sketch in sketches()) {
        let cells = laid_out(&sketch.text(), &[]).cells;
        let kept = sketch.ranks * sketch.epochs - sketch.excluded.len();
        prop_assert_eq!(cells.len(), kept * sketch.alphas * sketch.zipped);
        let of = |cell: &ensayo::grid::Cell| match &cell.settings {
            Settings::Lora(settings) => settings.clone(),
            other => panic!("not lora: {other:?}"),
        };
        for cell in &cells {
            prop_assert_eq!(name_fault(&cell.name), None);
            let settings = of(cell);
            prop_assert_eq!(Some(settings.training.batch_size), settings.data.limit, "the zip moves together");
            prop_assert!(!sketch.excluded.contains(&(settings.lora.rank, settings.training.epochs)));
        }
        let names: BTreeSet<String> = cells.iter().map(|cell| cell.name.to_lowercase()).collect();
        prop_assert_eq!(names.len(), cells.len(), "names are unique");
        let order: Vec<_> = cells.iter().map(|cell| {
            let settings = of(cell);
            (settings.lora.rank, settings.lora.alpha.to_bits(), settings.training.epochs, settings.training.batch_size)
        }).collect();
        prop_assert!(order.is_sorted_by(|one, two| one < two), "in file order, the last axis fastest, no two alike");
        prop_assert_eq!(laid_out(&sketch.text(), &[]).cells, cells, "the same every time");
    }
}

#[test]
fn the_documented_example_lays_out_as_described() {
    let text = r#"
name = "sweep"
kind = "lora"
description = "the ranks of the study"
seeds = [42]

[model]
path = "../models/tiny"

[data]
path = "../data/reviews.csv"
text = "text"
label = "label"
test_size = 0.2
split_seed = 42

[lora]
rank = 8
alpha = 32
targets = ["query", "value"]
dropout = 0.1

[training]
epochs = 3
batch_size = 8
learning_rate = 2e-4
max_length = 64

[[runs]]
name = "attempt-1"
training.epochs = 2

[grid]
"lora.rank" = [4, 8]
[[grid.zip]]
"lora.alpha" = [16, 32]
"lora.targets" = [["query", "value"], ["query", "key", "value"]]
[[grid.exclude]]
"lora.rank" = 8
"lora.alpha" = 16
"#;
    let cells = laid_out(text, &[]).cells;
    let names: Vec<&str> = cells.iter().map(|cell| cell.name.as_str()).collect();
    assert_eq!(
        names,
        [
            "attempt-1",
            "rank=4,alpha=16,targets=query+value",
            "rank=4,alpha=32,targets=query+key+value",
            "rank=8,alpha=32,targets=query+key+value",
        ]
    );
    assert_eq!(cells[0].axes, []);
    let axis = |key: &str, value: &str| (key.to_owned(), value.to_owned());
    assert_eq!(
        cells[1].axes,
        [
            axis("lora.rank", "4"),
            axis("lora.alpha", "16"),
            axis("lora.targets", "query+value")
        ]
    );
}
