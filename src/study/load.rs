//! All studies of a folder of experiments.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::check;
use super::manifest::{Manifest, PublishedFiles};
use super::published::{FileKind, Published};
use super::whole::Study;
use crate::config::{Node, Problem, Problems, STUDIES, read_strict};

/// The studies of a folder.
#[derive(Debug, Default)]
pub struct Loaded {
    /// Those in which nothing is wrong, by the names of their files.
    pub studies: Vec<Study>,
    /// What is wrong with the others.
    pub problems: Problems,
}

/// Reads every `studies/*.toml` in a folder of experiments, with the published numbers that they
/// name. Without that folder there are none.
#[must_use]
pub fn load(experiments: &Path) -> Loaded {
    let mut loaded = Loaded::default();
    let folder = experiments.join(STUDIES);
    let files = match manifests(&folder) {
        Ok(files) => files,
        Err(error) => {
            let message = format!("cannot be looked through: {error}");
            loaded.problems.push(Problem::new(&folder, message));
            return loaded;
        }
    };
    for path in files {
        let mut problems = Problems::default();
        let study = text(&path)
            .map_err(|message| problems.push(Problem::new(&path, message)))
            .ok()
            .and_then(|text| read(&path, &text, &mut problems));
        loaded.studies.extend(study.filter(|_| problems.is_empty()));
        loaded.problems.extend(problems);
    }
    loaded
}

/// The manifests in a folder, by name.
fn manifests(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut files = Vec::new();
    for entry in entries {
        let path = entry?.path();
        let hidden = path
            .file_name()
            .is_some_and(|name| name.to_string_lossy().starts_with('.'));
        let is_toml = path
            .extension()
            .is_some_and(|extension| extension == "toml");
        if is_toml && !hidden && path.is_file() {
            files.push(path);
        }
    }
    files.sort_unstable();
    Ok(files)
}

/// A file's text without a byte order mark.
fn text(path: &Path) -> Result<String, String> {
    let bytes = fs::read(path).map_err(|error| format!("cannot be read: {error}"))?;
    let text = String::from_utf8(bytes).map_err(|error| {
        format!(
            "not UTF-8 from byte {} on",
            error.utf8_error().valid_up_to()
        )
    })?;
    Ok(match text.strip_prefix('\u{feff}') {
        Some(rest) => rest.to_owned(),
        None => text,
    })
}

/// Reads a manifest's text, and the files that it names. What is wrong is added to `problems`.
pub(super) fn read(path: &Path, text: &str, problems: &mut Problems) -> Option<Study> {
    let (manifest, places) = read_strict::<Manifest>(path, text, problems)?;
    let mut study = Study {
        path: path.to_owned(),
        manifest,
        places,
        published: Published::default(),
    };
    problems.extend(check::check(&study));
    let names: Vec<&str> = study.names().collect();
    let mut published = Published::default();
    for (key, kind, file) in files(&study.manifest.published) {
        let file = path.parent().unwrap_or(Path::new("")).join(file);
        match self::text(&file) {
            Ok(text) => published.add(kind, (&file, &text), &names, problems),
            Err(message) => {
                let problem = Problem::new(path, format!("{}: {message}", file.display()));
                let place = study
                    .places
                    .table("published")
                    .and_then(|table| table.get(key));
                problems.push(match place {
                    Some(Node { span, .. }) => problem.at(span, "this file"),
                    None => problem,
                });
            }
        }
    }
    study.published = published;
    problems.extend(check::claims(&study));
    Some(study)
}

/// The files with published numbers: key, kind, path.
fn files(published: &PublishedFiles) -> impl Iterator<Item = (&'static str, FileKind, &Path)> {
    let files = [
        ("reports", FileKind::Reports, &published.reports),
        ("epochs", FileKind::Epochs, &published.epochs),
        ("values", FileKind::Values, &published.values),
        ("embeddings", FileKind::Embeddings, &published.embeddings),
    ];
    files
        .into_iter()
        .filter_map(|(key, kind, path)| Some((key, kind, path.as_deref()?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOUND: &str = r#"
name = "mine"
title = "A study"
[published]
values = "../published/values.csv"
[[runs]]
name = "first"
run = "x/a"
[[figures]]
number = 1
caption = "What is trained"
kind = "parameters"
runs = ["first"]
"#;

    struct Place(tempfile::TempDir);

    impl Place {
        fn new(manifest: &str, values: Option<&str>) -> Self {
            let folder = tempfile::tempdir().unwrap();
            for inner in ["studies", "published"] {
                fs::create_dir(folder.path().join(inner)).unwrap();
            }
            fs::write(folder.path().join("studies/mine.toml"), manifest).unwrap();
            if let Some(values) = values {
                fs::write(folder.path().join("published/values.csv"), values).unwrap();
            }
            Self(folder)
        }

        fn load(&self) -> (Vec<Study>, String) {
            let loaded = load(self.0.path());
            (loaded.studies, loaded.problems.to_string())
        }
    }

    const VALUES: &str = "run,evaluation,name,value\nfirst,run,steps,12\n";

    #[test]
    fn a_study_comes_with_its_published_numbers() {
        let (studies, said) = Place::new(SOUND, Some(VALUES)).load();
        let [study] = &studies[..] else {
            panic!("one study: {said}")
        };
        assert_eq!(study.run_number("first", "steps").unwrap().text, "12");
        assert_eq!(study.run("first").unwrap().parts(), ("x", "a"));
    }

    #[test]
    fn without_a_folder_there_are_no_studies() {
        let folder = tempfile::tempdir().unwrap();
        let loaded = load(folder.path());
        assert!(loaded.studies.is_empty() && loaded.problems.is_empty());
    }

    #[test]
    fn a_file_that_is_not_there_is_said_at_its_key() {
        let (studies, said) = Place::new(SOUND, None).load();
        assert!(studies.is_empty());
        assert!(
            said.contains("mine.toml:5:10") && said.contains("values.csv: cannot be read"),
            "{said}"
        );
    }

    #[test]
    fn a_wrong_line_of_a_table_is_shown_with_its_number() {
        let place = Place::new(
            SOUND,
            Some("run,evaluation,name,value\nfrist,run,steps,12\n"),
        );
        let (studies, said) = place.load();
        assert!(studies.is_empty());
        assert!(
            said.contains("values.csv:2:1") && said.contains("did you mean `first`?"),
            "{said}"
        );
    }

    #[test]
    fn a_manifest_that_is_not_utf_8_hides_no_other() {
        let place = Place::new(SOUND, Some(VALUES));
        fs::write(place.0.path().join("studies/broken.toml"), b"\xff").unwrap();
        let (studies, said) = place.load();
        assert_eq!(studies.len(), 1);
        assert!(said.contains("broken.toml: not UTF-8"), "{said}");
    }
}
