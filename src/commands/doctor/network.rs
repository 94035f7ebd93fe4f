//! Whether the services answer; only asked with `--online`.

use super::Finding;
use crate::hub::{Environment, Hub};
use crate::steam::Reviews;

/// The study's game: one that certainly has reviews.
const KNOWN_GAME: u64 = 322_170;

/// The login, and the services where they may be asked.
pub(super) fn look(environment: &Environment, online: bool) -> Vec<Finding> {
    let login = match &environment.token {
        Some(_) => Finding::well("hub login", "a token is set"),
        None => Finding::well(
            "hub login",
            "no token; only gated and private models need one (HF_TOKEN)",
        ),
    };
    let mut findings = vec![login];
    if !online {
        let text = "not checked; --online checks the hub and Steam";
        findings.push(Finding::well("network", text));
        return findings;
    }
    if environment.offline {
        let text = "switched off by HF_HUB_OFFLINE or TRANSFORMERS_OFFLINE; unset it";
        findings.push(Finding::trouble("network", text));
        return findings;
    }
    findings.push(hub(environment));
    findings.push(steam(environment));
    findings
}

fn hub(environment: &Environment) -> Finding {
    let endpoint = environment.endpoint.clone();
    match Hub::new(environment.clone()).and_then(|hub| hub.reach()) {
        Ok(()) => Finding::well("hub", format!("{endpoint} answers")),
        Err(error) => Finding::trouble("hub", error.to_string()),
    }
}

fn steam(environment: &Environment) -> Finding {
    match Reviews::of(environment).and_then(|reviews| reviews.reach(KNOWN_GAME)) {
        Ok(()) => Finding::well("Steam", "answers"),
        Err(error) => Finding::trouble("Steam", error.to_string()),
    }
}
