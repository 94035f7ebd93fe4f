//! Tables of models as experiments.

use std::fs;

use serde_json::{Value, json};

use super::program::{Place, encoder};
use crate::server::{Reply, Server};

const TRIAL: &str = r#"
name = "trial"
kind = "model-search"
description = "Spanish classifiers"
[search]
task = "text-classification"
languages = ["es"]
without = ["gguf"]
limit = 2
[grid]
"search.sort" = ["downloads", "likes"]
"#;

/// A hub with four models, as many downloads as it has been asked for them before.
fn hub() -> Server {
    let asked = std::sync::atomic::AtomicU64::new(0);
    Server::start(move |_| {
        let times = asked.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        let entry = |id: &str| {
            json!({ "id": id, "downloads": 100 + times, "likes": 3, "pipeline_tag": "text-classification",
                "lastModified": "2026-01-02T03:04:05.000Z", "tags": ["license:mit"] })
        };
        let models = ["o/first", "o/second-GGUF", "o/third", "o/fourth"].map(entry);
        Reply::json(&Value::from(models.to_vec()))
    })
}

#[test]
fn a_table_of_models_is_recorded_with_its_day_and_stays_until_forced() {
    let (hub, place) = (hub(), Place::with(TRIAL));
    let say = |words: &[&str]| {
        let said = place.ensayo(&hub.address, &[], words);
        assert_eq!(said.code, 0, "{}", said.talk);
        said
    };
    say(&["check"]);
    let said = say(&["plan", "--device", "cpu"]);
    assert!(
        said.output.contains("whose table is of the day"),
        "{}",
        said.output
    );
    assert_eq!(hub.asked().len(), 0);
    let said = say(&["run", "--device", "cpu"]);
    assert!(
        said.output.contains("o/first") && said.output.contains("as of"),
        "{}",
        said.output
    );
    let asked = hub.asked();
    assert_eq!(asked.len(), 2);
    assert_eq!(asked[0].all("pipeline_tag"), ["text-classification"]);
    assert_eq!(
        (asked[0].all("filter"), asked[1].all("sort")),
        (vec!["es".to_owned()], vec!["likes".to_owned()])
    );

    let folder = place.path("results/trial/sort=downloads/seed-42");
    let table = || fs::read_to_string(folder.join("models.csv")).unwrap();
    let first = table();
    assert!(
        first.ends_with("1,o/first,,text-classification,,mit,,100,3,,2026-01-02T03:04:05.000Z,false,license:mit\n\
            2,o/third,,text-classification,,mit,,100,3,,2026-01-02T03:04:05.000Z,false,license:mit\n"),
        "{first}"
    );
    let record: Value =
        serde_json::from_slice(&fs::read(folder.join("record.json")).unwrap()).unwrap();
    let started = record["started"].as_str().unwrap();
    let page = place.path("results/report/runs/trial/sort=downloads@42.html");
    let page = fs::read_to_string(page).unwrap();
    assert!(
        page.contains(&format!("As of {}.", &started[..10])),
        "{page}"
    );
    assert!(page.contains("o/third") && !page.contains("GGUF"));
    let together = fs::read_to_string(place.path("results/trial/models.csv")).unwrap();
    assert!(together.starts_with("run,as_of,rank,model,"), "{together}");
    assert_eq!(together.lines().count(), 5, "{together}");

    let said = say(&["run", "--device", "cpu"]);
    assert!(said.talk.contains("0 to execute, 2 done"), "{}", said.talk);
    assert_eq!((hub.asked().len(), table()), (2, first.clone()));
    say(&["run", "trial/sort=downloads", "--force", "--device", "cpu"]);
    assert_eq!(hub.asked().len(), 3);
    assert!(table().contains(",102,"), "{}", table());
}

#[test]
fn a_search_without_a_network_fails_and_says_what_to_do() {
    let place = Place::with(TRIAL);
    let said = place.ensayo("http://127.0.0.1:1", &[], &["run", "--device", "cpu"]);
    assert_eq!(said.code, 3, "{}", said.talk);
    assert!(said.talk.contains("check the network"), "{}", said.talk);
    let empty = Place::with(&TRIAL.replace("[\"gguf\"]", "[\" \"]"));
    let said = empty.ensayo("http://127.0.0.1:1", &[], &["check"]);
    assert_eq!(said.code, 2, "{}", said.output);
    assert!(
        said.talk.contains("`search.without` has an empty word"),
        "{}",
        said.talk
    );
}

#[test]
fn what_a_found_model_is_made_of_is_recorded_where_that_is_asked_for() {
    let trial = "name = \"trial\"\nkind = \"model-search\"\n[search]\ncontains = \"model\"\nlimit = 1\ninspect = true\n";
    let (repository, place) = (encoder(), Place::with(trial));
    let said = place.ensayo(&repository.hub.address, &[], &["run", "--device", "cpu"]);
    assert_eq!(said.code, 0, "{}", said.talk);
    let folder = place.path("results/trial/base/seed-42");
    let table = fs::read_to_string(folder.join("model_facts.csv")).unwrap();
    assert!(table.starts_with("model,fact,value\n"), "{table}");
    for line in [
        "owner/model,type,bert",
        "owner/model,heads,4",
        "owner/model,layers,2",
        "owner/model,dtype,F32",
        "owner/model,licence,mit",
    ] {
        assert!(table.lines().any(|known| known == line), "{line}: {table}");
    }
    let layers = table
        .lines()
        .find(|line| line.contains("encoder.layer.*.attention.self.query"));
    assert!(layers.unwrap().ends_with("(2)"), "{table}");
    // The weights themselves stay where they are.
    let asked = repository.cdn.asked();
    assert!(asked.iter().all(|asked| asked.header("range").is_some()));
}
