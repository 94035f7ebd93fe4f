//! What a person may type. Knows the options, not what commands do with them.

mod rerun;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

pub use rerun::RerunArgs;

/// Runs experiments written in TOML: edit, run the sweep, compare, run one again by name.
#[derive(Debug, Parser)]
#[command(name = "ensayo", version, propagate_version = true, after_help = EXIT_CODES)]
pub struct Cli {
    /// Which command.
    #[command(subcommand)]
    pub command: Command,
}

const EXIT_CODES: &str =
    "Exit codes: 0 done, 2 bad input, 3 some runs failed, 130 interrupted, 1 anything unexpected.";

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// List experiments, or the runs that patterns match, with state and best score
    List(ListArgs),
    /// Check experiments without running anything: every problem at once
    Check(CheckArgs),
    /// Say what `run` would do, and why
    Plan(PlanArgs),
    /// Run what is not done yet, then write tables, plots and the page
    Run(RunArgs),
    /// Download what experiments need, so that they run without a network
    Fetch(FetchArgs),
    /// Write tables, plots and the page from what runs left
    Report(ReportArgs),
    /// Say whether runs differ by more than chance, from their predictions
    Compare(CompareArgs),
    /// Show settings, metrics and classification reports of runs
    Show(ShowArgs),
    /// Search the hub's models, or see what one is made of
    Models {
        /// Which of these
        #[command(subcommand)]
        command: ModelsCommand,
    },
    /// Classify texts with what a run trained; prints CSV
    Predict(PredictArgs),
    /// Ask the document of a rag run; prints answer and fragments
    Ask(AskArgs),
    /// Repeat a finished run from its record, and say whether it comes out the same
    Rerun(RerunArgs),
    /// Say what takes space in the results folder, and remove what you choose
    Clean(CleanArgs),
    /// Say what this machine can do, what it lacks, and how to get it
    Doctor(DoctorArgs),
    /// Execute one job from standard input (for ensayo's own use)
    #[command(hide = true)]
    Job,
    /// Try a card in a process of its own (for ensayo's own use)
    #[command(hide = true, name = engine::device::PROBE)]
    ProbeCuda {
        /// The card's number
        index: usize,
    },
}

/// Where experiments and results are.
#[derive(Debug, Clone, Args)]
pub struct Places {
    /// Folder with the experiments' TOML files
    #[arg(long, value_name = "DIR", default_value = "experiments")]
    pub experiments: PathBuf,
    /// Folder for the results
    #[arg(long, value_name = "DIR", default_value = "results")]
    pub results: PathBuf,
}

/// Which runs, with which settings.
#[derive(Debug, Clone, Args)]
pub struct Wanted {
    /// Experiments or runs, such as `x`, `x/attempt-4`, `x/attempt-4@43` (one seed) or
    /// `'rag-*/cosine-*'`; without any, all experiments
    #[arg(value_name = "PATTERN")]
    pub patterns: Vec<String>,
    /// Change a setting for this call, such as `training.epochs=1`; may be repeated
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub overrides: Vec<String>,
}

/// Options of `list`.
#[derive(Debug, Clone, Args)]
pub struct ListArgs {
    #[command(flatten)]
    #[expect(
        missing_docs,
        reason = "the group's own documentation would become the help text"
    )]
    pub wanted: Wanted,
    /// Folder with the experiments' TOML files
    #[arg(long, value_name = "DIR", default_value = "experiments")]
    pub experiments: PathBuf,
    /// Folder with the results
    #[arg(long, value_name = "DIR", default_value = "results")]
    pub results: PathBuf,
}

/// Options of `check`.
#[derive(Debug, Clone, Args)]
pub struct CheckArgs {
    #[command(flatten)]
    #[expect(
        missing_docs,
        reason = "the group's own documentation would become the help text"
    )]
    pub wanted: Wanted,
    /// Folder with the experiments' TOML files
    #[arg(long, value_name = "DIR", default_value = "experiments")]
    pub experiments: PathBuf,
    /// Print a JSON Schema of the TOML files, for editors
    #[arg(long, conflicts_with_all = ["patterns", "overrides"])]
    pub schema: bool,
    /// Print the reference of all settings, as Markdown
    #[arg(long, conflicts_with_all = ["patterns", "overrides", "schema"])]
    pub reference: bool,
}

