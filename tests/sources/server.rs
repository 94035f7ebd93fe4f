//! A small HTTP server: threads, loopback, one answer per connection, and answers that can go wrong
//! in every way.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A request as it came.
#[derive(Debug, Clone)]
pub struct Asked {
    pub method: String,
    /// With the query.
    pub path: String,
    pub headers: BTreeMap<String, String>,
}

impl Asked {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    /// A value of the query, decoded.
    pub fn query(&self, name: &str) -> Option<String> {
        self.all(name).into_iter().next()
    }

    pub fn all(&self, name: &str) -> Vec<String> {
        let query = self.path.split_once('?').map_or("", |(_, query)| query);
        let decoded = |text: &str| {
            let text = percent_encoding::percent_decode_str(text);
            text.decode_utf8().unwrap().into_owned()
        };
        query
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .filter(|(key, _)| *key == name)
            .map(|(_, value)| decoded(value))
            .collect()
    }

    pub fn line(&self) -> String {
        format!("{} {}", self.method, self.path)
    }
}

/// How a body is sent.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Delivery {
    Whole,
    /// The connection closes after so many bytes.
    Cut(usize),
    /// Nothing more comes after so many bytes, and the connection stays open.
    Stall(usize),
    /// So many bytes at a time, with a pause after each.
    Drip(usize, Duration),
}

#[derive(Debug, Clone)]
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    pub delivery: Delivery,
    /// Added to the true length in the header.
    pub wrong_length: i64,
}

impl Reply {
    pub fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: body.into(),
            delivery: Delivery::Whole,
            wrong_length: 0,
        }
    }

    pub fn json(value: &serde_json::Value) -> Self {
        Self::new(200, value.to_string()).with("Content-Type", "application/json")
    }

    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The piece that the request's `Range` names.
    pub fn ranged(self, asked: &Asked) -> Self {
        let Some(range) = asked
            .header("range")
            .and_then(|range| range.strip_prefix("bytes="))
        else {
            return self;
        };
        let (first, last) = range.split_once('-').unwrap();
        let (first, total) = (first.parse::<usize>().unwrap(), self.body.len());
        if first >= total {
            return Self::new(416, "").with("Content-Range", &format!("bytes */{total}"));
        }
        let end = last
            .parse::<usize>()
            .map_or(total, |last| (last + 1).min(total));
        Self {
            status: 206,
            body: self.body[first..end].to_vec(),
            ..self
        }
        .with(
            "Content-Range",
            &format!("bytes {first}-{}/{total}", end - 1),
        )
    }
}

type Handler = dyn Fn(&Asked) -> Reply + Send + Sync;

/// A running server. Its thread ends with the test's process.
pub struct Server {
    /// `http://127.0.0.1:…`
    pub address: String,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Server {
    pub fn start(handler: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let asked: Arc<Mutex<Vec<Asked>>> = Arc::default();
        let handler: Arc<Handler> = Arc::new(handler);
        let log = Arc::clone(&asked);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (handler, log) = (Arc::clone(&handler), Arc::clone(&log));
                // A client that hangs up is no failure of the server's.
                std::thread::spawn(move || serve(&stream, handler.as_ref(), &log));
            }
        });
        Self { address, asked }
    }

    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    /// Requests whose line has this part.
    pub fn count(&self, part: &str) -> usize {
        self.asked()
            .iter()
            .filter(|asked| asked.line().contains(part))
            .count()
    }

    pub fn forget(&self) {
        self.asked.lock().unwrap().clear();
    }
}

pub fn read_request(reader: &mut impl BufRead) -> Option<Asked> {
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let mut words = line.split_whitespace();
    let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        match line.trim_end().split_once(':') {
            Some((name, value)) => {
                headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
            }
            None => break,
        }
    }
    Some(Asked {
        method,
        path,
        headers,
    })
}

fn serve(stream: &TcpStream, handler: &Handler, log: &Mutex<Vec<Asked>>) -> Option<()> {
    let asked = read_request(&mut BufReader::new(stream))?;
    log.lock().unwrap().push(asked.clone());
    let reply = handler(&asked);
    let mut stream = stream;
    let length = i64::try_from(reply.body.len()).unwrap() + reply.wrong_length;
    let mut head = format!(
        "HTTP/1.1 {} X\r\nContent-Length: {length}\r\n",
        reply.status
    );
    for (name, value) in &reply.headers {
        for part in [name, ": ", value, "\r\n"] {
            head.push_str(part);
        }
    }
    head.push_str("Connection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).ok()?;
    if asked.method == "HEAD" {
        return Some(());
    }
    let body = reply.body.as_slice();
    match reply.delivery {
        Delivery::Whole => stream.write_all(body).ok()?,
        Delivery::Cut(at) => stream.write_all(&body[..at.min(body.len())]).ok()?,
        Delivery::Stall(at) => {
            stream.write_all(&body[..at.min(body.len())]).ok()?;
            std::thread::sleep(Duration::from_secs(20));
        }
        Delivery::Drip(bytes, pause) => {
            for piece in body.chunks(bytes) {
                stream.write_all(piece).ok()?;
                stream.flush().ok()?;
                std::thread::sleep(pause);
            }
        }
    }
    Some(())
}
