//! How a measurement ends: with one line on the terminal.

use std::error::Error;
use std::process::ExitCode;

/// Prints a measurement's line, or why there is none.
#[allow(clippy::print_stdout, clippy::print_stderr)]
pub fn print(measured: Result<String, Box<dyn Error>>) -> ExitCode {
    match measured {
        Ok(line) => {
            println!("{line}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
    }
}
