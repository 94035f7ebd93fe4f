//! Searching and inspecting.

use ensayo::hub::{Environment, Hub, HubError, Search, Silent, Sort};
use serde_json::{Value, json};

use super::repository::{Fault, ID, OLD, Repository, settings, weights};
use crate::server::{Reply, Server};

/// A hub that only lists: 25 models, ten on a page at most, with the next page's address in the
/// header.
pub fn listing() -> Server {
    Server::start(|asked| {
        let from: usize = asked
            .query("cursor")
            .map_or(0, |cursor| cursor.parse().unwrap());
        let size = asked
            .query("limit")
            .unwrap()
            .parse::<usize>()
            .unwrap()
            .min(10);
        let entry = |index: usize| {
            let name = if index.is_multiple_of(5) {
                format!("o/model-{index}-GGUF")
            } else {
                format!("o/model-{index}")
            };
            json!({
                "_id": "x", "id": name, "downloads": 1000 - index, "likes": index, "gated": if index == 3 { json!("manual") } else { json!(false) },
                "createdAt": "2022-03-02T23:29:04.000Z", "pipeline_tag": "fill-mask", "library_name": "transformers",
                "tags": ["license:mit", "es"], "safetensors": { "parameters": { "F32": 5 }, "total": 5 }
            })
        };
        let end = (from + size).min(25);
        let reply = Reply::json(&Value::from((from..end).map(entry).collect::<Vec<_>>()));
        let host = asked.header("host").unwrap();
        match end {
            25 => reply,
            // As opaque as the real one; everything that was asked stands in it.
            _ => reply.with(
                "Link",
                &format!("<http://{host}/api/models?limit={size}&cursor={end}>; rel=\"next\""),
            ),
        }
    })
}

fn client(address: &str) -> Hub {
    let mut environment = Environment::from_variables(|_| None);
    address.clone_into(&mut environment.endpoint);
    Hub::with_settings(environment, settings()).unwrap()
}

#[test]
fn a_search_follows_all_pages() {
    let server = listing();
    let client = client(&server.address);
    let found = client.search(&Search::default(), &Silent).unwrap();
    assert_eq!((found.len(), server.asked().len()), (25, 3));
    assert_eq!(
        (found[24].id.as_str(), found[24].parameters),
        ("o/model-24", Some(5))
    );
    assert_eq!(
        (
            found[1].facts.licence.as_deref(),
            found[3].facts.gated,
            found[4].facts.gated
        ),
        (Some("mit"), true, false)
    );

    server.forget();
    let some = Search {
        task: Some("fill-mask".into()),
        languages: vec!["es".into()],
        without: vec!["gguf".into()],
        sort: Sort::Likes,
        limit: Some(12),
        ..Search::default()
    };
    let found = client.search(&some, &Silent).unwrap();
    assert_eq!(found.len(), 12);
    assert!(found.iter().all(|model| !model.id.contains("GGUF")));
    let asked = server.asked();
    assert_eq!(
        (asked[0].all("filter"), asked[0].all("sort")),
        (vec!["es".to_owned()], vec!["likes".to_owned()])
    );
    assert_eq!(asked.len(), 2);
}

#[test]
fn a_page_that_names_itself_ends_the_search() {
    let server = Server::start(|asked| {
        let host = asked.header("host").unwrap();
        Reply::json(&json!([{ "id": "o/m" }])).with(
            "Link",
            &format!("<http://{host}{}>; rel=\"next\"", asked.path),
        )
    });
    assert_eq!(
        client(&server.address)
            .search(&Search::default(), &Silent)
            .unwrap()
            .len(),
        1
    );
    assert_eq!(server.asked().len(), 1);
}

#[test]
fn a_model_is_inspected_without_its_weights() {
    let repository = Repository::start();
    let cache = tempfile::tempdir().unwrap();
    let client = repository.client(cache.path());
    let seen = client.inspect(ID, "main", &Silent).unwrap();
    assert_eq!(
        (seen.commit.as_deref(), seen.parameters()),
        (Some(OLD), Some(100_000))
    );
    assert_eq!(
        seen.parameters_by_dtype().into_iter().collect::<Vec<_>>(),
        [("F32", 100_000)]
    );
    assert_eq!(seen.config.as_ref().unwrap()["hidden_size"], 8);
    assert_eq!(
        (
            seen.facts.licence.as_deref(),
            seen.facts.downloads,
            seen.facts.likes
        ),
        (Some("mit"), Some(7), Some(3))
    );
    assert_eq!(seen.weights[0].name, "model.safetensors");
    assert_eq!(
        seen.weight_bytes(),
        repository.file("model.safetensors").len() as u64
    );
    assert!(seen.total_bytes() > seen.weight_bytes());
    let asked = repository.cdn.asked();
    assert_eq!(
        (asked.len(), asked[0].header("range")),
        (1, Some("bytes=0-99999"))
    );
    assert_eq!(std::fs::read_dir(cache.path()).unwrap().count(), 0);
}

#[test]
fn long_headers_are_read_in_two_pieces_and_broken_ones_named() {
    let names: Vec<String> = (0..4_000)
        .map(|index| format!(r#""a.long.name.of.a.tensor.{index}":{{"dtype":"F16","shape":[1],"data_offsets":[0,2]}},"#))
        .collect();
    let header = format!("{{{}}}", names.concat().trim_end_matches(','));
    let mut long = (header.len() as u64).to_le_bytes().to_vec();
    long.extend(header.into_bytes());
    let files = |weights: Vec<u8>| {
        Repository::with(&[
            ("config.json", b"{}".to_vec()),
            ("model.safetensors", weights),
        ])
    };
    let cache = tempfile::tempdir().unwrap();
    let repository = files(long.clone());
    let seen = repository
        .client(cache.path())
        .inspect(ID, "main", &Silent)
        .unwrap();
    assert_eq!(
        (seen.parameters(), repository.cdn.asked().len()),
        (Some(4_000), 2)
    );
    let mut cut = weights(8_000);
    cut[0] = 0xff;
    for broken in [cut, long[..150_000].to_vec(), vec![0xee; 6_000], vec![1; 4]] {
        let repository = files(broken);
        let error = repository
            .client(cache.path())
            .inspect(ID, "main", &Silent)
            .unwrap_err();
        assert!(
            matches!(&error, HubError::Damaged { file, .. } if file == "model.safetensors"),
            "{error}"
        );
    }
    // A host that knows no ranges is not read to the end.
    let repository = Repository::start();
    repository.fail("/cdn/", usize::MAX, Fault::NoRange);
    let error = repository
        .client(cache.path())
        .inspect(ID, "main", &Silent)
        .unwrap_err();
    assert!(matches!(error, HubError::NotData { .. }), "{error}");
}
