//! Starts the program and kills it, whole or in part, without a chance to clean up.

use std::fs;
use std::process::{Child, Command, Stdio};

use crate::place::Place;

/// `ensayo run` on the CPU in a place, with further arguments.
pub fn start(place: &Place, arguments: &[&str]) -> Child {
    Command::new(env!("CARGO_BIN_EXE_ensayo"))
        .args(["run", "--device", "cpu"])
        .args(arguments)
        .current_dir(place.path(""))
        .env("RAYON_NUM_THREADS", "2")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Whether the system shows who is whose child. Where it does not, killing the parent alone would prove less.
pub fn can_find_children() -> bool {
    fs::exists("/proc/self/stat").unwrap_or(false)
}

/// Process ids of a process's children.
pub fn children(parent: u32) -> Vec<String> {
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

/// Kills processes at once, those that still are.
pub fn kill_all(pids: &[String]) {
    if !pids.is_empty() {
        let _ = Command::new("kill")
            .arg("-9")
            .args(pids)
            .stderr(Stdio::null())
            .status();
    }
}

/// Kills a process and its children, which lead process groups of their own. The parent goes first, or it would take a child's death for a lack of memory.
pub fn kill_tree(parent: &mut Child) {
    let mut pids = vec![parent.id().to_string()];
    pids.extend(children(parent.id()));
    kill_all(&pids);
    parent.wait().unwrap();
}
