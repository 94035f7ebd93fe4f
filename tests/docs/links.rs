//! Where links lead, and the files that pages name.

use std::path::Path;

use crate::page::{Page, root};

#[test]
fn every_link_within_the_repository_leads_to_a_file_and_a_heading() {
    let mut faults = Vec::new();
    let mut count = 0;
    for page in Page::all() {
        for (line, target) in page.links() {
            if target.contains("://") {
                continue;
            }
            count += 1;
            let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
            let folder = page.path.parent().unwrap_or(Path::new(""));
            let path = if file.is_empty() {
                page.path.clone()
            } else {
                folder.join(file)
            };
            let place = format!("{}:{line}: {target}", page.path.display());
            if !root().join(&path).exists() {
                faults.push(format!("{place}: there is no such file"));
            } else if !anchor.is_empty()
                && !Page::read(&path).anchors().contains(&anchor.to_owned())
            {
                faults.push(format!("{place}: there is no such heading"));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert!(count > 60, "only {count} links were found");
}

#[test]
fn every_file_of_the_repository_that_a_page_names_is_there() {
    const FOLDERS: [&str; 9] = [
        "src/",
        "engine/",
        "tests/",
        "benches/",
        "experiments/",
        "data/",
        "models/",
        "docs/",
        "fuzz/",
    ];
    let mut faults = Vec::new();
    for page in Page::all()
        .iter()
        .filter(|page| page.path != Path::new("docs/settings.md"))
    {
        for (line, code) in page.code() {
            let is_path = FOLDERS.iter().any(|folder| code.starts_with(folder))
                && !code.contains(['<', '*', ' ', '…', '$']);
            // The manual is not bundled, and the schema is a file that the reader makes.
            let is_elsewhere = ["data/manual_bash.txt", "experiments/schema.json"].contains(&code);
            let is_made_up = code.contains("my-") || code.contains("/mine");
            if is_path && !is_made_up && !is_elsewhere && !root().join(code).exists() {
                faults.push(format!("{}:{line}: {code}", page.path.display()));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
