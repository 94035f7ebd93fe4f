//! Executes a plan: order, one process per job, locks, events. Decides nothing about what a run is and prints nothing.
//!
//! The parent's side is [`Sweep`], with [`Launcher`] as the one expensive seam; the child's side is [`serve`], with
//! [`Execute`] as the work itself. The two speak over pipes in the language of `wire.rs`.

mod child;
mod events;
mod execute;
mod lock;
mod process;
mod stop;
mod sweep;
mod wire;

pub use child::{ChildError, run_job, serve};
pub use events::Event;
pub use execute::{Context, Execute, ExecuteError, Outcome};
pub use lock::RunLock;
pub use process::ProcessLauncher;
pub use stop::StopFlag;
pub use sweep::{JobEnd, Launcher, RunEnd, Sweep, SweepEnd, SweptRun};
