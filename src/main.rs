//! The `ensayo` program: see [`ensayo::commands`].

fn main() -> std::process::ExitCode {
    ensayo::commands::main()
}
