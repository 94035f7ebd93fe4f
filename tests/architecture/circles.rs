//! No two files of the program need each other, directly or through others. A folder's `mod.rs` stands for the folder, and so
//! is not looked at: what it shares with its files is declared there.

use std::collections::{BTreeMap, BTreeSet};

use crate::{code_lines, sources};

/// Files that need each other all the same, each with its reason.
const ALLOWED: [(&[&str], &str); 0] = [];

/// A module's place: the names from the crate's root to it.
type Place = Vec<String>;

struct Module {
    code: String,
    /// Whether it has files of its own beside its tests.
    is_folder: bool,
}

/// The modules of the program that are files, without their tests.
fn modules() -> BTreeMap<Place, Module> {
    let read = |(path, text): (std::path::PathBuf, String)| {
        let inside = path.strip_prefix("src").ok()?.with_extension("");
        let mut place: Place = inside
            .iter()
            .map(|part| part.to_string_lossy().into_owned())
            .collect();
        let last = place.last()?.clone();
        if ["tests", "lib", "main"].contains(&last.as_str()) {
            return None;
        }
        if last == "mod" {
            place.pop();
        }
        Some((place, module(&text)))
    };
    sources().into_iter().filter_map(read).collect()
}

fn module(text: &str) -> Module {
    let without_tests = text.split("#[cfg(test)]\nmod tests").next();
    let lines = code_lines(without_tests.unwrap_or_default());
    let code: Vec<String> = lines.into_iter().map(|line| line.code).collect();
    let declares = |line: &String| {
        let line = line.trim_start().strip_prefix("pub").unwrap_or(line);
        let line = line.rsplit_once(") ").map_or(line, |(_, rest)| rest);
        line.trim_start().starts_with("mod ")
    };
    Module {
        is_folder: code.iter().any(declares),
        code: code.join("\n"),
    }
}

/// The paths that code names from `crate` or `super` on, and those it declares again for others, with lists in braces written out.
fn paths(code: &str) -> (Vec<String>, Vec<String>) {
    let (mut used, mut again) = (Vec::new(), Vec::new());
    let mut rest = String::new();
    for statement in code.split_inclusive(';') {
        let start = statement.match_indices("use ").find(|(start, _)| {
            let before = statement[..*start].trim_end_matches(' ');
            before.is_empty() || before.ends_with(['\n', ';', '}', ')']) || before.ends_with("pub")
        });
        let Some((start, _)) = start else {
            rest.push_str(statement);
            continue;
        };
        rest.push_str(&statement[..start]);
        let tree: String = statement[start + 4..].trim_end_matches(';').to_owned();
        let names = written_out(&tree);
        if statement[..start].trim_end().ends_with(['b', ')']) {
            again.extend(names.clone());
        }
        used.extend(names);
    }
    for (start, _) in rest
        .match_indices("super::")
        .chain(rest.match_indices("crate::"))
    {
        let before = rest[..start].chars().next_back();
        if !before.is_some_and(|letter| letter.is_alphanumeric() || "_:".contains(letter)) {
            let path = rest[start..].chars();
            used.push(
                path.take_while(|letter| letter.is_alphanumeric() || "_:".contains(*letter))
                    .collect(),
            );
        }
    }
    (used, again)
}

/// `a::{b, c::{d}}` as `a::b` and `a::c::d`.
fn written_out(tree: &str) -> Vec<String> {
    let tree = tree.trim();
    let Some((before, list)) = tree.split_once('{') else {
        return vec![
            tree.split(" as ")
                .next()
                .unwrap_or_default()
                .trim()
                .to_owned(),
        ];
    };
    let list = list.trim_end().strip_suffix('}').unwrap_or(list);
    let (mut depth, mut part, mut parts) = (0, String::new(), Vec::new());
    for letter in list.chars() {
        match letter {
            ',' if depth == 0 => parts.push(std::mem::take(&mut part)),
            letter => {
                depth += i32::from(letter == '{') - i32::from(letter == '}');
                part.push(letter);
            }
        }
    }
    parts.push(part);
    parts
        .iter()
        .filter(|part| !part.trim().is_empty())
        .flat_map(|part| written_out(part))
        .map(|path| format!("{}{path}", before.trim()))
        .collect()
}

