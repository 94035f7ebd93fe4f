//! The reference of settings: whole, sound, and what the page in the documentation has.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use toml::de::DeTable;

use super::*;
use crate::config::problem::{Look, Problems};
use crate::config::source::Source;
use crate::config::structure::Structure;
use crate::config::tree::{Origin, Table as Tree};

fn parsed(text: &str) -> Tree {
    let source = Arc::new(Source {
        name: "example".to_owned(),
        text: text.to_owned(),
        folder: PathBuf::new(),
    });
    let table = DeTable::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    Origin { source, offset: 0 }.table(table.get_ref())
}

/// Every setting of a kind, tables in lists included, with the dotted key of its table.
fn all(path: &str, settings: Vec<Setting>) -> Vec<(String, Setting)> {
    settings
        .into_iter()
        .flat_map(|setting| {
            let (schema, rule) = inner(&setting);
            let below = match rule {
                Rule::Table(fields) => {
                    all(&dotted(path, &setting.key), super::settings(schema, fields))
                }
                _ => Vec::new(),
            };
            std::iter::once((path.to_owned(), setting)).chain(below)
        })
        .collect()
}

fn of_kind(kind: Kind) -> Vec<(String, Setting)> {
    let schema = schema::of_kind(kind);
    all("", settings(&schema, &Fields::read(&schema)))
}

#[test]
fn every_setting_says_what_it_means_and_has_an_example_that_the_checks_take() {
    for kind in Kind::ALL {
        let fields = kind.fields();
        for (path, setting) in of_kind(kind) {
            let name = format!("{kind}: {path}.{}", setting.key);
            let meaning = cell(&setting.schema);
            assert!(
                meaning.ends_with(['.', ')']) && meaning.len() > 5,
                "{name}: {meaning}"
            );
            if is_table(&setting.field.rule) {
                continue;
            }
            let line = setting
                .example()
                .unwrap_or_else(|| panic!("{name} has no example"));
            let mut only = Fields::default();
            only.keys.insert(setting.key.clone(), setting.field.clone());
            let mut problems = Problems::default();
            Structure {
                owner: Path::new("example"),
                root: &fields,
                problems: &mut problems,
                tainted: &mut BTreeSet::new(),
            }
            .table(&mut parsed(&line), &only, "");
            let sound = problems.iter().next().is_none();
            assert!(sound, "{name}: {}", problems.render(Look::Plain, 100));
        }
    }
}

#[test]
fn an_example_of_a_choice_is_not_its_default() {
    for kind in Kind::ALL {
        for (path, setting) in of_kind(kind) {
            if let (Rule::Word(_) | Rule::Boolean, Some(line)) =
                (&setting.field.rule, setting.example())
            {
                let default = format!("{} = {}", setting.key, toml(&setting.schema["default"]));
                assert_ne!(line, default, "{path}");
            }
        }
    }
}

#[test]
fn every_setting_of_every_kind_is_on_the_page() {
    let page = reference();
    for kind in Kind::ALL {
        for (_, setting) in of_kind(kind) {
            let in_a_row = page.contains(&format!("\n| `{}` | ", setting.key));
            let is_table = page.contains(&format!(
                "| {} |",
                link(&title(&setting.key, &setting.field.rule))
            ));
            assert!(in_a_row || is_table, "{kind}: {}", setting.key);
        }
    }
}

#[test]
fn a_table_of_two_kinds_stands_once_and_says_both() {
    let page = reference();
    assert_eq!(page.matches("\n### `[model]`\n").count(), 1);
    assert!(page.contains("### `[data]`\n\nIn experiments of kind `lora` and `prompt`.\n"));
    assert!(page.contains("It takes every setting of [`[model]`](#model) as well."));
    assert_eq!(page.matches("\n| `precision` |").count(), 1);
}

#[test]
fn types_defaults_and_ranges_are_in_words() {
    let page = reference();
    for row in [
        "| `dropout` | number, at least 0 and below 1 | `0.0` |",
        "| `adam_epsilon` | number, above 0 | `1e-8` |",
        "| `targets` | list of strings, or a string | – |",
        "| `random` | table | – |",
        "| `size` | integer, at least 1 | required |",
        "| `init` | path of a folder | – |",
        "`stop = [\"\\n\\n\"]`",
    ] {
        assert!(page.contains(row), "{row}");
    }
}

#[test]
fn values_are_written_as_toml_reads_them() {
    let value = serde_json::json!([{"a": "x\ny \"z\"", "b": [1, 2.5, true]}]);
    let text = format!("v = {}", toml(&value));
    let read: toml::Table = text.parse().unwrap();
    assert_eq!(read["v"][0]["a"].as_str(), Some("x\ny \"z\""));
    assert_eq!(read["v"][0]["b"][1].as_float(), Some(2.5));
}
