//! Dotted keys of settings, shortened.

/// Each key's last part alone, or as many parts from the end as tell it from the others.
#[must_use]
pub fn short<'a>(keys: &[&'a str]) -> Vec<&'a str> {
    let ending = |key: &'a str, parts: usize| {
        let mut dots = key.rmatch_indices('.').map(|(index, _)| index);
        dots.nth(parts - 1).map_or(key, |index| &key[index + 1..])
    };
    keys.iter()
        .map(|key| {
            let parts = key.split('.').count();
            let unique = |parts: &usize| {
                let alike = |other: &&&'a str| ending(other, *parts) == ending(key, *parts);
                keys.iter().filter(alike).count() == 1
            };
            ending(key, (1..parts).find(unique).unwrap_or(parts))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_as_short_as_they_can_be() {
        assert_eq!(
            short(&["lora.rank", "model.id", "data.id"]),
            ["rank", "model.id", "data.id"]
        );
    }
}