/// Options of `plan`.
#[derive(Debug, Clone, Args)]
#[expect(
    missing_docs,
    reason = "the groups' own documentation would become the help text"
)]
pub struct PlanArgs {
    #[command(flatten)]
    pub wanted: Wanted,
    #[command(flatten)]
    pub places: Places,
    /// Where to run: auto, cpu or cuda:N
    #[arg(long, value_name = "DEVICE", default_value = "auto", value_parser = device)]
    pub device: String,
    /// Run again what is done already
    #[arg(long)]
    pub force: bool,
    /// Ask the hub whether models' branches have moved on, and follow them
    #[arg(long)]
    pub refresh: bool,
    /// Read every input again, instead of trusting its size, inode and times
    #[arg(long)]
    pub rehash: bool,
}

/// The commands below `models`.
#[derive(Debug, Clone, Subcommand)]
pub enum ModelsCommand {
    /// Search the hub's models; all filters given must hold
    Search(ModelSearchArgs),
    /// Show a model's facts, modules and what LoRA would train, without its weights
    Inspect(ModelInspectArgs),
}

/// Options of `models search`.
#[derive(Debug, Clone, Args)]
pub struct ModelSearchArgs {
    /// A task, such as text-classification
    #[arg(long)]
    pub task: Option<String>,
    /// A tag, such as license:mit; may be repeated
    #[arg(long = "tag", value_name = "TAG")]
    pub tags: Vec<String>,
    /// A language, such as es; may be repeated
    #[arg(long = "language", value_name = "CODE")]
    pub languages: Vec<String>,
    /// A library, such as transformers
    #[arg(long)]
    pub library: Option<String>,
    /// A user or an organisation, such as google
    #[arg(long)]
    pub author: Option<String>,
    /// A part of the name
    #[arg(long, value_name = "TEXT")]
    pub name: Option<String>,
    /// A word that the name must not contain, in upper or lower case; may be repeated
    #[arg(long, value_name = "WORD")]
    pub without: Vec<String>,
    /// Order of the models, the most or latest first
    #[arg(long, value_name = "BY", default_value = "downloads", value_parser = SORTS)]
    pub sort: String,
    /// Most models to list
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = at_least_one)]
    pub limit: usize,
    /// List everything that matches, however many pages that takes
    #[arg(long, conflicts_with = "limit")]
    pub all: bool,
    /// Print CSV
    #[arg(long)]
    pub csv: bool,
    /// Print JSON
    #[arg(long, conflicts_with = "csv")]
    pub json: bool,
}

/// By what the hub can sort.
const SORTS: [&str; 5] = ["downloads", "likes", "created", "modified", "trending"];

/// Options of `models inspect`.
#[derive(Debug, Clone, Args)]
pub struct ModelInspectArgs {
    /// A model of the hub as OWNER/NAME, or a model's folder
    #[arg(value_name = "ID|DIR")]
    pub model: String,
    /// Branch, tag or commit of the model on the hub
    #[arg(long, value_name = "REVISION", default_value = "main")]
    pub revision: String,
    /// Number of classes of the classifier
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = at_least_one)]
    pub classes: usize,
    /// Ranks of adapters to count parameters for
    #[arg(long, value_name = "N,N", value_delimiter = ',', default_values_t = [4, 8, 16, 32], value_parser = at_least_one)]
    pub ranks: Vec<usize>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// Options of `fetch`.
#[derive(Debug, Clone, Args)]
#[expect(
    missing_docs,
    reason = "the groups' own documentation would become the help text"
)]
#[command(
    args_conflicts_with_subcommands = true,
    subcommand_precedence_over_arg = true
)]
pub struct FetchArgs {
    #[command(subcommand)]
    pub command: Option<FetchCommand>,
    #[command(flatten)]
    pub wanted: Wanted,
    #[command(flatten)]
    pub places: Places,
    /// Ask the hub whether models' branches have moved on, and follow them
    #[arg(long)]
    pub refresh: bool,
}

