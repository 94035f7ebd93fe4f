//! The map of the house, checked against the sources: which room may use which, where printing is allowed, and how long a file
//! may be.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on must fail")]

mod circles;
mod kinds;
mod tables;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// A room (a module of its crate) and what it may import: other rooms, and the tensor library's crates.
struct Room {
    name: &'static str,
    may_use: &'static [&'static str],
    may_use_burn: bool,
}

const fn room(name: &'static str, may_use: &'static [&'static str]) -> Room {
    Room {
        name,
        may_use,
        may_use_burn: false,
    }
}

const fn with_burn(name: &'static str, may_use: &'static [&'static str]) -> Room {
    Room {
        name,
        may_use,
        may_use_burn: true,
    }
}

/// The program, in `src/`. A `tasks` room sees everything below the runner, and of the runner what it asks of a task (`Execute`, `Context`, `Event`);
/// the runner sees no task, so that nothing goes round in a circle.
const PROGRAM: &[Room] = &[
    room("main", &["commands"]),
    room("lib", &[]),
    room("cli", &["engine::device"]),
    room(
        "commands",
        &[
            "cli",
            "config",
            "content",
            "data",
            "grid",
            "hub",
            "metrics",
            "plan",
            "record",
            "report",
            "runner",
            "steam",
            "study",
            "tasks",
            "engine::device",
            "engine::shapes",
        ],
    ),
    room(
        "config",
        &["engine::checkpoint", "engine::shapes", "prompts"],
    ),
    room("content", &["record"]),
    room("grid", &["config", "keys"]),
    room("keys", &[]),
    room("prompts", &[]),
    room(
        "plan",
        &["config", "content", "grid", "record", "engine::shapes"],
    ),
    room("runner", &["content", "plan", "record", "engine::device"]),
    room(
        "tasks",
        &[
            "config",
            "content",
            "data",
            "hub",
            "metrics",
            "plan",
            "prompts",
            "record",
            "retrieval",
            "runner",
            "steam",
            "engine::checkpoint",
            "engine::classifier",
            "engine::decoder",
            "engine::device",
            "engine::generation",
            "engine::models",
            "engine::retrieval",
            "engine::shapes",
            "engine::training",
        ],
    ),
    room(
        "retrieval",
        &[
            "data",
            "metrics",
            "engine::device",
            "engine::embedder",
            "engine::models",
            "engine::retrieval",
        ],
    ),
    room("data", &["config", "content", "engine::pcg64"]),
    room("draw", &[]),
    room("hub", &[]),
    room("steam", &["hub"]),
    room("metrics", &[]),
    room("record", &[]),
    room("report", &["draw", "keys", "metrics", "record", "study"]),
    room("study", &["config", "metrics"]),
];

/// The engine, in `engine/src/`, which sees nothing of the program.
const ENGINE: &[Room] = &[
    with_burn("lib", &[]),
    with_burn(
        "classifier",
        &["checkpoint", "device", "models", "nn", "training"],
    ),
    with_burn("embedder", &["device", "nn", "retrieval"]),
    with_burn(
        "decoder",
        &[
            "checkpoint",
            "device",
            "generation",
            "models",
            "nn",
            "shapes",
            "training",
        ],
    ),
    with_burn("generation", &["models", "nn", "shapes", "training"]),
    with_burn("training", &["models", "nn", "pcg64"]),
    with_burn(
        "retrieval",
        &["checkpoint", "models", "nn", "pcg64", "shapes"],
    ),
    with_burn("models", &["checkpoint", "nn", "shapes"]),
    room("checkpoint", &["shapes"]),
    with_burn("nn", &[]),
    with_burn("device", &["nn"]),
    room("shapes", &[]),
    room("pcg64", &[]),
];

/// The two crates: where their sources are, and their rooms.
const HOUSES: [(&str, &[Room]); 2] = [("src", PROGRAM), ("engine/src", ENGINE)];

const BURN: [&str; 7] = [
    "burn",
    "burn_cubecl",
    "burn_flex",
    "burn_fusion",
    "burn_ir",
    "burn_store",
    "cubecl",
];
const PRINTING: [&str; 5] = ["println!", "eprintln!", "print!", "eprint!", "dbg!"];
const MAY_PRINT: [&str; 3] = ["main", "cli", "commands"];
const LONGEST_FILE: usize = 600;

/// A line of a source file: its code without comments and string literals.
struct Line {
    number: usize,
    code: String,
}

/// Blanks comments, strings and character literals, so that what remains is code.
fn code_lines(text: &str) -> Vec<Line> {
    let mut code = String::with_capacity(text.len());
    let letters: Vec<char> = text.chars().collect();
    let mut at = 0;
    while at < letters.len() {
        let next = letters.get(at + 1).copied();
        let end = match letters[at] {
            '/' if next == Some('/') => find(&letters, at, |rest| rest[0] == '\n', 0),
            '/' if next == Some('*') => {
                find(&letters, at + 2, |rest| rest.starts_with(&['*', '/']), 2)
            }
            'r' if raw_string(&letters, at).is_some() => {
                let hashes = raw_string(&letters, at).unwrap();
                let mut close = vec!['"'];
                close.extend(std::iter::repeat_n('#', hashes));
                find(
                    &letters,
                    at + hashes + 2,
                    |rest| rest.starts_with(&close),
                    close.len(),
                )
            }
            '"' => string_end(&letters, at),
            '\'' if next == Some('\\') => find(&letters, at + 3, |rest| rest[0] == '\'', 1),
            '\'' if letters.get(at + 2) == Some(&'\'') => at + 3,
            letter => {
                code.push(letter);
                at += 1;
                continue;
            }
        };
        // Lines keep their numbers.
        code.extend(letters[at..end].iter().filter(|letter| **letter == '\n'));
        code.push(' ');
        at = end;
    }
    code.lines()
        .enumerate()
        .map(|(index, code)| Line {
            number: index + 1,
            code: code.to_owned(),
        })
        .collect()
}

fn find(letters: &[char], from: usize, found: impl Fn(&[char]) -> bool, skip: usize) -> usize {
    (from..letters.len())
        .find(|&at| found(&letters[at..]))
        .map_or(letters.len(), |at| at + skip)
}

fn string_end(letters: &[char], start: usize) -> usize {
    let mut at = start + 1;
    while at < letters.len() && letters[at] != '"' {
        at += if letters[at] == '\\' { 2 } else { 1 };
    }
    (at + 1).min(letters.len())
}

/// The number of `#` of a raw string that begins here.
fn raw_string(letters: &[char], at: usize) -> Option<usize> {
    let in_word = at > 0
        && (letters[at - 1].is_alphanumeric() && letters[at - 1] != 'b' || letters[at - 1] == '_');
    let hashes = letters[at + 1..]
        .iter()
        .take_while(|letter| **letter == '#')
        .count();
    (!in_word && letters.get(at + 1 + hashes) == Some(&'"')).then_some(hashes)
}

/// The first segments of paths that begin with `crate::` or `engine::` (a braced list has several), in code; those of the engine with `engine::` before them.
fn rooms_used(code: &str) -> Vec<String> {
    let engines = segments_behind(code, "engine::");
    let engines = engines.iter().map(|room| format!("engine::{room}"));
    // `$crate::` in a macro is as good as `crate::`.
    segments_behind(code, "crate::")
        .into_iter()
        .chain(engines)
        .collect()
}

fn segments_behind(code: &str, prefix: &str) -> Vec<String> {
    let mut used = Vec::new();
    let mut rest = code;
    while let Some(start) = rest.find(prefix) {
        rest = &rest[start + prefix.len()..];
        let list = rest.trim_start();
        if let Some(list) = list.strip_prefix('{') {
            let mut depth = 0;
            let mut name = String::new();
            let mut names = Vec::new();
            for letter in list.chars() {
                match letter {
                    '{' => depth += 1,
                    '}' if depth == 0 => break,
                    '}' => depth -= 1,
                    ',' if depth == 0 => names.push(std::mem::take(&mut name)),
                    letter if depth == 0 => name.push(letter),
                    _ => {}
                }
            }
            names.push(name);
            used.extend(
                names
                    .iter()
                    .map(|name| first_word(name.trim_start()))
                    .filter(|name| !name.is_empty()),
            );
        } else {
            used.push(first_word(list));
        }
    }
    used
}

fn first_word(text: &str) -> String {
    text.chars()
        .take_while(|letter| letter.is_alphanumeric() || *letter == '_')
        .collect()
}

/// Whether the code has that word, as a whole word and not behind `.` or `::`.
fn begins_path(code: &str, word: &str) -> bool {
    code.match_indices(word).any(|(start, _)| {
        let before = code[..start].trim_end();
        let joined = code[..start]
            .chars()
            .next_back()
            .is_some_and(|letter| letter.is_alphanumeric() || letter == '_');
        !joined && !before.ends_with("crate::") && code[start + word.len()..].starts_with("::")
    })
}

/// All sources, each with its path from the crate's folder.
fn sources() -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut sources = Vec::new();
    let folders = HOUSES
        .iter()
        .flat_map(|(folder, _)| walkdir::WalkDir::new(root.join(folder)).sort_by_file_name());
    for entry in folders {
        let entry = entry.unwrap();
        if entry
            .path()
            .extension()
            .is_some_and(|extension| extension == "rs")
        {
            let text = fs::read_to_string(entry.path()).unwrap();
            sources.push((entry.path().strip_prefix(root).unwrap().to_owned(), text));
        }
    }
    assert!(!sources.is_empty());
    sources
}

/// The house and the room that a file stands in: its folder under `src/`, or its own name.
fn room_of(path: &Path) -> (&'static [Room], &'static Room) {
    let (house, inside) = HOUSES
        .iter()
        .find_map(|(folder, house)| Some((*house, path.strip_prefix(folder).ok()?)))
        .unwrap();
    let first = inside
        .components()
        .next()
        .unwrap()
        .as_os_str()
        .to_string_lossy()
        .into_owned();
    let name = first.strip_suffix(".rs").unwrap_or(&first);
    let room = house.iter().find(|room| room.name == name);
    let room = room.unwrap_or_else(|| {
        panic!(
            "{}: no room `{name}` in the table of tests/architecture.rs",
            path.display()
        )
    });
    (house, room)
}

/// Uses that the table does not allow, as `file:line: …`.
fn trespasses(path: &Path, (house, room): (&[Room], &Room), text: &str) -> Vec<String> {
    let lines = code_lines(text);
    let engines = ENGINE.iter().map(|room| format!("engine::{}", room.name));
    let rooms: BTreeSet<String> = house
        .iter()
        .map(|room| room.name.to_owned())
        .chain(engines)
        .collect();
    let mut found = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        let mut complain =
            |what: String| found.push(format!("{}:{}: {what}", path.display(), line.number));
        // A braced list may go on over lines.
        let mut code = line.code.clone();
        if code.trim_end().ends_with("crate::{") || code.trim_end().ends_with("engine::{") {
            let more = lines[index + 1..].iter().map(|line| line.code.as_str());
            code.extend(more.scan(true, |open, code| {
                std::mem::replace(open, !code.contains(';')).then_some(code)
            }));
        }
        for used in rooms_used(&code) {
            if rooms.contains(&used) && used != room.name && !room.may_use.contains(&used.as_str())
            {
                complain(format!("`{}` must not use `{used}`", room.name));
            }
        }
        let burn = room.may_use_burn;
        for library in BURN
            .iter()
            .filter(|library| !burn && begins_path(&line.code, library))
        {
            complain(format!("`{}` must not use `{library}`", room.name));
        }
        for macro_name in PRINTING.iter().filter(|_| !MAY_PRINT.contains(&room.name)) {
            let starts = |(start, _): (usize, &str)| {
                !line.code[..start]
                    .chars()
                    .next_back()
                    .is_some_and(|letter| letter.is_alphanumeric() || letter == '_')
            };
            if line.code.match_indices(macro_name).any(starts) {
                complain(format!("`{}` must not print", room.name));
            }
        }
    }
    found
}

