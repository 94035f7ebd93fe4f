//! Names of runs in a table: as short as the table allows, and never two names alike.

use std::collections::{HashMap, HashSet};

/// Names without the settings that all of them name alike, and those settings. Whatever is left out
/// of a name says nothing about its run; where nothing would be left of one, all stay whole.
pub(super) fn without_shared(names: &[String]) -> (Vec<String>, Vec<String>) {
    let whole = || (names.to_vec(), Vec::new());
    let Some(first) = names.first() else {
        return whole();
    };
    let mut shared: Vec<&str> = first.split(',').filter(|part| part.contains('=')).collect();
    for name in names {
        let parts: HashSet<&str> = name.split(',').collect();
        shared.retain(|part| parts.contains(part));
    }
    if shared.is_empty() {
        return whole();
    }
    let own = |name: &String| {
        let parts = name.split(',').filter(|part| !shared.contains(part));
        parts.collect::<Vec<_>>().join(",")
    };
    let short: Vec<String> = names.iter().map(own).collect();
    if short.iter().any(String::is_empty) || !told_apart(names, &short) {
        return whole();
    }
    (short, shared.into_iter().map(str::to_owned).collect())
}

/// Names of at most `longest` characters, of which the middle gives way: names of cells differ at
/// both ends. Where that would make two of them alike, another part gives way; where none can, they
/// are as much longer as they must be.
pub(super) fn shortened(names: &[String], longest: usize) -> Vec<String> {
    // How many of eight parts of what is kept stand before the gap.
    const HEADS: [usize; 5] = [4, 2, 6, 1, 7];
    let clean: Vec<String> = names.iter().map(|name| without_controls(name)).collect();
    let most = clean.iter().map(|name| name.chars().count()).max();
    for length in longest.max(1)..most.unwrap_or(0) {
        for head in HEADS {
            let cut: Vec<String> = clean.iter().map(|name| cut(name, length, head)).collect();
            if told_apart(&clean, &cut) {
                return cut;
            }
        }
    }
    clean
}

fn without_controls(name: &str) -> String {
    name.chars()
        .map(|c| if c.is_control() { '\u{FFFD}' } else { c })
        .collect()
}

fn cut(name: &str, longest: usize, head: usize) -> String {
    let characters: Vec<char> = name.chars().collect();
    if characters.len() <= longest {
        return name.to_owned();
    }
    let before = ((longest - 1) * head).div_ceil(8);
    let after = longest - 1 - before;
    let (start, end) = (
        &characters[..before],
        &characters[characters.len() - after..],
    );
    start.iter().chain(&['…']).chain(end).collect()
}

/// Whether short forms tell apart what their names do.
fn told_apart(names: &[String], short: &[String]) -> bool {
    let mut known: HashMap<&str, &str> = HashMap::new();
    names
        .iter()
        .zip(short)
        .all(|(name, short)| *known.entry(short.as_str()).or_insert(name) == name)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn owned(names: &[&str]) -> Vec<String> {
        names.iter().map(|&name| name.to_owned()).collect()
    }

    #[test]
    fn what_all_names_share_is_left_out_and_told() {
        let names = owned(&["rank=4,alpha=8,epochs=2", "rank=8,alpha=8,epochs=2"]);
        let (short, shared) = without_shared(&names);
        assert_eq!(short, ["rank=4", "rank=8"]);
        assert_eq!(shared, ["alpha=8", "epochs=2"]);
    }

    #[test]
    fn names_that_share_nothing_or_everything_stay_whole() {
        for names in [
            owned(&["rank=4,alpha=8", "base"]),
            owned(&["rank=4"]),
            owned(&["rank=4,alpha=8", "rank=4,alpha=8"]),
            owned(&["a=1,b=2", "b=2,a=1"]),
            owned(&[]),
        ] {
            assert_eq!(without_shared(&names), (names.clone(), Vec::new()));
        }
    }

    #[test]
    fn the_middle_of_a_long_name_gives_way_unless_names_differ_there() {
        let ends = owned(&["rank=4,and-so-on-and-on,e=1", "rank=4,and-so-on-and-on,e=2"]);
        assert_eq!(shortened(&ends, 11), ["rank=…n,e=1", "rank=…n,e=2"]);
        let middle = owned(&["abcdefgh-1-ijklmnopqrst", "abcdefgh-2-ijklmnopqrst"]);
        let cut = shortened(&middle, 12);
        assert_ne!(cut[0], cut[1]);
        assert!(cut[0].chars().count() < middle[0].chars().count());
    }

    proptest! {
        #[test]
        fn no_two_names_are_ever_cut_to_the_same_text(
            names in prop::collection::vec("[a-c=,]{0,30}", 0..12),
            longest in 0_usize..30,
        ) {
            let (short, _) = without_shared(&names);
            let cut = shortened(&short, longest);
            for (one, first) in names.iter().zip(&cut) {
                for (two, second) in names.iter().zip(&cut) {
                    prop_assert_eq!(one == two, first == second);
                }
            }
        }
    }
}
