//! One review, and what is kept of what Steam sends: nothing that says who wrote it.

use serde_json::{Map, Value};

use super::query::Sentiment;

/// A review.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Review {
    /// Steam's number of it.
    pub id: String,
    /// The text as it is, markup included.
    pub text: String,
    /// Whether its author recommends the game.
    pub sentiment: Sentiment,
    /// Steam's name of its language.
    pub language: String,
    /// When it was written, in seconds since 1970.
    pub created: Option<i64>,
    /// When it was changed last.
    pub updated: Option<i64>,
    /// How many found it helpful.
    pub votes_up: u64,
    /// Minutes that its author had played; old reviews lack it.
    pub playtime_at_review: Option<u64>,
}

/// What is kept of a review.
const KEPT: [&str; 15] = [
    "recommendationid",
    "language",
    "review",
    "timestamp_created",
    "timestamp_updated",
    "voted_up",
    "votes_up",
    "votes_funny",
    "weighted_vote_score",
    "comment_count",
    "steam_purchase",
    "received_for_free",
    "written_during_early_access",
    "primarily_steam_deck",
    "refunded",
];

/// What is kept of its author.
const KEPT_OF_AUTHOR: [&str; 4] = [
    "playtime_forever",
    "playtime_last_two_weeks",
    "playtime_at_review",
    "deck_playtime_at_review",
];

/// The review without names, links and numbers of persons. What is not known to be harmless goes.
pub(super) fn without_person(review: &Value) -> Value {
    let kept = |value: &Value, names: &[&str]| -> Map<String, Value> {
        let known = names.iter().filter_map(|name| {
            let value = value.get(name)?;
            // A name may not hide in a nested value.
            (!value.is_object() && !value.is_array()).then(|| ((*name).to_owned(), value.clone()))
        });
        known.collect()
    };
    let mut clean = kept(review, &KEPT);
    if let Some(author) = review.get("author") {
        clean.insert("author".to_owned(), kept(author, &KEPT_OF_AUTHOR).into());
    }
    clean.into()
}

impl Review {
    /// Reads a review. `asked` is the class that was asked for: the service leaves out fields that
    /// are false or zero.
    pub(super) fn read(value: &Value, asked: Option<Sentiment>) -> Option<Self> {
        let number = |value: &Value| -> Option<i64> {
            value
                .as_i64()
                .or_else(|| value.as_str()?.trim().parse().ok())
        };
        let id = match value.get("recommendationid")? {
            Value::String(id) if !id.is_empty() => id.clone(),
            Value::Number(id) => id.to_string(),
            _ => return None,
        };
        let recommended = value.get("voted_up").and_then(Value::as_bool);
        let sentiment = match (recommended, asked) {
            (Some(recommended), _) => Sentiment::of(recommended),
            (None, Some(asked)) => asked,
            (None, None) => Sentiment::Negative,
        };
        let text = value
            .get("review")
            .and_then(Value::as_str)
            .unwrap_or_default();
        let language = value.get("language").and_then(Value::as_str);
        let time = |name: &str| value.get(name).and_then(number).filter(|time| *time > 0);
        let count = |value: &Value| number(value).and_then(|count| u64::try_from(count).ok());
        Some(Self {
            id,
            text: text.to_owned(),
            sentiment,
            language: language.unwrap_or_default().to_owned(),
            created: time("timestamp_created"),
            updated: time("timestamp_updated"),
            votes_up: value.get("votes_up").and_then(count).unwrap_or(0),
            playtime_at_review: value["author"].get("playtime_at_review").and_then(count),
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn nothing_says_who_wrote_it() {
        let clean = without_person(&json!({
            "recommendationid": "1", "review": "good", "voted_up": true, "weighted_vote_score": 0.5,
            "author": {
                "steamid": "76561198000000000", "personaname": "Somebody", "profile_url": "https://x/id/Somebody",
                "avatar": "https://x/a.jpg", "playtime_at_review": 5, "num_reviews": 7
            },
            "developer_response": "thanks, Somebody", "app_release_date": 1, "votes_up": {"steamid": "76561198000000000"},
            "reactions": [{ "by": "Somebody" }],
        }));
        let text = clean.to_string();
        assert!(
            !text.contains("Somebody") && !text.contains("76561198"),
            "{text}"
        );
        assert_eq!(clean["author"], json!({ "playtime_at_review": 5 }));
        assert_eq!(
            (&clean["review"], &clean["voted_up"]),
            (&json!("good"), &json!(true))
        );
    }

    #[test]
    fn what_the_service_leaves_out_is_false_or_zero() {
        let bare = json!({ "recommendationid": 12 });
        let review = Review::read(&bare, Some(Sentiment::Negative)).unwrap();
        assert_eq!(
            (review.id.as_str(), review.sentiment),
            ("12", Sentiment::Negative)
        );
        assert_eq!(
            (review.votes_up, review.playtime_at_review, review.created),
            (0, None, None)
        );
        let odd = json!({ "recommendationid": "3", "votes_up": "4294967295", "voted_up": true, "timestamp_created": "9" });
        let review = Review::read(&odd, Some(Sentiment::Negative)).unwrap();
        assert_eq!(
            (review.votes_up, review.sentiment, review.created),
            (4_294_967_295, Sentiment::Positive, Some(9))
        );
        assert_eq!(Review::read(&json!({ "review": "no number" }), None), None);
    }
}
