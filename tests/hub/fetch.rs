//! What a fetch brings, and what it does not ask.

use std::fs;

use ensayo::hub::{Freshness, HubError, ModelRequest, Silent, Wanted};

use super::repository::{Fault, ID, NEW, OLD, Repository, git, request, sha256};

#[test]
fn a_model_lies_in_the_cache_as_python_has_it() {
    let repository = Repository::start();
    let cache = tempfile::tempdir().unwrap();
    let snapshot = repository.fetch(cache.path()).unwrap();
    assert_eq!(
        snapshot.files,
        [
            "config.json",
            "tokenizer.json",
            "tokenizer_config.json",
            "model.safetensors"
        ]
    );
    assert_eq!(
        (snapshot.commit.as_str(), snapshot.newer.as_deref()),
        (OLD, None)
    );
    repository.assert_whole(&snapshot);
    repository.assert_nothing_half(cache.path());

    let folder = cache.path().join("models--owner--model");
    assert_eq!(snapshot.folder, folder.join("snapshots").join(OLD));
    assert_eq!(fs::read_to_string(folder.join("refs/main")).unwrap(), OLD);
    let weights = sha256(&repository.file("model.safetensors"));
    let config = git(&repository.file("config.json"));
    for (file, blob) in [("model.safetensors", &weights), ("config.json", &config)] {
        let target = fs::read_link(snapshot.folder.join(file)).unwrap();
        assert_eq!(target.to_str().unwrap(), format!("../../blobs/{blob}"));
        let lock = cache
            .path()
            .join(".locks/models--owner--model")
            .join(format!("{blob}.lock"));
        assert!(lock.exists());
    }
    assert!(
        folder
            .join(".no_exist")
            .join(OLD)
            .join("special_tokens_map.json")
            .exists()
    );
    assert_eq!(fs::read_dir(folder.join("blobs")).unwrap().count(), 4);
    assert_eq!(
        repository.hub.count("pytorch_model.bin") + repository.hub.count("README"),
        0
    );
}

#[test]
fn a_second_fetch_asks_nothing() {
    let repository = Repository::start();
    let cache = tempfile::tempdir().unwrap();
    let first = repository.fetch(cache.path()).unwrap();
    repository.hub.forget();
    assert_eq!(repository.fetch(cache.path()).unwrap(), first);
    let client = repository.client(cache.path());
    assert_eq!(client.cached(&request()).unwrap(), Some(first));
    assert!(client.plan(&request(), &Silent).unwrap().is_here());
    assert_eq!(repository.hub.asked().len(), 0);
}

#[test]
fn a_plan_names_sizes_and_fetches_nothing() {
    let repository = Repository::start();
    let cache = tempfile::tempdir().unwrap();
    let plan = repository
        .client(cache.path())
        .plan(&request(), &Silent)
        .unwrap();
    let sizes = [
        "config.json",
        "tokenizer.json",
        "tokenizer_config.json",
        "model.safetensors",
    ];
    let expected: usize = sizes.iter().map(|name| repository.file(name).len()).sum();
    assert_eq!(plan.bytes_to_fetch(), expected as u64);
    assert!(
        !plan.is_here()
            && plan
                .files
                .iter()
                .all(|file| file.bytes.is_some() && !file.here)
    );
    assert_eq!(repository.hub.asked().len(), 1);
    assert_eq!(fs::read_dir(cache.path()).unwrap().count(), 0);
}

#[test]
fn a_branch_that_moved_is_told_and_followed_only_when_asked() {
    let repository = Repository::start();
    let cache = tempfile::tempdir().unwrap();
    repository.fetch(cache.path()).unwrap();
    repository.move_on("tokenizer_config.json", b"{\"new\":1}");
    let client = repository.client(cache.path());
    let with = |freshness| {
        let request = ModelRequest {
            freshness,
            ..request()
        };
        client.fetch(&request, &Silent).unwrap()
    };
    let cached = with(Freshness::Cached);
    assert_eq!((cached.commit.as_str(), cached.newer), (OLD, None));
    let told = with(Freshness::Told);
    assert_eq!(
        (told.commit.as_str(), told.newer.as_deref()),
        (OLD, Some(NEW))
    );
    let newest = with(Freshness::Newest);
    assert_eq!((newest.commit.as_str(), &newest.newer), (NEW, &None));
    repository.assert_whole(&newest);
    assert_eq!(with(Freshness::Cached).commit, NEW);
    // The weights are the same blob, fetched once.
    assert_eq!(repository.cdn.asked().len(), 1);
    // Telling is an extra: without an answer the cache is as good as before.
    repository.fail("/api/", usize::MAX, Fault::Status(500, vec![]));
    assert_eq!(with(Freshness::Told).commit, NEW);
}

