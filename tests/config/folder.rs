//! Experiments in a real folder.

use std::fs;

use ensayo::config::{self, System};
use ensayo::grid::expand;

#[test]
fn toml_files_below_the_folder_are_read_in_order_and_others_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir_all(folder.path().join("experiments/more/.hidden")).unwrap();
    fs::write(folder.path().join("data.csv"), "text,label\n").unwrap();
    let experiment = |name: &str, up: &str| {
        format!(
            "name = \"{name}\"\nkind = \"rag\"\ndocument.path = \"{up}/data.csv\"\nembedder.kind = \"bm25\"\ngenerator.kind = \"none\"\nchunks.size = 300\nchunks.overlap = 100\nretrieval.top_k = 1\n\
             [[questions]]\nid = \"why\"\ntext = \"Why?\"\n"
        )
    };
    let write = |path: &str, text: &str| {
        fs::write(folder.path().join("experiments").join(path), text).unwrap();
    };
    write("b.toml", &experiment("b", ".."));
    write("a.toml", &experiment("a", ".."));
    write("more/c.toml", &experiment("c", "../.."));
    write("notes.md", "not an experiment");
    write("more/.hidden/d.toml", "broken");
    let loaded = config::load(&folder.path().join("experiments"), &[]).unwrap();
    let study = expand(loaded, &System);
    assert!(study.problems.is_empty(), "{}", study.problems);
    let names: Vec<&str> = study
        .grids
        .iter()
        .map(|grid| grid.experiment.name.as_str())
        .collect();
    assert_eq!(names, ["a", "b", "c"]);
}

#[test]
fn encoders_that_cannot_be_loaded_are_refused_at_their_key() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("data.csv"), "text,label\n").unwrap();
    fs::write(
        folder.path().join("hub.toml"),
        "name = \"hub\"\nkind = \"lora\"\nmodel.id = \"a/b/c\"\ndata.path = \"data.csv\"\nlora.targets = [\"query\"]\n\
         [grid]\n\"model.precision\" = [\"f32\", \"nf4\"]\n",
    )
    .unwrap();
    let study = expand(config::load(folder.path(), &[]).unwrap(), &System);
    let shown = study.problems.to_string();
    assert!(
        shown.contains("`a/b/c` cannot be the name of a model on the hub")
            && shown.contains("hub.toml:3:12"),
        "{shown}"
    );
    assert!(
        shown.contains("encoders are held in 32 or 16 bits") && shown.contains("hub.toml:7:29"),
        "{shown}"
    );
    assert_eq!(study.problems.iter().count(), 2, "{shown}");
}

#[test]
fn bytes_that_are_not_utf8_are_a_problem_of_their_file_alone() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(
        folder.path().join("latin.toml"),
        b"name = \"latin\"\ndescription = \"a\xf1o\"\n",
    )
    .unwrap();
    let loaded = config::load(folder.path(), &[]).unwrap();
    let shown = loaded.problems.to_string();
    assert!(
        shown.contains("latin.toml: not UTF-8: byte 31, in line 2"),
        "{shown}"
    );
}

#[test]
fn a_missing_folder_says_how_to_name_another() {
    let error = config::load("gone/experiments".as_ref(), &[]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "no folder `gone/experiments`; run where your experiments are, or name their folder with --experiments"
    );
}
