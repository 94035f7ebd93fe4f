//! Many names in little room: shortened where they must be, and never two of them alike.

use std::collections::HashMap;

use super::text;

/// Names as they are drawn.
pub(crate) struct Labels {
    /// The lines of each name.
    pub lines: Vec<Vec<String>>,
}

impl Labels {
    /// Names in at most `lines` lines of at most `max_width` points. Long ones lose their middle, or
    /// another part where that would make two of them alike; where no part can go, the names that
    /// would be alike begin with their numbers, counted from 1.
    pub(crate) fn fit(
        names: &[String],
        size: f64,
        bold: bool,
        max_width: f64,
        lines: usize,
    ) -> Self {
        // How many of eight parts of what is kept stand before the gap.
        const HEADS: [usize; 5] = [4, 2, 6, 1, 7];
        let fitted = |head: usize| -> Vec<Vec<String>> {
            let fit = |name: &String| text::fit_around(name, size, bold, max_width, lines, head);
            names.iter().map(fit).collect()
        };
        let found = HEADS.into_iter().map(fitted);
        let mut found = found.map(|fitted| (alike(names, &fitted), fitted));
        let mut first = None;
        let apart = found.find_map(|(alike, fitted)| {
            if alike.is_empty() {
                return Some(fitted);
            }
            first.get_or_insert((alike, fitted));
            None
        });
        let drawn = apart.or_else(|| {
            let (alike, mut fitted) = first?;
            for index in alike {
                fitted[index] = numbered(index, &names[index], size, bold, max_width, lines);
            }
            Some(fitted)
        });
        let drawn = drawn.unwrap_or_default();
        Self { lines: drawn }
    }

    /// The width of the widest line.
    pub(crate) fn width(&self, size: f64, bold: bool) -> f64 {
        let lines = self.lines.iter().flatten();
        lines
            .map(|line| text::width(line, size, bold))
            .fold(0.0, f64::max)
    }

    /// The lines of the name that has the most.
    pub(crate) fn most_lines(&self) -> usize {
        self.lines.iter().map(Vec::len).max().unwrap_or(1)
    }
}

fn squeezed(text: &str) -> String {
    text.split_whitespace().collect()
}

/// Places of the names that share their form with another name.
fn alike(names: &[String], fitted: &[Vec<String>]) -> Vec<usize> {
    let mut known: HashMap<String, Vec<usize>> = HashMap::new();
    for (index, lines) in fitted.iter().enumerate() {
        known
            .entry(squeezed(&lines.concat()))
            .or_default()
            .push(index);
    }
    let differ =
        |places: &&Vec<usize>| places.iter().any(|&place| names[place] != names[places[0]]);
    let mut alike: Vec<usize> = known.values().filter(differ).flatten().copied().collect();
    alike.sort_unstable();
    alike
}

fn numbered(
    index: usize,
    name: &str,
    size: f64,
    bold: bool,
    max_width: f64,
    lines: usize,
) -> Vec<String> {
    let number = (index + 1).to_string();
    let fitted = text::fit_around(
        &format!("{number}: {name}"),
        size,
        bold,
        max_width,
        lines,
        4,
    );
    if fitted.concat().starts_with(&format!("{number}:")) {
        fitted
    } else {
        vec![number]
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn owned(names: &[&str]) -> Vec<String> {
        names.iter().map(|&name| name.to_owned()).collect()
    }

    #[test]
    fn names_that_fit_stay_whole() {
        let labels = Labels::fit(&owned(&["rank=4", "rank=8"]), 12.0, false, 200.0, 1);
        assert_eq!(labels.lines, [["rank=4"], ["rank=8"]]);
        assert!(labels.width(12.0, false) > 20.0 && labels.most_lines() == 1);
    }

    #[test]
    fn long_names_lose_a_part_in_which_they_agree() {
        let ends = owned(&[
            "the same beginning of both, one",
            "the same beginning of both, two",
        ]);
        let labels = Labels::fit(&ends, 12.0, false, 100.0, 1);
        assert!(labels.lines.concat().concat().contains('…'));
        assert!(labels.lines[0][0].ends_with("one") && labels.lines[1][0].ends_with("two"));
    }

    #[test]
    fn names_that_differ_only_where_there_is_no_room_get_numbers() {
        let name = |which: char| format!("{}{which}{}", "a".repeat(60), "b".repeat(60));
        let labels = Labels::fit(&[name('x'), name('y'), "c".into()], 12.0, false, 80.0, 1);
        assert!(labels.lines[0][0].starts_with("1:") && labels.lines[1][0].starts_with("2:"));
        assert_eq!(labels.lines[2], ["c"]);
    }

    proptest! {
        #[test]
        fn different_names_never_look_alike(
            names in prop::collection::vec("[ab=, ñ]{0,60}", 0..12),
            max_width in 1.0..200.0,
            lines in 1_usize..4,
        ) {
            let labels = Labels::fit(&names, 11.0, false, max_width, lines);
            prop_assert_eq!(labels.lines.len(), names.len());
            for (one, first) in names.iter().zip(&labels.lines) {
                for (two, second) in names.iter().zip(&labels.lines) {
                    let same = squeezed(one) == squeezed(two);
                    prop_assert!(same || squeezed(&first.concat()) != squeezed(&second.concat()), "{one:?} {two:?} {first:?}");
                }
                prop_assert!(first.len() <= lines, "{first:?}");
            }
        }
    }
}
