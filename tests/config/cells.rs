//! What only shows when a whole cell is looked at.

use ensayo::config::Origin;
use insta::assert_snapshot;

use crate::{SOUND, after, complaints, laid_out, lora, with};

#[test]
fn targets_that_the_model_does_not_have_are_suggested() {
    assert_snapshot!(after(
        "[\"query\", \"value\"]",
        "[\"query\", \"valeu\", \"q_proj\", \"classifier\", \"query\"]"
    ));
}

#[test]
fn no_targets_get_an_example() {
    assert_snapshot!(after("targets = [\"query\", \"value\"]", ""));
    assert_snapshot!(after("[\"query\", \"value\"]", "[]"));
}

#[test]
fn the_rank_is_at_most_the_narrowest_layers() {
    assert_snapshot!(after("rank = 4", "rank = 33"));
}

#[test]
fn texts_are_at_most_as_long_as_the_model_reads() {
    assert_snapshot!(after("max_length = 64", "max_length = 65"));
    assert_snapshot!(after("max_length = 64", ""));
}

#[test]
fn choosing_on_the_test_split_is_refused() {
    assert_snapshot!(with("keep = \"best\"\nearly_stopping = 2\n"));
}

#[test]
fn a_wrong_validation_size_is_the_only_complaint() {
    let text = format!(
        "{}keep = \"best\"\n",
        SOUND.replace("reviews.csv\"", "reviews.csv\"\nvalidation_size = 2.0")
    );
    assert_snapshot!(complaints(&text));
}

#[test]
fn a_model_is_named_in_exactly_one_way() {
    assert_snapshot!(after("path = \"../models/tiny\"", "precision = \"f32\""));
    assert_snapshot!(after(
        "path = \"../models/tiny\"",
        "path = \"../models/tiny\"\nid = \"a/b\""
    ));
    assert_snapshot!(after(
        "path = \"../models/tiny\"",
        "path = \"../models/tiny\"\nrevision = \"v2\""
    ));
}

#[test]
fn a_run_that_names_another_model_replaces_the_bases() {
    let text = SOUND.replace(
        "path = \"../models/tiny\"",
        "id = \"org/model\"\nrevision = \"v2\"",
    );
    let grid = laid_out(
        &format!("{text}[[runs]]\nname = \"local\"\nmodel.path = \"../models/tiny\"\n"),
        &[],
    );
    let origin = &lora(&grid).model.origin;
    assert_eq!(*origin, Origin::Folder("models/tiny".into()));
}

#[test]
fn model_folders_that_cannot_be_used_say_why() {
    assert_snapshot!(after("models/tiny", "models/tyny"));
    assert_snapshot!(after("models/tiny", "data/reviews.csv"));
    assert_snapshot!(after("models/tiny", "models/bare"));
    assert_snapshot!(after("models/tiny", "models/odd"));
    assert_snapshot!(after("models/tiny", "models/other"));
}

#[test]
fn missing_files_say_where_they_were_looked_for() {
    let text = SOUND.replace(
        "reviews.csv\"",
        "review.csv\"\ntest_path = \"/nowhere/test.csv\"",
    );
    assert_snapshot!(complaints(&text));
}

#[test]
fn variables_in_paths_come_from_the_environment() {
    let grid = laid_out(&SOUND.replace("../models", "../${MODELS}"), &[]);
    let origin = &lora(&grid).model.origin;
    assert_eq!(*origin, Origin::Folder("models/tiny".into()));
    assert_snapshot!(after("../models/tiny", "${MINILM}"));
    assert_snapshot!(after("../models/tiny", "${MINILM"));
}

#[test]
fn the_split_is_given_in_at_most_one_way() {
    assert_snapshot!(after(
        "reviews.csv\"",
        "reviews.csv\"\ntest_size = 0.1\ntest_path = \"../data/other.csv\""
    ));
    assert_eq!(lora(&laid_out(SOUND, &[])).data.test_size, Some(0.2));
    let own = SOUND.replace(
        "reviews.csv\"",
        "reviews.csv\"\ntest_path = \"../data/other.csv\"",
    );
    assert_eq!(lora(&laid_out(&own, &[])).data.test_size, None);
}

