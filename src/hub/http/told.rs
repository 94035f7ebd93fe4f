//! How long a server asks to wait: the hub's `RateLimit`, else the general `Retry-After` in seconds
//! or as a date.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ureq::http::HeaderMap;

pub(super) fn told_wait(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    text("ratelimit")
        .and_then(exhausted_window)
        .or_else(|| text("retry-after").and_then(|value| retry_after(value, now)))
}

/// `"api";r=0;t=55`: with nothing remaining, the seconds until the window ends. Several buckets
/// stand behind commas.
fn exhausted_window(header: &str) -> Option<Duration> {
    header
        .split(',')
        .filter_map(|bucket| {
            let parameter = |name: &str| {
                bucket.split(';').find_map(|part| {
                    let (key, value) = part.trim().split_once('=')?;
                    (key.trim() == name).then(|| value.trim().parse::<u64>().ok())?
                })
            };
            (parameter("r")? == 0).then(|| parameter("t"))?
        })
        .max()
        .map(Duration::from_secs)
}

fn retry_after(header: &str, now: SystemTime) -> Option<Duration> {
    let header = header.trim();
    if let Ok(seconds) = header.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let date = jiff::fmt::rfc2822::parse(header).ok()?.timestamp();
    let date = Duration::from_secs(u64::try_from(date.as_second()).ok()?);
    let now = now.duration_since(UNIX_EPOCH).ok()?;
    Some(date.saturating_sub(now))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(pairs: &[(&'static str, &str)]) -> Option<u64> {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.insert(*name, value.parse().unwrap());
        }
        // 2015-10-21 07:28:00 UTC, as a sum that no larger unit divides.
        let now = UNIX_EPOCH + Duration::from_secs(1_445_412_479) + Duration::from_secs(1);
        told_wait(&headers, now).map(|wait| wait.as_secs())
    }

    #[test]
    fn every_kind_of_header_is_understood() {
        assert_eq!(told(&[("ratelimit", "\"api\";r=0;t=55")]), Some(55));
        assert_eq!(
            told(&[("ratelimit", "\"api\"; r=0; t=55, \"pages\";r=0;t=70")]),
            Some(70)
        );
        assert_eq!(told(&[("retry-after", "7")]), Some(7));
        assert_eq!(
            told(&[("retry-after", "Wed, 21 Oct 2015 07:28:30 GMT")]),
            Some(30)
        );
        assert_eq!(
            told(&[("retry-after", "Wed, 21 Oct 2015 07:00:00 GMT")]),
            Some(0)
        );
        assert_eq!(
            told(&[("ratelimit", "\"api\";r=0;t=5"), ("retry-after", "9")]),
            Some(5)
        );
    }

    #[test]
    fn headers_that_say_nothing_are_ignored() {
        assert_eq!(told(&[]), None);
        assert_eq!(told(&[("ratelimit", "\"api\";r=17;t=55")]), None);
        assert_eq!(
            told(&[("ratelimit", "\"api\";r=17;t=55"), ("retry-after", "9")]),
            Some(9)
        );
        assert_eq!(told(&[("ratelimit", "rubbish")]), None);
        assert_eq!(told(&[("retry-after", "soon")]), None);
        assert_eq!(told(&[("retry-after", "-3")]), None);
    }
}
