//! `--set key=value`.

use ensayo::config::{Look, Origin, unused_overrides};
use insta::assert_snapshot;

use crate::{SOUND, laid_out, lora, study};

fn complaints(text: &str, overrides: &[&str]) -> String {
    study(&[("sweep", text)], overrides)
        .problems
        .render(Look::Plain, 100)
}

#[test]
fn the_command_line_wins_over_base_and_named_runs() {
    let text = format!("{SOUND}epochs = 2\n[[runs]]\nname = \"a\"\ntraining.epochs = 4\n");
    let grid = laid_out(
        &text,
        &[
            "training.epochs=1",
            "lora.targets=[\"key\"]",
            "training.schedule=cosine",
        ],
    );
    assert_eq!(lora(&grid).training.epochs, 1);
    assert_eq!(lora(&grid).lora.targets, ["key"]);
    assert_eq!(
        grid.experiment.overrides,
        [
            "training.epochs=1",
            "lora.targets=[\"key\"]",
            "training.schedule=cosine"
        ]
    );
}

#[test]
fn the_last_of_two_for_one_key_wins() {
    assert_eq!(
        lora(&laid_out(SOUND, &["lora.rank=1", "lora.rank=2"]))
            .lora
            .rank,
        2
    );
}

#[test]
fn another_model_replaces_the_files() {
    let text = SOUND.replace("path = \"../models/tiny\"", "id = \"org/model\"");
    let grid = laid_out(&text, &["model.path=models/tiny"]);
    assert_eq!(
        lora(&grid).model.origin,
        Origin::Folder("models/tiny".into()),
        "from the current folder, not the file's"
    );
}

#[test]
fn a_variable_need_not_be_set_for_a_path_that_is_replaced() {
    let text = SOUND.replace("../models/tiny", "${MINILM}");
    assert_eq!(
        lora(&laid_out(&text, &["model.path=models/tiny"]))
            .model
            .origin,
        Origin::Folder("models/tiny".into())
    );
}

#[test]
fn seeds_can_be_set() {
    assert_eq!(laid_out(SOUND, &["seeds=[1, 2]"]).experiment.seeds, [1, 2]);
}

#[test]
fn mistakes_on_the_command_line_are_shown_there() {
    assert_snapshot!(complaints(
        SOUND,
        &[
            "lora.rnak=2",
            "lora.rank=0",
            "training.epochs=two",
            "epochs",
            "name=x",
            "data.path=gone.csv",
            "seeds=[1, 1]"
        ]
    ));
}

#[test]
fn a_value_that_only_fails_with_the_model_is_shown_on_the_command_line() {
    assert_snapshot!(complaints(SOUND, &["lora.rank=64"]));
}

#[test]
fn an_axis_cannot_be_set() {
    let text = format!("{SOUND}[grid]\n\"lora.rank\" = [1, 2]\n");
    assert_snapshot!(complaints(&text, &["lora.rank=4"]));
}

#[test]
fn experiments_without_the_setting_are_left_as_they_are() {
    let rag = crate::kinds::RAG;
    let both = study(&[("manual", rag), ("sweep", SOUND)], &["training.epochs=1"]);
    assert!(both.problems.is_empty(), "{}", both.problems);
    let overrides = ["training.epochs=1".to_owned()];
    let experiments = || both.grids.iter().map(|grid| &grid.experiment);
    assert!(unused_overrides(&overrides, experiments()).is_empty());
    assert_snapshot!(unused_overrides(
        &overrides,
        experiments().filter(|experiment| experiment.name == "manual")
    ));
}
