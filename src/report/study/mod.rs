//! Tables of studies, rebuilt from our runs beside the published numbers: a value by value verdict,
//! contradictions among what was published, and a page for each study.

mod compare;
mod context;
mod losses;
mod made;
mod nature;
mod noise;
mod ours;
mod page;
mod table;
mod tables;
mod text;
mod verdict;

#[cfg(test)]
mod tests;

use std::fs;
use std::path::{Path, PathBuf};

use serde::Serialize;

use context::Context;
use made::Made;
use verdict::Counts;

use super::{PAGE_FOLDER, Report, ReportError};
use crate::record::write_if_changed;
use crate::study::{Study, findings};

/// Folder of the studies, beside the page.
const FOLDER: &str = "studies";
/// Endings of the tables' files.
const ENDINGS: [&str; 3] = ["csv", "md", "tex"];

/// What there is to say of a study in a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StudyLine {
    /// Its name.
    pub name: String,
    /// As a reader knows it.
    pub title: String,
    /// The address of its page, from that of the report.
    pub address: String,
    /// How many of its values came out how, and how much of what was
    /// published does not fit.
    pub counts: String,
}

impl Report {
    /// What there is to say of studies, without writing anything.
    #[must_use]
    pub fn study_lines(&self, studies: &[Study]) -> Vec<StudyLine> {
        let line = |study: &Study| {
            let found = findings(study).len();
            line(study, &made(self, study), found)
        };
        studies.iter().map(line).collect()
    }

    /// Writes the tables and pages of studies, each file whole or not at all, and says how the values
    /// came out.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn write_studies(
        &self,
        results: &Path,
        studies: &[Study],
    ) -> Result<Vec<StudyLine>, ReportError> {
        let folder = results.join(PAGE_FOLDER).join(FOLDER);
        let mut lines = Vec::new();
        for study in studies {
            let made = made(self, study);
            let found = findings(study);
            for one in &made {
                write_tables(&folder.join(&study.manifest.name), study, one)?;
            }
            remove_others(&folder.join(&study.manifest.name), &made);
            let page = page::html(study, &found, &made)?;
            let path = folder.join(format!("{}.html", study.manifest.name));
            write_if_changed(&path, page.as_bytes())?;
            lines.push(line(study, &made, found.len()));
        }
        Ok(lines)
    }
}

fn made<'a>(report: &Report, study: &'a Study) -> Vec<Made<'a>> {
    let context = Context { report, study };
    let figures = study.manifest.figures.iter();
    let mut made: Vec<Made<'a>> = figures
        .map(|figure| Made {
            table: tables::table(&context, figure),
            figure,
        })
        .collect();
    made.sort_by_key(|one| one.figure.number);
    made
}

fn line(study: &Study, made: &[Made<'_>], found: usize) -> StudyLine {
    let mut counts = Counts::default();
    for one in made {
        counts.merge(&one.table.counts());
    }
    let figures = |count: usize| match count {
        1 => "1 table".to_owned(),
        count => format!("{count} tables"),
    };
    let contradictions = match found {
        0 => String::new(),
        1 => "; 1 contradiction or unsupported claim".to_owned(),
        found => format!("; {found} contradictions and unsupported claims"),
    };
    StudyLine {
        name: study.manifest.name.clone(),
        title: study.manifest.title.clone(),
        address: super::html::address(&format!("{FOLDER}/{}.html", study.manifest.name)),
        counts: format!("{}, {}{contradictions}", figures(made.len()), counts.line()),
    }
}

/// Writes a figure's table in each of its forms.
fn write_tables(folder: &Path, study: &Study, made: &Made<'_>) -> Result<(), ReportError> {
    let (figure, table) = (made.figure, &made.table);
    let path = |ending: &str| -> PathBuf { folder.join(format!("{}.{ending}", figure.stem())) };
    let comma = text::csv(table).map_err(|source| ReportError::Table {
        path: path("csv"),
        source,
    })?;
    let mark = text::markdown(figure.number, &figure.caption, table);
    let tex = text::latex(&study.manifest.name, figure.number, &figure.caption, table);
    let contents = [comma, mark.into_bytes(), tex.into_bytes()];
    for (ending, content) in ENDINGS.iter().zip(contents) {
        write_if_changed(&path(ending), &content)?;
    }
    Ok(())
}

/// Removes tables of figures that the study no longer has. What cannot be removed stays, since
/// nothing depends on it.
fn remove_others(folder: &Path, made: &[Made<'_>]) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        let ending = path.extension().and_then(|ending| ending.to_str());
        let stem = path.file_stem().and_then(|stem| stem.to_str());
        let (Some(stem), Some(ending)) = (stem, ending) else {
            continue;
        };
        let ours = stem.starts_with("figure-") && ENDINGS.contains(&ending);
        if ours && !made.iter().any(|one| one.figure.stem() == stem) {
            let _ = fs::remove_file(path);
        }
    }
}
