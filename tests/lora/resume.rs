//! A training that is killed goes on where it was, and ends like one that never was.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::thread::sleep;
use std::time::Duration;

use ensayo::record::Status;

use crate::place::Place;
use crate::processes::{can_find_children, children, kill_tree, start};
use crate::repeat::repeatable;

/// Long enough to be killed in, with everything that a checkpoint has to carry.
const LONG: &str = r#"
[[runs]]
name = "long"
data.validation_size = 0.2
training.epochs = 250
training.micro_batch_size = 1
training.gradient_accumulation = 2
training.keep = "best"
training.early_stopping = 240
"#;

/// The checkpoints of unfinished work.
fn checkpoints(place: &Place) -> Vec<PathBuf> {
    let work = fs::read_dir(place.path("results/.work"))
        .into_iter()
        .flatten();
    let files = work
        .flatten()
        .map(|folder| folder.path().join("checkpoint.safetensors"));
    files.filter(|path| path.exists()).collect()
}

fn wait_for_checkpoint(place: &Place) {
    for _ in 0..600 {
        if !checkpoints(place).is_empty() {
            return;
        }
        sleep(Duration::from_millis(10));
    }
    panic!("no checkpoint appeared");
}

#[test]
fn a_killed_training_goes_on_and_leaves_the_files_of_an_undisturbed_one() {
    if !can_find_children() {
        // Child processes cannot be found here, and killing the parent alone proves less.
        return;
    }
    let place = Place::new();
    place.experiment("trial", LONG);
    let undisturbed = Place::new();
    undisturbed.experiment("trial", LONG);
    undisturbed.complete(&[]);

    let left = place.left("trial/long@1");
    for pause in [0, 40, 110, 15] {
        let mut run = start(&place, &[]);
        wait_for_checkpoint(&place);
        sleep(Duration::from_millis(pause));
        kill_tree(&mut run);
        let ended = left.0.join("record.json").exists();
        assert!(!ended, "the run was too short to be killed");
    }
    let said = place.complete(&[]);
    assert!(said.talk.contains("goes on after step"), "{}", said.talk);
    assert!(checkpoints(&place).is_empty());
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
    let mut run = start(&place, &[]);
    wait_for_checkpoint(&place);
    kill_tree(&mut run);
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
    // That of the other settings waits for them to come back.
    assert_eq!(checkpoints(&place).len(), 1);
    let said = place.complete(&[]);
    assert!(said.talk.contains("goes on after step"), "{}", said.talk);
    assert!(checkpoints(&place).is_empty());
}

#[test]
fn ending_all_processes_of_a_sweep_interrupts_it_and_fails_nothing() {
    if !can_find_children() {
        return;
    }
    let place = Place::new();
    place.experiment("trial", LONG);
    for signal in ["-TERM", "-INT", "-HUP"] {
        let mut run = start(&place, &[]);
        wait_for_checkpoint(&place);
        let mut pids = children(run.id());
        assert_eq!(pids.len(), 1);
        // The child first, so that the parent sees it end before it knows why.
        pids.push(run.id().to_string());
        let sent = Command::new("kill").arg(signal).args(&pids).status();
        assert!(sent.unwrap().success());
        assert_eq!(run.wait().unwrap().code(), Some(130), "{signal}");
        let record = place.left("trial/long@1").record();
        assert_eq!(record.status, Status::Interrupted, "{signal}");
        let plan = place.ensayo_with(&["plan", "--device", "cpu"], 2, "");
        assert!(
            plan.output.contains("interrupted before"),
            "{}",
            plan.output
        );
    }
    let said = place.complete(&[]);
    assert!(said.talk.contains("goes on after step"), "{}", said.talk);
}
