//! The fuzzer's own package, which no build of the project looks at: that it would build, and reads every format.

use std::collections::BTreeSet;
use std::fs;

use crate::ROOT;
use crate::formats::FORMATS;

fn table(path: &str) -> toml::Table {
    let text = fs::read_to_string(format!("{ROOT}/{path}")).unwrap();
    text.parse().unwrap()
}

/// The crates that a package of a lock file needs, by name.
fn locked(path: &str, package: &str) -> BTreeSet<String> {
    let lock = table(path);
    let packages = lock["package"].as_array().unwrap();
    let own = packages
        .iter()
        .find(|entry| entry["name"].as_str() == Some(package))
        .unwrap_or_else(|| panic!("{path} has no {package}"));
    let needs = own["dependencies"].as_array().unwrap();
    // Where there are several versions, they follow the name.
    let name = |entry: &toml::Value| {
        entry
            .as_str()
            .unwrap()
            .split(' ')
            .next()
            .unwrap()
            .to_owned()
    };
    needs.iter().map(name).collect()
}

/// The crates that a manifest names, apart from those of development and of features that are off.
fn needed(path: &str) -> BTreeSet<String> {
    let manifest = table(path);
    let is_optional = |entry: &toml::Value| {
        let flag = entry.get("optional").and_then(toml::Value::as_bool);
        flag == Some(true)
    };
    ["dependencies", "build-dependencies"]
        .iter()
        .filter_map(|kind| manifest.get(*kind)?.as_table())
        .flatten()
        .filter(|(_, entry)| !is_optional(entry))
        .map(|(name, _)| name.clone())
        .collect()
}

#[test]
fn the_fuzzers_lock_file_has_what_the_project_needs() {
    for (manifest, package) in [
        ("Cargo.toml", "ensayo"),
        ("engine/Cargo.toml", "ensayo-engine"),
    ] {
        let (locked, needed) = (locked("fuzz/Cargo.lock", package), needed(manifest));
        let missing: Vec<&String> = needed.difference(&locked).collect();
        assert!(
            missing.is_empty(),
            "`cargo update --workspace --manifest-path fuzz/Cargo.toml` adds {missing:?} for {package}"
        );
    }
}

#[test]
fn the_fuzzer_has_a_program_for_every_format() {
    let manifest = table("fuzz/Cargo.toml");
    let programs = manifest["bin"].as_array().unwrap().iter();
    let programs: Vec<&str> = programs.map(|bin| bin["name"].as_str().unwrap()).collect();
    for format in &FORMATS {
        // As fuzz/read.rs looks for them.
        let meant = |name: &&&str| {
            format.name == **name
                || format.name.starts_with(&format!("{name}."))
                || format.name.ends_with(&format!(" {name}"))
        };
        assert!(programs.iter().any(|name| meant(&name)), "{}", format.name);
    }
}