/// What can be fetched without an experiment.
#[derive(Debug, Clone, Subcommand)]
pub enum FetchCommand {
    /// Download a game's latest reviews from Steam into a CSV, and count them
    Reviews(ReviewsArgs),
}

/// Options of `fetch reviews`.
#[derive(Debug, Clone, Args)]
pub struct ReviewsArgs {
    /// The game's number, which is part of the address of its page in the store
    #[arg(long, value_name = "NUMBER")]
    pub app: u64,
    /// Steam's name of a language, such as spanish, or all
    #[arg(long, value_name = "NAME", default_value = "english")]
    pub language: String,
    /// How many positive reviews
    #[arg(long, value_name = "N", default_value_t = 1000)]
    pub positive: usize,
    /// How many negative reviews
    #[arg(long, value_name = "N", default_value_t = 1000)]
    pub negative: usize,
    /// Order of the rows: positive and negative alternating, class by class, or latest first
    #[arg(long, default_value = "turns", value_parser = ["turns", "class", "latest"])]
    pub order: String,
    /// File to write [default: steam-NUMBER-LANGUAGE.csv]
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Take reviews from saved pages of the store's former service instead of the network; may be
    /// repeated
    #[arg(long, value_name = "FILE")]
    pub import: Vec<PathBuf>,
}

/// Options of `run`.
#[derive(Debug, Clone, Args)]
pub struct RunArgs {
    #[command(flatten)]
    #[expect(
        missing_docs,
        reason = "the group's own documentation would become the help text"
    )]
    pub plan: PlanArgs,
    /// Only say what would be done, as `plan` does
    #[arg(long)]
    pub dry_run: bool,
    /// Rank the runs in the table by a metric, such as accuracy, loss or time
    #[arg(long, value_name = "METRIC")]
    pub sort: Option<String>,
    /// Start nothing more after the first failure
    #[arg(long)]
    pub fail_fast: bool,
    /// Most jobs at the same time
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = at_least_one)]
    pub jobs: usize,
}

/// Options of `report`.
#[derive(Debug, Clone, Args)]
pub struct ReportArgs {
    /// Experiments, such as `x` or `'rag-*'`; all if left out
    #[arg(value_name = "PATTERN")]
    pub patterns: Vec<String>,
    /// Rank the runs in the table by a metric, such as accuracy, loss or time
    #[arg(long, value_name = "METRIC")]
    pub sort: Option<String>,
    /// Give every run plots and a page of its own, however many there are
    #[arg(long)]
    pub every_run: bool,
    /// Draw again whenever a run leaves something new, until Ctrl-C
    #[arg(long)]
    pub watch: bool,
    /// Open the page in the browser
    #[arg(long)]
    pub open: bool,
    /// Also write the current runs as other tools read them, to report/export/ among the results
    #[arg(long, value_name = "FORMAT,FORMAT", value_delimiter = ',', value_parser = EXPORTS)]
    pub export: Vec<String>,
    /// Folder with the results
    #[arg(long, value_name = "DIR", default_value = "results")]
    pub results: PathBuf,
    /// Folder with the experiments' TOML files, which say which results are current
    #[arg(long, value_name = "DIR", default_value = "experiments")]
    pub experiments: PathBuf,
}

/// What a report can be exported to.
const EXPORTS: [&str; 4] = ["tensorboard", "trainer-state", "trec", "all"];

