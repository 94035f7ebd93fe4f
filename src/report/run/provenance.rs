//! Where a run's result comes from: what decided it, on what it was computed, and when.

use crate::report::figures;
use crate::report::seed::SeedReport;

/// What is known, each under its name; nothing without a record.
pub(in crate::report) fn of(seed: &SeedReport) -> Vec<(String, String)> {
    let Some(record) = &seed.record else {
        return Vec::new();
    };
    let environment = &record.environment;
    let mut rows: Vec<(String, String)> = Vec::new();
    let mut say = |name: &str, value: String| {
        if !value.is_empty() {
            rows.push((name.to_owned(), value));
        }
    };
    say("identity", record.identity.clone());
    say(
        "computed as",
        record.adopted_from.clone().unwrap_or_default(),
    );
    say("started", record.started.clone());
    say("time", figures::duration(record.wall_seconds));
    if record.sittings.len() > 1 {
        let sittings = record.sittings.iter().map(|sitting| {
            let (time, device) = (figures::duration(sitting.seconds), &sitting.device);
            format!("{time} on {device} from {}", sitting.started)
        });
        say("sittings", sittings.collect::<Vec<_>>().join("; "));
    }
    say("ensayo", environment.version.clone());
    say("commit", environment.commit.clone().unwrap_or_default());
    say("device", environment.device.clone());
    say("card", environment.card.clone().unwrap_or_default());
    say("driver", environment.driver.clone().unwrap_or_default());
    say("threads", environment.threads.to_string());
    say("precision", environment.precision.clone());
    if let Some(allowed) = environment.tf32 {
        let words = if allowed { "may be in TF32" } else { "in f32" };
        say("products of f32", words.to_owned());
    }
    for (role, hash) in &environment.content {
        say(&format!("content of {role}"), hash.clone());
    }
    for (key, path) in &environment.paths {
        say(&format!("path of {key}"), path.display().to_string());
    }
    for set in &record.overrides {
        say("--set", set.clone());
    }
    rows
}
