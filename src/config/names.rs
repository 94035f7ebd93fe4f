//! What a name must be to serve as a folder everywhere and as a word in patterns such as
//! `experiment/run@seed`.

/// The longest name of a run, in bytes.
pub const LONGEST_NAME: usize = 100;

/// Why `name` cannot be the name of an experiment or run, as the rest of a sentence; `None` if it
/// can.
#[must_use]
pub fn fault(name: &str) -> Option<String> {
    if name.is_empty() {
        return Some("is empty".to_owned());
    }
    if name.len() > LONGEST_NAME {
        return Some(format!(
            "is {} bytes long; at most {LONGEST_NAME} are allowed",
            name.len()
        ));
    }
    if let Some(character) = name.chars().find(|&character| is_forbidden(character)) {
        return Some(format!(
            "has {character:?} in it, which a folder or a pattern cannot have"
        ));
    }
    if name.starts_with([' ', '.', '-']) || name.ends_with([' ', '.']) {
        return Some(
            "must not start with a space, full stop or hyphen, nor end with a space or full stop"
                .to_owned(),
        );
    }
    let stem = name.split('.').next().unwrap_or(name).to_ascii_uppercase();
    let device = matches!(stem.as_str(), "CON" | "PRN" | "AUX" | "NUL")
        || (stem.len() == 4
            && (stem.starts_with("COM") || stem.starts_with("LPT"))
            && stem.ends_with(|last: char| last.is_ascii_digit()));
    device.then(|| "is a device's name on Windows".to_owned())
}

/// What lies among the experiments' folders in a results tree beside them.
pub const BESIDE_EXPERIMENTS: [&str; 1] = ["report"];
/// What lies among the runs' folders in an experiment's folder beside them.
pub const BESIDE_RUNS: [&str; 5] = [
    "plan.json",
    "summary.csv",
    "comparison.csv",
    "agreement.csv",
    "plots",
];

/// Why `name` cannot be the name of an experiment, as the rest of a sentence; `None` if it can.
#[must_use]
pub fn experiment_fault(name: &str) -> Option<String> {
    taken(name, &BESIDE_EXPERIMENTS, "the results").or_else(|| fault(name))
}

/// Why `name` cannot be the name of a run, as the rest of a sentence; `None` if it can.
#[must_use]
pub fn run_fault(name: &str) -> Option<String> {
    taken(name, &BESIDE_RUNS, "the experiment's results").or_else(|| fault(name))
}

fn taken(name: &str, files: &[&str], place: &str) -> Option<String> {
    // Some systems do not tell the cases apart.
    let name = name.to_lowercase();
    let file = files.iter().find(|file| **file == name)?;
    Some(format!(
        "cannot be `{file}`, which ensayo itself writes into the folder of {place}"
    ))
}

/// Whether a character cannot be in a folder's name on some system, or means something in a
/// pattern.
#[must_use]
pub fn is_forbidden(character: char) -> bool {
    character.is_control() || "/\\:*?\"<>|@[]{}".contains(character)
}

/// Whether a text can be the name of a model on the hub: `owner/name`, or `name`.
#[must_use]
pub fn is_hub_id(text: &str) -> bool {
    let is_word = |word: &str| {
        let plain = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
        (1..=96).contains(&word.len())
            && word.chars().all(plain)
            && !word.starts_with(['-', '.'])
            && !word.ends_with(['-', '.'])
            && !word.contains("--")
            && !word.contains("..")
    };
    text.split('/').count() <= 2 && text.split('/').all(is_word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usual_names_are_fine() {
        for name in [
            "attempt-1",
            "rank=8,targets=query+value",
            "größe 2",
            "a.b",
            "com",
            "x-y_z",
            &"a".repeat(100),
        ] {
            assert_eq!(fault(name), None, "{name}");
        }
    }

    #[test]
    fn a_model_of_the_hub_has_an_owner_and_a_name_of_plain_letters() {
        for id in ["gpt2", "microsoft/deberta-v3-base", "a/B_c.1"] {
            assert!(is_hub_id(id), "{id}");
        }
        for id in [
            "",
            "a/b/c",
            "../x",
            "a b",
            "/a",
            "a/",
            "a--b/c",
            "https://h",
        ] {
            assert!(!is_hub_id(id), "{id}");
        }
    }

    #[test]
    fn names_of_our_own_files_are_faults() {
        assert!(run_fault("plan.json").is_some() && run_fault("Plots").is_some());
        assert!(experiment_fault("report").is_some() && experiment_fault("REPORT").is_some());
        assert!(run_fault("report").is_none() && experiment_fault("plots").is_none());
        assert!(run_fault("a/b").is_some() && experiment_fault("").is_some());
    }

    #[test]
    fn names_that_some_system_refuses_are_faults() {
        for name in [
            "",
            "a/b",
            "a\\b",
            "a:b",
            "a@42",
            "a*",
            "a[1]",
            "tab\t",
            ".hidden",
            "end.",
            " x",
            "-x",
            "NUL",
            "com1.x",
            &"ä".repeat(51),
        ] {
            assert!(fault(name).is_some(), "{name}");
        }
    }
}
