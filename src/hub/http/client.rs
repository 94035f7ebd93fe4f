//! The client: one request, its redirects, and its repetitions.

use std::fs;
use std::path::Path;
use std::time::SystemTime;

use ureq::Agent;
use ureq::http::{HeaderMap, Response, header};
use ureq::tls::{PemItem, RootCerts, TlsConfig};

use super::told::told_wait;
use super::url::{host, origin, resolve};
use super::{Answer, HttpFault, Pauses, Proxies, Settings};
use crate::hub::Observer;

/// Statuses that pass.
const PASSING: [u16; 6] = [408, 429, 500, 502, 503, 504];
const MOST_REDIRECTS: usize = 10;

/// How far redirects are followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Redirects {
    /// To wherever they lead.
    All,
    /// Only on the same host.
    SameHost,
    /// Not at all.
    None,
}

/// What to ask.
#[derive(Debug, Clone)]
pub struct Request<'a> {
    /// The address.
    pub url: &'a str,
    /// Only the headers.
    pub head: bool,
    /// The first and, if not the end, the last byte wanted.
    pub range: Option<(u64, Option<u64>)>,
    /// A token, which only this request's own host gets to see.
    pub token: Option<&'a str>,
    /// How far redirects are followed.
    pub redirects: Redirects,
    /// Whether the body must come as it is, so that lengths and ranges are those of the file.
    pub identity: bool,
}

impl<'a> Request<'a> {
    /// A request for an address, following redirects.
    #[must_use]
    pub fn get(url: &'a str) -> Self {
        Self {
            url,
            head: false,
            range: None,
            token: None,
            redirects: Redirects::All,
            identity: false,
        }
    }
}

/// A client. Cheap to share: all methods take `&self`.
#[derive(Debug, Clone)]
pub struct Http {
    settings: Settings,
    proxies: Proxies,
    agents: Vec<(Option<String>, Agent)>,
}

impl Http {
    /// A client with these proxies; `certificates` is a PEM file that replaces the roots of trust.
    ///
    /// # Errors
    /// When the certificates cannot be read or a proxy's address is none.
    pub fn new(
        settings: Settings,
        proxies: Proxies,
        certificates: Option<&Path>,
    ) -> Result<Self, HttpFault> {
        let roots = certificates.map(roots).transpose()?;
        let mut names: Vec<Option<String>> = vec![None];
        names.extend(
            [&proxies.http, &proxies.https, &proxies.all]
                .into_iter()
                .filter(|proxy| proxy.is_some())
                .cloned(),
        );
        names.dedup();
        let agents = names
            .into_iter()
            .map(|name| {
                let agent = agent(&settings, name.as_deref(), roots.as_ref())?;
                Ok((name, agent))
            })
            .collect::<Result<_, HttpFault>>()?;
        Ok(Self {
            settings,
            proxies,
            agents,
        })
    }

    /// How patient it is.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Asks once, following redirects.
    ///
    /// # Errors
    /// When there is no answer.
    pub fn once(&self, request: &Request<'_>) -> Result<Answer, HttpFault> {
        let mut url = request.url.to_owned();
        let home = origin(&url);
        let mut first_headers: Option<HeaderMap> = None;
        for _ in 0..=MOST_REDIRECTS {
            let stranger = origin(&url) != home;
            let response = self.hop(request, &url, stranger)?;
            let status = response.status().as_u16();
            let location = response.headers().get(header::LOCATION);
            let target = location
                .filter(|_| matches!(status, 301 | 302 | 303 | 307 | 308))
                .and_then(|location| location.to_str().ok())
                .and_then(|location| resolve(&url, location))
                .map(|(target, _)| target);
            let follow = target.filter(|target| match request.redirects {
                Redirects::All => true,
                Redirects::SameHost => origin(target) == home,
                Redirects::None => false,
            });
            if let Some(target) = follow {
                if !stranger && origin(&target) != home {
                    first_headers = Some(response.headers().clone());
                }
                url = target;
                continue;
            }
            let (parts, body) = response.into_parts();
            return Ok(Answer {
                status,
                told_wait: told_wait(&parts.headers, SystemTime::now()),
                first_headers: first_headers.unwrap_or_else(|| parts.headers.clone()),
                headers: parts.headers,
                host: host(&url),
                url,
                body,
            });
        }
        Err(HttpFault::Redirect {
            url: request.url.to_owned(),
        })
    }

