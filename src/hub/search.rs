//! Models on the hub by filters: all pages, as data.

use std::collections::BTreeSet;

use serde::Serialize;
use ureq::http::HeaderMap;

use super::http::{query, resolve};
use super::listing::Listing;
use super::{Facts, Hub, HubError, Observer};

/// Entries on a page; the hub serves at most a thousand.
const PAGE: usize = 1000;

/// The fields that are asked for.
const FIELDS: [&str; 11] = [
    "author",
    "createdAt",
    "downloads",
    "gated",
    "lastModified",
    "library_name",
    "likes",
    "pipeline_tag",
    "private",
    "safetensors",
    "tags",
];

/// The order of what is found; always the most or the latest first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Sort {
    /// Downloads of the last thirty days.
    #[default]
    Downloads,
    /// Likes.
    Likes,
    /// When it was made.
    Created,
    /// When it was changed.
    Modified,
    /// What is talked about.
    Trending,
}

impl Sort {
    /// The order that a word means: `downloads`, `likes`, `created`, `modified` or `trending`.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Some(match word {
            "downloads" => Self::Downloads,
            "likes" => Self::Likes,
            "created" => Self::Created,
            "modified" => Self::Modified,
            "trending" => Self::Trending,
            _ => return None,
        })
    }

    fn name(self) -> &'static str {
        match self {
            Self::Downloads => "downloads",
            Self::Likes => "likes",
            Self::Created => "createdAt",
            Self::Modified => "lastModified",
            Self::Trending => "trendingScore",
        }
    }
}

/// What to look for. Everything given must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Search {
    /// A task, `text-classification` for instance.
    pub task: Option<String>,
    /// Tags.
    pub tags: Vec<String>,
    /// Languages, `es` for instance.
    pub languages: Vec<String>,
    /// A library, `transformers` for instance.
    pub library: Option<String>,
    /// An author.
    pub author: Option<String>,
    /// A part of the name.
    pub name: Option<String>,
    /// Words that the name must not have, in any case.
    pub without: Vec<String>,
    /// The order.
    pub sort: Sort,
    /// The most that is wanted; all if not given.
    pub limit: Option<usize>,
}

/// A model that was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FoundModel {
    /// The repository.
    pub id: String,
    /// The number of parameters, where the hub has counted.
    pub parameters: Option<u64>,
    /// What the hub says about it in general.
    #[serde(flatten)]
    pub facts: Facts,
}

impl Search {
    fn url(&self, endpoint: &str) -> String {
        let mut pairs: Vec<(&str, String)> = Vec::new();
        let filters = self.tags.iter().chain(&self.languages).chain(&self.library);
        pairs.extend(filters.map(|filter| ("filter", filter.clone())));
        pairs.extend(self.task.iter().map(|task| ("pipeline_tag", task.clone())));
        pairs.extend(self.author.iter().map(|author| ("author", author.clone())));
        pairs.extend(self.name.iter().map(|name| ("search", name.clone())));
        pairs.push(("sort", self.sort.name().to_owned()));
        // With words to leave out nobody knows how many are needed for as many as are wanted.
        let page = self
            .limit
            .filter(|_| self.without.is_empty())
            .unwrap_or(PAGE);
        pairs.push(("limit", page.clamp(1, PAGE).to_string()));
        pairs.extend(FIELDS.map(|field| ("expand", field.to_owned())));
        format!("{endpoint}/api/models{}", query(&pairs))
    }

    fn leaves_out(&self, id: &str) -> bool {
        let name = id.to_lowercase();
        self.without
            .iter()
            .any(|word| name.contains(&word.to_lowercase()))
    }
}

impl Hub {
    /// All models that match, page after page, in the hub's order.
    ///
    /// # Errors
    /// When the hub cannot be asked or refuses.
    pub fn search(
        &self,
        search: &Search,
        observer: &dyn Observer,
    ) -> Result<Vec<FoundModel>, HubError> {
        const OF: &str = "the search for models";
        self.online(OF, "main", &["its results".to_owned()])?;
        let most = search.limit.unwrap_or(usize::MAX);
        let mut found: Vec<FoundModel> = Vec::new();
        let mut names = BTreeSet::new();
        let mut asked = BTreeSet::new();
        let mut next = Some(search.url(&self.environment.endpoint));
        while let Some(url) = next.filter(|_| found.len() < most) {
            // A page that names itself as the next one would be asked for ever.
            if !asked.insert(url.clone()) {
                break;
            }
            let (page, headers) = self.data::<Vec<Listing>>(OF, &url, observer)?;
            next = next_page(&url, &headers);
            // A model may move to the next page while pages are read.
            let fresh = page
                .into_iter()
                .filter(|entry| !search.leaves_out(&entry.id) && names.insert(entry.id.clone()));
            found.extend(fresh.map(FoundModel::from));
        }
        found.truncate(most);
        Ok(found)
    }
}

impl From<Listing> for FoundModel {
    fn from(listing: Listing) -> Self {
        Self {
            facts: listing.facts(),
            parameters: listing.safetensors.and_then(|counted| counted.total),
            id: listing.id,
        }
    }
}

/// The address behind `rel="next"`, to be asked unchanged.
fn next_page(url: &str, headers: &HeaderMap) -> Option<String> {
    let links = headers.get("link")?.to_str().ok()?;
    // A comma may stand within an address.
    links.split('<').skip(1).find_map(|link| {
        let (target, parameters) = link.split_once('>')?;
        let is_next = parameters.split([';', ',']).any(|parameter| {
            let parameter = parameter.trim().replace('"', "");
            parameter.eq_ignore_ascii_case("rel=next")
        });
        is_next
            .then(|| resolve(url, target))?
            .map(|(target, _)| target)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_page_is_where_the_link_says() {
        let next = |link: &str| {
            let mut headers = HeaderMap::new();
            headers.insert("link", link.parse().unwrap());
            next_page("http://h:1/api/models?x", &headers)
        };
        let absolute = "http://h:1/api/models?a=1,2&cursor=x%3D";
        assert_eq!(
            next(&format!("<{absolute}>; rel=\"next\"")).as_deref(),
            Some(absolute)
        );
        assert_eq!(
            next("<http://h/1>; rel=\"prev\", </api/models?c=2>; rel=\"next\"").as_deref(),
            Some("http://h:1/api/models?c=2")
        );
        assert_eq!(next("<http://h/1>; rel=\"prev\""), None);
    }

    #[test]
    fn filters_stand_in_the_address() {
        let search = Search {
            task: Some("text-classification".into()),
            tags: vec!["license:mit".into()],
            languages: vec!["es".into()],
            library: Some("transformers".into()),
            name: Some("a b".into()),
            limit: Some(5),
            ..Search::default()
        };
        let url = search.url("http://h");
        assert!(url.starts_with(
            "http://h/api/models?filter=license%3Amit&filter=es&filter=transformers&pipeline_tag=text-classification&search=a%20b&sort=downloads&limit=5&expand=author&expand=createdAt"
        ), "{url}");
        let without = Search {
            without: vec!["GGUF".into()],
            ..search
        };
        assert!(without.url("http://h").contains("limit=1000"));
        assert!(without.leaves_out("o/model-gguf") && !without.leaves_out("o/model"));
    }
}