#[test]
fn a_stratified_split_takes_scikit_learns_seeds() {
    let split = |seed: &str| format!("reviews.csv\"\nsplit = \"stratified\"\nsplit_seed = {seed}");
    let said = after("reviews.csv\"", &split("4294967296"));
    assert!(
        said.contains("`data.split_seed` is 4294967296, but must be below 2^32"),
        "{said}"
    );
    let sound = SOUND.replace("reviews.csv\"", &split("4294967295"));
    let split = lora(&laid_out(&sound, &[])).data.split;
    assert_eq!(split, ensayo::config::SplitKind::Stratified);
}

#[test]
fn evaluations_are_named_and_filled() {
    assert_snapshot!(with(
        r#"
[[data.evaluations]]
name = "test"
path = "../data/other.csv"
[[data.evaluations]]
name = "mine"
rows = [{ text = "good", label = 1 }, { text = " ", label = "x" }]
[[data.evaluations]]
name = "mine"
path = "../data/gone.csv"
[[data.evaluations]]
name = "both"
path = "../data/other.csv"
rows = [{ text = "good", label = 1 }]
[[data.evaluations]]
name = "neither"
"#
    ));
}

#[test]
fn broken_evaluations_are_shown_at_the_row() {
    assert_snapshot!(with(
        r#"
[[data.evaluations]]
name = "mine"
rows = [{ text = "good", label = 1.5 }, { text = "bad" }, { txet = "bad", label = 0 }]
[[data.evaluations]]
path = "../data/other.csv"
"#
    ));
}

#[test]
fn an_adapter_to_start_from_brings_rank_alpha_targets_and_dropout() {
    let text = SOUND.replace(
        "rank = 4\ntargets = [\"query\", \"value\"]",
        "init = \"../adapters/first\"",
    );
    let grid = laid_out(&text, &[]);
    let lora = &lora(&grid).lora;
    assert_eq!(
        (lora.rank, lora.alpha, lora.targets.as_slice(), lora.dropout),
        (
            16,
            32.0,
            ["query".to_owned(), "value".to_owned()].as_slice(),
            0.1
        )
    );
    let again = SOUND.replace(
        "rank = 4",
        "rank = 16\nalpha = 32\ndropout = 0.1\ninit = \"../adapters/first\"",
    );
    assert_eq!(
        crate::lora(&laid_out(&again, &[])).lora,
        *lora,
        "the same values may stand there"
    );
}

#[test]
fn an_adapters_expression_stands_for_the_modules_it_matches() {
    let with_init = |name: &str| {
        SOUND.replace(
            "rank = 4\ntargets = [\"query\", \"value\"]",
            &format!("init = \"../adapters/{name}\""),
        )
    };
    let grid = laid_out(&with_init("expression"), &[]);
    assert_eq!(
        lora(&grid).lora.targets,
        [
            "bert.encoder.layer.1.attention.self.query",
            "bert.encoder.layer.1.attention.self.value"
        ]
    );
    let problems = after(
        "rank = 4\ntargets = [\"query\", \"value\"]",
        "init = \"../adapters/unmatched\"",
    );
    assert!(
        problems.contains("`q_proj` matches no linear layer"),
        "{problems}"
    );
}

#[test]
fn settings_other_than_the_adapters_are_refused() {
    assert_snapshot!(after("rank = 4", "rank = 4\ninit = \"../adapters/first\""));
    assert_snapshot!(after(
        "rank = 4\ntargets = [\"query\", \"value\"]",
        "targets = [\"query\"]\ninit = \"../adapters/first\""
    ));
    let dropout = after(
        "rank = 4\ntargets = [\"query\", \"value\"]",
        "dropout = 0.5\ninit = \"../adapters/first\"",
    );
    assert!(
        dropout.contains("`lora.dropout` is 0.5, but the adapter this starts from has 0.1"),
        "{dropout}"
    );
}

