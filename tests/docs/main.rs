//! What README and `docs/` say: the reference is the program's, commands are ones it takes, links lead somewhere, examples are
//! sound.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on must fail")]

mod commands;
mod examples;
mod links;
mod page;

use std::fs;
use std::path::Path;

use ensayo::config;

use page::{Page, root};

#[test]
fn the_reference_of_the_settings_is_what_the_program_prints() {
    let path = root().join("docs/settings.md");
    let page = fs::read_to_string(&path).unwrap();
    assert!(
        page == config::reference(),
        "docs/settings.md is out of date: cargo run --release -- check --reference > docs/settings.md"
    );
}

#[test]
fn the_readme_is_short() {
    let lines = Page::read(Path::new("README.md")).text.lines().count();
    assert!(lines <= 250, "README.md has {lines} lines");
}

#[test]
fn the_two_main_commands_stand_at_the_top_of_the_readme() {
    let text = Page::read(Path::new("README.md")).text;
    let top: Vec<&str> = text.lines().take(60).collect();
    for command in [
        "cargo run --release -- run quickstart",
        "cargo test --release",
    ] {
        assert!(top.contains(&command), "{command}");
    }
}

#[test]
fn the_list_of_pages_is_complete() {
    let list = Page::read(Path::new("docs/README.md"));
    for page in Page::all() {
        let name = page
            .path
            .strip_prefix("docs")
            .unwrap_or(&page.path)
            .display()
            .to_string();
        let is_listed = list.text.contains(&format!("]({name})"));
        assert!(
            is_listed || name == "README.md",
            "{name} is not in docs/README.md"
        );
    }
}
