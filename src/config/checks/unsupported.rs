//! What an encoder's settings may say, but this version of ensayo cannot do.

use crate::config::draft::Draft;
use crate::config::{Head, Model, Precision};

/// Refuses an encoder that could not be loaded, so that its runs do not fail one by one.
pub(super) fn encoder(draft: &mut Draft<'_>, table: &str, model: &Model) {
    let key = format!("{table}.precision");
    let too_few_bits = matches!(
        model.precision,
        Precision::Int8 | Precision::Fp4 | Precision::Nf4
    );
    if too_few_bits && !draft.is_tainted(&[&key]) {
        let message = format!("`{key}`: encoders are held in 32 or 16 bits");
        let problem = draft
            .problem(message)
            .at(&draft.span(&key), "not supported");
        draft.push(problem.help("use \"auto\", \"f32\", \"bf16\" or \"f16\""));
    }
}

/// Refuses a head for a model that is used without one.
pub(super) fn head(draft: &mut Draft<'_>, table: &str, model: &Model) {
    let key = format!("{table}.head");
    if model.head == Head::Fresh && !draft.is_tainted(&[&key]) {
        let problem = draft.problem(format!("`{key}` is for classifiers"));
        let problem = problem.at(&draft.span(&key), "this model has no head");
        draft.push(problem.help("leave it out"));
    }
}
