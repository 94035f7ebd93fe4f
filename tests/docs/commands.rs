//! Commands that pages quote.

use clap::Parser;
use clap::error::ErrorKind;
use ensayo::cli::Cli;

use crate::page::{Page, root};

/// The words of a command line as a shell takes them apart, up to a comment, a pipe or a redirection.
fn words(line: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    for letter in line.chars() {
        if let Some(end) = quote {
            if letter == end {
                quote = None;
            } else {
                word.get_or_insert_default().push(letter);
            }
            continue;
        }
        match letter {
            '\'' | '"' => {
                quote = Some(letter);
                word.get_or_insert_default();
            }
            ' ' => words.extend(word.take()),
            '#' if word.is_none() => break,
            '|' | '<' | '>' | ';' | '&' => break,
            letter => word.get_or_insert_default().push(letter),
        }
    }
    words.extend(word);
    words
}

/// The arguments where a line calls the program, after variables that are set for it.
fn arguments(line: &str) -> Option<Vec<String>> {
    let words = words(line);
    let is_set = |word: &String| {
        let name = word.split_once('=').map_or("", |(name, _)| name);
        !name.is_empty()
            && name
                .bytes()
                .all(|byte| byte.is_ascii_uppercase() || byte == b'_' || byte.is_ascii_digit())
    };
    let call: Vec<String> = words.into_iter().skip_while(is_set).collect();
    if call.first().is_some_and(|word| word == "ensayo") {
        return Some(call);
    }
    let through_cargo = call.starts_with(&["cargo", "run", "--release", "--"].map(str::to_owned));
    through_cargo.then(|| call[3..].to_vec())
}

/// Each line of blocks, and each piece of code in a sentence, that calls the program.
fn calls(page: &Page) -> Vec<(usize, Vec<String>)> {
    let blocks = page.blocks();
    let shell = blocks
        .iter()
        .filter(|block| block.language == "sh")
        .flat_map(|block| {
            block
                .text
                .lines()
                .enumerate()
                .map(|(number, line)| (block.line + number, line))
        });
    let inline = page
        .code()
        .into_iter()
        .filter(|(_, code)| code.contains(' '));
    shell
        .chain(inline)
        .filter_map(|(number, line)| Some((number, arguments(line)?)))
        .collect()
}

#[test]
fn every_command_that_a_page_quotes_is_one_that_the_program_takes() {
    let mut count = 0;
    let mut faults = Vec::new();
    for page in Page::all() {
        for (line, call) in calls(&page) {
            count += 1;
            let Err(error) = Cli::try_parse_from(&call) else {
                continue;
            };
            let is_help = matches!(
                error.kind(),
                ErrorKind::DisplayHelp | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
            );
            // A command may be mentioned by its name alone.
            let is_word = |word: &String| word.bytes().all(|byte| byte.is_ascii_lowercase());
            let is_mention = call.len() <= 3
                && call.iter().all(is_word)
                && error.kind() == ErrorKind::MissingRequiredArgument;
            if !is_help && !is_mention {
                let call = call.join(" ");
                faults.push(format!("{}:{line}: {call}\n{error}", page.path.display()));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert!(count > 60, "only {count} calls were found");
}

#[test]
fn experiments_that_calls_name_are_bundled_or_stand_on_the_page() {
    let bundled = |name: &str| {
        let is_match = globset::Glob::new(name).unwrap().compile_matcher();
        std::fs::read_dir(root().join("experiments"))
            .unwrap()
            .any(|entry| {
                let path = entry.unwrap().path();
                path.file_stem().is_some_and(|stem| is_match.is_match(stem))
            })
    };
    for page in Page::all() {
        for (line, call) in calls(&page) {
            let named = matches!(
                call.get(1).map(String::as_str),
                Some("run" | "show" | "plan" | "list" | "predict" | "rerun")
            );
            let first = call.iter().skip(2).find(|word| !word.starts_with('-'));
            let Some(name) = first
                .filter(|_| named)
                .and_then(|word| word.split('/').next())
            else {
                continue;
            };
            let is_placeholder = name.chars().any(char::is_uppercase) || name.contains(".toml");
            let is_made_up = name.starts_with("my-");
            let fine = is_placeholder || is_made_up || bundled(name) || name == "experiments";
            assert!(
                fine,
                "{}:{line}: there is no experiment `{name}`",
                page.path.display()
            );
        }
    }
}

#[test]
fn a_line_is_taken_apart_as_a_shell_does() {
    let of = |line: &str| arguments(line).unwrap_or_default().join("|");
    assert_eq!(
        of("A=1 B_2=x ensayo run 'a b' \"c\"  # why"),
        "ensayo|run|a b|c"
    );
    assert_eq!(
        of("cargo run --release -- doctor --online > out.txt"),
        "--|doctor|--online"
    );
    assert_eq!(of("pip install ensayo"), "");
}
