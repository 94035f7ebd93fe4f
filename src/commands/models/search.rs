//! `ensayo models search`: models of the hub that match filters, as a table, CSV or JSON.

use std::io::Write;

use crate::cli::ModelSearchArgs;
use crate::commands::talk::Talk;
use crate::commands::{CommandError, Ended, say, table, words};
use crate::hub::{Environment, FoundModel, Hub, Search, Sort};
use crate::record::{CsvWriter, ModelRow, Row};
use crate::tasks::model_rows;

/// Asks the hub, all pages as far as they are wanted, and writes what it has.
///
/// # Errors
/// When the hub cannot be asked or refuses.
pub fn run(args: &ModelSearchArgs, output: &mut dyn Write) -> Result<Ended, CommandError> {
    let search = Search {
        task: args.task.clone(),
        tags: args.tags.clone(),
        languages: args.languages.clone(),
        library: args.library.clone(),
        author: args.author.clone(),
        name: args.name.clone(),
        without: args.without.clone(),
        sort: Sort::from_word(&args.sort).unwrap_or_default(),
        limit: (!args.all).then_some(args.limit),
    };
    let hub = Hub::new(Environment::read()).map_err(CommandError::input)?;
    let found = hub.search(&search, &Talk).map_err(CommandError::input)?;
    if args.json {
        let text = serde_json::to_string_pretty(&found).map_err(CommandError::unexpected)?;
        writeln!(output, "{text}")?;
    } else if args.csv {
        write_csv(&model_rows(&found), output)?;
    } else if found.is_empty() {
        say("no model matches; fewer filters find more");
    } else {
        write!(output, "{}", lines(&found))?;
    }
    Ok(Ended::Done)
}

fn write_csv(rows: &[ModelRow], output: &mut dyn Write) -> std::io::Result<()> {
    let mut writer = CsvWriter::new(output);
    writer.write_record(ModelRow::COLUMNS)?;
    for row in rows {
        writer.serialize(row)?;
    }
    writer.flush()
}

fn lines(found: &[FoundModel]) -> String {
    let head = [
        "model",
        "downloads",
        "likes",
        "parameters",
        "task",
        "library",
        "licence",
        "created",
        "modified",
    ];
    let number = |number: Option<u64>| number.map(|number| number.to_string()).unwrap_or_default();
    let rows = found.iter().map(|model| {
        let facts = &model.facts;
        let word = |word: &Option<String>| word.clone().unwrap_or_default();
        let gated = if facts.gated { " (gated)" } else { "" };
        vec![
            format!("{}{gated}", model.id),
            number(facts.downloads),
            number(facts.likes),
            number(model.parameters),
            word(&facts.task),
            word(&facts.library),
            word(&facts.licence),
            words::day(facts.created.as_deref()),
            words::day(facts.modified.as_deref()),
        ]
    });
    let rows: Vec<_> = std::iter::once(head.map(str::to_owned).to_vec())
        .chain(rows)
        .collect();
    table::lines(&rows)
}
