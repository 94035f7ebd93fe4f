//! A TOML file that is no experiment, read as strictly as one.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use toml::de::DeTable;

use super::file::syntax_problem;
use super::kind::inlined;
use super::problem::{Problem, Problems};
use super::rules::{Fields, Rule};
use super::source::Source;
use super::structure::Structure;
use super::tree::{Node, Origin, Table, Value};

/// Reads a file's text into a struct, and gives the places of its keys beside it. What is wrong with
/// it, all of it at once, is added to `problems`; then nothing comes back.
#[must_use]
pub fn read_strict<T: JsonSchema + DeserializeOwned>(
    path: &Path,
    text: &str,
    problems: &mut Problems,
) -> Option<(T, Table)> {
    let source = Arc::new(Source {
        name: path.display().to_string(),
        text: text.to_owned(),
        folder: path.parent().unwrap_or(Path::new("")).to_owned(),
    });
    let origin = Origin { source, offset: 0 };
    let parsed = match DeTable::parse(text) {
        Ok(parsed) => parsed,
        Err(error) => {
            problems.push(syntax_problem(path, &origin, &error));
            return None;
        }
    };
    let top = origin.span(0..0);
    let mut node = Node {
        value: Value::Table(origin.table(parsed.get_ref())),
        span: top.clone(),
    };
    let fields = Fields::read(inlined::<T>().as_value());
    let is_sound = Structure {
        owner: path,
        root: &fields,
        problems,
        tainted: &mut BTreeSet::new(),
    }
    .node(&mut node, &Rule::Table(fields.clone()), "");
    let Value::Table(table) = node.value else {
        return None;
    };
    if !is_sound {
        return None;
    }
    match T::deserialize(toml::Value::Table(table.plain())) {
        Ok(read) => Some((read, table)),
        Err(error) => {
            let message = error.to_string();
            problems.push(Problem::new(path, message.trim_end()).at(&top, ""));
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, PartialEq, Deserialize, JsonSchema)]
    #[serde(deny_unknown_fields)]
    struct Written {
        title: String,
        #[serde(default)]
        parts: Vec<Part>,
    }

    #[derive(Debug, PartialEq, Deserialize, JsonSchema)]
    #[serde(deny_unknown_fields)]
    struct Part {
        number: u32,
    }

    fn read(text: &str) -> (Option<Written>, String) {
        let mut problems = Problems::default();
        let found = read_strict::<Written>(Path::new("x.toml"), text, &mut problems);
        (found.map(|found| found.0), problems.to_string())
    }

    #[test]
    fn everything_that_is_wrong_is_said_at_once_with_its_place() {
        let (found, said) = read("titel = \"a\"\n[[parts]]\nnumber = \"one\"\n[[parts]]\n");
        assert_eq!(found, None);
        for wanted in [
            "x.toml:1:1",
            "did you mean `title`?",
            "`parts.number` must be an integer, not a string",
            "`parts.number` is missing",
        ] {
            assert!(said.contains(wanted), "{wanted}\n{said}");
        }
    }

    #[test]
    fn a_sound_file_is_read_with_the_places_of_its_keys() {
        let mut problems = Problems::default();
        let text = "title = \"a\"\n[[parts]]\nnumber = 3\n";
        let (found, places) =
            read_strict::<Written>(Path::new("x.toml"), text, &mut problems).unwrap();
        assert!(problems.is_empty());
        assert_eq!(found.parts, [Part { number: 3 }]);
        let parts = places.get("parts").and_then(Node::as_list).unwrap();
        let number = parts[0].as_table().unwrap().get("number").unwrap();
        assert_eq!(number.span.to_string(), "x.toml:3:10");
    }

    #[test]
    fn what_is_no_toml_is_said_at_its_place() {
        let (found, said) = read("title = \n");
        assert_eq!(found, None);
        assert!(
            said.contains("x.toml:1:") && said.contains("not TOML"),
            "{said}"
        );
    }
}
