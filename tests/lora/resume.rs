//! A training that is killed goes on where it was, and ends like one that never was.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use crate::place::Place;
use crate::repeat::repeatable;

/// Long enough to be killed in, with everything that a checkpoint has to carry.
const LONG: &str = r#"
[[runs]]
name = "long"
data.validation_size = 0.2
training.epochs = 250
training.gradient_accumulation = 2
training.keep = "best"
training.early_stopping = 240
"#;

fn start(place: &Place) -> Child {
    Command::new(env!("CARGO_BIN_EXE_ensayo"))
        .args(["run", "--device", "cpu"])
        .current_dir(place.path(""))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Process ids of a process's children, where the system shows them.
fn children(parent: u32) -> Vec<String> {
    let parent = parent.to_string();
    let is_child = |pid: &str| {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        // The fields after the name in parentheses: state, parent …
        let after = stat.rsplit_once(')').map_or("", |(_, after)| after);
        after.split_whitespace().nth(1) == Some(&parent)
    };
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
    names.filter(|name| is_child(name)).collect()
}

/// Kills a process and its children at once, without a chance to clean up.
fn kill(parent: &mut Child) {
    let mut pids = children(parent.id());
    pids.push(parent.id().to_string());
    let _ = Command::new("kill")
        .arg("-9")
        .args(&pids)
        .stderr(Stdio::null())
        .status();
    parent.wait().unwrap();
}

fn wait_for(path: &Path) {
    for _ in 0..600 {
        if path.exists() {
            return;
        }
        sleep(Duration::from_millis(10));
    }
    panic!("{} did not appear", path.display());
}

#[test]
fn a_killed_training_goes_on_and_leaves_the_files_of_an_undisturbed_one() {
    if !Path::new("/proc/self/stat").exists() {
        // Child processes cannot be found here, and killing the parent alone proves less.
        return;
    }
    let place = Place::new();
    place.experiment("trial", LONG);
    let undisturbed = Place::new();
    undisturbed.experiment("trial", LONG);
    undisturbed.complete(&[]);

    let left = place.left("trial/long@1");
    let checkpoint = left.0.join("checkpoint.safetensors");
    for pause in [0, 40, 110, 15] {
        let mut run = start(&place);
        wait_for(&checkpoint);
        sleep(Duration::from_millis(pause));
        kill(&mut run);
        let ended = left.0.join("record.json").exists();
        assert!(!ended, "the run was too short to be killed");
    }
    let said = place.complete(&[]);
    assert!(said.talk.contains("goes on after step"), "{}", said.talk);
    assert!(!checkpoint.exists());
    let (ours, theirs) = (
        repeatable(&left.0),
        repeatable(&undisturbed.left("trial/long@1").0),
    );
    assert_eq!(
        ours.keys().collect::<Vec<_>>(),
        theirs.keys().collect::<Vec<_>>()
    );
    for (name, content) in ours {
        assert!(content == theirs[&name], "{}", name.display());
    }
}

#[test]
fn a_checkpoint_of_other_settings_is_not_gone_on_from() {
    let place = Place::new();
    place.experiment("trial", LONG);
    let mut run = start(&place);
    let checkpoint = place.left("trial/long@1").0.join("checkpoint.safetensors");
    wait_for(&checkpoint);
    kill(&mut run);
    let said = place.complete(&[
        "--set",
        "training.epochs=3",
        "--set",
        "training.early_stopping=2",
    ]);
    assert!(!said.talk.contains("goes on after step"), "{}", said.talk);
    assert_eq!(
        place
            .left("trial/long@1")
            .rows::<ensayo::record::EpochRow>()
            .len(),
        3
    );
    assert!(!checkpoint.exists());
}