#[test]
fn adapters_that_cannot_be_started_from_say_why() {
    let with_init = |name: &str| {
        after(
            "rank = 4\ntargets = [\"query\", \"value\"]",
            &format!("init = \"../adapters/{name}\""),
        )
    };
    assert_snapshot!(with_init("dora"));
    assert_snapshot!(with_init("broken"));
    assert_snapshot!(with_init("gone"));
    // What a run would refuse.
    let said = with_init("later");
    assert!(
        said.contains("`layers_to_transform`") && said.contains("not supported"),
        "{said}"
    );
}

#[test]
fn a_string_of_targets_means_what_it_means_to_peft() {
    let targets = |word: &str| {
        let text = SOUND.replace("[\"query\", \"value\"]", word);
        lora(&laid_out(&text, &[])).lora.targets.clone()
    };
    // Every linear layer below the head.
    assert_eq!(
        targets("\"all-linear\""),
        [
            "attention_output",
            "intermediate",
            "key",
            "output",
            "pooler",
            "query",
            "value"
        ]
    );
    assert_eq!(
        targets(r"'.*\.1\..*\.(query|value)'"),
        [
            "bert.encoder.layer.1.attention.self.query",
            "bert.encoder.layer.1.attention.self.value"
        ]
    );
    // The expression has to match a whole name.
    let problems = after("[\"query\", \"value\"]", "\"query\"");
    assert!(
        problems.contains("`lora.targets`: the expression `query` matches no linear layer")
            && problems.contains("a list names layers"),
        "{problems}"
    );
    let problems = after("[\"query\", \"value\"]", "'(?<=x)query'");
    assert!(problems.contains("look-around"), "{problems}");
}

#[test]
fn an_adapter_of_all_linear_layers_can_be_started_from() {
    let text = SOUND.replace(
        "rank = 4\ntargets = [\"query\", \"value\"]",
        "init = \"../adapters/all-linear\"",
    );
    assert_eq!(lora(&laid_out(&text, &[])).lora.targets.len(), 7);
}

#[test]
fn a_hub_models_revision_defaults_to_main() {
    let grid = laid_out(
        &SOUND.replace("path = \"../models/tiny\"", "id = \"org/model\""),
        &[],
    );
    let hub = Origin::Hub {
        id: "org/model".to_owned(),
        revision: "main".to_owned(),
    };
    assert_eq!(lora(&grid).model.origin, hub);
}

#[test]
fn a_model_of_the_hub_that_is_here_is_looked_at_like_a_folder() {
    let text = SOUND.replace("path = \"../models/tiny\"", "id = \"org/tiny\"");
    assert_eq!(complaints(&text), "0 problems\n");
    let said = complaints(&text.replace("\"value\"", "\"valeu\""));
    assert!(said.contains("did you mean \"value\"?"), "{said}");
    let long = complaints(&text.replace("max_length = 64", "max_length = 65"));
    assert!(long.contains("the model reads at most 64 tokens"), "{long}");
    // Of another revision nothing is here.
    let other = text.replace("org/tiny\"", "org/tiny\"\nrevision = \"v1\"");
    assert_eq!(
        complaints(&other.replace("\"value\"", "\"valeu\"")),
        "0 problems\n"
    );
}

#[test]
fn what_cannot_be_a_name_on_the_hub_is_refused_at_its_key() {
    for (key, value) in [
        ("id", "a/b/c"),
        ("id", "../tiny"),
        ("revision", "a b"),
        ("revision", ""),
    ] {
        let model = match key {
            "id" => format!("id = \"{value}\""),
            _ => format!("id = \"a/b\"\nrevision = \"{value}\""),
        };
        let said = after("path = \"../models/tiny\"", &model);
        assert!(
            said.contains(&format!("`model.{key}`: `{value}` cannot be")),
            "{said}"
        );
    }
}
