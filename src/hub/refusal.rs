//! Refusals by the hub, told apart as Python tells them: by `X-Error-Code`, then by message and
//! status.

use serde_json::Value;

use super::http::{Request, path_segment, query};
use super::refused::Refusal;
use super::{Hub, HubError, Observer, Silent};

impl Hub {
    /// The error behind a refusal. Asks once more for names that are near a missing one.
    pub(super) fn refused(&self, refusal: &Refusal, observer: &dyn Observer) -> HubError {
        let repository = refusal.of.clone();
        let endpoint = self.environment.endpoint.clone();
        let token = self.environment.token.is_some();
        let message = refusal.message.as_str();
        let is = |code: &str| refusal.code == code;
        if is("GatedRepo") {
            let page = format!("{endpoint}/{repository}");
            return HubError::Gated {
                repository,
                page,
                token,
            };
        }
        if is("RevisionNotFound") {
            return HubError::NoRevision {
                repository,
                revision: String::new(),
                known: Vec::new(),
            };
        }
        if message.contains("is disabled") {
            return HubError::Disabled {
                repository,
                reason: message.to_owned(),
            };
        }
        if refusal.status == 401 && token && message.starts_with("Invalid credentials") {
            return HubError::BadToken {
                repository,
                endpoint,
            };
        }
        let file = refusal.file.clone();
        if let Some(file) = &file
            && (is("EntryNotFound") || refusal.status == 404 && !is("RepoNotFound"))
        {
            return HubError::NoFile {
                repository,
                revision: String::new(),
                file: file.clone(),
                present: Vec::new(),
            };
        }
        match refusal.status {
            401 | 404 => HubError::NotFound {
                near: self.near_names(&repository, observer),
                repository,
                endpoint,
                token,
            },
            429 => HubError::RateLimited { repository, token },
            status => HubError::Refused {
                repository,
                file,
                host: refusal.host.clone(),
                status,
                reason: refusal.message.clone(),
            },
        }
    }

    /// Fills in the revision, and those that there are.
    pub(super) fn of_revision(
        &self,
        error: HubError,
        asked: &str,
        observer: &dyn Observer,
    ) -> HubError {
        match error {
            HubError::NoRevision { repository, .. } => HubError::NoRevision {
                known: self.revisions(&repository, observer),
                revision: asked.to_owned(),
                repository,
            },
            HubError::NoFile {
                repository,
                file,
                present,
                ..
            } => HubError::NoFile {
                repository,
                revision: asked.to_owned(),
                file,
                present,
            },
            other => other,
        }
    }

    /// Branches and tags; none if they cannot be had at once.
    fn revisions(&self, id: &str, observer: &dyn Observer) -> Vec<String> {
        let url = format!("{}/api/models/{id}/refs", self.environment.endpoint);
        let Some(refs) = self.quickly(&url, observer) else {
            return Vec::new();
        };
        let names = ["branches", "tags"].into_iter().flat_map(|kind| {
            let list = refs[kind].as_array().cloned().unwrap_or_default();
            list.into_iter()
                .filter_map(|entry| Some(entry["name"].as_str()?.to_owned()))
        });
        names.collect()
    }

    /// Repositories with similar names, the nearest first.
    fn near_names(&self, id: &str, observer: &dyn Observer) -> Vec<String> {
        const SHOWN: usize = 3;
        let name = id.rsplit('/').next().unwrap_or(id);
        let mut words: Vec<&str> = name.split(['-', '_', '.']).collect();
        words.sort_by_key(|word| std::cmp::Reverse(word.len()));
        let mut found: Vec<String> = Vec::new();
        for search in std::iter::once(name).chain(words.into_iter().take(2)) {
            let pairs = [
                ("search", search.to_owned()),
                ("sort", "downloads".to_owned()),
                ("limit", "50".to_owned()),
            ];
            let url = format!("{}/api/models{}", self.environment.endpoint, query(&pairs));
            let list = self.quickly(&url, observer);
            let list = list
                .as_ref()
                .and_then(Value::as_array)
                .into_iter()
                .flatten();
            found.extend(list.filter_map(|entry| Some(entry["id"].as_str()?.to_owned())));
            if !found.is_empty() {
                break;
            }
        }
        found.sort_by_key(|other| distance(id, other));
        found.dedup();
        found.retain(|other| distance(id, other) <= id.chars().count() / 2);
        found.truncate(SHOWN);
        found
    }

    /// A question whose answer is only an extra: asked once, and no matter if it fails.
    fn quickly(&self, url: &str, observer: &dyn Observer) -> Option<Value> {
        if observer.stopped() {
            return None;
        }
        let request = Request {
            token: self.token_for(url),
            ..Request::get(url)
        };
        let answer = self.http.once(&request).ok()?;
        if answer.status != 200 {
            return None;
        }
        serde_json::from_slice(&answer.read(8 << 20).ok()?).ok()
    }

    /// Whether the hub answers at all, and who is logged in there.
    ///
    /// # Errors
    /// When it does not answer.
    pub fn reach(&self) -> Result<(), HubError> {
        let pairs = [("limit", "1".to_owned())];
        let url = format!("{}/api/models{}", self.environment.endpoint, query(&pairs));
        self.data::<Value>("the hub", &url, &Silent).map(drop)
    }

    /// The address of a file.
    pub(super) fn file_url(&self, id: &str, commit: &str, file: &str) -> String {
        format!(
            "{}/{id}/resolve/{}/{}",
            self.environment.endpoint,
            path_segment(commit),
            super::http::path_segments(file)
        )
    }
}

/// Letters to change, add or remove to get from one to the other, whatever their case.
fn distance(one: &str, other: &str) -> usize {
    let one: Vec<char> = one.to_lowercase().chars().collect();
    let mut row: Vec<usize> = (0..=one.len()).collect();
    for (above, letter) in other.to_lowercase().chars().enumerate() {
        let mut corner = row[0];
        row[0] = above + 1;
        for (at, here) in one.iter().enumerate() {
            let change = corner + usize::from(*here != letter);
            corner = row[at + 1];
            row[at + 1] = change.min(row[at] + 1).min(corner + 1);
        }
    }
    row[one.len()]
}

#[cfg(test)]
mod tests {
    use super::distance;

    #[test]
    fn distances_count_single_letters() {
        assert_eq!(distance("deberta", "deberta"), 0);
        assert_eq!(distance("deberta", "DeBERTA-"), 1);
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("", "abc"), 3);
    }
}
