//! A service with reviews of one game, in both dialects, as the real ones answer.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ensayo::hub::http::Pause;
use ensayo::hub::http::{Http, Proxies, Settings};
use ensayo::steam::{Dialect, ReviewQuery, Reviews, Service};
use serde_json::{Value, json};

use crate::server::{Asked, Reply, Server};

pub const APP: u64 = 322_170;

/// What is wrong.
#[derive(Default)]
pub struct Faults {
    /// Answers without reviews, before the true ones come.
    pub empty: usize,
    /// Statuses to answer with first, and headers.
    pub statuses: Vec<(u16, Option<(&'static str, &'static str)>)>,
    /// Pages to skip before `statuses` begin.
    pub after: usize,
    /// Bodies to answer with first, in place of JSON.
    pub bodies: Vec<&'static str>,
    /// The cursor stays as it was from this review on.
    pub sticks_at: Option<usize>,
    /// Each page begins with the last review of the one before.
    pub overlap: bool,
    /// The totals name more than there are.
    pub hidden: u64,
}

pub struct Steam {
    pub server: Server,
    pub faults: Arc<Mutex<Faults>>,
    /// What was slept.
    pub slept: Arc<Mutex<Vec<Duration>>>,
    dialect: Dialect,
}

impl Steam {
    /// A service with so many positive and negative reviews.
    pub fn start(positive: usize, negative: usize, dialect: Dialect) -> Self {
        let faults: Arc<Mutex<Faults>> = Arc::default();
        let shared = Arc::clone(&faults);
        let server = Server::start(move |asked| {
            answer(
                asked,
                [positive, negative],
                dialect,
                &mut shared.lock().unwrap(),
            )
        });
        Self {
            server,
            faults,
            slept: Arc::default(),
            dialect,
        }
    }

    pub fn reviews(&self, folder: &Path) -> Reviews {
        let slept = Arc::clone(&self.slept);
        let settings = Settings {
            answer_timeout: Duration::from_millis(500),
            stall_timeout: Duration::from_millis(500),
            attempts: 3,
            pause: Pause::new(move |time| slept.lock().unwrap().push(time)),
            ..Settings::default()
        };
        let http = Http::new(settings, Proxies::default(), None).unwrap();
        let service = Service {
            address: self.server.address.clone() + "/reviews/",
            dialect: self.dialect,
            page_size: 10,
            ..Service::default()
        };
        Reviews::new(http, service, folder.to_owned(), false)
    }

    /// Pages of reviews that were asked for.
    pub fn pages(&self) -> usize {
        let asked = self.server.asked();
        asked
            .iter()
            .filter(|asked| wish(asked, self.dialect).kind != 0)
            .count()
    }
}

pub fn wanted(positive: usize, negative: usize) -> ReviewQuery {
    ReviewQuery::new(APP, "english", positive, negative)
}

/// What a request wants.
struct Wish {
    app: u64,
    /// 0 both, 1 positive, 2 negative.
    kind: u64,
    size: usize,
    cursor: String,
}

fn wish(asked: &Asked, dialect: Dialect) -> Wish {
    match dialect {
        Dialect::Service => {
            let input: Value = serde_json::from_str(&asked.query("input_json").unwrap()).unwrap();
            assert_eq!(input["languages"], json!(["english"]));
            Wish {
                app: input["appid"].as_u64().unwrap(),
                kind: input["review_type"].as_u64().unwrap(),
                size: usize::try_from(input["num_per_page"].as_u64().unwrap()).unwrap(),
                cursor: input["cursor"].as_str().unwrap().to_owned(),
            }
        }
        Dialect::Store => Wish {
            app: asked
                .path
                .split(['/', '?'])
                .find_map(|part| part.parse().ok())
                .unwrap(),
            kind: match asked.query("review_type").unwrap().as_str() {
                "positive" => 1,
                "negative" => 2,
                _ => 0,
            },
            size: asked.query("num_per_page").unwrap().parse().unwrap(),
            cursor: asked.query("cursor").unwrap(),
        },
    }
}

/// Cursors as Steam writes them, with letters that must be encoded.
fn cursor(at: usize) -> String {
    format!("AoJ+/{at}==")
}

