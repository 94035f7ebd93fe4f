//! One file over an unreliable network: attempts that go on where the last one broke, and a check
//! of all of it at the end.
//!
//! The bytes collect in a part file, which the caller gives its final name once this has succeeded.
//! A part survives failures and kills; whether it can be trusted is decided by the hash of the
//! whole, not by whoever left it.

use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::time::Instant;

use ureq::http::HeaderMap;

use super::disk::{At, DiskFault};
use super::http::{Answer, Http, HttpFault, Pauses, Request, host};
use super::sum::Sum;
use super::{Event, Observer};

/// A part is believed for another attempt if the end can be checked.
pub(crate) struct Transfer<'a> {
    pub(crate) http: &'a Http,
    pub(crate) url: &'a str,
    pub(crate) token: Option<&'a str>,
    /// The file's name for people.
    pub(crate) file: &'a str,
    pub(crate) part: &'a Path,
    pub(crate) size: Option<u64>,
    pub(crate) sum: Option<&'a Sum>,
    /// The most that is taken when the size is not known.
    pub(crate) limit: u64,
}

/// Why a file did not come.
#[derive(Debug)]
pub(crate) enum TransferFault {
    Http(HttpFault),
    Disk(DiskFault),
    /// The server refuses, with its headers and the beginning of what it says.
    Refused {
        status: u16,
        headers: HeaderMap,
        body: String,
    },
    /// A web page came in place of the file.
    Html,
    /// Attempts ended before the file did.
    Broken {
        have: u64,
        total: Option<u64>,
        attempts: u32,
        reason: String,
    },
    /// All bytes came, twice, and are not those that were announced.
    Sum {
        expected: String,
        found: String,
    },
    /// The server has another size than it announced.
    Size {
        expected: u64,
        found: u64,
    },
}

impl From<HttpFault> for TransferFault {
    fn from(fault: HttpFault) -> Self {
        Self::Http(fault)
    }
}

impl From<DiskFault> for TransferFault {
    fn from(fault: DiskFault) -> Self {
        Self::Disk(fault)
    }
}

/// How one attempt ended without a failure for good.
enum Attempt {
    Complete,
    /// Worth another one.
    Again(Failure),
}

/// A failure that may pass.
#[derive(Default)]
struct Failure {
    reason: String,
    /// The time that the server asks for.
    told: Option<std::time::Duration>,
    /// What is answered when attempts are over, if that says more than the number of attempts.
    last: Option<TransferFault>,
    /// Of how many attempts it is worth one, if not of all.
    most: Option<u32>,
}

fn again(reason: impl Into<String>) -> Attempt {
    Attempt::Again(Failure {
        reason: reason.into(),
        ..Failure::default()
    })
}

fn wrong_size(expected: u64, found: u64) -> Attempt {
    Attempt::Again(Failure {
        reason: format!("{found} bytes arrived instead of {expected}"),
        last: Some(TransferFault::Size { expected, found }),
        ..Failure::default()
    })
}

