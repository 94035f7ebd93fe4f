//! `ensayo models inspect`: what a model is, of the hub or in a folder, without its weights.

use std::io::Write;
use std::path::Path;

use super::facts::Model;
use crate::cli::ModelInspectArgs;
use crate::commands::commits::{is_out_of_reach, short};
use crate::commands::talk::Talk;
use crate::commands::{CommandError, Ended, say, table, words};
use crate::hub::{Environment, Hub, Inspection, inspect_folder};

/// Writes facts, the module tree, and what adapters of each rank would train.
///
/// # Errors
/// When there is no such model, the hub cannot be asked, or its files cannot be read.
pub fn run(args: &ModelInspectArgs, output: &mut dyn Write) -> Result<Ended, CommandError> {
    let model = Model::new(seen(args)?, args.classes);
    if args.json {
        let data = model.json(&args.ranks);
        let text = serde_json::to_string_pretty(&data).map_err(CommandError::unexpected)?;
        writeln!(output, "{text}")?;
        return Ok(Ended::Done);
    }
    writeln!(output, "{}", model.seen.id)?;
    let pairs = model.pairs().into_iter();
    let pairs: Vec<Vec<String>> = pairs
        .map(|(name, value)| vec![format!("  {name}"), value])
        .collect();
    write!(output, "{}", table::lines(&pairs))?;
    if let Err(reason) = &model.network {
        writeln!(output, "\nThis version of ensayo cannot run it: {reason}.")?;
    }
    if let Some(tree) = model.tree() {
        let of = match model.role() {
            Some(role) => format!("modules as {role}"),
            None => "modules, by the names in the weights".to_owned(),
        };
        let head = [
            of,
            "weight".into(),
            "parameters".into(),
            "LoRA target".into(),
        ];
        let mut rows = tree.rows();
        rows.insert(0, head);
        words::to_the_right(&mut rows, 2);
        let rows: Vec<Vec<String>> = rows.into_iter().map(Vec::from).collect();
        write!(output, "\n{}", table::lines(&rows))?;
    }
    write!(output, "{}", adapters(&model, &args.ranks))?;
    Ok(Ended::Done)
}

/// What adapters of each rank would train, as a table; nothing for a network without.
fn adapters(model: &Model, ranks: &[usize]) -> String {
    let Some(adapters) = model.adapters(ranks).filter(|found| !found.rows.is_empty()) else {
        return String::new();
    };
    let grouped = |count: u64| words::grouped(&count.to_string());
    let titles = ["LoRA target", "layers", "weight"].map(str::to_owned);
    let mut rows = vec![
        titles
            .into_iter()
            .chain(ranks.iter().map(|rank| format!("rank {rank}")))
            .collect::<Vec<_>>(),
    ];
    for row in &adapters.rows {
        let [output, input] = row.shape;
        let about = [
            row.target.clone(),
            row.layers.to_string(),
            format!("{output} x {input}"),
        ];
        let counts = row.counts.iter().map(|&count| grouped(count));
        rows.push(about.into_iter().chain(counts).collect());
    }
    let usual = ["query", "value"];
    let chosen = || {
        let rows = adapters.rows.iter();
        rows.filter(|row| usual.contains(&row.target.as_str()))
    };
    if chosen().count() == usual.len() {
        let counts = (0..ranks.len()).map(|index| {
            let count = adapters.head + chosen().map(|row| row.counts[index]).sum::<u64>();
            #[expect(clippy::cast_precision_loss, reason = "shown with two digits")]
            let share = 100.0 * count as f64 / adapters.total as f64;
            format!("{} ({share:.2} %)", grouped(count))
        });
        let head = if adapters.head > 0 {
            " and the head"
        } else {
            ""
        };
        let about = [format!("query, value{head}"), String::new(), String::new()];
        rows.push(about.into_iter().chain(counts).collect());
    }
    for column in (1..=1).chain(3..3 + ranks.len()) {
        words::to_the_right(&mut rows, column);
    }
    let head = match adapters.head {
        0 => String::new(),
        head => format!(
            "The head's {} parameters are trained in full beside the adapters.\n",
            grouped(head)
        ),
    };
    format!("\n{}{head}", table::lines(&rows))
}

/// What is known of the model: a folder, else one of the hub.
fn seen(args: &ModelInspectArgs) -> Result<Inspection, CommandError> {
    let folder = Path::new(&args.model);
    if folder.is_dir() {
        if !folder.join("config.json").is_file() {
            return Err(CommandError::Input(format!(
                "{} has no config.json: name a model's own folder, or a model of the hub as owner/name",
                folder.display()
            )));
        }
        return inspect_folder(folder).map_err(CommandError::input);
    }
    let hub = Hub::new(Environment::read()).map_err(CommandError::input)?;
    let (id, revision) = (&args.model, &args.revision);
    let error = match hub.inspect(id, revision, &Talk) {
        Ok(seen) => return Ok(seen),
        Err(error) => error,
    };
    let commit = hub.cached_commit(id, revision);
    let cached = commit.and_then(|commit| Some((hub.cached_folder(id, &commit)?, commit)));
    match cached.filter(|_| is_out_of_reach(&error)) {
        Some((folder, commit)) => {
            say(format_args!(
                "{error}\nfrom the cache, at {}:",
                short(&commit)
            ));
            let seen = inspect_folder(&folder).map_err(CommandError::input)?;
            Ok(Inspection {
                id: id.clone(),
                commit: Some(commit),
                ..seen
            })
        }
        None => Err(CommandError::input(error)),
    }
}
