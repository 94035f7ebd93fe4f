//! The keys at the top of a file, and files that are no TOML.

use insta::assert_snapshot;

use crate::{SOUND, after, complaints, laid_out, study, with};

#[test]
fn mistakes_in_endless_lines_are_told_by_their_place() {
    let said = with(&format!("seeds = [{}]\n", "1, ".repeat(60_000)));
    assert!(
        said.contains("experiments/sweep.toml:1"),
        "{}",
        &said[..300]
    );
    assert!(said.len() < 20_000, "{}", said.len());
}

#[test]
fn of_very_many_mistakes_the_first_hundred_are_shown() {
    use std::fmt::Write as _;
    let mut keys = String::new();
    for index in 0..300 {
        writeln!(keys, "odd_{index} = 1").unwrap();
    }
    let said = with(&keys);
    assert!(
        said.contains("and 200 more") && said.contains("300 problems"),
        "{}",
        &said[said.len() - 100..]
    );
}

#[test]
fn broken_toml_is_shown_where_it_breaks() {
    assert_snapshot!(after("rank = 4", "rank = "));
}

#[test]
fn text_that_is_no_toml_is_shown_with_the_parsers_words() {
    assert_snapshot!(after("[lora]", "[lora"));
    assert_snapshot!(after("kind = \"lora\"", "kind = lora"));
}

#[test]
fn a_key_twice_is_shown_at_the_second() {
    assert_snapshot!(after("rank = 4", "rank = 4\nrank = 8"));
}

#[test]
fn an_empty_file_says_what_to_begin_with() {
    assert_snapshot!(complaints(""));
}

#[test]
fn the_name_must_be_the_files() {
    assert_snapshot!(after("name = \"sweep\"", "name = \"sweeps\""));
}

#[test]
fn a_kind_that_is_none_gets_a_suggestion() {
    assert_snapshot!(after("kind = \"lora\"", "kind = \"Lora\""));
}

#[test]
fn seeds_must_be_different_whole_numbers() {
    assert_snapshot!(after("kind", "seeds = [1, 2, 1, -3, 0.5]\nkind"));
    assert_snapshot!(after("kind", "seeds = []\nkind"));
    assert_snapshot!(after("kind", "seeds = 7\nkind"));
}

#[test]
fn seeds_default_to_42() {
    assert_eq!(laid_out(SOUND, &[]).experiment.seeds, [42]);
    assert_eq!(
        laid_out(&SOUND.replace("kind", "seeds = [3, 1]\nkind"), &[])
            .experiment
            .seeds,
        [3, 1]
    );
}

#[test]
fn the_frame_of_a_file_is_checked_like_the_rest() {
    assert_snapshot!(after(
        "kind = \"lora\"",
        "kind = \"lora\"\ndescription = 3\nsedes = [1]\nruns = \"a\"\ngrid = 3"
    ));
}

#[test]
fn two_files_cannot_hold_experiments_of_one_name() {
    assert_snapshot!(
        study(
            &[
                ("a/sweep", &SOUND.replace("../", "../../")),
                (
                    "b/Sweep",
                    &SOUND
                        .replace("../", "../../")
                        .replace("\"sweep\"", "\"Sweep\"")
                )
            ],
            &[]
        )
        .problems
    );
}

#[test]
fn all_files_are_checked_at_once() {
    let one = SOUND
        .replace("sweep", "one")
        .replace("rank = 4", "rank = 0");
    let two = SOUND
        .replace("sweep", "two")
        .replace("[training]", "[trainig]");
    let three = "name = ";
    let found = study(
        &[
            ("one", &one),
            ("two", &two),
            ("three", three),
            ("sweep", SOUND),
        ],
        &[],
    );
    assert_eq!(found.grids.len(), 1, "the sound one is still there");
    assert_snapshot!(found.problems);
}

#[test]
fn run_names_must_serve_as_folders() {
    assert_snapshot!(with(
        "
[[runs]]
name = \"a/b\"
[[runs]]
name = \"\"
[[runs]]
training.epochs = 2
[[runs]]
name = 3
[[runs]]
name = \"Twin\"
[[runs]]
name = \"twin\"
[[runs]]
name = \"twin\"
"
    ));
}

#[test]
fn an_overlong_run_name_says_its_length() {
    assert_snapshot!(with(&format!(
        "[[runs]]\nname = \"{}\"\n",
        "long-".repeat(21)
    )));
}
