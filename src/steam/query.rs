//! What is asked, of whom, and in which dialect.

use std::time::Duration;

use super::SteamError;

/// Which of the two interfaces a service speaks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Dialect {
    /// `IUserReviewsService/GetAppReviews`, since October 2026.
    #[default]
    Service,
    /// The store's `appreviews`, which was switched off then; saved pages and mirrors speak it.
    Store,
}

/// A host with reviews, and how it is treated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    /// The address; of the old dialect without the game's number.
    pub address: String,
    /// Its dialect.
    pub dialect: Dialect,
    /// The least time between two requests.
    pub pace: Duration,
    /// Reviews on a page; the service gives at most 100.
    pub page_size: u32,
    /// How often an empty or repeated page is asked for again before the end is believed.
    pub repeats: u32,
    /// The most pages of a class, against a service that never ends.
    pub most_pages: usize,
}

impl Default for Service {
    fn default() -> Self {
        Self {
            address: "https://api.steampowered.com/IUserReviewsService/GetAppReviews/v1/".into(),
            dialect: Dialect::Service,
            pace: Duration::from_secs(1),
            page_size: 100,
            repeats: 5,
            most_pages: 20_000,
        }
    }
}

impl Service {
    /// The service that variables name: `ENSAYO_STEAM_ADDRESS`, and `ENSAYO_STEAM_DIALECT` where it
    /// speaks another dialect than `service`, which is `store`.
    ///
    /// # Errors
    /// When the dialect is neither.
    pub fn from_variables(variable: impl Fn(&str) -> Option<String>) -> Result<Self, SteamError> {
        let set = |name: &str| variable(name).filter(|value| !value.is_empty());
        let mut service = Self::default();
        if let Some(address) = set("ENSAYO_STEAM_ADDRESS") {
            service.address = address;
        }
        service.dialect = match set("ENSAYO_STEAM_DIALECT").as_deref() {
            None | Some("service") => Dialect::Service,
            Some("store") => Dialect::Store,
            Some(other) => {
                return Err(SteamError::BadDialect {
                    dialect: other.to_owned(),
                });
            }
        };
        Ok(service)
    }
}

/// A class of reviews.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Sentiment {
    /// The author recommends the game.
    Positive,
    /// The author does not.
    Negative,
}

impl Sentiment {
    /// Both, in the study's order.
    pub const BOTH: [Self; 2] = [Self::Positive, Self::Negative];

    /// Its word.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Positive => "positive",
            Self::Negative => "negative",
        }
    }

    /// Its label in the CSV.
    #[must_use]
    pub fn label(self) -> u8 {
        match self {
            Self::Positive => 1,
            Self::Negative => 0,
        }
    }

    pub(super) fn of(recommended: bool) -> Self {
        if recommended {
            Self::Positive
        } else {
            Self::Negative
        }
    }
}

/// Which reviews come first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Filter {
    /// The latest written.
    #[default]
    Recent,
    /// The latest changed.
    Updated,
}

impl Filter {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Recent => "recent",
            Self::Updated => "updated",
        }
    }
}

/// By how the author came to the game.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Purchases {
    /// However.
    #[default]
    All,
    /// Bought on Steam.
    Steam,
    /// Any other way.
    Other,
}

impl Purchases {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Steam => "steam",
            Self::Other => "other",
        }
    }
}

/// Which reviews are wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReviewQuery {
    /// The game's number.
    pub app: u64,
    /// Steam's name of a language, or `all`.
    pub language: String,
    /// How many positive ones.
    pub positive: usize,
    /// How many negative ones.
    pub negative: usize,
    /// Which come first.
    pub filter: Filter,
    /// By purchase.
    pub purchases: Purchases,
    /// Whether reviews of times that Steam calls off-topic are left out.
    pub without_offtopic: bool,
}

impl ReviewQuery {
    /// The latest reviews of a game in a language.
    #[must_use]
    pub fn new(app: u64, language: &str, positive: usize, negative: usize) -> Self {
        Self {
            app,
            language: language.to_owned(),
            positive,
            negative,
            filter: Filter::default(),
            purchases: Purchases::default(),
            without_offtopic: false,
        }
    }

    /// How many of a class.
    #[must_use]
    pub fn wanted(&self, sentiment: Sentiment) -> usize {
        match sentiment {
            Sentiment::Positive => self.positive,
            Sentiment::Negative => self.negative,
        }
    }

    /// The folder of its pages. Numbers are left out: whoever wants more goes on from there.
    pub(super) fn folder(&self) -> String {
        let mut name = format!(
            "{}-{}-{}-{}",
            self.app,
            self.language,
            self.filter.name(),
            self.purchases.name()
        );
        if self.without_offtopic {
            name.push_str("-on-topic");
        }
        name
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_name_another_service() {
        let with = |address: &str, dialect: &str| {
            let pairs = [
                ("ENSAYO_STEAM_ADDRESS", address.to_owned()),
                ("ENSAYO_STEAM_DIALECT", dialect.to_owned()),
            ];
            Service::from_variables(|name| {
                let pair = pairs.iter().find(|(key, _)| *key == name);
                pair.map(|(_, value)| value.clone())
            })
        };
        assert_eq!(with("", "").unwrap(), Service::default());
        let mirror = with("http://m/appreviews/", "store").unwrap();
        assert_eq!(mirror.address, "http://m/appreviews/");
        assert_eq!(mirror.dialect, Dialect::Store);
        let error = with("", "shop").unwrap_err().to_string();
        assert!(
            error.contains("`shop`") && error.contains("`store`"),
            "{error}"
        );
    }
}
