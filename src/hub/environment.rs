//! What the environment says about the hub: places, token, network. Read once, as Python's
//! `huggingface_hub` reads it, so that both find the same cache and the same login.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::http::{Http, HttpFault, Proxies, Settings};

const HUB: &str = "https://huggingface.co";

/// Everything that variables decide.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Environment {
    /// Address of the hub, without a slash at its end.
    pub endpoint: String,
    /// The cache's folder, which holds `models--…`.
    pub cache: PathBuf,
    /// The folder of what is fetched from elsewhere: documents, and pages of reviews.
    pub own_cache: PathBuf,
    /// The token of a login.
    pub token: Option<String>,
    /// No requests at all.
    pub offline: bool,
    /// Whether snapshots are links to blobs; copies if not.
    pub links: bool,
    /// Proxies.
    pub proxies: Proxies,
    /// A PEM file with the certificates to trust, in place of the public ones.
    pub certificates: Option<PathBuf>,
    /// Seconds to wait for an answer.
    pub answer_seconds: Option<u64>,
    /// Seconds of silence in a download.
    pub stall_seconds: Option<u64>,
}

impl Environment {
    /// Reads this process's environment, and the token's file.
    #[must_use]
    pub fn read() -> Self {
        Self::from_variables(|name| std::env::var(name).ok())
    }

    /// Reads variables from `variable`, and the token's file.
    pub fn from_variables(variable: impl Fn(&str) -> Option<String>) -> Self {
        let set = |name: &str| variable(name).filter(|value| !value.is_empty());
        let first = |names: &[&str]| names.iter().find_map(|name| set(name));
        let is_on = |name: &str| set(name).is_some_and(|value| is_true(&value));
        let path = |text: String| expand(&text, &variable);

        let caches = || set("XDG_CACHE_HOME").map_or_else(|| expand("~/.cache", &variable), path);
        let home = set("HF_HOME").map_or_else(|| caches().join("huggingface"), path);
        let cache = first(&["HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"]);
        let token_file = set("HF_TOKEN_PATH").map_or_else(|| home.join("token"), path);
        let token = ["HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"]
            .iter()
            .find_map(|name| variable(name).and_then(|token| cleaned(&token)))
            .or_else(|| {
                fs::read_to_string(&token_file)
                    .ok()
                    .and_then(|token| cleaned(&token))
            });
        let seconds = |name: &str| {
            set(name)?
                .trim()
                .parse()
                .ok()
                .filter(|seconds| *seconds > 0)
        };
        // Of two spellings Python prefers the lower case.
        let proxy = |name: &str| first(&[&name.to_ascii_lowercase(), name]);
        Self {
            endpoint: set("HF_ENDPOINT")
                .unwrap_or_else(|| HUB.to_owned())
                .trim_end_matches('/')
                .to_owned(),
            cache: cache.map_or_else(|| home.join("hub"), path),
            own_cache: set("ENSAYO_CACHE").map_or_else(|| caches().join("ensayo"), path),
            token: token.filter(|_| !is_on("HF_HUB_DISABLE_IMPLICIT_TOKEN")),
            offline: is_on("HF_HUB_OFFLINE") || is_on("TRANSFORMERS_OFFLINE"),
            links: !is_on("HF_HUB_DISABLE_SYMLINKS"),
            proxies: Proxies {
                http: proxy("HTTP_PROXY"),
                https: proxy("HTTPS_PROXY"),
                all: proxy("ALL_PROXY"),
                except: proxy("NO_PROXY"),
            },
            certificates: first(&["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"])
                .map(PathBuf::from),
            answer_seconds: seconds("HF_HUB_ETAG_TIMEOUT"),
            stall_seconds: seconds("HF_HUB_DOWNLOAD_TIMEOUT"),
        }
    }

    /// A client with the environment's proxies and certificates.
    ///
    /// # Errors
    /// When the certificates cannot be read or a proxy's address is none.
    pub fn client(&self, settings: Settings) -> Result<Http, HttpFault> {
        Http::new(settings, self.proxies.clone(), self.certificates.as_deref())
    }

    /// The usual patience, with the times that variables give.
    #[must_use]
    pub fn settings(&self) -> Settings {
        let mut settings = Settings::default();
        if let Some(seconds) = self.answer_seconds {
            settings.answer_timeout = Duration::from_secs(seconds);
        }
        if let Some(seconds) = self.stall_seconds {
            settings.stall_timeout = Duration::from_secs(seconds);
        }
        settings
    }
}

/// Python's idea of a switch that is on.
fn is_true(value: &str) -> bool {
    ["1", "ON", "YES", "TRUE"]
        .iter()
        .any(|word| value.eq_ignore_ascii_case(word))
}

fn cleaned(token: &str) -> Option<String> {
    let token: String = token
        .chars()
        .filter(|c| !matches!(c, '\r' | '\n'))
        .collect();
    let token = token.trim();
    (!token.is_empty()).then(|| token.to_owned())
}

