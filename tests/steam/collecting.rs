//! What is collected, kept and written.

use std::time::Duration;

use ensayo::hub::Silent;
use ensayo::steam::{Dialect, End, HEADER, Order, Sentiment, SteamError, read_saved};

use super::service::{APP, Steam, kept, review, wanted};

#[test]
fn reviews_become_a_csv_in_the_studys_order() {
    for dialect in [Dialect::Service, Dialect::Store] {
        let steam = Steam::start(35, 30, dialect);
        let folder = tempfile::tempdir().unwrap();
        let collection = steam
            .reviews(folder.path())
            .fetch(&wanted(25, 20), &Silent)
            .unwrap();
        assert!(collection.is_complete() && collection.end(Sentiment::Positive).is_none());
        let path = folder.path().join("out/reviews.csv");
        collection.write_csv(&path, Order::ByTurns).unwrap();
        let mut reader = csv::Reader::from_path(&path).unwrap();
        assert_eq!(reader.headers().unwrap().iter().collect::<Vec<_>>(), HEADER);
        let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
        let ids: Vec<&str> = rows.iter().map(|row| &row[0]).collect();
        assert_eq!(
            (ids.len(), &ids[..4]),
            (45, &["10000", "20000", "10001", "20001"][..])
        );
        assert_eq!(ids[39..42], ["20019", "10020", "10021"]);
        let row: Vec<&str> = rows[12].iter().collect();
        let expected = [
            "10006",
            "same, \"quoted\"\nand so on",
            "1",
            "english",
            "2020-09-13T12:26:34Z",
            "2020-09-13T12:28:14Z",
            "6",
            "",
        ];
        assert_eq!(row, expected);
        assert_eq!((&rows[3][2], &rows[3][7]), ("0", "61"));
    }
}

#[test]
fn nobodys_name_is_kept() {
    let steam = Steam::start(12, 12, Dialect::Service);
    let folder = tempfile::tempdir().unwrap();
    let reviews = steam.reviews(folder.path());
    let collection = reviews.fetch(&wanted(12, 12), &Silent).unwrap();
    collection
        .write_csv(&folder.path().join("x.csv"), Order::ByClass)
        .unwrap();
    let kept = kept(folder.path());
    assert!(kept.len() >= 5);
    for (path, text) in kept {
        for word in ["Somebody", "76561198", "steamid", "profile", "num_games"] {
            assert!(!text.contains(word), "{word} in {path}");
        }
    }
}

#[test]
fn the_csv_is_made_again_without_network() {
    let steam = Steam::start(25, 25, Dialect::Service);
    let folder = tempfile::tempdir().unwrap();
    let reviews = steam.reviews(folder.path());
    let empty = reviews.cached(&wanted(20, 20)).unwrap();
    assert!(!empty.is_complete() && empty.rows(Order::ByTurns).is_empty());
    let fetched = reviews.fetch(&wanted(20, 20), &Silent).unwrap();
    steam.server.forget();
    for order in [Order::ByTurns, Order::ByClass, Order::Latest] {
        let again = reviews.cached(&wanted(20, 20)).unwrap();
        assert!(again.is_complete());
        assert_eq!(again.csv(order), fetched.csv(order));
    }
    reviews.fetch(&wanted(20, 20), &Silent).unwrap();
    // Fewer are the first of them.
    let fewer = reviews.cached(&wanted(5, 5)).unwrap();
    assert_eq!(fewer.rows(Order::ByTurns).len(), 10);
    assert_eq!(steam.server.asked().len(), 0);
    // More go on from there.
    reviews.fetch(&wanted(25, 20), &Silent).unwrap();
    assert_eq!(steam.pages(), 1);
}

