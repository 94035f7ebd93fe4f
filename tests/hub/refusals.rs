//! Each refusal has its own message, with the cure.

use ensayo::hub::{Freshness, HubError, ModelRequest, Silent, Wanted};

use super::repository::{Fault, ID, Repository, request};

/// The message of a fetch; `token` says whether there is one.
fn message(repository: &Repository, request: &ModelRequest, token: bool) -> String {
    let cache = tempfile::tempdir().unwrap();
    let mut environment = repository.environment(cache.path());
    environment.token = token.then(|| "hf_secret".to_owned());
    let client =
        ensayo::hub::Hub::with_settings(environment, super::repository::settings()).unwrap();
    let error = client.fetch(request, &Silent).unwrap_err().to_string();
    assert!(!error.contains("hf_secret"), "{error}");
    repository.assert_nothing_half(cache.path());
    error
}

fn assert_says(error: &str, words: &[&str]) {
    for word in words {
        assert!(error.contains(word), "`{word}` is not in: {error}");
    }
}

fn refused(status: u16, headers: &[(&'static str, &str)]) -> Fault {
    let headers = headers
        .iter()
        .map(|(name, value)| (*name, (*value).to_owned()));
    Fault::Status(status, headers.collect())
}

#[test]
fn a_gated_model_names_the_page_and_the_variable() {
    let page = |repository: &Repository| format!("{}/{ID}", repository.hub.address);
    for status in [401, 403] {
        for part in ["/resolve/", "/revision/"] {
            let repository = Repository::start();
            repository.fail(part, 99, refused(status, &[("X-Error-Code", "GatedRepo")]));
            let page = page(&repository);
            let error = message(&repository, &request(), false);
            assert_says(
                &error,
                &[ID, "gated", &page, "accept its conditions", "HF_TOKEN"],
            );
            let error = message(&repository, &request(), true);
            assert_says(&error, &[&page, "no access yet", "belongs to that account"]);
        }
    }
}

#[test]
fn a_misspelt_model_is_told_from_a_private_one_as_far_as_the_hub_does() {
    let repository = Repository::start();
    let misspelt = ModelRequest {
        id: "owner/modle".into(),
        ..request()
    };
    let error = message(&repository, &misspelt, false);
    assert_says(
        &error,
        &[
            "owner/modle",
            "is not on",
            "or is private",
            "`owner/model`",
            "HF_TOKEN",
        ],
    );
    assert!(!error.contains("other/thing"), "{error}");
    let error = message(&repository, &misspelt, true);
    assert_says(&error, &["belongs to an account that may see it"]);
    // With a token the hub says 404 and its code; without search results there is no suggestion.
    let repository = Repository::start();
    repository.fail(
        "/revision/",
        9,
        refused(404, &[("X-Error-Code", "RepoNotFound")]),
    );
    repository.fail("search=", 9, refused(500, &[]));
    let error = message(&repository, &request(), true);
    assert_says(&error, &["is not on"]);
    assert!(!error.contains("there is"), "{error}");
}

#[test]
fn a_wrong_revision_names_those_that_there_are() {
    let repository = Repository::start();
    let request = ModelRequest {
        revision: "mian".into(),
        ..request()
    };
    let error = message(&repository, &request, false);
    assert_says(&error, &[ID, "no revision `mian`", "`main`", "`v1`"]);
}

#[test]
fn a_bad_token_and_a_disabled_model_say_so() {
    let repository = Repository::start();
    let header = (
        "X-Error-Message",
        "Invalid credentials in Authorization header",
    );
    repository.fail("/revision/", 9, refused(401, &[header]));
    assert_says(
        &message(&repository, &request(), true),
        &["does not accept the token", "/settings/tokens"],
    );
    let repository = Repository::start();
    let header = ("X-Error-Message", "Access to this resource is disabled.");
    repository.fail("/revision/", 9, refused(403, &[header]));
    assert_says(
        &message(&repository, &request(), false),
        &["is disabled", "choose another"],
    );
}

#[test]
fn a_model_that_is_of_no_use_says_what_it_has() {
    let config = ("config.json", b"{}".to_vec());
    let repository = Repository::with(&[
        config.clone(),
        ("tokenizer.json", b"{}".to_vec()),
        ("model.gguf", b"x".to_vec()),
        ("tf_model.h5", b"x".to_vec()),
    ]);
    let error = message(&repository, &request(), false);
    assert_says(
        &error,
        &[
            "no weights",
            "`model.gguf`",
            "`tf_model.h5`",
            "model.safetensors",
        ],
    );
    let repository = Repository::with(&[config]);
    let error = message(&repository, &request(), false);
    assert_says(
        &error,
        &["no file `tokenizer.json or spm.model`", "`config.json`"],
    );
    let repository = Repository::with(&[("x.bin", b"x".to_vec())]);
    assert_says(
        &message(&repository, &request(), false),
        &["no file `config.json`", "`x.bin`"],
    );
}

#[test]
fn a_file_that_vanished_is_named() {
    let repository = Repository::start();
    repository.fail(
        "tokenizer_config.json",
        9,
        refused(404, &[("X-Error-Code", "EntryNotFound")]),
    );
    let error = message(&repository, &request(), false);
    assert_says(&error, &[ID, "no file `tokenizer_config.json`"]);
}

#[test]
fn names_that_lead_elsewhere_are_refused_unasked() {
    let repository = Repository::start();
    let cache = tempfile::tempdir().unwrap();
    let client = repository.client(cache.path());
    for (id, revision) in [("../../etc", "main"), ("a/b/c", "main"), (ID, "../../x")] {
        let request = ModelRequest {
            id: id.into(),
            revision: revision.into(),
            wanted: Wanted::Decoder,
            freshness: Freshness::Newest,
        };
        let error = client.fetch(&request, &Silent).unwrap_err();
        assert!(
            matches!(error, HubError::BadId { .. } | HubError::BadRevision { .. }),
            "{error}"
        );
    }
    assert_eq!(repository.hub.asked().len(), 0);
    // And so is a shard whose name the repository makes up.
    let index = br#"{"weight_map":{"a":"../../../../evil.safetensors"}}"#.to_vec();
    let repository = Repository::with(&[
        ("config.json", b"{}".to_vec()),
        ("tokenizer.json", b"{}".to_vec()),
        ("model.safetensors.index.json", index),
    ]);
    let error = message(&repository, &request(), false);
    assert_says(
        &error,
        &[
            "model.safetensors.index.json",
            "../../../../evil.safetensors",
            "not below",
        ],
    );
}
