//! The same settings and seed leave the same files.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::place::{Left, Place};

/// All files of a run but those that tell when and how fast it ran.
pub fn repeatable(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    const OF_ITS_TIME: [&str; 3] = ["record.json", "measurements.csv", "run.log"];
    let mut files = BTreeMap::new();
    for entry in walkdir::WalkDir::new(folder) {
        let entry = entry.unwrap();
        let name = entry.path().strip_prefix(folder).unwrap();
        if entry.file_type().is_file() && !OF_ITS_TIME.iter().any(|other| name == Path::new(other))
        {
            files.insert(name.to_owned(), fs::read(entry.path()).unwrap());
        }
    }
    files
}

/// Dropout in model and adapter, ragged texts, shuffling, accumulation with a ragged end, a validation split.
const EVERYTHING: &str = r#"
[[runs]]
name = "all"
data.validation_size = 0.2
training.gradient_accumulation = 2
training.batch_size = 7
training.keep = "best"
training.warmup_steps = 2
"#;

#[test]
fn the_same_seed_leaves_the_same_files_byte_for_byte_on_any_number_of_threads() {
    let place = Place::new();
    place.experiment("trial", EVERYTHING);
    for (results, threads) in [("once", 2), ("again", 2), ("alone", 1)] {
        let arguments = ["run", "--device", "cpu", "--results", results];
        let said = place.ensayo_with(&arguments, threads, "");
        assert_eq!(said.code, 0, "{}", said.talk);
    }
    let left = |results: &str| repeatable(&place.path(&format!("{results}/trial/all/seed-1")));
    let once = left("once");
    let names: Vec<_> = once.keys().map(|name| name.to_str().unwrap()).collect();
    assert_eq!(
        names,
        [
            "adapter/README.md",
            "adapter/adapter_config.json",
            "adapter/adapter_model.safetensors",
            "adapter/config.json",
            "classification_report.csv",
            "epochs.csv",
            "metrics.csv",
            "predictions.csv",
            "run.toml",
            "training_log.csv"
        ]
    );
    for other in ["again", "alone"] {
        for (name, content) in left(other) {
            assert!(content == once[&name], "{other}: {}", name.display());
        }
    }
}

#[test]
fn another_seed_trains_another_model_on_the_same_rows() {
    let place = Place::new();
    place.experiment("trial", EVERYTHING);
    place.complete(&[]);
    place.write(
        "experiments/other.toml",
        &fs::read_to_string(place.path("experiments/trial.toml"))
            .unwrap()
            .replace("\"trial\"", "\"other\"")
            .replace("seeds = [1]", "seeds = [2]"),
    );
    place.complete(&["other"]);
    let columns = |left: &Left, range: std::ops::Range<usize>| -> Vec<String> {
        let rows = left.predictions("test");
        let cells = rows
            .iter()
            .flat_map(|row| range.clone().map(|index| row[index].to_owned()));
        cells.collect()
    };
    let (one, two) = (place.left("trial/all@1"), place.left("other/all@2"));
    assert_eq!(columns(&one, 1..3), columns(&two, 1..3));
    assert_ne!(columns(&one, 4..6), columns(&two, 4..6));
}
