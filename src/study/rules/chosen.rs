//! The best of several, chosen on the rows that it is reported on.

use super::Finding;
use super::spread::lead_of_the_best;
use crate::study::{Claim, Reference, Study};

pub(super) fn find(study: &Study) -> Vec<Finding> {
    let claims = study.manifest.claims.iter();
    claims
        .filter(|claim| claim.chosen)
        .filter_map(|claim| of_claim(study, claim))
        .collect()
}

fn of_claim(study: &Study, claim: &Claim) -> Option<Finding> {
    let (metric, evaluation) = (claim.metric()?, claim.evaluation());
    let best = study
        .published
        .number(&claim.better, &Reference::of(evaluation, metric))?;
    let rows = study.published.rows(&claim.better, evaluation)?;
    let many = claim.runs().count();
    #[allow(clippy::cast_precision_loss, reason = "row counts")]
    let deviation = (best.value * (1.0 - best.value) / rows.max(1) as f64).sqrt();
    let lead = lead_of_the_best(many) * deviation;
    let mut text = format!(
        "“{}”: {} was chosen as the best of {many} by {metric} in `{evaluation}`, and is reported there. The best of {many} equally good ones would lead by about {lead:.3} on {rows} rows by luck alone.",
        claim.text, claim.better
    );
    if let Some(all) = all_rows(study, &claim.better, rows) {
        text.push_str(" All ");
        text.push_str(&all.to_string());
        text.push_str(" rows are trained on or evaluated: none are left to choose on.");
    }
    Some(Finding::new(
        "chosen on the rows that it is reported on",
        claim.runs(),
        text,
    ))
}

/// All rows of the data, if they are trained on or evaluated.
fn all_rows(study: &Study, run: &str, evaluated: u64) -> Option<u64> {
    let number = |text: &str| text.parse::<u64>().ok();
    let setting = |key: &str| study.setting(run, key).and_then(number);
    let trained = number(&study.run_number(run, "train_rows")?.text)?;
    let collected = setting("data.steam.positive").zip(setting("data.steam.negative"));
    let collected = collected.and_then(|(positive, negative)| positive.checked_add(negative));
    let all = setting("data.limit").or(collected)?;
    (trained.checked_add(evaluated) == Some(all)).then_some(all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::study::sample::{Sample, report};

    fn found(chosen: bool) -> Vec<Finding> {
        let claim = if chosen {
            "[[claims]]\ntext = \"t\"\nbetter = \"a\"\nthan = [\"b\", \"c\"]\nchosen = true\n"
        } else {
            "[[claims]]\ntext = \"t\"\nbetter = \"a\"\nthan = [\"b\", \"c\"]\n"
        };
        let sample = Sample {
            more: claim,
            reports: report("a", "test", [[180, 20], [20, 180]]),
            values: "a,run,train_rows,1600\na,run,data.limit,2000\n".to_owned(),
            ..Sample::default()
        };
        find(&sample.study())
    }

    #[test]
    fn the_best_of_several_on_the_reported_rows_is_found_with_its_luck() {
        let found = found(true);
        assert_eq!(found[0].runs, ["a", "b", "c"]);
        let text = &found[0].text;
        // 0.85 standard deviations of 0.015.
        assert!(text.contains("lead by about 0.013"), "{text}");
        assert!(text.contains("All 2000 rows"), "{text}");
    }

    #[test]
    fn who_did_not_choose_is_not_blamed() {
        assert_eq!(found(false), []);
    }
}
