//! Mistakes in `[grid]`.

use insta::assert_snapshot;

use crate::with;

#[test]
fn axes_that_name_no_setting_are_suggested() {
    assert_snapshot!(with(
        "[grid]\n\"lora.rnak\" = [1]\nepochs = [1]\nlr = [1e-3]\n\"lora.colour\" = [1]\nlora.dorpout = [0.1]\n[[grid.zips]]\na = 1\n"
    ));
}

#[test]
fn axes_must_be_lists_with_something_in_them() {
    assert_snapshot!(with(
        "[grid]\n\"lora.rank\" = 4\n\"lora.alpha\" = []\n\"lora.targets\" = [\"query\", \"value\"]\n"
    ));
}

#[test]
fn axis_values_are_checked_like_settings() {
    assert_snapshot!(with(
        "[grid]\n\"lora.rank\" = [4, 0, \"8\", 33]\n\"training.keep\" = [\"last\", \"best\"]\n"
    ));
}

#[test]
fn values_that_come_twice_are_refused() {
    assert_snapshot!(with("[grid]\n\"lora.alpha\" = [8, 16, 8.0]\n"));
    assert_snapshot!(with(
        "[[grid.zip]]\n\"lora.alpha\" = [8, 16, 8]\n\"lora.rank\" = [4, 4, 4]\n"
    ));
}

#[test]
fn axes_that_move_together_are_equally_long() {
    assert_snapshot!(with(
        "[[grid.zip]]\n\"lora.alpha\" = [8, 16]\n\"lora.rank\" = [4, 8, 16]\n"
    ));
    assert_snapshot!(with("[[grid.zip]]\n\"lora.alpha\" = [8, 16]\n"));
}

#[test]
fn a_setting_has_one_axis() {
    assert_snapshot!(with(
        "[grid]\n\"lora.rank\" = [4, 8]\nlora.rank = [1, 2]\n[[grid.zip]]\n\"lora.rank\" = [1, 2]\n\"lora.alpha\" = [1, 2]\n"
    ));
}

#[test]
fn excludes_must_exclude_something_but_not_everything() {
    let grid = "[grid]\n\"lora.rank\" = [4, 8]\n\"lora.alpha\" = [8, 16]\n";
    assert_snapshot!(with(&format!(
        "{grid}[[grid.exclude]]\n\"lora.rnk\" = 4\n[[grid.exclude]]\n\"lora.rank\" = 5\n[[grid.exclude]]\n"
    )));
    assert_snapshot!(with(&format!(
        "{grid}[[grid.exclude]]\n\"lora.rank\" = 4\n[[grid.exclude]]\nlora.rank = 8.0\n"
    )));
    assert_snapshot!(with(
        "[[grid.zip]]\n\"lora.rank\" = [4, 8]\n\"lora.alpha\" = [8, 16]\n[[grid.exclude]]\n\"lora.rank\" = 4\n\"lora.alpha\" = 16\n"
    ));
}

#[test]
fn a_broken_axis_leads_to_no_further_complaints() {
    let text = crate::SOUND.replace("targets = [\"query\", \"value\"]", "");
    assert_snapshot!(crate::complaints(&format!(
        "{text}keep = \"best\"\n[grid]\n\"lora.targets\" = [\"query\"]\n\"data.valdation_size\" = [0.1]\n"
    )));
}

#[test]
fn one_bracket_too_few_says_so() {
    assert_snapshot!(with("[grid.zip]\n\"lora.rank\" = [4, 8]\n"));
}

#[test]
fn a_named_run_cannot_have_a_points_name() {
    assert_snapshot!(with(
        "[[runs]]\nname = \"rank=8\"\n[grid]\n\"lora.rank\" = [4, 8]\n"
    ));
}

#[test]
fn grids_beyond_all_measure_are_refused_at_once() {
    let list = |count: usize| {
        (1..=count)
            .map(|value| value.to_string())
            .collect::<Vec<_>>()
            .join(", ")
    };
    let found = with(&format!(
        "[grid]\n\"data.split_seed\" = [{}]\n\"data.limit\" = [{}]\n",
        list(4000),
        list(3999)
    ));
    assert!(
        found.contains("the grid has 15996000 points, more than 10000"),
        "{found}"
    );
}
