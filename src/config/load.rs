//! All experiments of a folder.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use walkdir::WalkDir;

use super::checks::compare;
use super::overrides::Override;
use super::problem::{Problem, Problems};
use super::{Experiment, Kind, file, suggest};

/// What a folder of experiments says.
#[derive(Debug, Default)]
pub struct Loaded {
    /// The experiments that could be read, sorted by path; some may have problems.
    pub experiments: Vec<Experiment>,
    /// What is wrong with any file. Problems of single cells show when `grid` lays them out.
    pub problems: Problems,
}

/// A folder that cannot be looked through.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say what is what")]
pub enum LoadError {
    #[error("no folder `{}`; run where your experiments are, or name their folder with --experiments", .0.display())]
    NoFolder(PathBuf),
    #[error("cannot look through `{}`: {source}", .folder.display())]
    Unreadable {
        folder: PathBuf,
        source: walkdir::Error,
    },
}

/// The folder of studies' manifests, in that of the experiments: a TOML file there is no experiment.
pub const STUDIES: &str = "studies";

/// Reads every `*.toml` in `folder` and below but in its `studies`, with `--set` arguments laid over them. A broken file
/// hides nothing in the others.
///
/// # Errors
/// When the folder does not exist or cannot be looked through. What is wrong with the files is in
/// [`Loaded::problems`].
pub fn load(folder: &Path, overrides: &[String]) -> Result<Loaded, LoadError> {
    if !folder.is_dir() {
        return Err(LoadError::NoFolder(folder.to_owned()));
    }
    let is_visible = |name: &std::ffi::OsStr| !name.to_string_lossy().starts_with('.');
    let walk = WalkDir::new(folder).follow_links(true).sort_by_file_name();
    let mut texts = Vec::new();
    let mut problems = Problems::default();
    for entry in walk.into_iter().filter_entry(|entry| {
        let name = entry.file_name();
        match entry.depth() {
            0 => true,
            1 if name == STUDIES && entry.file_type().is_dir() => false,
            _ => is_visible(name),
        }
    }) {
        let entry = entry.map_err(|source| LoadError::Unreadable {
            folder: folder.to_owned(),
            source,
        })?;
        let path = entry.path();
        if !entry.file_type().is_file()
            || path.extension().is_none_or(|extension| extension != "toml")
        {
            continue;
        }
        match std::fs::read(path).map(String::from_utf8) {
            Ok(Ok(text)) => texts.push((path.to_owned(), text)),
            Ok(Err(error)) => {
                let bytes = error.as_bytes();
                let valid = error.utf8_error().valid_up_to();
                let line = bytes[..valid].split(|&byte| byte == b'\n').count();
                let problem =
                    Problem::new(path, format!("not UTF-8: byte {valid}, in line {line}"));
                problems.push(problem.help("save the file as UTF-8"));
            }
            Err(error) => problems.push(Problem::new(path, format!("cannot be read: {error}"))),
        }
    }
    let mut loaded = read_all(&texts, overrides);
    problems.extend(loaded.problems);
    loaded.problems = problems;
    Ok(loaded)
}

/// Reads experiments from texts, each with the path that it is taken to stand at.
#[must_use]
pub fn read_all(texts: &[(PathBuf, String)], overrides: &[String]) -> Loaded {
    let mut problems = Problems::default();
    let mut sets = Vec::new();
    for text in overrides {
        match Override::parse(text) {
            Ok(set) => sets.push(set),
            Err(problem) => problems.push(problem),
        }
    }
    problems.extend(sets.iter().filter_map(unknown_to_all));
    let experiments: Vec<Experiment> = texts
        .iter()
        .filter_map(|(path, text)| file::read(path, text, &sets, &mut problems))
        .collect();
    compare::check(&experiments, texts, &mut problems);
    let mut first: BTreeMap<String, &Path> = BTreeMap::new();
    for experiment in &experiments {
        if let Some(other) = first.insert(experiment.name.to_lowercase(), &experiment.path) {
            let message = format!("two experiments are called `{}`", experiment.name);
            let problem =
                Problem::new(&experiment.path, message).at(&experiment.name_span, "the second");
            problems
                .push(problem.help(format!("the first is {}; rename one file", other.display())));
        }
    }
    Loaded {
        experiments,
        problems,
    }
}

/// Reports `--set` arguments that none of the experiments has a use for.
#[must_use]
pub fn unused_overrides<'a>(
    overrides: &[String],
    selected: impl IntoIterator<Item = &'a Experiment>,
) -> Problems {
    let selected: Vec<&Experiment> = selected.into_iter().collect();
    let mut problems = Problems::default();
    for set in overrides
        .iter()
        .filter_map(|text| Override::parse(text).ok())
    {
        if selected
            .iter()
            .any(|experiment| experiment.overrides.contains(&set.text))
        {
            continue;
        }
        let having: Vec<&str> = Kind::ALL
            .into_iter()
            .filter(|kind| kind.fields().at(&set.key).is_some())
            .map(Kind::as_str)
            .collect();
        let problem = Problem::new(
            Path::new(""),
            format!("no selected experiment has the setting `{}`", set.key),
        );
        let problem = problem.at(&set.key_span, "would change nothing");
        problems.push(problem.help(format!(
            "experiments of kind {} have it",
            having.join(" and ")
        )));
    }
    problems
}

fn unknown_to_all(set: &Override) -> Option<Problem> {
    if set.key == "seeds"
        || Kind::ALL
            .into_iter()
            .any(|kind| kind.fields().at(&set.key).is_some())
    {
        return None;
    }
    let settings: Vec<String> = Kind::ALL
        .into_iter()
        .flat_map(|kind| kind.fields().settings())
        .collect();
    let last = set.key.rsplit('.').next().unwrap_or(&set.key);
    let ours = suggest::translated(last).unwrap_or(last);
    let near = settings
        .iter()
        .find(|setting| setting.rsplit('.').next() == Some(ours))
        .map(String::as_str)
        .or_else(|| suggest::nearest(&set.key, settings.iter().map(String::as_str)));
    let problem = Problem::new(
        Path::new(""),
        format!("`--set {}` names no setting", set.key),
    )
    .at(&set.key_span, "not a setting");
    Some(match near {
        Some(near) => problem.help(format!("did you mean `{near}`?")),
        None => problem.help("a setting is a dotted key such as training.epochs"),
    })
}
