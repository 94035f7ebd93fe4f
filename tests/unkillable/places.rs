//! Places that fail: full, read-only, shared, or another version's. Each is told in one message with a way out, and afterwards the same command
//! finishes.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::place::{Place, Said};
use crate::processes::start;
use crate::tree::assert_alike;

const RUNS: &str = "[[runs]]\nname = \"a\"\n[[runs]]\nname = \"b\"\nlora.rank = 2\n";

fn place() -> Place {
    let place = Place::new();
    place.experiment("trial", RUNS);
    place
}

/// A file system of a size of its own on a folder of a place, gone with this.
struct Mount(PathBuf);

impl Mount {
    /// Mounts one, or says that the test is skipped.
    fn new(folder: PathBuf, size: &str) -> Option<Self> {
        fs::create_dir_all(&folder).unwrap();
        let options = format!("size={size}");
        let mut command = Command::new("mount");
        command
            .args(["-t", "tmpfs", "-o", &options, "tmpfs"])
            .arg(&folder);
        if command.output().is_ok_and(|output| output.status.success()) {
            return Some(Self(folder));
        }
        eprintln!("skipped: file systems cannot be mounted here");
        None
    }

    fn remount(&self, option: &str) {
        let options = format!("remount,{option}");
        let mut command = Command::new("mount");
        let status = command
            .args(["-o", &options])
            .arg(&self.0)
            .status()
            .unwrap();
        assert!(status.success(), "{options}");
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

/// A file that takes all the room that is left.
fn fill(folder: &Path) -> PathBuf {
    let path = folder.join("ballast");
    let mut size = 1 << 20;
    let mut content = Vec::new();
    while size > 0 {
        // Past the end of the room, as much is written as fits.
        content.resize(content.len() + size, 0);
        if fs::write(&path, &content).is_err() {
            content.truncate(content.len() - size);
            size /= 2;
        }
    }
    let _ = fs::write(&path, &content);
    path
}

/// The lines of the talk that speak of a failed write.
fn complaints(said: &Said) -> Vec<&str> {
    let lines = said.talk.lines();
    lines.filter(|line| line.contains("cannot write")).collect()
}

fn finishes_like_an_undisturbed_one(place: &Place) {
    place.complete(&[]);
    place.complete(&["--results", "undisturbed"]);
    assert_alike(&place.path("results"), &place.path("undisturbed"));
}

#[test]
fn a_disk_that_is_full_from_the_start_is_told_and_the_sweep_goes_on_later() {
    let place = place();
    let Some(mount) = Mount::new(place.path("results"), "2m") else {
        return;
    };
    let ballast = fill(&mount.0);
    let said = place.run(&[]);
    assert_eq!(said.code, 1, "{}", said.talk);
    let [told] = complaints(&said)[..] else {
        panic!("{}", said.talk);
    };
    assert!(
        told.contains("results/trial") && told.contains("free some space and run again"),
        "{told}"
    );
    fs::remove_file(ballast).unwrap();
    finishes_like_an_undisturbed_one(&place);
}

#[test]
fn a_disk_that_fills_up_fails_the_runs_that_need_more_and_loses_no_other() {
    let place = place();
    let Some(mount) = Mount::new(place.path("results"), "2m") else {
        return;
    };
    // The first run is done, the second finds room for its settings and logs, but for no checkpoint.
    place.complete(&["trial/a"]);
    let before = fs::read(place.path("results/trial/a/seed-1/record.json")).unwrap();
    let ballast = fill(&mount.0);
    let content = fs::read(&ballast).unwrap();
    fs::write(&ballast, &content[..content.len() - (20 << 10)]).unwrap();
    let said = place.run(&[]);
    assert_eq!(said.code, 3, "{}", said.talk);
    let told = complaints(&said);
    assert!(!told.is_empty(), "{}", said.talk);
    for line in told {
        assert!(
            line.contains("results/") && line.contains("free some space"),
            "{line}"
        );
    }
    assert_eq!(
        before,
        fs::read(place.path("results/trial/a/seed-1/record.json")).unwrap()
    );
    fs::remove_file(ballast).unwrap();
    finishes_like_an_undisturbed_one(&place);
}

#[test]
fn a_read_only_results_folder_is_bad_input_and_keeps_what_it_has() {
    let place = place();
    let Some(mount) = Mount::new(place.path("results"), "8m") else {
        return;
    };
    place.complete(&["trial/a"]);
    mount.remount("ro");
    let said = place.run(&[]);
    assert_eq!((said.code, said.output.as_str()), (2, ""), "{}", said.talk);
    let [told] = complaints(&said)[..] else {
        panic!("{}", said.talk);
    };
    assert!(
        told.contains("results/trial/plan.json")
            && told.contains("make the folder writable, or name another one with --results"),
        "{told}"
    );
    // What only reads still works.
    for arguments in [["plan", "trial"], ["show", "trial/a"]] {
        assert_eq!(
            place.ensayo_with(&arguments, 2, "").code,
            0,
            "{arguments:?}"
        );
    }
    let said = place.ensayo_with(&["report"], 2, "");
    assert_eq!(said.code, 2, "{}", said.talk);
    mount.remount("rw");
    finishes_like_an_undisturbed_one(&place);
}

#[test]
fn what_another_version_wrote_is_not_replaced_unasked() {
    let place = place();
    place.complete(&[]);
    let folder = place.path("results/trial");
    for (file, schema, advice) in [
        ("a/seed-1/record.json", 999, "use a newer ensayo"),
        ("a/seed-1/record.json", 0, "use an older ensayo"),
        ("plan.json", 999, "use a newer ensayo"),
        ("plan.json", 0, "use an older ensayo"),
    ] {
        let path = folder.join(file);
        let ours = fs::read_to_string(&path).unwrap();
        let theirs = ours.replacen("\"schema\": 1", &format!("\"schema\": {schema}"), 1);
        assert_ne!(ours, theirs);
        fs::write(&path, &theirs).unwrap();
        for command in ["plan", "run"] {
            let said = place.ensayo_with(&[command, "--device", "cpu"], 2, "");
            assert_eq!((said.code, said.output.as_str()), (2, ""), "{}", said.talk);
            let told: Vec<_> = said
                .talk
                .lines()
                .filter(|line| line.starts_with("error: "))
                .collect();
            let [told] = told[..] else {
                panic!("{}", said.talk);
            };
            assert!(
                told.contains(file)
                    && told.contains(&format!("schema {schema}"))
                    && told.contains(advice),
                "{told}"
            );
        }
        assert_eq!(fs::read_to_string(&path).unwrap(), theirs);
        // The rest of the results is shown all the same, with a word about this.
        let said = place.ensayo_with(&["report"], 2, "");
        assert_eq!(said.code, 0, "{}", said.talk);
        // The advice helps.
        fs::remove_file(&path).unwrap();
        finishes_like_an_undisturbed_one(&place);
        fs::remove_dir_all(place.path("undisturbed")).unwrap();
    }
}

#[test]
fn records_with_keys_of_tomorrow_are_read_today() {
    let place = place();
    place.complete(&[]);
    let path = place.path("results/trial/a/seed-1/record.json");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replacen('{', "{\"of_tomorrow\": [1],", 1)).unwrap();
    let said = place.complete(&[]);
    assert!(said.talk.contains("2 done"), "{}", said.talk);
}

#[test]
fn two_runners_at_once_share_the_work_and_leave_one_tree() {
    let place = place();
    let runners = [
        start(&place, &[]),
        start(&place, &[]),
        start(&place, &["--jobs", "2"]),
    ];
    let mut finished = 0;
    for runner in runners {
        let output = runner.wait_with_output().unwrap();
        let talk = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(0), "{talk}");
        finished += talk.matches("complete after").count();
    }
    // Each run was done once, by whichever of them.
    assert_eq!(finished, 2);
    finishes_like_an_undisturbed_one(&place);
}
