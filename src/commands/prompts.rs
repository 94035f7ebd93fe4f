//! `ensayo show --prompt`: prompts as the decoder gets them.

use std::io::Write;

use super::commits::Commits;
use super::{CommandError, Ended, finished, plan};
use crate::cli::{Places, PlanArgs, ShowArgs, Wanted};
use crate::config::Settings;
use crate::plan::RunSpec;
use crate::record::RunFile;
use crate::tasks::{self, ShownPrompt};

/// Shows the prompt that is asked for of every run that the patterns match, or the first one. Data
/// goes out as it is: special tokens are spelled out, and the line before each prompt says how long
/// it is.
///
/// # Errors
/// When a pattern matches nothing, a run asks no decoder, or its inputs cannot be read.
pub(super) fn run(
    args: &ShowArgs,
    which: &str,
    output: &mut dyn Write,
) -> Result<Ended, CommandError> {
    let which = Some(which).filter(|which| !which.is_empty());
    for (index, spec) in specs(args)?.iter().enumerate() {
        let label = spec.label();
        let Some(task) = tasks::of(&spec.settings).prompted() else {
            return Err(CommandError::Input(format!(
                "{label} has no prompts: only runs that ask a decoder do"
            )));
        };
        let prompts = task
            .prompts(spec, which)
            .map_err(|error| CommandError::Input(format!("{label}: {error}")))?;
        for (number, prompt) in prompts.iter().enumerate() {
            if index + number > 0 {
                writeln!(output)?;
            }
            write(&label, prompt, output)?;
        }
    }
    Ok(Ended::Done)
}

fn write(label: &str, prompt: &ShownPrompt, output: &mut dyn Write) -> std::io::Result<()> {
    let ShownPrompt {
        name,
        text,
        tokens,
        max_new_tokens,
        context_length,
    } = prompt;
    let whole = tokens.saturating_add(*max_new_tokens);
    let fits = if whole > *context_length {
        ": too long"
    } else {
        ""
    };
    writeln!(
        output,
        "{label}, prompt {name}: {tokens} tokens, with {max_new_tokens} of the answer {whole} of {context_length}{fits}\n"
    )?;
    writeln!(output, "{text}")
}

/// The runs as their experiments say now; where there is no such experiment, as they were run.
fn specs(args: &ShowArgs) -> Result<Vec<RunSpec>, CommandError> {
    let planned = planned(args);
    let fault = match planned {
        Ok(specs) => return Ok(specs),
        Err(fault) => fault,
    };
    let Ok(found) = finished::find(&args.results, &args.patterns) else {
        return Err(fault);
    };
    let specs = found.iter().map(|(folder, record)| {
        let settings = RunFile::<Settings>::read(folder)?.settings;
        RunSpec::of_finished(record, folder, &settings, &[]).map_err(CommandError::input)
    });
    specs.collect()
}

fn planned(args: &ShowArgs) -> Result<Vec<RunSpec>, CommandError> {
    let asked = PlanArgs {
        wanted: Wanted {
            patterns: args.patterns.clone(),
            overrides: Vec::new(),
        },
        places: Places {
            experiments: args.experiments.clone(),
            results: args.results.clone(),
        },
        device: "cpu".to_owned(),
        force: false,
        refresh: false,
        rehash: false,
    };
    let mut commits = Commits::of(&args.results, false)?;
    let plan = plan::make(&asked, &mut commits)?;
    Ok(plan.runs.into_iter().map(|planned| planned.spec).collect())
}
