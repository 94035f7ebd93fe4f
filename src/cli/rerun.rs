//! What a person may type after `rerun`.

use std::path::PathBuf;

use clap::Args;

use super::device;

/// Options of `rerun`.
#[derive(Debug, Clone, Args)]
pub struct RerunArgs {
    /// The run, as EXPERIMENT/RUN or EXPERIMENT/RUN@SEED; an experiment with one run by its name
    #[arg(value_name = "RUN")]
    pub run: String,
    /// Keep what the rerun leaves, as a results folder of its own; it must be new or empty
    #[arg(long, value_name = "DIR")]
    pub keep: Option<PathBuf>,
    /// Where to run: auto, cpu or cuda:N [default: as the run; the processor if there is no card]
    #[arg(long, value_name = "DEVICE", value_parser = device)]
    pub device: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    /// Folder with the results
    #[arg(long, value_name = "DIR", default_value = "results")]
    pub results: PathBuf,
}