#[test]
fn rooms_use_only_what_the_map_allows() {
    let found: Vec<String> = sources()
        .iter()
        .flat_map(|(path, text)| trespasses(path, room_of(path), text))
        .collect();
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}

#[test]
fn files_are_short_enough_to_read() {
    let long: Vec<String> = sources()
        .iter()
        .filter(|(_, text)| text.lines().count() > LONGEST_FILE)
        .map(|(path, text)| format!("{}: {} lines", path.display(), text.lines().count()))
        .collect();
    assert!(
        long.is_empty(),
        "longer than {LONGEST_FILE} lines:\n{}",
        long.join("\n")
    );
}

#[test]
fn every_file_says_what_it_owns() {
    let silent: Vec<String> = sources()
        .iter()
        .filter(|(_, text)| !text.starts_with("//! "))
        .map(|(path, _)| path.display().to_string())
        .collect();
    assert!(
        silent.is_empty(),
        "without a first line of documentation:\n{}",
        silent.join("\n")
    );
}

#[test]
fn no_room_is_a_heap() {
    let heaps = [
        "utils", "util", "helpers", "helper", "common", "base", "manager", "misc",
    ];
    let found: Vec<String> = sources()
        .iter()
        .flat_map(|(path, _)| {
            path.iter()
                .map(|part| (path, part.to_string_lossy().into_owned()))
                .collect::<Vec<_>>()
        })
        .filter(|(_, part)| heaps.contains(&part.trim_end_matches(".rs")))
        .map(|(path, _)| path.display().to_string())
        .collect();
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn the_map_has_no_circle() {
    for (_, house) in HOUSES {
        let mut open: Vec<&Room> = house.iter().collect();
        while !open.is_empty() {
            let names: BTreeSet<&str> = open.iter().map(|room| room.name).collect();
            let before = open.len();
            open.retain(|room| room.may_use.iter().any(|used| names.contains(used)));
            assert!(
                open.len() < before,
                "rooms that use each other in a circle are among {names:?}"
            );
        }
    }
}

#[test]
fn trespassing_is_noticed() {
    let plan = room_of(Path::new("src/plan/x.rs"));
    let found = |text: &str| trespasses(Path::new("src/plan/x.rs"), plan, text);
    assert_eq!(
        found("use crate::report::Report;\n"),
        ["src/plan/x.rs:1: `plan` must not use `report`"]
    );
    assert_eq!(
        found("\nuse crate::{config, tasks::{lora, record}};\n"),
        ["src/plan/x.rs:2: `plan` must not use `tasks`"]
    );
    assert_eq!(
        found("use engine::{\n    shapes,\n    device,\n};\n"),
        ["src/plan/x.rs:1: `plan` must not use `engine::device`"]
    );
    assert_eq!(
        found("fn f() { engine::device::probe() }"),
        ["src/plan/x.rs:1: `plan` must not use `engine::device`"]
    );
    assert_eq!(
        found("use burn::tensor::Tensor;"),
        ["src/plan/x.rs:1: `plan` must not use `burn`"]
    );
    assert_eq!(
        found("fn f() { println!(\"x\") }"),
        ["src/plan/x.rs:1: `plan` must not print"]
    );
    let shapes = room_of(Path::new("engine/src/shapes/x.rs"));
    let found_in_shapes = |text: &str| trespasses(Path::new("x.rs"), shapes, text);
    assert_eq!(
        found_in_shapes("use crate::models::adapter;"),
        ["x.rs:1: `shapes` must not use `models`"]
    );
    assert_eq!(
        found_in_shapes("use burn::tensor::Tensor;"),
        ["x.rs:1: `shapes` must not use `burn`"]
    );
    // Neither words in comments and strings nor the room itself count.
    assert!(
        found("// crate::report\n/* println!() */ const X: &str = \"burn::x crate::tasks\";")
            .is_empty()
    );
    assert!(
        found("use crate::plan::select;\nuse crate::record;\nlet r = r#\"crate::tasks \"x\" \"#;")
            .is_empty()
    );
}
