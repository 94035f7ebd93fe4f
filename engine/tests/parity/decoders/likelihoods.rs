//! Likelihoods of what follows a prompt, from the logits of the whole text.

use burn::tensor::FloatDType;
use engine::decoder::Continuations;
use engine::training::Control;

use super::{CASES, Expected, open};

/// The sum of the logarithms of the probabilities of what follows a text's first `prompt` tokens.
/// Of the continuation, all but the last token must be the text's own.
fn reference(one: &Expected, prompt: usize, continuation: &[u32]) -> f64 {
    let vocabulary = one.logits.len() / one.prompt.len();
    let logarithm = |(index, &token): (usize, &u32)| {
        let place = (prompt - 1 + index) * vocabulary;
        let row: Vec<f64> = one.logits[place..place + vocabulary]
            .iter()
            .map(|&logit| f64::from(logit))
            .collect();
        row[token as usize] - row.iter().map(|logit| logit.exp()).sum::<f64>().ln()
    };
    continuation.iter().enumerate().map(logarithm).sum()
}

#[test]
fn likelihoods_are_sums_over_the_tokens_that_follow() {
    for case in CASES {
        let (mut decoder, expected) = open(case, FloatDType::F32);
        let asked: Vec<Continuations> = expected
            .iter()
            .map(|one| {
                let (prompt, rest) = one.prompt.split_at(one.prompt.len() - 4);
                let mut other = rest.to_vec();
                other[3] = (other[3] + 1) % 48;
                Continuations {
                    prompt: prompt.to_vec(),
                    continuations: [
                        vec![rest[..1].to_vec(), rest[..2].to_vec(), rest.to_vec(), other],
                        (0..48).map(|token| vec![token]).collect(),
                    ]
                    .concat(),
                }
            })
            // A text of which all is long, or all short: whether it is depends on its end.
            .filter(|one| !(29..=32).contains(&one.prompt.len()))
            .collect();
        let mut done = Vec::new();
        let mut advance = |number| {
            done.push(number);
            Control::Continue
        };
        let likelihoods = decoder.likelihoods(&asked, &mut advance).unwrap();
        assert_eq!(likelihoods.len(), asked.len());
        assert!(
            done.is_sorted() && done.last() == Some(&asked.len()),
            "{done:?}"
        );
        for (actual, one) in likelihoods.iter().zip(&asked) {
            assert_eq!(actual.len(), one.continuations.len());
            let text = expected
                .iter()
                .find(|text| {
                    text.prompt.starts_with(&one.prompt)
                        && text.prompt.len() == one.prompt.len() + 4
                })
                .unwrap();
            for (actual, continuation) in actual.iter().zip(&one.continuations) {
                let wanted = reference(text, one.prompt.len(), continuation);
                let what = format!("{case}, {continuation:?}");
                assert!((actual - wanted).abs() < 5e-4, "{what}: {actual} {wanted}");
            }
            // One token follows, whichever: the logarithm of 1.
            let any: f64 = actual[4..].iter().map(|one| one.exp()).sum();
            assert!((any - 1.0).abs() < 1e-5, "{case}: {any}");
        }
        let stopped = decoder.likelihoods(&asked, &mut |_| Control::Stop);
        assert_eq!(stopped, None, "{case}");
    }
}

#[test]
fn what_was_read_before_changes_no_bit() {
    for case in ["qwen2", "llama"] {
        let (_, expected) = open(case, FloatDType::F32);
        let whole = expected.iter().max_by_key(|one| one.prompt.len()).unwrap();
        let prompts = [33, 35, whole.prompt.len()].map(|length| Continuations {
            prompt: whole.prompt[..length].to_vec(),
            continuations: vec![vec![1], vec![2, 3, 4]],
        });
        let read = |asked: &[Continuations]| {
            let (mut decoder, _) = open(case, FloatDType::F32);
            decoder.likelihoods(asked, &mut |_| Control::Continue)
        };
        let alone = prompts.clone().map(|one| read(&[one]).unwrap().remove(0));
        let together = read(&prompts).unwrap();
        let backwards: Vec<Continuations> = prompts.iter().rev().cloned().collect();
        let backwards = read(&backwards).unwrap();
        assert_eq!(together, alone, "{case}");
        assert!(backwards.iter().rev().eq(&alone), "{case}");
    }
}
