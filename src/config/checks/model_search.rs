//! Searches for models.

use crate::config::ModelSearchSettings;
use crate::config::draft::{Check, Draft};

impl Check for ModelSearchSettings {
    fn check(&mut self, draft: &mut Draft<'_>) {
        let search = &self.search;
        let lists = [
            ("search.tags", &search.tags),
            ("search.languages", &search.languages),
            ("search.without", &search.without),
        ];
        let words = [
            ("search.task", &search.task),
            ("search.library", &search.library),
            ("search.author", &search.author),
            ("search.contains", &search.contains),
        ];
        let words = words
            .into_iter()
            .filter_map(|(key, word)| Some((key, word.as_ref()?)));
        let listed = lists
            .into_iter()
            .flat_map(|(key, words)| words.iter().map(move |word| (key, word)));
        // The hub takes an empty filter for none, and an empty word is in every name.
        let empty = words
            .chain(listed)
            .filter(|(_, word)| word.trim().is_empty());
        for (key, _) in empty {
            if !draft.is_tainted(&[key]) {
                let problem = draft.problem(format!("`{key}` has an empty word"));
                let problem = problem.at(&draft.span(key), "would find anything or nothing");
                draft.push(problem.help("leave it out where it does not matter"));
            }
        }
    }
}