#[test]
fn offline_the_cache_is_enough_or_says_what_it_lacks() {
    let repository = Repository::start();
    let cache = tempfile::tempdir().unwrap();
    let mut environment = repository.environment(cache.path());
    environment.offline = true;
    let client = ensayo::hub::Hub::new(environment).unwrap();
    let error = client.fetch(&request(), &Silent).unwrap_err();
    assert!(matches!(error, HubError::Offline { .. }), "{error}");
    let error = error.to_string();
    assert!(
        error.contains("HF_HUB_OFFLINE") && error.contains(ID),
        "{error}"
    );
    assert_eq!(client.cached(&request()).unwrap(), None);

    let snapshot = repository.fetch(cache.path()).unwrap();
    repository.hub.forget();
    assert_eq!(client.fetch(&request(), &Silent).unwrap(), snapshot);
    let commit = ModelRequest {
        revision: OLD.into(),
        ..request()
    };
    assert_eq!(
        client.fetch(&commit, &Silent).unwrap().folder,
        snapshot.folder
    );
    fs::remove_file(snapshot.folder.join("model.safetensors")).unwrap();
    let error = client.fetch(&request(), &Silent).unwrap_err().to_string();
    assert!(error.contains("model.safetensors"), "{error}");
    assert_eq!(repository.hub.asked().len(), 0);
}

#[test]
fn copies_stand_where_links_may_not() {
    let repository = Repository::start();
    let cache = tempfile::tempdir().unwrap();
    let mut environment = repository.environment(cache.path());
    environment.links = false;
    let client = ensayo::hub::Hub::new(environment).unwrap();
    let snapshot = client.fetch(&request(), &Silent).unwrap();
    repository.assert_whole(&snapshot);
    assert!(
        snapshot
            .folder
            .join("config.json")
            .symlink_metadata()
            .unwrap()
            .is_file()
    );
}

#[test]
fn a_mirror_without_sizes_and_hashes_is_asked_file_by_file() {
    let repository = Repository::start();
    repository.bare();
    let cache = tempfile::tempdir().unwrap();
    let snapshot = repository.fetch(cache.path()).unwrap();
    repository.assert_whole(&snapshot);
    repository.assert_nothing_half(cache.path());
    assert_eq!(repository.hub.count("HEAD"), 4);
    assert_eq!(repository.cdn.count("HEAD"), 0);
}

#[test]
fn shards_and_modules_are_fetched_by_what_names_them() {
    let index = br#"{"weight_map":{"a":"model-00001-of-00002.safetensors","b":"model-00002-of-00002.safetensors"}}"#;
    let modules = br#"[{"path":"","type":"Transformer"},{"path":"1_Pooling","type":"a.Pooling"}]"#;
    let repository = Repository::with(&[
        ("config.json", b"{}".to_vec()),
        ("tokenizer.json", b"{ }".to_vec()),
        ("modules.json", modules.to_vec()),
        ("1_Pooling/config.json", b"{\"p\":1}".to_vec()),
        ("model.safetensors.index.json", index.to_vec()),
        (
            "model-00001-of-00002.safetensors",
            super::repository::weights(8_000),
        ),
        (
            "model-00002-of-00002.safetensors",
            super::repository::weights(16_000),
        ),
    ]);
    let cache = tempfile::tempdir().unwrap();
    let client = repository.client(cache.path());
    let request = ModelRequest {
        wanted: Wanted::SentenceEncoder,
        ..request()
    };
    let snapshot = client.fetch(&request, &Silent).unwrap();
    assert_eq!(snapshot.files.len(), 7);
    repository.assert_whole(&snapshot);
    let link = fs::read_link(snapshot.folder.join("1_Pooling/config.json")).unwrap();
    assert!(
        link.to_str().unwrap().starts_with("../../../blobs/"),
        "{link:?}"
    );
    repository.hub.forget();
    assert_eq!(client.fetch(&request, &Silent).unwrap(), snapshot);
    assert_eq!(repository.hub.asked().len(), 0);
}

#[test]
fn a_commit_that_is_gone_gives_way_to_the_branch() {
    let repository = Repository::start();
    let cache = tempfile::tempdir().unwrap();
    let refs = cache.path().join("models--owner--model/refs");
    fs::create_dir_all(&refs).unwrap();
    fs::write(refs.join("main"), "f".repeat(40)).unwrap();
    let snapshot = repository.fetch(cache.path()).unwrap();
    assert_eq!(snapshot.commit, OLD);
    assert_eq!(fs::read_to_string(refs.join("main")).unwrap(), OLD);
}