#[test]
fn a_game_with_fewer_ends() {
    let steam = Steam::start(13, 40, Dialect::Service);
    let folder = tempfile::tempdir().unwrap();
    let reviews = steam.reviews(folder.path());
    let collection = reviews.fetch(&wanted(30, 30), &Silent).unwrap();
    assert_eq!(collection.reviews(Sentiment::Positive).len(), 13);
    assert_eq!(collection.reviews(Sentiment::Negative).len(), 30);
    assert_eq!(collection.end(Sentiment::Positive), Some(End::NoMore));
    assert!(collection.is_complete());
    // Two pages and the one that says so: the totals confirm it, so nothing is asked again and
    // again.
    assert_eq!(steam.pages(), 3 + 3);
    steam.server.forget();
    reviews.fetch(&wanted(30, 30), &Silent).unwrap();
    assert_eq!(steam.server.asked().len(), 0);
}

#[test]
fn counts_tell_equal_texts_and_a_first_review() {
    let steam = Steam::start(30, 10, Dialect::Service);
    let folder = tempfile::tempdir().unwrap();
    let collection = steam
        .reviews(folder.path())
        .fetch(&wanted(20, 50), &Silent)
        .unwrap();
    let [positive, negative] = collection.counts();
    assert_eq!(
        (positive.wanted, positive.reviews, positive.equal_texts),
        (20, 20, 1)
    );
    assert_eq!(
        (negative.wanted, negative.reviews, negative.total),
        (50, 10, Some(10))
    );
    assert_eq!(positive.first.unwrap().text, "good game 0");
    assert_eq!(negative.first.unwrap().id, "20000");
}

#[test]
fn requests_keep_their_distance() {
    let steam = Steam::start(30, 5, Dialect::Service);
    let folder = tempfile::tempdir().unwrap();
    steam
        .reviews(folder.path())
        .fetch(&wanted(30, 5), &Silent)
        .unwrap();
    // The totals, three pages and one: four waits of nearly a second.
    let slept = steam.slept.lock().unwrap().clone();
    assert_eq!(slept.len(), steam.server.asked().len() - 1);
    assert!(
        slept.iter().all(|time| *time > Duration::from_millis(500)),
        "{slept:?}"
    );
    let agents = steam.server.asked();
    assert!(
        agents[0]
            .header("user-agent")
            .unwrap()
            .starts_with("ensayo/")
    );
}

#[test]
fn saved_pages_of_the_old_service_are_read_and_imported() {
    let folder = tempfile::tempdir().unwrap();
    let saved = folder.path().join("saved.json");
    let list: Vec<_> = (0..9)
        .map(|at| review(at, at % 3 != 0, Dialect::Store))
        .collect();
    std::fs::write(
        &saved,
        serde_json::json!({ "success": 1, "reviews": list, "cursor": "x" }).to_string(),
    )
    .unwrap();
    assert_eq!(read_saved(&saved).unwrap().len(), 9);
    let steam = Steam::start(0, 0, Dialect::Service);
    let reviews = steam.reviews(folder.path());
    let files = [saved];
    assert_eq!(reviews.import(&wanted(6, 3), &files).unwrap(), 9);
    assert_eq!(reviews.import(&wanted(6, 3), &files).unwrap(), 0);
    let collection = reviews.fetch(&wanted(6, 3), &Silent).unwrap();
    assert_eq!(collection.rows(Order::ByTurns).len(), 9);
    assert_eq!(steam.server.asked().len(), 0);
}

#[test]
fn a_game_that_does_not_exist_is_said() {
    for dialect in [Dialect::Service, Dialect::Store] {
        let steam = Steam::start(1, 1, dialect);
        let folder = tempfile::tempdir().unwrap();
        let mut query = wanted(1, 1);
        query.app = APP + 1;
        let error = steam
            .reviews(folder.path())
            .fetch(&query, &Silent)
            .unwrap_err();
        assert!(matches!(error, SteamError::NoSuchGame { .. }), "{error}");
        query.language = "../x".into();
        let error = steam.reviews(folder.path()).cached(&query).unwrap_err();
        assert!(matches!(error, SteamError::BadLanguage { .. }), "{error}");
    }
}
