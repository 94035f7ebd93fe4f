//! Shows the prompts of a run.

use super::{Prepared, likelihood};
use crate::config::{ClassificationMode, PromptSettings};
use crate::plan::RunSpec;
use crate::runner::ExecuteError;
use crate::tasks::{Prompted, ShownPrompt};

impl Prompted for PromptSettings {
    fn prompts(&self, _: &RunSpec, which: Option<&str>) -> Result<Vec<ShownPrompt>, ExecuteError> {
        let prepared = Prepared::new(self)?;
        let scribe = prepared.scribe(self)?;
        // Also those that are too long.
        let prompts = scribe.all(|_, _| Ok(()))?;
        let name = |set: usize, number: usize| format!("{}/{number}", prepared.rows.sets[set].0);
        let words = likelihood::words(&prepared.rows, &prepared.decoder)?;
        let longest = words.iter().map(Vec::len).max().unwrap_or(0);
        let wanted = |(place, prompt): &(usize, &super::Written)| match which {
            None => *place == 0,
            Some(which) => which == name(prompt.set, prompt.number) || which.parse() == Ok(*place),
        };
        let shown: Vec<ShownPrompt> = prompts
            .iter()
            .enumerate()
            .filter(wanted)
            .map(|(_, prompt)| ShownPrompt {
                name: name(prompt.set, prompt.number),
                text: prepared.decoder.tokenizer().decode(&prompt.tokens, true),
                tokens: prompt.tokens.len(),
                max_new_tokens: match self.classification.mode {
                    ClassificationMode::Chunks => {
                        prepared.drawing.max_new_tokens(prompt.tokens.len())
                    }
                    ClassificationMode::Likelihood => longest,
                },
                context_length: prepared.decoder.context_length(),
            })
            .collect();
        if shown.is_empty() {
            let last = prompts.last().map_or_else(String::new, |prompt| {
                format!(" to {}", name(prompt.set, prompt.number))
            });
            return Err(ExecuteError::message(format!(
                "there is no prompt `{}`: they are 0 to {}, or by their sets test/0{last}",
                which.unwrap_or_default(),
                prompts.len().saturating_sub(1)
            )));
        }
        Ok(shown)
    }
}
