//! Which proxy a URL goes through, decided as Python decides it.

/// What the environment says about proxies.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Proxies {
    /// For `http://` URLs.
    pub http: Option<String>,
    /// For `https://` URLs.
    pub https: Option<String>,
    /// For both, where they have none of their own.
    pub all: Option<String>,
    /// Hosts that are asked directly, with commas between them.
    pub except: Option<String>,
}

impl Proxies {
    /// The proxy for a scheme and a host, if one is to be used.
    #[must_use]
    pub fn for_host(&self, scheme: &str, host: &str, port: u16) -> Option<&str> {
        let proxy = match scheme {
            "https" => self.https.as_deref(),
            _ => self.http.as_deref(),
        };
        let proxy = proxy.or(self.all.as_deref())?;
        (!self.is_excepted(host, port)).then_some(proxy)
    }

    /// A name stands for itself and all that ends in it, with or without a leading dot; `*` for
    /// every host.
    fn is_excepted(&self, host: &str, port: u16) -> bool {
        let with_port = format!("{host}:{port}");
        self.except
            .iter()
            .flat_map(|names| names.split(','))
            .map(|name| name.trim().trim_start_matches('.').to_ascii_lowercase())
            .filter(|name| !name.is_empty())
            .any(|name| {
                name == "*"
                    || [host, with_port.as_str()].iter().any(|host| {
                        host.strip_suffix(name.as_str())
                            .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
                    })
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exceptions_hold_for_names_and_all_below_them() {
        let proxies = Proxies {
            https: Some("http://proxy:3128".into()),
            except: Some("localhost, .example.org,cdn.example.com:8443".into()),
            ..Proxies::default()
        };
        let used = |host: &str, port| proxies.for_host("https", host, port).is_some();
        assert!(used("huggingface.co", 443) && used("notexample.org", 443));
        assert!(!used("localhost", 1) && !used("example.org", 443) && !used("a.example.org", 443));
        assert!(!used("cdn.example.com", 8443) && used("cdn.example.com", 443));
        assert_eq!(proxies.for_host("http", "huggingface.co", 80), None);
    }

    #[test]
    fn a_scheme_falls_back_on_the_general_proxy() {
        let proxies = Proxies {
            http: Some("http://one:1".into()),
            all: Some("socks5h://two:2".into()),
            ..Proxies::default()
        };
        assert_eq!(proxies.for_host("http", "x", 80), Some("http://one:1"));
        assert_eq!(proxies.for_host("https", "x", 443), Some("socks5h://two:2"));
        let none = Proxies {
            except: Some("*".into()),
            ..proxies
        };
        assert_eq!(none.for_host("http", "x", 80), None);
    }
}
