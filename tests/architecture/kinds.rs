//! A kind of experiment stands in one place on each side: its settings, its task, its view. Nobody else asks which kind it is.

use std::path::Path;

use crate::{code_lines, sources};

/// The kinds: their variants in `Settings` and `Kind`, and their words.
const KINDS: [(&str, &str); 4] = [
    ("Lora", "lora"),
    ("Prompt", "prompt"),
    ("Rag", "rag"),
    ("ModelSearch", "model-search"),
];

/// Where every kind is named: the enum of settings, and the two places that find a task and a view.
const FOR_ALL: [&str; 3] = [
    "src/config/settings.rs",
    "src/tasks/mod.rs",
    "src/report/views/mod.rs",
];

/// Where the word of a kind is the name of a table or folder.
const TABLES: [&str; 5] = [
    "src/config/overlay.rs",
    "src/config/checks/adapter.rs",
    "src/config/checks/rag.rs",
    "src/config/checks/targets.rs",
    "src/plan/identity.rs",
];

/// Whether a file belongs to a kind alone.
fn is_of(path: &Path, word: &str) -> bool {
    let word = &word.replace('-', "_");
    let rooms = [
        "src/config",
        "src/config/checks",
        "src/tasks",
        "src/report/views",
    ];
    rooms.iter().any(|room| {
        let inside = path.strip_prefix(room).ok();
        inside.is_some_and(|inside| {
            inside.starts_with(word) || inside == Path::new(&format!("{word}.rs"))
        })
    })
}

/// The lines outside tests in which a kind is named.
fn names(path: &Path, text: &str, (variant, word): (&str, &str)) -> Vec<String> {
    let own = text.split("#[cfg(test)]\nmod tests").next();
    let own = own.unwrap_or_default();
    let (code, written) = (code_lines(own), own.lines());
    let quoted = format!("\"{word}\"");
    let found = code.iter().zip(written).filter(|(code, written)| {
        let variants = ["Settings", "Kind"].map(|owner| format!("{owner}::{variant}"));
        let named = variants.iter().any(|variant| {
            let mut places = code.code.match_indices(variant.as_str());
            places.any(|(start, _)| {
                let after = code.code[start + variant.len()..].chars().next();
                !after.is_some_and(|letter| letter.is_alphanumeric() || letter == '_')
            })
        });
        let is_comment = written.trim_start().starts_with("//");
        named || !is_comment && written.contains(&quoted) && !TABLES.map(Path::new).contains(&path)
    });
    found
        .map(|(line, _)| format!("{}:{}: names `{word}`", path.display(), line.number))
        .collect()
}

#[test]
fn only_its_own_files_name_a_kind() {
    let mut found = Vec::new();
    for (path, text) in sources() {
        let is_tests = path.ends_with("tests.rs") || !path.starts_with("src");
        for kind in KINDS {
            let own = is_of(&path, kind.1) || FOR_ALL.map(Path::new).contains(&path.as_path());
            if !is_tests && !own {
                found.extend(names(&path, &text, kind));
            }
        }
    }
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}

#[test]
fn naming_a_kind_is_noticed() {
    let path = Path::new("src/report/x.rs");
    let found = |text: &str| names(path, text, ("Rag", "rag")).len();
    assert_eq!(found("match settings { Settings::Rag(_) => 1 }"), 1);
    assert_eq!(found("if kind == \"rag\" {}\nlet kind = Kind::Rag;"), 2);
    assert_eq!(
        found("// \"rag\"\nlet settings = RagSettings::default();"),
        0
    );
    assert_eq!(
        found("#[cfg(test)]\nmod tests { const KIND: &str = \"rag\"; }"),
        0
    );
    assert!(is_of(Path::new("src/tasks/rag/search.rs"), "rag"));
    assert!(is_of(Path::new("src/config/checks/rag.rs"), "rag"));
    assert!(!is_of(path, "rag"));
}
