//! What can go wrong between here and a server.

use std::io;

/// Why there is no answer. Answers with a bad status are answers.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HttpFault {
    /// The address is none.
    #[error("`{url}` is not a usable address: expected http:// or https:// and a host")]
    BadUrl {
        /// The address.
        url: String,
    },
    /// No such host.
    #[error(
        "the host {host} cannot be resolved: check the network, or set HTTPS_PROXY to your proxy"
    )]
    HostNotFound {
        /// The host.
        host: String,
    },
    /// Nobody answers there.
    #[error(
        "{host} cannot be reached: {reason}: check the network, or set HTTPS_PROXY to your proxy"
    )]
    Unreachable {
        /// The host.
        host: String,
        /// The system's reason.
        reason: String,
    },
    /// The proxy does not let the request through.
    #[error(
        "the proxy {proxy} does not pass the request on to {host}: {reason}: check HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY"
    )]
    Proxy {
        /// The proxy, without name and password.
        proxy: String,
        /// The host behind it.
        host: String,
        /// What it said.
        reason: String,
    },
    /// Too long without a sign.
    #[error("{host} did not answer in time: {reason}")]
    TimedOut {
        /// The host.
        host: String,
        /// Which time was up.
        reason: String,
    },
    /// The encryption failed.
    #[error(
        "no secure connection to {host}: {reason}: behind a firewall that inspects connections, set SSL_CERT_FILE to its certificates"
    )]
    Tls {
        /// The host.
        host: String,
        /// What failed.
        reason: String,
    },
    /// The connection broke, or what came was no HTTP.
    #[error("the connection to {host} broke: {reason}")]
    Cut {
        /// The host.
        host: String,
        /// What happened.
        reason: String,
    },
    /// A redirect without an end, or to nowhere.
    #[error("{url} redirects without end or to an address that cannot be read")]
    Redirect {
        /// The first address.
        url: String,
    },
    /// An answer that is larger than it may be.
    #[error("{url} answers with more than {limit} bytes, which cannot be what was asked for")]
    TooLarge {
        /// The address.
        url: String,
        /// The most that was expected.
        limit: u64,
    },
    /// The server asks for more patience than is allowed.
    #[error("{host} accepts no more requests for {seconds} s: run again then")]
    RateLimited {
        /// The host.
        host: String,
        /// The wait that it asked for.
        seconds: u64,
    },
    /// Certificates that were named cannot be used.
    #[error("{path}, named in SSL_CERT_FILE or REQUESTS_CA_BUNDLE: {reason}")]
    Certificates {
        /// The file.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The user stopped the work.
    #[error("stopped")]
    Stopped,
}

impl HttpFault {
    /// Of how many attempts the fault is worth one.
    pub(crate) fn most_attempts(&self) -> u32 {
        match self {
            Self::TimedOut { .. } | Self::Cut { .. } => u32::MAX,
            Self::Unreachable { .. } => 2,
            _ => 1,
        }
    }

    pub(crate) fn from_ureq(error: ureq::Error, host: &str, proxy: Option<&str>) -> Self {
        let reason = error.to_string();
        let host = host.to_owned();
        if let (Some(proxy), ureq::Error::ConnectProxyFailed(_)) = (proxy, &error) {
            let proxy = super::url::host(proxy);
            return Self::Proxy {
                proxy,
                host,
                reason,
            };
        }
        match error {
            ureq::Error::HostNotFound => Self::HostNotFound { host },
            ureq::Error::Timeout(ureq::Timeout::Connect | ureq::Timeout::Resolve)
            | ureq::Error::ConnectionFailed => Self::Unreachable { host, reason },
            ureq::Error::Timeout(_) => Self::TimedOut { host, reason },
            ureq::Error::Tls(_) | ureq::Error::Rustls(_) | ureq::Error::Pem(_) => {
                Self::Tls { host, reason }
            }
            ureq::Error::BadUri(url) => Self::BadUrl { url },
            ureq::Error::InvalidProxyUrl => Self::Proxy {
                proxy: proxy.map(super::url::host).unwrap_or_default(),
                host,
                reason,
            },
            ureq::Error::Io(error) => Self::from_io(&error, &host, proxy),
            _ => Self::Cut { host, reason },
        }
    }

    pub(crate) fn from_io(error: &io::Error, host: &str, proxy: Option<&str>) -> Self {
        let host = host.to_owned();
        let reason = error.to_string();
        match error.kind() {
            io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => Self::TimedOut { host, reason },
            io::ErrorKind::InvalidData if reason.contains("certificate") => {
                Self::Tls { host, reason }
            }
            io::ErrorKind::ConnectionRefused
            | io::ErrorKind::HostUnreachable
            | io::ErrorKind::NetworkUnreachable
            | io::ErrorKind::AddrNotAvailable => match proxy {
                Some(proxy) => Self::Proxy {
                    proxy: super::url::host(proxy),
                    host,
                    reason,
                },
                None => Self::Unreachable { host, reason },
            },
            _ => Self::Cut { host, reason },
        }
    }
}