/// Options of `compare`.
#[derive(Debug, Clone, Args)]
pub struct CompareArgs {
    /// Two runs, such as `x/attempt-4` and `y/attempt-2@43`; or more, such as `x`, which are each
    /// compared with the best
    #[arg(value_name = "PATTERN", required = true)]
    pub patterns: Vec<String>,
    /// Compare each run with this one instead of the best
    #[arg(long, value_name = "RUN", conflicts_with = "all_pairs")]
    pub baseline: Option<String>,
    /// Compare each run with each other
    #[arg(long)]
    pub all_pairs: bool,
    /// Compare on this evaluation, such as `test` [default: two runs on all that they share, more
    /// on the first]
    #[arg(long, value_name = "NAME")]
    pub evaluation: Option<String>,
    /// Also compare results of other settings than the experiments have now
    #[arg(long)]
    pub stale: bool,
    /// Print CSV with every figure in full
    #[arg(long)]
    pub csv: bool,
    /// Folder with the results
    #[arg(long, value_name = "DIR", default_value = "results")]
    pub results: PathBuf,
    /// Folder with the experiments' TOML files, which say which results are current
    #[arg(long, value_name = "DIR", default_value = "experiments")]
    pub experiments: PathBuf,
}

/// Options of `show`.
#[derive(Debug, Clone, Args)]
pub struct ShowArgs {
    /// Experiments or runs, such as `x`, `x/attempt-4` or `x/y@43`
    #[arg(value_name = "PATTERN", required = true)]
    pub patterns: Vec<String>,
    /// Instead print a prompt as the decoder gets it: the first, or the one with this number or
    /// question
    #[arg(long, value_name = "WHICH", num_args = 0..=1, default_missing_value = "")]
    pub prompt: Option<String>,
    /// Folder with the results
    #[arg(long, value_name = "DIR", default_value = "results")]
    pub results: PathBuf,
    /// Folder with the experiments' TOML files, which say which results are current
    #[arg(long, value_name = "DIR", default_value = "experiments")]
    pub experiments: PathBuf,
}

/// Options of `clean`.
#[derive(Debug, Clone, Args)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is an option of its own"
)]
pub struct CleanArgs {
    /// Remove caches
    #[arg(long)]
    pub caches: bool,
    /// Remove finished results that newer ones replaced
    #[arg(long)]
    pub kept: bool,
    /// Remove unfinished work and its checkpoints
    #[arg(long)]
    pub unfinished: bool,
    /// Remove results of runs that no experiment has
    #[arg(long)]
    pub orphans: bool,
    /// Only remove what was last written more than so many days ago
    #[arg(long, value_name = "DAYS")]
    pub older_than: Option<u64>,
    /// Confirm; needed to remove anything but caches
    #[arg(long)]
    pub yes: bool,
    /// Only say what would be removed
    #[arg(long, conflicts_with = "yes")]
    pub dry_run: bool,
    /// Folder with the results
    #[arg(long, value_name = "DIR", default_value = "results")]
    pub results: PathBuf,
    /// Folder with the experiments' TOML files
    #[arg(long, value_name = "DIR", default_value = "experiments")]
    pub experiments: PathBuf,
}

/// Options of `doctor`.
#[derive(Debug, Clone, Args)]
pub struct DoctorArgs {
    /// Also check whether the Hugging Face hub and Steam answer
    #[arg(long)]
    pub online: bool,
    /// Folder with the results
    #[arg(long, value_name = "DIR", default_value = "results")]
    pub results: PathBuf,
}

/// Options of `predict`.
#[derive(Debug, Clone, Args)]
pub struct PredictArgs {
    /// The run, as EXPERIMENT/RUN or EXPERIMENT/RUN@SEED
    #[arg(value_name = "RUN")]
    pub run: String,
    /// Texts; without any, and without --input, standard input has one a line
    #[arg(value_name = "TEXT")]
    pub texts: Vec<String>,
    /// A CSV or JSONL file with the texts in the column that the run was trained on; `-` is
    /// standard input
    #[arg(long, value_name = "FILE", conflicts_with = "texts")]
    pub input: Option<PathBuf>,
    /// Also print the network's outputs before they become probabilities
    #[arg(long)]
    pub logits: bool,
    /// Folder with the results
    #[arg(long, value_name = "DIR", default_value = "results")]
    pub results: PathBuf,
    /// Where to run: auto, cpu or cuda:N
    #[arg(long, value_name = "DEVICE", default_value = "auto", value_parser = device)]
    pub device: String,
}