/// Which files each file needs.
fn needs(modules: &BTreeMap<Place, Module>) -> BTreeMap<&Place, BTreeSet<Place>> {
    let files = modules.iter().filter(|(_, module)| !module.is_folder);
    let needs = files.map(|(place, module)| {
        let (used, _) = paths(&module.code);
        let found = used
            .iter()
            .filter_map(|path| resolve(modules, place, path, 0));
        let found = found.filter(|found| found != place && !modules[found].is_folder);
        (place, found.collect())
    });
    needs.collect()
}

/// The file in which what a path names is declared; none outside the program.
fn resolve(
    modules: &BTreeMap<Place, Module>,
    from: &Place,
    path: &str,
    depth: usize,
) -> Option<Place> {
    let mut names = path.split("::").peekable();
    let mut place = from.clone();
    match names.peek() {
        Some(&"crate") => {
            names.next();
            place.clear();
        }
        Some(&"self") => {
            names.next();
        }
        Some(&"super") => {
            while names.next_if_eq(&"super").is_some() {
                place.pop();
            }
        }
        _ => return None,
    }
    for name in names {
        let mut inner = place.clone();
        inner.push(name.to_owned());
        if modules.contains_key(&inner) {
            place = inner;
            continue;
        }
        // Declared by another file, and again by this one?
        let here = modules.get(&place)?;
        let (_, again) = paths(&here.code);
        let declared = again
            .iter()
            .find(|path| path.rsplit("::").next() == Some(name));
        if let Some(path) = declared.filter(|_| depth < 8) {
            let path = match path.split("::").next() {
                Some("crate" | "super" | "self") => path.clone(),
                _ => format!("self::{path}"),
            };
            return resolve(modules, &place, &path, depth + 1).or(Some(place));
        }
        break;
    }
    modules.contains_key(&place).then_some(place)
}

/// Groups of files that need each other.
fn circles(needs: &BTreeMap<&Place, BTreeSet<Place>>) -> BTreeSet<Vec<String>> {
    let reach = |from: &Place| {
        let (mut seen, mut open) = (BTreeSet::new(), vec![from.clone()]);
        while let Some(place) = open.pop() {
            for next in needs.get(&place).into_iter().flatten() {
                if seen.insert(next.clone()) {
                    open.push(next.clone());
                }
            }
        }
        seen
    };
    let reached: BTreeMap<&Place, BTreeSet<Place>> =
        needs.keys().map(|place| (*place, reach(place))).collect();
    let group = |place: &Place| -> Vec<String> {
        let both = reached
            .iter()
            .filter(|(other, theirs)| theirs.contains(place) && reached[place].contains(**other));
        both.map(|(other, _)| other.join("::")).collect()
    };
    let groups = reached.keys().map(|place| group(place));
    groups.filter(|group| !group.is_empty()).collect()
}

#[test]
fn no_two_files_need_each_other() {
    let modules = modules();
    let mut found = circles(&needs(&modules));
    for (group, _) in ALLOWED {
        found.remove(
            &group
                .iter()
                .map(|name| (*name).to_owned())
                .collect::<Vec<_>>(),
        );
    }
    assert!(found.is_empty(), "files that need each other: {found:#?}");
}

#[test]
fn a_circle_is_noticed() {
    let files = [
        ("a/mod", "pub use one::{One, Other};\nmod one;\nmod two;"),
        ("a/one", "use super::two::Two;\npub struct One;"),
        ("a/two", "use crate::a::{One, Other};\nfn f() {}"),
        ("b", "fn f() { crate::a::one::g(); }"),
    ];
    let modules = files.map(|(path, text)| {
        let place = path.trim_end_matches("/mod").split('/').map(str::to_owned);
        (place.collect(), module(text))
    });
    let modules = BTreeMap::from(modules);
    let found = circles(&needs(&modules));
    let expected = vec!["a::one".to_owned(), "a::two".to_owned()];
    assert_eq!(found, BTreeSet::from([expected]));
}
