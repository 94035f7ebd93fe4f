//! Tokens, redirects, proxies and networks that are not there.

use std::io::{BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use ensayo::hub::http::Proxies;
use ensayo::hub::{Environment, Hub, HubError, Silent};

use super::repository::{Fault, ID, Repository, request, settings};
use crate::server::{Server, read_request};

fn client(environment: Environment) -> Hub {
    Hub::with_settings(environment, settings()).unwrap()
}

#[test]
fn the_token_goes_to_the_hub_and_to_nobody_else() {
    let repository = Repository::start();
    let cache = tempfile::tempdir().unwrap();
    let mut environment = repository.environment(cache.path());
    environment.token = Some("hf_secret".into());
    client(environment.clone())
        .fetch(&request(), &Silent)
        .unwrap();
    assert!(!repository.hub.asked().is_empty() && !repository.cdn.asked().is_empty());
    for asked in repository.hub.asked() {
        assert_eq!(
            asked.header("authorization"),
            Some("Bearer hf_secret"),
            "{}",
            asked.line()
        );
    }
    for asked in repository.cdn.asked() {
        assert_eq!(asked.header("authorization"), None, "{}", asked.line());
    }
    // Nor to a host that a listing's next page names.
    let stranger = Server::start(|_| crate::server::Reply::json(&serde_json::json!([])));
    let address = format!("{}/next", stranger.address);
    let headers = vec![("Location", address)];
    repository.fail("/api/models?", 1, Fault::Status(307, headers));
    let _ = client(environment).search(&ensayo::hub::Search::default(), &Silent);
    assert_eq!(stranger.asked()[0].header("authorization"), None);
}

#[test]
fn a_renamed_model_is_found_by_relative_redirects() {
    let repository = Repository::start();
    let renamed = format!("/api/models/{ID}/revision/main?blobs=true");
    repository.fail("/api/models/old/name/", 9, Fault::Redirect(renamed));
    for file in [
        "config.json",
        "tokenizer.json",
        "tokenizer_config.json",
        "model.safetensors",
    ] {
        let target = format!("/{ID}/resolve/main/{file}");
        repository.fail(
            &format!("/old/name/resolve/{}/{file}", super::repository::OLD),
            9,
            Fault::Redirect(target),
        );
    }
    let cache = tempfile::tempdir().unwrap();
    let request = ensayo::hub::ModelRequest {
        id: "old/name".into(),
        ..request()
    };
    let snapshot = repository
        .client(cache.path())
        .fetch(&request, &Silent)
        .unwrap();
    repository.assert_whole(&snapshot);
    assert!(
        snapshot
            .folder
            .to_str()
            .unwrap()
            .contains("models--old--name")
    );
}

#[test]
fn redirects_without_end_are_an_error() {
    let repository = Repository::start();
    let round = format!("{}/cdn/round", repository.cdn.address);
    repository.fail("/cdn/", usize::MAX, Fault::Redirect(round));
    let cache = tempfile::tempdir().unwrap();
    let error = repository.fetch(cache.path()).unwrap_err().to_string();
    assert!(error.contains("redirects without end"), "{error}");
}

#[test]
fn no_network_is_said_soon_and_with_the_cure() {
    let cache = tempfile::tempdir().unwrap();
    // A port that was just given back: nobody listens.
    let port = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let mut environment = Environment::from_variables(|_| None);
    environment.cache = cache.path().to_owned();
    environment.endpoint = format!("http://127.0.0.1:{port}");
    let error = client(environment.clone())
        .fetch(&request(), &Silent)
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("cannot be reached") && error.contains("HTTPS_PROXY"),
        "{error}"
    );
    environment.endpoint = "http://no-such-host.invalid".into();
    let error = client(environment.clone())
        .fetch(&request(), &Silent)
        .unwrap_err()
        .to_string();
    assert!(error.contains("no-such-host.invalid"), "{error}");
    environment.endpoint = "nonsense".into();
    let error = client(environment)
        .fetch(&request(), &Silent)
        .unwrap_err()
        .to_string();
    assert!(error.contains("not a usable address"), "{error}");
}

#[test]
fn a_login_page_is_not_taken_for_data() {
    let repository = Repository::start();
    repository.fail("/api/", usize::MAX, Fault::Html);
    let cache = tempfile::tempdir().unwrap();
    let error = repository.fetch(cache.path()).unwrap_err();
    assert!(matches!(error, HubError::NotData { .. }), "{error}");
    let error = error.to_string();
    assert!(
        error.contains("a web page") && error.contains("login page"),
        "{error}"
    );
}

/// A proxy that opens tunnels and counts them; `refuse` makes it say no.
fn proxy(refuse: bool) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let tunnels: Arc<AtomicUsize> = Arc::default();
    let count = Arc::clone(&tunnels);
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            let Some(asked) = read_request(&mut reader) else {
                continue;
            };
            count.fetch_add(1, Ordering::SeqCst);
            if refuse || asked.method != "CONNECT" {
                let _ = stream.write_all(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n");
                continue;
            }
            let mut target = TcpStream::connect(&asked.path).unwrap();
            stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").unwrap();
            let (mut from, mut to) = (stream.try_clone().unwrap(), target.try_clone().unwrap());
            std::thread::spawn(move || std::io::copy(&mut from, &mut to));
            std::thread::spawn(move || {
                let _ = std::io::copy(&mut target, &mut stream);
                let _ = stream.shutdown(std::net::Shutdown::Both);
            });
        }
    });
    (address, tunnels)
}

#[test]
fn proxies_are_used_unless_the_host_is_excepted() {
    let repository = Repository::start();
    let (address, tunnels) = proxy(false);
    let with = |proxies: Proxies| {
        let cache = tempfile::tempdir().unwrap();
        let mut environment = repository.environment(cache.path());
        environment.proxies = proxies;
        client(environment).fetch(&request(), &Silent).map(drop)
    };
    let proxies = Proxies {
        http: Some(format!("http://{address}")),
        ..Proxies::default()
    };
    with(proxies.clone()).unwrap();
    assert!(tunnels.load(Ordering::SeqCst) >= 5);
    let before = tunnels.load(Ordering::SeqCst);
    with(Proxies {
        except: Some("127.0.0.1".into()),
        ..proxies
    })
    .unwrap();
    assert_eq!(tunnels.load(Ordering::SeqCst), before);

    let (address, _) = proxy(true);
    let refused = Proxies {
        http: Some(format!("http://user:secret@{address}")),
        ..Proxies::default()
    };
    let error = with(refused).unwrap_err().to_string();
    assert!(
        error.contains("the proxy 127.0.0.1") && error.contains("NO_PROXY"),
        "{error}"
    );
    assert!(!error.contains("secret"), "{error}");
}