impl Transfer<'_> {
    /// Fetches into the part and checks it.
    pub(crate) fn run(&self, observer: &dyn Observer) -> Result<(), TransferFault> {
        if self.sum.is_none() {
            self.discard()?;
        }
        let mut pauses = Pauses::new(self.http.settings(), observer);
        let mut checked_before = false;
        observer.event(&Event::Started {
            file: self.file,
            total: self.size,
            have: self.have(),
        });
        loop {
            if observer.stopped() {
                return Err(HttpFault::Stopped.into());
            }
            let before = self.have();
            let failure = match self.attempt(observer)? {
                Attempt::Complete => match self.wrong_sum()? {
                    None => return Ok(()),
                    Some((expected, found)) => {
                        self.discard()?;
                        // Bytes of an earlier attempt may be to blame, or the way here: one whole
                        // file more.
                        if checked_before {
                            return Err(TransferFault::Sum { expected, found });
                        }
                        checked_before = true;
                        Failure {
                            reason: "the content was damaged".to_owned(),
                            ..Failure::default()
                        }
                    }
                },
                Attempt::Again(failure) => failure,
            };
            let have = self.have();
            if have.saturating_sub(before) >= self.http.settings().drip_bytes {
                pauses.reset();
            }
            let attempts = pauses.made();
            let Failure {
                reason,
                told,
                last,
                most,
            } = failure;
            if !pauses.next(&host(self.url), &reason, told, most.unwrap_or(u32::MAX))? {
                return Err(last.unwrap_or(TransferFault::Broken {
                    have,
                    total: self.size,
                    attempts,
                    reason,
                }));
            }
        }
    }

    fn have(&self) -> u64 {
        self.part.metadata().map_or(0, |part| part.len())
    }

    fn discard(&self) -> Result<(), DiskFault> {
        match fs::remove_file(self.part) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error).at(self.part),
            _ => Ok(()),
        }
    }

    fn wrong_sum(&self) -> Result<Option<(String, String)>, DiskFault> {
        let Some(sum) = self.sum else {
            return Ok(None);
        };
        let found = sum.of(self.part).at(self.part)?;
        Ok((found != sum.text()).then(|| (sum.text().to_owned(), found)))
    }

    fn attempt(&self, observer: &dyn Observer) -> Result<Attempt, TransferFault> {
        let have = self.have();
        match self.size {
            Some(size) if have == size && have > 0 => return Ok(Attempt::Complete),
            Some(size) if have > size => self.discard()?,
            _ => {}
        }
        let have = self.have();
        let request = Request {
            token: self.token,
            range: (have > 0).then_some((have, None)),
            identity: true,
            ..Request::get(self.url)
        };
        let answer = match self.http.once(&request) {
            Ok(answer) => answer,
            Err(fault) if fault.most_attempts() == 1 => return Err(fault.into()),
            Err(fault) => {
                let most = fault.most_attempts();
                return Ok(Attempt::Again(Failure {
                    reason: fault.to_string(),
                    told: None,
                    most: Some(most),
                    last: (most < u32::MAX).then_some(TransferFault::Http(fault)),
                }));
            }
        };
        let from = match answer.status {
            200 => 0,
            206 if starts_at(&answer) == Some(have) => have,
            // A part that is longer than the file, or a server that answers with another piece:
            // from the beginning.
            206 | 416 => {
                self.discard()?;
                return Ok(again(
                    "the server's file does not match the part that is already here",
                ));
            }
            status @ (408 | 429 | 500 | 502..=504) => {
                return Ok(Attempt::Again(Failure {
                    reason: format!("it answered {status}"),
                    told: answer.told_wait,
                    most: None,
                    last: Some(TransferFault::Refused {
                        status,
                        headers: answer.headers.clone(),
                        body: String::new(),
                    }),
                }));
            }
            status => {
                let headers = answer.first_headers.clone();
                let body = answer.read(64 * 1024).unwrap_or_default();
                let body = String::from_utf8_lossy(&body).chars().take(400).collect();
                return Err(TransferFault::Refused {
                    status,
                    headers,
                    body,
                });
            }
        };
        if answer.is_html() {
            return Err(TransferFault::Html);
        }
        let announced = answer.content_length().map(|length| from + length);
        if let (Some(expected), Some(found)) = (self.size, announced)
            && expected != found
        {
            return Ok(wrong_size(expected, found));
        }
        self.receive(answer, from, announced, observer)
    }

    fn receive(
        &self,
        answer: Answer,
        from: u64,
        announced: Option<u64>,
        observer: &dyn Observer,
    ) -> Result<Attempt, TransferFault> {
        let settings = self.http.settings();
        let total = self.size.or(announced);
        let mut file = self.open(from)?;
        let mut have = from;
        let host = answer.host().to_owned();
        let mut body = answer.into_reader();
        let mut buffer = vec![0; 128 * 1024];
        let mut window = (Instant::now(), have);
        let end = loop {
            if observer.stopped() {
                return Err(HttpFault::Stopped.into());
            }
            let read = match body.read(&mut buffer) {
                Ok(0) => break None,
                Ok(read) => read,
                Err(error) => {
                    break Some(HttpFault::from_ureq(error.into(), &host, None).to_string());
                }
            };
            have += read as u64;
            if let Some(total) = total.filter(|total| have > *total) {
                self.discard()?;
                return Ok(wrong_size(total, have));
            }
            if have > self.limit {
                self.discard()?;
                let url = self.url.to_owned();
                let limit = self.limit;
                return Err(HttpFault::TooLarge { url, limit }.into());
            }
            file.write_all(&buffer[..read]).at(self.part)?;
            observer.event(&Event::Progress {
                file: self.file,
                total,
                have,
            });
            if window.0.elapsed() > settings.drip_window {
                if have - window.1 < settings.drip_bytes {
                    break Some(format!(
                        "only {} bytes arrived in that time",
                        have - window.1
                    ));
                }
                window = (Instant::now(), have);
            }
        };
        file.sync_all().at(self.part)?;
        Ok(match (end, total) {
            (Some(reason), _) => again(reason),
            (None, Some(total)) if have < total => {
                again(format!("the body ended after {have} of {total} bytes"))
            }
            (None, _) => Attempt::Complete,
        })
    }

    /// The part, cut to what the new bytes follow on.
    fn open(&self, from: u64) -> Result<File, DiskFault> {
        if let Some(folder) = self.part.parent() {
            fs::create_dir_all(folder).at(folder)?;
        }
        let mut file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(self.part)
            .at(self.part)?;
        file.set_len(from).at(self.part)?;
        file.seek(SeekFrom::Start(from)).at(self.part)?;
        Ok(file)
    }
}

/// The first byte of a `Content-Range: bytes 5-9/10`.
fn starts_at(answer: &Answer) -> Option<u64> {
    let range = answer
        .header("content-range")?
        .trim()
        .strip_prefix("bytes")?;
    range.trim().split('-').next()?.trim().parse().ok()
}
