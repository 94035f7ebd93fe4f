//! `ensayo fetch`: everything that experiments need from elsewhere, so that a machine without a
//! network can run them.

use std::io::Write;

use super::commits::{Commits, short};
use super::downloads::Downloads;
use super::{CommandError, Ended, load, say, table, words};
use crate::cli::FetchArgs;
use crate::hub::size;
use crate::plan::Selection;
use crate::tasks::{self, Need};

/// Fetches what the selected runs need and the caches do not have, then says where it is.
///
/// # Errors
/// When something is wrong with the experiments, or something cannot be had.
pub fn run(args: &FetchArgs, output: &mut dyn Write) -> Result<Ended, CommandError> {
    let selection = Selection::parse(&args.wanted.patterns)?;
    let mut commits = Commits::of(&args.places.results, args.refresh)?;
    let (folder, overrides) = (&args.places.experiments, &args.wanted.overrides);
    let mut loaded = load::load_on(folder, overrides, &selection, &commits)?.sound()?;
    let candidates: Vec<_> = loaded.candidates().collect();
    selection.check(&candidates)?;
    loaded.say_skipped();
    commits.pin(&mut loaded.grids, Some(&selection))?;
    for remark in commits.remarks() {
        say(remark);
    }
    let downloads = Downloads::of(&commits, needs(&loaded, &selection));
    downloads.fetch(&commits)?;
    if downloads.models().is_empty() {
        say("these experiments need nothing from elsewhere");
        return Ok(Ended::Done);
    }
    let rows: Vec<Vec<String>> = downloads
        .models()
        .iter()
        .map(|model| {
            let snapshot = model.snapshot(&commits);
            let files = snapshot.iter().flat_map(|snapshot| &snapshot.files);
            let folder = snapshot.as_ref().map(|snapshot| snapshot.folder.clone());
            let bytes = files.clone().filter_map(|file| {
                let path = folder.as_ref()?.join(file);
                Some(path.metadata().ok()?.len())
            });
            vec![
                model.id.clone(),
                model.revision.clone(),
                short(&model.commit).to_owned(),
                words::count(files.clone().count(), "file"),
                size(bytes.sum()),
                folder.map_or_else(String::new, |folder| folder.display().to_string()),
            ]
        })
        .collect();
    write!(output, "{}", table::lines(&rows))?;
    Ok(Ended::Done)
}

/// What the selected cells need, each with its experiment.
fn needs<'a>(
    loaded: &'a load::Loaded,
    selection: &'a Selection,
) -> impl Iterator<Item = (&'a str, Need)> {
    loaded.grids.iter().flat_map(move |grid| {
        let (name, seeds) = (grid.experiment.name.as_str(), &grid.experiment.seeds);
        let cells = grid.cells.iter().filter(move |cell| {
            let mut seeds = seeds.iter();
            seeds.any(|&seed| selection.selects(name, &cell.name, seed))
        });
        let needs = cells.flat_map(|cell| tasks::needs(&cell.settings));
        needs.map(move |need| (name, need))
    })
}