/// Options of `ask`.
#[derive(Debug, Clone, Args)]
pub struct AskArgs {
    /// The run, as EXPERIMENT/RUN or EXPERIMENT/RUN@SEED, unless --run names it; then the question.
    /// Without a question, standard input has one a line
    #[arg(value_names = ["RUN", "QUESTION"], num_args = 0..=2)]
    pub words: Vec<String>,
    /// The run, if only the question is to follow
    #[arg(long = "run", value_name = "RUN")]
    pub run: Option<String>,
    /// Folder with the results
    #[arg(long, value_name = "DIR", default_value = "results")]
    pub results: PathBuf,
    /// Where to run: auto, cpu or cuda:N
    #[arg(long, value_name = "DEVICE", default_value = "auto", value_parser = device)]
    pub device: String,
}

/// Lets an experiment's file stand for its name, and the file's folder for that of the experiments.
fn by_file(patterns: &mut [String], experiments: &mut PathBuf) {
    for pattern in patterns {
        let path = PathBuf::from(&*pattern);
        let is_toml = path
            .extension()
            .is_some_and(|extension| extension == "toml");
        let (Some(stem), true) = (path.file_stem(), is_toml && path.is_file()) else {
            continue;
        };
        *pattern = stem.to_string_lossy().into_owned();
        if let Some(folder) = path.parent() {
            let here = folder.as_os_str().is_empty();
            *experiments = if here { ".".into() } else { folder.to_owned() };
        }
    }
}

impl Cli {
    /// Reads the command line; exits where there is nothing to run.
    #[must_use]
    pub fn parsed() -> Self {
        let mut cli = Self::parse();
        match &mut cli.command {
            Command::List(ListArgs {
                wanted,
                experiments,
                ..
            })
            | Command::Check(CheckArgs {
                wanted,
                experiments,
                ..
            }) => by_file(&mut wanted.patterns, experiments),
            Command::Fetch(FetchArgs { wanted, places, .. }) => {
                by_file(&mut wanted.patterns, &mut places.experiments);
            }
            Command::Plan(plan) | Command::Run(RunArgs { plan, .. }) => {
                by_file(&mut plan.wanted.patterns, &mut plan.places.experiments);
            }
            Command::Report(ReportArgs {
                patterns,
                experiments,
                ..
            })
            | Command::Compare(CompareArgs {
                patterns,
                experiments,
                ..
            })
            | Command::Show(ShowArgs {
                patterns,
                experiments,
                ..
            }) => by_file(patterns, experiments),
            _ => {}
        }
        cli
    }
}

fn device(text: &str) -> Result<String, String> {
    let numbered = text
        .strip_prefix("cuda:")
        .is_some_and(|number| number.parse::<usize>().is_ok());
    if numbered || ["auto", "cpu"].contains(&text) {
        return Ok(text.to_owned());
    }
    let hint = if text == "cuda" {
        "; the first card is cuda:0"
    } else {
        ""
    };
    Err(format!("a device is auto, cpu or cuda:N{hint}"))
}

fn at_least_one(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) | Err(_) => Err("a whole number from 1".into()),
        Ok(number) => Ok(number),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn devices_are_checked_before_anything_runs() {
        assert_eq!(device("cuda:1").as_deref(), Ok("cuda:1"));
        assert!(device("cuda").unwrap_err().contains("cuda:0"));
        assert!(device("gpu").is_err() && device("cuda:x").is_err());
    }

    #[test]
    fn no_job_at_once_is_refused() {
        assert!(Cli::try_parse_from(["ensayo", "run", "--jobs", "0"]).is_err());
        assert!(
            Cli::try_parse_from([
                "ensayo",
                "run",
                "x",
                "--jobs",
                "2",
                "--set",
                "training.epochs=1"
            ])
            .is_ok()
        );
    }
}
