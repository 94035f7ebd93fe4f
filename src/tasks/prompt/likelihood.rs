//! One text in a prompt, and the class whose word the decoder finds the likeliest after it. It cannot
//! fail to answer, and gives probabilities.

use engine::decoder::{Continuations, TokenDecoder};
use engine::training::Control;

use super::Run;
use super::results::Predicted;
use super::rows::Rows;
use super::written::CONTENT_FREE;
use crate::runner::ExecuteError;
use crate::tasks::decoder::{Decoder, key};

/// Prompts between two looks at whether to go on, whose likelihoods are then on disk.
const GROUP: usize = 32;

/// The tokens of each class's word.
pub(super) fn words(rows: &Rows, decoder: &Decoder) -> Result<Vec<Vec<u32>>, ExecuteError> {
    let tokens = rows.words.iter().map(|word| {
        let tokens = decoder.tokenizer().encode(word, false)?;
        if tokens.is_empty() {
            return Err(ExecuteError::message(format!(
                "the word `{word}` of a class has no tokens: set another in `classification.words`"
            )));
        }
        Ok(tokens)
    });
    tokens.collect()
}

impl Run<'_, '_> {
    /// The classes of all texts; none if the run is to stop.
    pub(super) fn likelihoods(
        &mut self,
        model: &mut dyn TokenDecoder,
    ) -> Result<Option<Vec<Predicted>>, ExecuteError> {
        let words = words(&self.prepared.rows, &self.prepared.decoder)?;
        let free = if self.settings.classification.calibration {
            let free = CONTENT_FREE.iter().map(|text| self.scribe.tokens(&[text]));
            free.collect::<Result<Vec<_>, _>>()?
        } else {
            Vec::new()
        };
        let prompts: Vec<&[u32]> = free
            .iter()
            .chain(self.prompts.iter().map(|prompt| &prompt.tokens))
            .map(Vec::as_slice)
            .collect();
        let mut likelihoods: Vec<Vec<f64>> = Vec::with_capacity(prompts.len());
        for group in prompts.chunks(GROUP) {
            let Some(found) = self.group(model, group, &words, likelihoods.len(), prompts.len())?
            else {
                return Ok(None);
            };
            likelihoods.extend(found);
        }
        let of_texts = likelihoods.split_off(free.len());
        let usual = usual(&likelihoods, words.len());
        let sets = self.prepared.rows.sets.iter();
        let mut predicted: Vec<Predicted> = sets
            .map(|(_, rows)| Predicted {
                classes: Vec::with_capacity(rows.len()),
                probabilities: Some(Vec::with_capacity(rows.len())),
            })
            .collect();
        for (prompt, likelihood) in self.prompts.iter().zip(&of_texts) {
            let probabilities = probabilities(likelihood, &usual);
            let set = &mut predicted[prompt.set];
            set.classes.push(likeliest(&probabilities));
            if let Some(all) = &mut set.probabilities {
                all.push(probabilities);
            }
        }
        Ok(Some(predicted))
    }

    /// The likelihoods of some prompts, those of earlier sittings from the disk.
    fn group(
        &mut self,
        model: &mut dyn TokenDecoder,
        prompts: &[&[u32]],
        words: &[Vec<u32>],
        done: usize,
        total: usize,
    ) -> Result<Option<Vec<Vec<f64>>>, ExecuteError> {
        let keys: Vec<String> = prompts.iter().map(|prompt| key(prompt, 0, 0)).collect();
        let mut found: Vec<Option<Vec<f64>>> = keys
            .iter()
            .map(|key| {
                let kept: Option<Vec<f64>> = self.kept.find(key);
                kept.filter(|kept| kept.len() == words.len())
            })
            .collect();
        let open: Vec<usize> = (0..prompts.len())
            .filter(|&place| found[place].is_none())
            .collect();
        let asked: Vec<Continuations> = open
            .iter()
            .map(|&place| Continuations {
                prompt: prompts[place].to_vec(),
                continuations: words.to_vec(),
            })
            .collect();
        if !asked.is_empty() {
            let there = done + prompts.len() - open.len();
            let progress = &mut *self.progress;
            let mut advance = |read: usize| progress.advance(there + read, total, "texts", None);
            let Some(new) = model.likelihoods(&asked, &mut advance) else {
                return Ok(None);
            };
            for (&place, likelihood) in open.iter().zip(new) {
                self.kept.add(keys[place].clone(), &likelihood)?;
                found[place] = Some(likelihood);
            }
        }
        if self.progress.control() == Control::Stop {
            return Ok(None);
        }
        Ok(found.into_iter().collect())
    }
}

/// The logarithm of how likely each word is after texts without content, on average; 0 for each where
/// there are none, which changes nothing.
#[expect(clippy::cast_precision_loss, reason = "a few texts")]
fn usual(likelihoods: &[Vec<f64>], words: usize) -> Vec<f64> {
    if likelihoods.is_empty() {
        return vec![0.0; words];
    }
    let none = vec![0.0; words];
    let mut mean = vec![0.0; words];
    for likelihood in likelihoods {
        for (mean, share) in mean.iter_mut().zip(probabilities(likelihood, &none)) {
            *mean += share / likelihoods.len() as f64;
        }
    }
    // A word that is all but impossible must not become certain.
    mean.into_iter()
        .map(|share| share.max(1e-12).ln())
        .collect()
}

/// Likelihoods over what is usual, as probabilities.
fn probabilities(likelihoods: &[f64], usual: &[f64]) -> Vec<f64> {
    let scores: Vec<f64> = likelihoods
        .iter()
        .zip(usual)
        .map(|(likelihood, usual)| likelihood - usual)
        .collect();
    let highest = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let shares: Vec<f64> = scores.iter().map(|score| (score - highest).exp()).collect();
    let sum: f64 = shares.iter().sum();
    shares.into_iter().map(|share| share / sum).collect()
}

/// The first of the most probable classes; none where nothing can be compared.
fn likeliest(probabilities: &[f64]) -> Option<usize> {
    let mut best: Option<(usize, f64)> = None;
    for (class, &share) in probabilities.iter().enumerate() {
        if !share.is_nan() && best.is_none_or(|(_, highest)| share > highest) {
            best = Some((class, share));
        }
    }
    best.map(|(class, _)| class)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probabilities_are_the_softmax_of_likelihoods() {
        let none = vec![0.0; 2];
        let shares = probabilities(&[-1.0_f64, -1.0 - 3.0_f64.ln()], &none);
        assert!((shares[0] - 0.75).abs() < 1e-12 && (shares[1] - 0.25).abs() < 1e-12);
        let far = probabilities(&[-2000.0, -2001.0], &none);
        assert!(far.iter().all(|share| share.is_finite()));
        assert_eq!(likeliest(&[0.5, 0.5]), Some(0));
        assert_eq!(likeliest(&[f64::NAN, f64::NAN]), None);
    }

    #[test]
    fn calibration_takes_away_what_a_word_has_anyway() {
        // The second word is always three times as likely: a text that says so says nothing.
        let text = [0.25_f64.ln(), 0.75_f64.ln()];
        let usual = usual(&[text.to_vec(), text.to_vec()], 2);
        let shares = probabilities(&text, &usual);
        assert!((shares[0] - 0.5).abs() < 1e-12, "{shares:?}");
    }
}