    /// Asks until there is an answer that will not pass, and hands it to `read`, whose failures
    /// count as attempts too. When attempts end on a bad status, that answer is the result.
    ///
    /// # Errors
    /// When attempts end without an answer, or the observer stops the work.
    pub fn ask<T>(
        &self,
        request: &Request<'_>,
        observer: &dyn Observer,
        mut read: impl FnMut(Answer) -> Result<T, HttpFault>,
    ) -> Result<T, HttpFault> {
        let mut pauses = Pauses::new(&self.settings, observer);
        loop {
            if observer.stopped() {
                return Err(HttpFault::Stopped);
            }
            let answer = self.once(request);
            match answer {
                Ok(answer) if PASSING.contains(&answer.status) => {
                    let reason = format!("it answered {}", answer.status);
                    let told = answer.told_wait;
                    if !pauses.next(answer.host(), &reason, told, u32::MAX)? {
                        return read(answer);
                    }
                }
                answer => match answer.and_then(&mut read) {
                    Ok(value) => return Ok(value),
                    Err(fault) => {
                        let most = fault.most_attempts();
                        let again = most > 1
                            && pauses.next(&host(request.url), &fault.to_string(), None, most)?;
                        if !again {
                            return Err(fault);
                        }
                    }
                },
            }
        }
    }

    /// Asks for a small text: its answer's status and headers, and the whole body, as
    /// [`ask`](Self::ask) does.
    ///
    /// # Errors
    /// As [`ask`](Self::ask), and when the body is larger than `limit`.
    pub fn text(
        &self,
        request: &Request<'_>,
        observer: &dyn Observer,
        limit: u64,
    ) -> Result<(u16, HeaderMap, Vec<u8>), HttpFault> {
        self.ask(request, observer, |answer| {
            let (status, headers) = (answer.status, answer.headers.clone());
            Ok((status, headers, answer.read(limit)?))
        })
    }

    /// One request, whose redirect is not followed.
    fn hop(
        &self,
        request: &Request<'_>,
        url: &str,
        stranger: bool,
    ) -> Result<Response<ureq::Body>, HttpFault> {
        let Some((scheme, name, port)) = origin(url) else {
            let url = url.to_owned();
            return Err(HttpFault::BadUrl { url });
        };
        let proxy = self.proxies.for_host(&scheme, &name, port);
        let agent = self
            .agents
            .iter()
            .find(|(name, _)| name.as_deref() == proxy)
            .map(|(_, agent)| agent)
            .ok_or_else(|| HttpFault::BadUrl {
                url: url.to_owned(),
            })?;
        let mut builder = if request.head {
            agent.head(url)
        } else {
            agent.get(url)
        };
        if request.identity {
            builder = builder.header(header::ACCEPT_ENCODING, "identity");
        }
        if let Some((first, last)) = request.range {
            let last = last.map(|last| last.to_string()).unwrap_or_default();
            builder = builder.header(header::RANGE, format!("bytes={first}-{last}"));
        }
        if let Some(token) = request.token.filter(|_| !stranger) {
            builder = builder.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        builder
            .call()
            .map_err(|error| HttpFault::from_ureq(error, &name, proxy))
    }
}

fn agent(
    settings: &Settings,
    proxy: Option<&str>,
    roots: Option<&RootCerts>,
) -> Result<Agent, HttpFault> {
    let proxy = proxy
        .map(|name| {
            ureq::Proxy::new(name).map_err(|error| HttpFault::Proxy {
                proxy: host(name),
                host: "any host".to_owned(),
                reason: error.to_string(),
            })
        })
        .transpose()?;
    let mut tls = TlsConfig::builder();
    if let Some(roots) = roots {
        tls = tls.root_certs(roots.clone());
    }
    let config = Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .proxy(proxy)
        .tls_config(tls.build())
        .user_agent(settings.user_agent.as_str())
        .timeout_resolve(Some(settings.connect_timeout))
        .timeout_connect(Some(settings.connect_timeout))
        .timeout_recv_response(Some(settings.answer_timeout))
        .timeout_per_read(Some(settings.stall_timeout))
        .timeout_per_write(Some(settings.stall_timeout))
        .build();
    Ok(config.into())
}

fn roots(path: &Path) -> Result<RootCerts, HttpFault> {
    let fault = |reason: String| HttpFault::Certificates {
        path: path.display().to_string(),
        reason,
    };
    let pem = fs::read(path).map_err(|error| fault(error.to_string()))?;
    let certificates: Vec<_> = ureq::tls::parse_pem(&pem)
        .filter_map(|item| match item {
            Ok(PemItem::Certificate(certificate)) => Some(certificate),
            _ => None,
        })
        .collect();
    if certificates.is_empty() {
        return Err(fault("it has no certificate in PEM form".to_owned()));
    }
    Ok(RootCerts::new_with_certs(&certificates))
}
