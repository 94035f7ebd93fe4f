//! Finds the word a person probably meant.

/// Names that other tools give to settings of ours.
const FOREIGN: [(&str, &str); 16] = [
    ("r", "rank"),
    ("lora_alpha", "alpha"),
    ("lora_dropout", "dropout"),
    ("target_modules", "targets"),
    ("num_train_epochs", "epochs"),
    ("num_epochs", "epochs"),
    ("lr", "learning_rate"),
    ("per_device_train_batch_size", "batch_size"),
    ("train_batch_size", "batch_size"),
    ("gradient_accumulation_steps", "gradient_accumulation"),
    ("max_grad_norm", "max_gradient_norm"),
    ("lr_scheduler_type", "schedule"),
    ("max_seq_length", "max_length"),
    ("adam_eps", "adam_epsilon"),
    ("chunk_overlap", "overlap"),
    ("model_name", "id"),
];

/// The candidate nearest to `word`, if one is near enough to be what was meant.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let allowed = match word.chars().count() {
        0..=2 => 1,
        length => (length / 3).max(1),
    };
    let lower = word.to_lowercase();
    candidates
        .into_iter()
        .map(|candidate| (distance(&lower, &candidate.to_lowercase()), candidate))
        .filter(|&(distance, candidate)| {
            distance <= allowed && distance < candidate.chars().count()
        })
        .min_by_key(|&(distance, _)| distance)
        .map(|(_, candidate)| candidate)
}

/// Our name for a setting that another tool calls `word`.
pub fn translated(word: &str) -> Option<&'static str> {
    FOREIGN
        .iter()
        .find(|(foreign, _)| *foreign == word)
        .map(|(_, ours)| *ours)
}

/// Edits from one word to the other: insertions, deletions, replacements and swaps of neighbours (optimal string alignment).
fn distance(one: &str, two: &str) -> usize {
    let (one, two): (Vec<char>, Vec<char>) = (one.chars().collect(), two.chars().collect());
    let mut before: Vec<usize> = vec![0; two.len() + 1];
    let mut last: Vec<usize> = (0..=two.len()).collect();
    for (row, &left) in one.iter().enumerate() {
        let mut current = vec![row + 1];
        for (column, &right) in two.iter().enumerate() {
            let replaced = last[column] + usize::from(left != right);
            let mut best = replaced.min(last[column + 1] + 1).min(current[column] + 1);
            if row > 0 && column > 0 && left == two[column - 1] && one[row - 1] == right {
                best = best.min(before[column - 1] + 1);
            }
            current.push(best);
        }
        before = std::mem::replace(&mut last, current);
    }
    last[two.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_count_edits_and_swaps() {
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("rank", "rank"), 0);
        assert_eq!(distance("rnak", "rank"), 1);
        assert_eq!(distance("learnig_rate", "learning_rate"), 1);
        assert_eq!(distance("kitten", "sitting"), 3);
    }

    #[test]
    fn only_near_words_are_suggested() {
        let keys = ["rank", "alpha", "targets", "dropout"];
        assert_eq!(nearest("target", keys), Some("targets"));
        assert_eq!(nearest("Rank", keys), Some("rank"));
        assert_eq!(nearest("colour", keys), None);
        assert_eq!(nearest("x", keys), None);
    }

    #[test]
    fn peft_names_are_translated() {
        assert_eq!(translated("lora_alpha"), Some("alpha"));
        assert_eq!(translated("rank"), None);
    }
}
