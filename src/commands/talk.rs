//! What is said while something is asked of the network.

use super::say;
use crate::hub::{Event, Observer};

/// Says why it takes so long to ask.
pub(super) struct Talk;

impl Observer for Talk {
    fn event(&self, event: &Event<'_>) {
        if let Some(line) = waiting(event) {
            say(line);
        }
    }
}

/// What there is to say of a wait.
pub(super) fn waiting(event: &Event<'_>) -> Option<String> {
    match event {
        Event::Waiting {
            host,
            reason,
            seconds,
            told,
        } => {
            let asked = if *told { ", as it asks" } else { "" };
            // Most reasons name the host themselves.
            let of = if reason.contains(host) {
                String::new()
            } else {
                format!("{host}: ")
            };
            Some(format!(
                "{of}{reason}; trying again in {seconds:.0} s{asked}"
            ))
        }
        Event::WaitingForOther { file } => Some(format!(
            "{file}: another process fetches it; waiting for that"
        )),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_are_said_with_their_reason() {
        let event = Event::Waiting {
            host: "hub",
            reason: "it accepts no more requests",
            seconds: 55.0,
            told: true,
        };
        assert_eq!(
            waiting(&event).as_deref(),
            Some("hub: it accepts no more requests; trying again in 55 s, as it asks")
        );
    }
}
