//! Texts of which a model reads the beginning only.

use super::{Finding, listed};
use crate::study::Study;

pub(super) fn find(study: &Study) -> Vec<Finding> {
    // Runs of the same sizes are told of once.
    let mut groups: Vec<((u64, u64), Vec<&str>)> = Vec::new();
    for run in study.names() {
        let Some(sizes) = sizes(study, run) else {
            continue;
        };
        match groups.iter_mut().find(|(known, _)| *known == sizes) {
            Some((_, runs)) => runs.push(run),
            None => groups.push((sizes, vec![run])),
        }
    }
    let of_group = |((words, tokens), runs): ((u64, u64), Vec<&str>)| {
        #[allow(clippy::cast_precision_loss, reason = "small counts")]
        let unread = 100.0 * (1.0 - tokens as f64 / words as f64);
        let text = format!(
            "The embedder of {} reads {tokens} tokens of a text, but a chunk has {words} words, and no word is less than a token: at least {unread:.0} % of each whole chunk is never embedded.",
            listed(&runs)
        );
        Finding::new("chunks longer than the embedder reads", runs, text)
    };
    groups.into_iter().map(of_group).collect()
}

/// Words of a chunk and tokens that the embedder reads, where the words alone are too many.
fn sizes(study: &Study, run: &str) -> Option<(u64, u64)> {
    let strategy = study.setting(run, "chunks.strategy");
    let words: u64 = study.setting(run, "chunks.size")?.parse().ok()?;
    let tokens: u64 = study.run_number(run, "max_seq_length")?.text.parse().ok()?;
    (strategy.is_none_or(|strategy| strategy == "words") && words > tokens)
        .then_some((words, tokens))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::study::sample::Sample;

    fn found(values: &str) -> Vec<Finding> {
        let sample = Sample {
            values: values.to_owned(),
            ..Sample::default()
        };
        find(&sample.study())
    }

    #[test]
    fn chunks_of_more_words_than_tokens_are_read_are_found() {
        let found = found(
            "a,run,chunks.size,300\na,run,max_seq_length,128\nb,run,chunks.size,300\nb,run,max_seq_length,128\n",
        );
        assert_eq!(found.len(), 1);
        assert!(found[0].text.contains("a and b reads 128") && found[0].text.contains("57 %"));
    }

    #[test]
    fn chunks_that_fit_and_chunks_of_tokens_are_sound() {
        assert_eq!(
            found("a,run,chunks.size,100\na,run,max_seq_length,128\n"),
            []
        );
        assert_eq!(
            found(
                "a,run,chunks.size,300\na,run,max_seq_length,128\na,run,chunks.strategy,sentences\n"
            ),
            []
        );
    }
}
