//! The little of URLs that is needed: hosts, origins, encoding, and where a redirect leads.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use ureq::http::Uri;

/// Everything but what RFC 3986 calls unreserved.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// One segment of a path, or a value in a query: `/` is encoded too.
pub(crate) fn path_segment(text: &str) -> String {
    utf8_percent_encode(text, SEGMENT).to_string()
}

/// Several segments: `/` stays.
pub(crate) fn path_segments(text: &str) -> String {
    text.split('/')
        .map(path_segment)
        .collect::<Vec<_>>()
        .join("/")
}

/// `?key=value&…`, or nothing.
pub(crate) fn query(pairs: &[(&str, String)]) -> String {
    let pairs: Vec<String> = pairs
        .iter()
        .map(|(key, value)| format!("{}={}", path_segment(key), path_segment(value)))
        .collect();
    if pairs.is_empty() {
        String::new()
    } else {
        format!("?{}", pairs.join("&"))
    }
}

/// The host that a URL names, for messages.
pub(crate) fn host(url: &str) -> String {
    parsed(url)
        .and_then(|uri| uri.host().map(str::to_owned))
        .unwrap_or_else(|| url.to_owned())
}

/// Scheme, host and port, as far as they decide who is asked.
pub(crate) fn origin(url: &str) -> Option<(String, String, u16)> {
    let uri = parsed(url)?;
    let scheme = uri.scheme_str()?.to_ascii_lowercase();
    let port = uri.port_u16().or(match scheme.as_str() {
        "http" => Some(80),
        "https" => Some(443),
        _ => None,
    })?;
    Some((scheme, uri.host()?.to_ascii_lowercase(), port))
}

fn parsed(url: &str) -> Option<Uri> {
    url.parse().ok()
}

/// Where a `Location` leads, seen from the URL that answered with it. The flag says whether it
/// named a host itself.
pub(crate) fn resolve(from: &str, location: &str) -> Option<(String, bool)> {
    let location = location.split('#').next().unwrap_or_default().trim();
    let (scheme, rest) = from.split_once("://")?;
    if location.contains("://") && origin(location).is_some() {
        return Some((location.to_owned(), true));
    }
    if let Some(rest) = location.strip_prefix("//") {
        return Some((format!("{scheme}://{rest}"), true));
    }
    let authority = rest.split(['/', '?', '#']).next()?;
    if location.starts_with('/') {
        return Some((format!("{scheme}://{authority}{location}"), false));
    }
    let path = rest[authority.len()..].split(['?', '#']).next()?;
    let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
    Some((format!("{scheme}://{authority}{folder}/{location}"), false))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn redirects_lead_where_they_say() {
        let from = "https://hub.example/a/b?x=/1";
        let to = |location: &str| resolve(from, location).unwrap();
        assert_eq!(
            to("https://cdn.example/x?y#z"),
            ("https://cdn.example/x?y".into(), true)
        );
        assert_eq!(
            to("//cdn.example/x"),
            ("https://cdn.example/x".into(), true)
        );
        assert_eq!(to("/c/d"), ("https://hub.example/c/d".into(), false));
        assert_eq!(
            to("c?u=http://x"),
            ("https://hub.example/a/c?u=http://x".into(), false)
        );
    }

    #[test]
    fn another_port_is_another_origin() {
        assert_eq!(
            origin("http://Hub.example/x"),
            origin("http://hub.example:80")
        );
        assert_ne!(
            origin("http://hub.example:81"),
            origin("http://hub.example")
        );
        assert_ne!(origin("https://hub.example"), origin("http://hub.example"));
        assert_eq!(origin("/x"), None);
    }

    #[test]
    fn names_are_encoded() {
        assert_eq!(path_segment("refs/pr/1"), "refs%2Fpr%2F1");
        assert_eq!(path_segments("a b/c+d.txt"), "a%20b/c%2Bd.txt");
        assert_eq!(
            query(&[("a", "1&2".into()), ("b", "ü".into())]),
            "?a=1%262&b=%C3%BC"
        );
    }
}
