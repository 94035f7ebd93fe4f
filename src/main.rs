//! The `ensayo` program: see [`ensayo::cli`].

fn main() -> std::process::ExitCode {
    ensayo::cli::main()
}
