//! Names close to a mistyped one.

/// Up to three of the candidates that `name` is likely a slip of, the nearest first.
///
/// A candidate is near if it starts with the name, or if at most a third of the name's characters
/// (two at least) would have to be inserted, deleted, replaced or swapped with their neighbour.
#[must_use]
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let allowed = (name.chars().count() / 3).max(2);
    let mut near: Vec<(usize, &str)> = candidates
        .into_iter()
        .filter_map(|candidate| {
            let steps = strsim::osa_distance(&name.to_lowercase(), &candidate.to_lowercase());
            let begins = name.len() >= 3 && candidate.starts_with(name);
            (steps <= allowed || begins).then_some((steps, candidate))
        })
        .collect();
    near.sort_unstable();
    near.dedup();
    near.truncate(3);
    near.into_iter().map(|(_, candidate)| candidate).collect()
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
}
