//! What the service does to its clients.

use std::time::Duration;

use ensayo::hub::Silent;
use ensayo::steam::{Dialect, End, Order, Sentiment, SteamError};

use super::service::{Faults, Steam, wanted};

/// A service with faults.
fn steam(positive: usize, negative: usize, faults: Faults) -> Steam {
    let steam = Steam::start(positive, negative, Dialect::Service);
    *steam.faults.lock().unwrap() = faults;
    steam
}

fn ids(rows: &[&ensayo::steam::Review]) -> std::collections::BTreeSet<String> {
    rows.iter().map(|review| review.id.clone()).collect()
}

#[test]
fn falsely_empty_pages_are_asked_for_again() {
    let faults = Faults {
        after: 1,
        empty: 5,
        ..Faults::default()
    };
    let steam = steam(30, 30, faults);
    let folder = tempfile::tempdir().unwrap();
    let collection = steam
        .reviews(folder.path())
        .fetch(&wanted(30, 30), &Silent)
        .unwrap();
    assert_eq!(ids(&collection.rows(Order::ByTurns)).len(), 60);
    // The page that comes at last is a smaller one.
    assert_eq!(steam.pages(), 7 + 5);
    // Each time a little other, so that no cache answers.
    let addresses: std::collections::BTreeSet<String> = steam
        .server
        .asked()
        .into_iter()
        .map(|asked| asked.path)
        .collect();
    assert_eq!(addresses.len(), steam.server.asked().len());
}

#[test]
fn an_end_that_the_totals_deny_is_believed_in_the_end() {
    // Hidden reviews are counted, so that the totals name more than come.
    let steam = steam(
        30,
        30,
        Faults {
            hidden: 50,
            ..Faults::default()
        },
    );
    let folder = tempfile::tempdir().unwrap();
    let collection = steam
        .reviews(folder.path())
        .fetch(&wanted(100, 10), &Silent)
        .unwrap();
    assert_eq!(collection.reviews(Sentiment::Positive).len(), 30);
    assert_eq!(collection.end(Sentiment::Positive), Some(End::Silent));
    assert!(collection.is_complete());
    assert_eq!(steam.pages(), 3 + 6 + 1);
}

#[test]
fn a_cursor_that_repeats_itself_ends() {
    let steam = steam(
        90,
        0,
        Faults {
            sticks_at: Some(20),
            ..Faults::default()
        },
    );
    let folder = tempfile::tempdir().unwrap();
    let collection = steam
        .reviews(folder.path())
        .fetch(&wanted(90, 0), &Silent)
        .unwrap();
    let rows = collection.rows(Order::ByTurns);
    assert_eq!((rows.len(), ids(&rows).len()), (30, 30));
    assert_eq!(collection.end(Sentiment::Positive), Some(End::Silent));
}

#[test]
fn reviews_that_come_twice_are_kept_once() {
    let steam = steam(
        40,
        40,
        Faults {
            overlap: true,
            ..Faults::default()
        },
    );
    let folder = tempfile::tempdir().unwrap();
    let collection = steam
        .reviews(folder.path())
        .fetch(&wanted(40, 40), &Silent)
        .unwrap();
    let rows = collection.rows(Order::ByTurns);
    assert_eq!((rows.len(), ids(&rows).len()), (80, 80));
}

#[test]
fn what_has_come_is_kept_and_gone_on_from() {
    let failing = vec![(500, None); 3];
    let steam = steam(
        40,
        20,
        Faults {
            after: 2,
            statuses: failing,
            ..Faults::default()
        },
    );
    let folder = tempfile::tempdir().unwrap();
    let reviews = steam.reviews(folder.path());
    let error = reviews.fetch(&wanted(40, 20), &Silent).unwrap_err();
    assert!(
        matches!(error, SteamError::Busy { status: 500, .. }),
        "{error}"
    );
    assert!(error.to_string().contains("goes on from there"), "{error}");
    let part = reviews.cached(&wanted(40, 20)).unwrap();
    assert_eq!(
        (part.rows(Order::ByTurns).len(), part.is_complete()),
        (20, false)
    );
    steam.server.forget();
    let collection = reviews.fetch(&wanted(40, 20), &Silent).unwrap();
    assert_eq!(ids(&collection.rows(Order::ByTurns)).len(), 60);
    assert_eq!(steam.pages(), 4);
}

#[test]
fn limits_are_waited_for_and_gateways_asked_again() {
    let statuses = vec![(429, Some(("Retry-After", "17"))), (502, None)];
    let steam = steam(
        10,
        10,
        Faults {
            statuses,
            ..Faults::default()
        },
    );
    let folder = tempfile::tempdir().unwrap();
    steam
        .reviews(folder.path())
        .fetch(&wanted(10, 10), &Silent)
        .unwrap();
    let slept: Duration = steam.slept.lock().unwrap().iter().sum();
    assert!(slept >= Duration::from_secs(17 + 2), "{slept:?}");
}

#[test]
fn pages_that_are_none_are_asked_for_again_and_then_named() {
    let some = Faults {
        bodies: vec!["<html>", "", "{\"response\":"],
        ..Faults::default()
    };
    let steam = steam(10, 10, some);
    let folder = tempfile::tempdir().unwrap();
    let reviews = steam.reviews(folder.path());
    let collection = reviews.fetch(&wanted(10, 10), &Silent).unwrap();
    assert_eq!(collection.rows(Order::ByTurns).len(), 20);
    steam.faults.lock().unwrap().bodies = vec!["<html>"; 9];
    let other = tempfile::tempdir().unwrap();
    let error = steam
        .reviews(other.path())
        .fetch(&wanted(5, 5), &Silent)
        .unwrap_err();
    assert!(
        matches!(&error, SteamError::NotReviews { what, .. } if what == "a web page"),
        "{error}"
    );
}

#[test]
fn a_service_that_is_gone_is_said_at_once() {
    for (status, header) in [
        (302, Some(("Location", "https://store.example/"))),
        (404, None),
    ] {
        let steam = steam(
            10,
            10,
            Faults {
                statuses: vec![(status, header)],
                ..Faults::default()
            },
        );
        let folder = tempfile::tempdir().unwrap();
        let error = steam
            .reviews(folder.path())
            .fetch(&wanted(5, 5), &Silent)
            .unwrap_err();
        assert!(matches!(error, SteamError::Retired { .. }), "{error}");
        assert!(error.to_string().contains("address and dialect"), "{error}");
        assert_eq!(steam.server.asked().len(), 2);
    }
}

#[test]
fn a_damaged_page_is_named() {
    let steam = steam(10, 10, Faults::default());
    let folder = tempfile::tempdir().unwrap();
    let reviews = steam.reviews(folder.path());
    reviews.fetch(&wanted(10, 10), &Silent).unwrap();
    let page = reviews
        .pages_folder(&wanted(1, 1))
        .join("positive/000001.json.gz");
    std::fs::write(&page, "x").unwrap();
    let error = reviews.cached(&wanted(10, 10)).unwrap_err().to_string();
    assert!(
        error.contains("000001.json.gz") && error.contains("remove the file"),
        "{error}"
    );
    std::fs::remove_file(&page).unwrap();
    assert_eq!(
        reviews
            .fetch(&wanted(10, 10), &Silent)
            .unwrap()
            .rows(Order::ByTurns)
            .len(),
        20
    );
}
