//! Names close to a mistyped one.

/// Up to three of the candidates that `name` is likely a slip of, the nearest first.
///
/// A candidate is near if it starts with the name, or if at most a third of the name's characters (two at least) would have
/// to be inserted, deleted, replaced or swapped with their neighbour.
#[must_use]
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let allowed = (name.chars().count() / 3).max(2);
    let mut near: Vec<(usize, &str)> = candidates
        .into_iter()
        .filter_map(|candidate| {
            let steps = distance(&name.to_lowercase(), &candidate.to_lowercase());
            let begins = name.len() >= 3 && candidate.starts_with(name);
            (steps <= allowed || begins).then_some((steps, candidate))
        })
        .collect();
    near.sort_unstable();
    near.dedup();
    near.truncate(3);
    near.into_iter().map(|(_, candidate)| candidate).collect()
}

/// The optimal string alignment distance, row by row.
fn distance(from: &str, to: &str) -> usize {
    let from: Vec<char> = from.chars().collect();
    let to: Vec<char> = to.chars().collect();
    let mut rows: Vec<Vec<usize>> = vec![(0..=to.len()).collect()];
    for i in 1..=from.len() {
        let mut row = vec![i];
        for j in 1..=to.len() {
            let differs = usize::from(from[i - 1] != to[j - 1]);
            let mut best = (rows[i - 1][j] + 1)
                .min(row[j - 1] + 1)
                .min(rows[i - 1][j - 1] + differs);
            if i > 1 && j > 1 && from[i - 1] == to[j - 2] && from[i - 2] == to[j - 1] {
                best = best.min(rows[i - 2][j - 2] + 1);
            }
            row.push(best);
        }
        rows.push(row);
    }
    rows[from.len()][to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_find_their_name() {
        let names = ["quickstart", "deberta-lora", "roberta-lora", "minilm-lora"];
        assert_eq!(nearest("quikcstart", names), ["quickstart"]);
        assert_eq!(
            nearest("debrta-lora", names),
            ["deberta-lora", "roberta-lora", "minilm-lora"][..2]
        );
        assert_eq!(nearest("deb", names), ["deberta-lora"]);
        assert!(nearest("zzz", names).is_empty());
    }

    #[test]
    fn distance_counts_single_slips_as_one() {
        assert_eq!(distance("abc", "abc"), 0);
        assert_eq!(distance("abc", "acb"), 1);
        assert_eq!(distance("abc", "ab"), 1);
        assert_eq!(distance("", "ab"), 2);
    }
}