fn answer(asked: &Asked, numbers: [usize; 2], dialect: Dialect, faults: &mut Faults) -> Reply {
    let wish = wish(asked, dialect);
    if wish.kind != 0 && faults.after > 0 {
        faults.after -= 1;
    } else if wish.kind != 0 {
        if !faults.statuses.is_empty() {
            let (status, header) = faults.statuses.remove(0);
            let reply = Reply::new(status, "no");
            return header
                .into_iter()
                .fold(reply, |reply, (name, value)| reply.with(name, value));
        }
        if !faults.bodies.is_empty() {
            return Reply::new(200, faults.bodies.remove(0));
        }
        if faults.empty > 0 {
            faults.empty -= 1;
            return reply(
                dialect,
                json!({ "query_summary": { "num_reviews": 0 }, "cursor": wish.cursor }),
            );
        }
    }
    if wish.app != APP {
        return match dialect {
            Dialect::Service => Reply::json(&json!({ "response": {} })),
            Dialect::Store => {
                Reply::json(&json!({ "success": 1, "query_summary": null, "reviews": [] }))
            }
        };
    }
    let summary = json!({
        "num_reviews": 0,
        "total_positive": numbers[0] as u64 + faults.hidden,
        "total_negative": numbers[1] as u64 + faults.hidden,
        "total_reviews": (numbers[0] + numbers[1]) as u64,
    });
    if wish.kind == 0 {
        return reply(dialect, json!({ "query_summary": summary }));
    }
    let from = match wish.cursor.as_str() {
        "*" => 0,
        cursor => cursor
            .strip_prefix("AoJ+/")
            .unwrap()
            .trim_end_matches('=')
            .parse()
            .unwrap(),
    };
    let number = numbers[usize::try_from(wish.kind).unwrap() - 1];
    let end = (from + wish.size).min(number);
    let first = if faults.overlap {
        from.saturating_sub(1)
    } else {
        from
    };
    let reviews: Vec<Value> = (first..end)
        .map(|at| review(at, wish.kind == 1, dialect))
        .collect();
    if reviews.is_empty() || from >= number {
        return reply(
            dialect,
            json!({ "query_summary": { "num_reviews": 0 }, "total_matching": 0 }),
        );
    }
    let next = match faults.sticks_at {
        Some(at) if from >= at => wish.cursor.clone(),
        _ => cursor(end),
    };
    reply(
        dialect,
        json!({ "query_summary": { "num_reviews": reviews.len() }, "reviews": reviews, "cursor": next }),
    )
}

fn reply(dialect: Dialect, content: Value) -> Reply {
    match dialect {
        Dialect::Service => Reply::json(&json!({ "response": content })),
        Dialect::Store => {
            let mut content = content;
            content["success"] = json!(1);
            Reply::json(&content)
        }
    }
}

/// A review with everything that must not be kept.
pub fn review(at: usize, positive: bool, dialect: Dialect) -> Value {
    let class = if positive { "good" } else { "bad" };
    let mut review = json!({
        "recommendationid": format!("{}{at:04}", if positive { 1 } else { 2 }),
        "author": {
            "steamid": "76561198012345678", "personaname": "Somebody", "profile_url": "https://steam/id/Somebody",
            "num_games_owned": 9, "num_reviews": 2, "playtime_forever": 500, "last_played": 1_600_000_000,
        },
        "language": "english",
        "review": if at % 7 == 6 { "same, \"quoted\"\nand so on".to_owned() } else { format!("{class} game {at}") },
        "timestamp_created": 1_600_000_000 - at, "timestamp_updated": 1_600_000_100 - at,
        "votes_up": at, "votes_funny": 4_294_967_295_u64,
        "weighted_vote_score": if at.is_multiple_of(2) { json!("0.656377") } else { json!(0.5) },
        "comment_count": 0, "steam_purchase": true,
    });
    // The service leaves out what is false; old reviews have no time of play.
    if positive || dialect == Dialect::Store {
        review["voted_up"] = json!(positive);
    }
    if !at.is_multiple_of(3) {
        review["author"]["playtime_at_review"] = json!(60 + at);
    }
    review
}

/// The texts of all kept pages.
pub fn kept(folder: &Path) -> BTreeMap<String, String> {
    let mut kept = BTreeMap::new();
    for entry in walkdir::WalkDir::new(folder).into_iter().flatten() {
        if entry.file_type().is_file() {
            let mut text = String::new();
            let file = std::fs::File::open(entry.path()).unwrap();
            if entry
                .path()
                .extension()
                .is_some_and(|extension| extension == "gz")
            {
                std::io::Read::read_to_string(&mut flate2::read::GzDecoder::new(file), &mut text)
                    .unwrap();
            } else {
                text = std::fs::read_to_string(entry.path()).unwrap();
            }
            kept.insert(entry.path().display().to_string(), text);
        }
    }
    kept
}
