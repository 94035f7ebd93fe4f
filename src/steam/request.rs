//! The address of a page in both dialects.

use serde_json::json;

use super::query::{Dialect, Filter, Purchases, ReviewQuery, Sentiment, Service};
use crate::hub::http::query;

/// Where a class begins.
pub(super) const START: &str = "*";

/// The address of a page of a class, or without one, of the totals.
pub(super) fn url(
    service: &Service,
    wanted: &ReviewQuery,
    sentiment: Option<Sentiment>,
    cursor: &str,
    size: u32,
) -> String {
    match service.dialect {
        Dialect::Service => {
            let input = json!({
                "appid": wanted.app,
                "filter": match wanted.filter { Filter::Recent => 1, Filter::Updated => 2 },
                "languages": [wanted.language],
                "review_type": match sentiment {
                    None => 0,
                    Some(Sentiment::Positive) => 1,
                    Some(Sentiment::Negative) => 2,
                },
                "purchase_type": match wanted.purchases {
                    Purchases::Steam => 0,
                    Purchases::All => 1,
                    Purchases::Other => 2,
                },
                "num_per_page": if sentiment.is_some() { size } else { 0 },
                "cursor": cursor,
                "filter_offtopic_activity": wanted.without_offtopic,
            });
            let pairs = query(&[("input_json", input.to_string())]);
            format!("{}{pairs}", service.address)
        }
        Dialect::Store => {
            let pairs = query(&[
                ("json", "1".into()),
                ("filter", wanted.filter.name().into()),
                ("language", wanted.language.clone()),
                (
                    "review_type",
                    sentiment.map_or("all", Sentiment::name).into(),
                ),
                (
                    "purchase_type",
                    match wanted.purchases {
                        Purchases::All => "all",
                        Purchases::Steam => "steam",
                        Purchases::Other => "non_steam_purchase",
                    }
                    .into(),
                ),
                ("num_per_page", size.to_string()),
                (
                    "filter_offtopic_activity",
                    u8::from(wanted.without_offtopic).to_string(),
                ),
                // Encoded as everything else: a bare `+` would arrive as a space and lose the
                // place.
                ("cursor", cursor.into()),
            ]);
            format!(
                "{}/{}{pairs}",
                service.address.trim_end_matches('/'),
                wanted.app
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursors_are_encoded() {
        let wanted = ReviewQuery::new(322_170, "english", 1, 1);
        let service = Service::default();
        let address = url(&service, &wanted, Some(Sentiment::Negative), "AoJ4+/=", 100);
        assert!(address.starts_with(&service.address), "{address}");
        for part in [
            "%22cursor%22%3A%22AoJ4%2B%2F%3D%22",
            "%22review_type%22%3A2",
            "%22appid%22%3A322170",
        ] {
            assert!(address.contains(part), "{part} in {address}");
        }
        let store = Service {
            address: "http://s/appreviews/".into(),
            dialect: Dialect::Store,
            ..service
        };
        let address = url(&store, &wanted, Some(Sentiment::Positive), "AoJ4+/=", 100);
        assert_eq!(
            address,
            "http://s/appreviews/322170?json=1&filter=recent&language=english&review_type=positive&purchase_type=all\
             &num_per_page=100&filter_offtopic_activity=0&cursor=AoJ4%2B%2F%3D"
        );
        assert!(url(&store, &wanted, None, START, 1).contains("review_type=all"));
        assert!(url(&Service::default(), &wanted, None, START, 9).contains("num_per_page%22%3A0"));
    }
}
