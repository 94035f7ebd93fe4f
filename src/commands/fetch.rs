//! `ensayo fetch`: everything that experiments need from elsewhere, so that a machine without a
//! network can run them.

use std::io::Write;

use super::commits::Commits;
use super::downloads::{Downloads, collect, counts};
use super::{CommandError, Ended, load, say, table, words};
use crate::cli::{FetchArgs, FetchCommand, ReviewsArgs};
use crate::hub::Environment;
use crate::plan::Selection;
use crate::steam::{self, Order, ReviewQuery};
use crate::tasks::{self, Need};

/// Fetches what the selected runs need and the caches do not have, then says where it is.
///
/// # Errors
/// When something is wrong with the experiments, or something cannot be had.
pub fn run(args: &FetchArgs, output: &mut dyn Write) -> Result<Ended, CommandError> {
    if let Some(FetchCommand::Reviews(args)) = &args.command {
        return reviews(args, output);
    }
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
    let rows = downloads.rows(&commits);
    if rows.is_empty() {
        say("these experiments need nothing from elsewhere");
    }
    write!(output, "{}", table::lines(&rows))?;
    Ok(Ended::Done)
}

/// Fetches reviews into a CSV of its own, and prints their counts.
fn reviews(args: &ReviewsArgs, output: &mut dyn Write) -> Result<Ended, CommandError> {
    let client = steam::Reviews::of(&Environment::read()).map_err(CommandError::input)?;
    let query = ReviewQuery::new(args.app, &args.language, args.positive, args.negative);
    if !args.import.is_empty() {
        let new = client
            .import(&query, &args.import)
            .map_err(CommandError::input)?;
        say(format_args!("{} new", words::count(new, "review")));
    }
    let collection = if args.import.is_empty() {
        collect(&client, &query)?
    } else {
        client.cached(&query).map_err(CommandError::input)?
    };
    let order = match &*args.order {
        "class" => Order::ByClass,
        "latest" => Order::Latest,
        _ => Order::ByTurns,
    };
    let name = || format!("steam-{}-{}.csv", args.app, args.language);
    let file = args.out.clone().unwrap_or_else(|| name().into());
    collection
        .write_csv(&file, order)
        .map_err(CommandError::input)?;
    write!(output, "{}", counts(&collection))?;
    say(file.display());
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
