//! Encrypted connections: a certificate that nobody vouches for is refused, until somebody does.

use std::io::{BufReader, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ensayo::hub::http::HttpFault;
use ensayo::hub::{Environment, Hub, HubError};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use super::repository::settings;
use crate::server::read_request;

fn file(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/hub/tls");
    folder.join(name)
}

/// A hub that answers everything with an empty list, under the certificate beside this file.
fn hub() -> String {
    let certificate = CertificateDer::from_pem_file(file("certificate.pem")).unwrap();
    let key = PrivateKeyDer::from_pem_file(file("key.pem")).unwrap();
    let config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("https://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let connection = ServerConnection::new(Arc::clone(&config)).unwrap();
            let mut stream = StreamOwned::new(connection, stream);
            // A client that does not trust us hangs up.
            if read_request(&mut BufReader::new(&mut stream)).is_some() {
                let answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n[]";
                let _ = stream.write_all(answer.as_bytes());
                stream.conn.send_close_notify();
                let _ = stream.flush();
            }
        }
    });
    address
}

#[test]
fn a_certificate_that_nobody_vouches_for_is_refused_with_the_cure() {
    let mut environment = Environment::from_variables(|_| None);
    environment.endpoint = hub();
    let client =
        |environment: &Environment| Hub::with_settings(environment.clone(), settings()).unwrap();
    let error = client(&environment).reach().unwrap_err();
    assert!(
        matches!(
            &error,
            HubError::Network {
                fault: HttpFault::Tls { .. },
                ..
            }
        ),
        "{error:?}"
    );
    let said = error.to_string();
    assert!(
        said.contains("no secure connection to 127.0.0.1") && said.contains("SSL_CERT_FILE"),
        "{said}"
    );
    environment.certificates = Some(file("certificate.pem"));
    client(&environment).reach().unwrap();
    // Another's certificate vouches for nobody here.
    environment.certificates = Some(file("generate.sh"));
    let refused = Hub::with_settings(environment, settings()).map(drop);
    assert!(matches!(refused, Err(HubError::Setup(_))), "{refused:?}");
}
