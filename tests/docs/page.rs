//! A page of Markdown: its code blocks, its code in lines, its headings and links.

use std::fs;
use std::path::{Path, PathBuf};

/// The repository.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// README or a page of `docs/`.
pub struct Page {
    /// From the repository's root.
    pub path: PathBuf,
    pub text: String,
}

/// A fenced block.
pub struct Block {
    /// Such as `sh`; empty where nothing is said.
    pub language: String,
    /// The number of its first line in the page.
    pub line: usize,
    pub text: String,
}

impl Page {
    pub fn read(path: &Path) -> Self {
        let text = fs::read_to_string(root().join(path))
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        Self {
            path: path.to_owned(),
            text,
        }
    }

    /// README and every page of `docs/`.
    pub fn all() -> Vec<Self> {
        let mut paths: Vec<PathBuf> = fs::read_dir(root().join("docs"))
            .unwrap()
            .map(|entry| Path::new("docs").join(entry.unwrap().file_name()))
            .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
            .collect();
        paths.sort();
        paths.insert(0, "README.md".into());
        paths.iter().map(|path| Self::read(path)).collect()
    }

    pub fn blocks(&self) -> Vec<Block> {
        let mut blocks: Vec<Block> = Vec::new();
        let mut is_open = false;
        for (number, line) in self.text.lines().enumerate() {
            if let Some(language) = line.trim_start().strip_prefix("```") {
                if !is_open {
                    blocks.push(Block {
                        language: language.trim().to_owned(),
                        line: number + 2,
                        text: String::new(),
                    });
                }
                is_open = !is_open;
            } else if is_open && let Some(block) = blocks.last_mut() {
                block.text.push_str(line);
                block.text.push('\n');
            }
        }
        assert!(!is_open, "{}: a block is not closed", self.path.display());
        blocks
    }

    /// The lines outside of blocks, with their numbers.
    pub fn prose(&self) -> Vec<(usize, &str)> {
        let mut is_open = false;
        let mut lines = Vec::new();
        for (number, line) in self.text.lines().enumerate() {
            if line.trim_start().starts_with("```") {
                is_open = !is_open;
            } else if !is_open {
                lines.push((number + 1, line));
            }
        }
        lines
    }

    /// Code between single backticks.
    pub fn code(&self) -> Vec<(usize, &str)> {
        self.prose()
            .into_iter()
            .flat_map(|(number, line)| {
                line.split('`')
                    .skip(1)
                    .step_by(2)
                    .map(move |code| (number, code))
            })
            .collect()
    }

    /// The anchors of its headings, as GitHub makes them.
    pub fn anchors(&self) -> Vec<String> {
        let headings = self
            .prose()
            .into_iter()
            .filter(|(_, line)| line.starts_with('#'));
        headings
            .map(|(_, line)| {
                let text = line.trim_start_matches('#').trim().to_lowercase();
                let kept = text.chars().filter_map(|letter| match letter {
                    ' ' => Some('-'),
                    '-' | '_' => Some(letter),
                    letter => letter.is_alphanumeric().then_some(letter),
                });
                kept.collect()
            })
            .collect()
    }

    /// Where its links and pictures lead, with the lines they stand in.
    pub fn links(&self) -> Vec<(usize, &str)> {
        self.prose()
            .into_iter()
            .flat_map(|(number, line)| {
                line.split("](")
                    .skip(1)
                    .filter_map(move |rest| Some((number, rest.split_once(')')?.0)))
            })
            .collect()
    }
}
