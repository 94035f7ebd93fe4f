//! A page of reviews as either dialect sends it.

use serde_json::Value;

use super::query::Dialect;
use super::review::without_person;

/// What a page says.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Page {
    /// Its reviews, without persons.
    pub(super) reviews: Vec<Value>,
    /// Where the next page begins.
    pub(super) cursor: Option<String>,
    /// How many positive and negative ones there are, where it says so.
    pub(super) total_positive: Option<u64>,
    pub(super) total_negative: Option<u64>,
    /// Whether there was anything at all: of a game that does not exist there is not.
    pub(super) is_known: bool,
}

/// Reads an answer.
pub(super) fn read(body: &[u8], dialect: Dialect) -> Result<Page, String> {
    let answer: Value = serde_json::from_slice(body).map_err(|error| {
        if body.trim_ascii_start().starts_with(b"<") {
            "a web page".to_owned()
        } else {
            format!("something that is no JSON ({error})")
        }
    })?;
    let content = match dialect {
        Dialect::Service => answer.get("response").filter(|content| content.is_object()),
        Dialect::Store => Some(&answer).filter(|answer| answer["success"] == 1),
    };
    let Some(content) = content else {
        return Err(match dialect {
            Dialect::Service => "JSON without a `response`".to_owned(),
            Dialect::Store => format!("`success` = {}", answer["success"]),
        });
    };
    Ok(page(content))
}

pub(super) fn page(content: &Value) -> Page {
    let summary = &content["query_summary"];
    let total = |name: &str| summary.get(name).and_then(Value::as_u64);
    let reviews = match &content["reviews"] {
        Value::Array(reviews) => reviews.iter().map(without_person).collect(),
        // As clients of the old dialect save them: by number.
        Value::Object(reviews) => reviews.values().map(without_person).collect(),
        _ => Vec::new(),
    };
    let has_totals = summary.get("total_reviews").is_some() || total("total_positive").is_some();
    // Of two numbers the one that is zero is left out.
    let total = |name: &str| total(name).or(has_totals.then_some(0));
    let cursor = content["cursor"]
        .as_str()
        .filter(|cursor| !cursor.is_empty());
    Page {
        total_positive: total("total_positive"),
        total_negative: total("total_negative"),
        is_known: !reviews.is_empty() || has_totals || !summary.is_null(),
        cursor: cursor.map(str::to_owned),
        reviews,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_dialects_say_the_same() {
        let reviews = r#""query_summary":{"num_reviews":1,"total_reviews":4,"total_positive":4},
            "reviews":[{"recommendationid":"1","review":"x","author":{"steamid":"2"}}],"cursor":"AoJ+""#;
        let service = read(
            format!(r#"{{"response":{{{reviews}}}}}"#).as_bytes(),
            Dialect::Service,
        );
        let store = read(
            format!(r#"{{"success":1,{reviews}}}"#).as_bytes(),
            Dialect::Store,
        );
        let page = service.unwrap();
        assert_eq!(Ok(page.clone()), store);
        assert_eq!(
            (page.total_positive, page.total_negative),
            (Some(4), Some(0))
        );
        assert_eq!(page.cursor.as_deref(), Some("AoJ+"));
        assert_eq!(page.reviews[0]["author"], serde_json::json!({}));
    }

    #[test]
    fn ends_and_failures_are_told_apart() {
        let end = br#"{"response":{"query_summary":{"num_reviews":0},"total_matching":0}}"#;
        let end = read(end, Dialect::Service).unwrap();
        assert!(end.is_known && end.reviews.is_empty() && end.total_positive.is_none());
        assert!(
            !read(br#"{"response":{}}"#, Dialect::Service)
                .unwrap()
                .is_known
        );
        let failure = |body: &str, dialect| read(body.as_bytes(), dialect).unwrap_err();
        assert_eq!(failure("<!DOCTYPE html>", Dialect::Service), "a web page");
        assert_eq!(failure("{}", Dialect::Service), "JSON without a `response`");
        assert_eq!(failure(r#"{"success":2}"#, Dialect::Store), "`success` = 2");
        assert_eq!(failure("null", Dialect::Store), "`success` = null");
        assert!(failure("", Dialect::Store).contains("no JSON"));
    }
}