/// Replaces `~` at the beginning, and `$NAME` and `${NAME}` where they are set, as Python's
/// `expanduser` and `expandvars`.
fn expand(path: &str, variable: &impl Fn(&str) -> Option<String>) -> PathBuf {
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut expanded = String::new();
    let mut rest = path;
    while let Some(start) = rest.find('$') {
        expanded.push_str(&rest[..start]);
        let tail = &rest[start + 1..];
        let (name, end) = match tail.strip_prefix('{').and_then(|tail| tail.split_once('}')) {
            Some((name, after)) => (name, after),
            None => tail.split_at(tail.find(|c| !is_name(c)).unwrap_or(tail.len())),
        };
        match variable(name).filter(|_| !name.is_empty()) {
            Some(value) => expanded.push_str(&value),
            None => expanded.push_str(&rest[start..rest.len() - end.len()]),
        }
        rest = end;
    }
    expanded.push_str(rest);
    match expanded.strip_prefix('~') {
        Some(below) if below.is_empty() || below.starts_with('/') => {
            let home = variable("HOME").unwrap_or_default();
            Path::new(&home).join(below.trim_start_matches('/'))
        }
        _ => PathBuf::from(expanded),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Environment {
        Environment::from_variables(|name| {
            pairs
                .iter()
                .find(|(key, _)| *key == name)
                .map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn the_cache_is_where_python_has_it() {
        let cache = |pairs: &[(&str, &str)]| read(pairs).cache.display().to_string();
        let home = ("HOME", "/h");
        assert_eq!(cache(&[home]), "/h/.cache/huggingface/hub");
        assert_eq!(
            cache(&[home, ("XDG_CACHE_HOME", "/x")]),
            "/x/huggingface/hub"
        );
        assert_eq!(
            cache(&[home, ("HF_HOME", "~/hf"), ("XDG_CACHE_HOME", "/x")]),
            "/h/hf/hub"
        );
        assert_eq!(
            cache(&[home, ("HF_HOME", "$HOME/a${HOME}$NO")]),
            "/h/a/h$NO/hub"
        );
        let old = ("HUGGINGFACE_HUB_CACHE", "/old");
        assert_eq!(cache(&[home, old]), "/old");
        assert_eq!(
            cache(&[home, old, ("HF_HUB_CACHE", "/new"), ("HF_HOME", "/n")]),
            "/new"
        );
    }

    #[test]
    fn what_comes_from_elsewhere_has_a_folder_of_its_own() {
        let cache = |pairs: &[(&str, &str)]| read(pairs).own_cache.display().to_string();
        let home = ("HOME", "/h");
        assert_eq!(cache(&[home, ("HF_HOME", "/x")]), "/h/.cache/ensayo");
        assert_eq!(cache(&[home, ("XDG_CACHE_HOME", "/x")]), "/x/ensayo");
        assert_eq!(cache(&[home, ("ENSAYO_CACHE", "~/e")]), "/h/e");
    }

    #[test]
    fn the_token_comes_from_variables_before_files() {
        let folder = tempfile::tempdir().unwrap();
        let home = folder.path().to_str().unwrap();
        fs::write(folder.path().join("token"), "from-file\n").unwrap();
        fs::write(folder.path().join("other"), "from-other").unwrap();
        let other = folder.path().join("other");
        let token = |pairs: &[(&str, &str)]| read(pairs).token;
        assert_eq!(token(&[("HF_HOME", home)]).as_deref(), Some("from-file"));
        let path = ("HF_TOKEN_PATH", other.to_str().unwrap());
        assert_eq!(
            token(&[("HF_HOME", home), path]).as_deref(),
            Some("from-other")
        );
        assert_eq!(token(&[path, ("HF_TOKEN", " a\n")]).as_deref(), Some("a"));
        assert_eq!(
            token(&[path, ("HF_TOKEN", "\n")]).as_deref(),
            Some("from-other")
        );
        let off = ("HF_HUB_DISABLE_IMPLICIT_TOKEN", "1");
        assert_eq!(token(&[path, off]), None);
        assert_eq!(token(&[("HOME", "/nowhere")]), None);
    }

    #[test]
    fn switches_are_on_when_python_says_so() {
        assert!(read(&[("HF_HUB_OFFLINE", "True")]).offline);
        assert!(read(&[("TRANSFORMERS_OFFLINE", "on")]).offline);
        assert!(!read(&[("HF_HUB_OFFLINE", "0")]).offline && !read(&[]).offline);
        assert!(!read(&[("HF_HUB_DISABLE_SYMLINKS", "yes")]).links && read(&[]).links);
        assert_eq!(
            read(&[("HF_ENDPOINT", "http://m:1/")]).endpoint,
            "http://m:1"
        );
        assert_eq!(read(&[]).endpoint, HUB);
        let proxies = read(&[
            ("HTTPS_PROXY", "up"),
            ("https_proxy", "low"),
            ("no_proxy", "x"),
        ])
        .proxies;
        assert_eq!(
            (proxies.https.as_deref(), proxies.except.as_deref()),
            (Some("low"), Some("x"))
        );
        let settings = read(&[("HF_HUB_DOWNLOAD_TIMEOUT", "3")]).settings();
        assert_eq!(settings.stall_timeout, Duration::from_secs(3));
    }
}
