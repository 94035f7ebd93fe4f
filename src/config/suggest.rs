//! Finds the known word that a mistyped one is closest to.

use strsim::osa_distance;

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

/// The candidate nearest to `word`, if one is near enough.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let allowed = match word.chars().count() {
        0..=2 => 1,
        length => (length / 3).max(1),
    };
    let lower = word.to_lowercase();
    candidates
        .into_iter()
        .map(|candidate| (osa_distance(&lower, &candidate.to_lowercase()), candidate))
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

#[cfg(test)]
mod tests {
    use super::*;

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
