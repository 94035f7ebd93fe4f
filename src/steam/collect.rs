//! Fetching: page after page from where it stopped, slowly, until there are enough or no more.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::page::{self, Page};
use super::pages::{Class, End, Ended};
use super::query::{ReviewQuery, Sentiment, Service};
use super::request::{START, url};
use super::{Collection, Order, SteamError};
use crate::hub::http::{Http, HttpFault, Redirects, Request, Settings, host};
use crate::hub::{Environment, Event, Observer, Silent};

/// Hidden reviews are counted too: so many may be missing at a true end.
const UNCOUNTED: u64 = 2;
const MOST_BYTES: u64 = 32 << 20;

/// Reviews of games in one folder.
#[derive(Debug, Clone)]
pub struct Reviews {
    http: Http,
    service: Service,
    folder: PathBuf,
    offline: bool,
}

/// Settings as patient as Steam's limits for strangers need: its windows are of five minutes.
#[must_use]
pub fn patient(settings: Settings) -> Settings {
    Settings {
        attempts: 8,
        first_pause: Duration::from_secs(5),
        longest_pause: Duration::from_secs(310),
        ..settings
    }
}

impl Reviews {
    /// Reviews in this machine's cache, from the service that its variables name.
    ///
    /// # Errors
    /// When the variables do not make sense.
    pub fn of(environment: &Environment) -> Result<Self, SteamError> {
        let service = Service::from_variables(|name| std::env::var(name).ok())?;
        let http = environment
            .client(patient(environment.settings()))
            .map_err(SteamError::Client)?;
        let folder = environment.own_cache.join("steam");
        Ok(Self::new(http, service, folder, environment.offline))
    }

    /// Reviews from a service, kept in `folder`.
    #[must_use]
    pub fn new(http: Http, service: Service, folder: PathBuf, offline: bool) -> Self {
        Self {
            http,
            service,
            folder,
            offline,
        }
    }

    /// What is here already; asks nothing. [`Collection::is_complete`] says whether it is all that
    /// there is to have.
    ///
    /// # Errors
    /// When a kept page cannot be read.
    pub fn cached(&self, wanted: &ReviewQuery) -> Result<Collection, SteamError> {
        check(wanted)?;
        let folder = self.pages_folder(wanted);
        let classes = Sentiment::BOTH.map(|sentiment| Class::open(&folder, sentiment));
        let [positive, negative] = classes;
        Ok(Collection::new(wanted, positive?, negative?))
    }

    /// What is wanted, fetched as far as it is not here.
    ///
    /// # Errors
    /// When it cannot be had; what came until then is kept, and the next time goes on from there.
    pub fn fetch(
        &self,
        wanted: &ReviewQuery,
        observer: &dyn Observer,
    ) -> Result<Collection, SteamError> {
        check(wanted)?;
        let mut visit = Visit {
            reviews: self,
            wanted,
            observer,
            last: None,
            totals: None,
        };
        let positive = visit.class(Sentiment::Positive)?;
        let negative = visit.class(Sentiment::Negative)?;
        Ok(Collection::new(wanted, positive, negative))
    }

    /// Asks the service one question about a game, without keeping anything.
    ///
    /// # Errors
    /// When it does not answer, or does not know the game.
    pub fn reach(&self, app: u64) -> Result<(), SteamError> {
        let mut visit = Visit {
            reviews: self,
            wanted: &ReviewQuery::new(app, "english", 1, 1),
            observer: &Silent,
            last: None,
            totals: None,
        };
        visit.totals().map(drop)
    }

    /// How long it takes to fetch all of it, if the service answers at once: a page a request, at
    /// its pace.
    #[must_use]
    pub fn least_time(&self, wanted: &ReviewQuery) -> Duration {
        let size = usize::try_from(self.service.page_size.max(1)).unwrap_or(1);
        let pages = Sentiment::BOTH.map(|sentiment| wanted.wanted(sentiment).div_ceil(size));
        let pages = u32::try_from(pages.iter().sum::<usize>()).unwrap_or(u32::MAX);
        self.service.pace.saturating_mul(pages)
    }

    /// Where the CSV of reviews is put.
    #[must_use]
    pub fn csv_file(&self, wanted: &ReviewQuery, order: Order) -> PathBuf {
        let name = format!(
            "{}-positive-{}-negative-{}.csv",
            wanted.positive,
            wanted.negative,
            order.name()
        );
        self.pages_folder(wanted).join(name)
    }

    /// The folder of a query's pages.
    #[must_use]
    pub fn pages_folder(&self, wanted: &ReviewQuery) -> PathBuf {
        self.folder.join(wanted.folder())
    }
}

/// One fetch.
struct Visit<'a> {
    reviews: &'a Reviews,
    wanted: &'a ReviewQuery,
    observer: &'a dyn Observer,
    /// When the last request was sent.
    last: Option<Instant>,
    /// How many positive and negative ones the service names; asked once.
    totals: Option<[Option<u64>; 2]>,
}

impl Visit<'_> {
    fn class(&mut self, sentiment: Sentiment) -> Result<Class, SteamError> {
        let folder = self.reviews.pages_folder(self.wanted);
        let mut class = Class::open(&folder, sentiment)?;
        let wanted = self.wanted.wanted(sentiment);
        if class.reviews.len() >= wanted || class.ended.is_some() {
            return Ok(class);
        }
        if self.reviews.offline {
            return Err(SteamError::Offline {
                app: self.wanted.app,
                class: sentiment.name(),
                have: class.reviews.len(),
                wanted,
                folder,
            });
        }
        let total = self.totals()?[usize::from(sentiment == Sentiment::Negative)];
        let name = format!("{} reviews", sentiment.name());
        let goal = total.map_or(wanted as u64, |total| total.min(wanted as u64));
        let started = class.reviews.len() as u64;
        self.observer.event(&Event::Started {
            file: &name,
            total: Some(goal),
            have: started,
        });
        let mut cursor = class.next.clone().unwrap_or_else(|| START.to_owned());
        let mut stuck = 0;
        while class.reviews.len() < wanted {
            let page = self.page(sentiment, &cursor, stuck)?;
            let next = page
                .cursor
                .filter(|next| *next != cursor && !class.cursors.contains(next));
            let fresh = class.fresh(&page.reviews);
            if fresh > 0 {
                class.keep(&cursor, next.clone(), page.reviews)?;
                let have = class.reviews.len() as u64;
                self.observer.event(&Event::Progress {
                    file: &name,
                    total: Some(goal.max(have)),
                    have,
                });
            }
            let goes_on = next.is_some() && fresh > 0;
            if goes_on {
                stuck = 0;
            } else {
                let have = class.reviews.len() as u64;
                let counted = total.is_some_and(|total| have + UNCOUNTED >= total);
                if counted || stuck >= self.reviews.service.repeats {
                    let reason = if counted { End::NoMore } else { End::Silent };
                    class.end(Ended { reason, total })?;
                    break;
                }
                stuck += 1;
                self.breathe(stuck)?;
            }
            // A page of reviews that are here already leads on; an empty one is asked for again.
            if let Some(next) = next {
                cursor = next;
            }
            if class.pages() >= self.reviews.service.most_pages {
                let reason = End::Silent;
                class.end(Ended { reason, total })?;
                break;
            }
        }
        self.observer.event(&Event::Finished { file: &name });
        Ok(class)
    }

    /// How many there are of both classes.
    fn totals(&mut self) -> Result<[Option<u64>; 2], SteamError> {
        if let Some(totals) = self.totals {
            return Ok(totals);
        }
        let page = self.ask(None, START, self.reviews.service.page_size)?;
        if !page.is_known {
            return Err(SteamError::NoSuchGame {
                app: self.wanted.app,
            });
        }
        let totals = [page.total_positive, page.total_negative];
        self.totals = Some(totals);
        Ok(totals)
    }

    /// A page. One that is asked for again is made a little smaller: an equal question would be
    /// answered from a cache for ten minutes.
    fn page(
        &mut self,
        sentiment: Sentiment,
        cursor: &str,
        repeated: u32,
    ) -> Result<Page, SteamError> {
        let size = self
            .reviews
            .service
            .page_size
            .saturating_sub(repeated)
            .max(1);
        self.ask(Some(sentiment), cursor, size)
    }

    fn ask(
        &mut self,
        sentiment: Option<Sentiment>,
        cursor: &str,
        size: u32,
    ) -> Result<Page, SteamError> {
        let service = &self.reviews.service;
        let address = url(service, self.wanted, sentiment, cursor, size);
        let request = Request {
            redirects: Redirects::None,
            ..Request::get(&address)
        };
        let mut attempt = 0;
        loop {
            self.keep_pace();
            let answer = self
                .reviews
                .http
                .text(&request, self.observer, MOST_BYTES)
                .map_err(|fault| self.network(fault))?;
            let (status, _, body) = answer;
            let host = host(&address);
            match status {
                200 => match page::read(&body, service.dialect) {
                    Ok(page) => return Ok(page),
                    Err(what) if attempt >= service.repeats => {
                        return Err(SteamError::NotReviews { host, what });
                    }
                    // In sales even good addresses answer with error pages.
                    Err(_) => {
                        attempt += 1;
                        self.breathe(attempt)?;
                    }
                },
                300..=399 | 404 | 410 => {
                    let what = match status {
                        404 | 410 => format!("it answers {status}"),
                        _ => "it sends us elsewhere".to_owned(),
                    };
                    return Err(SteamError::Retired { host, what });
                }
                status => return Err(SteamError::Busy { host, status }),
            }
        }
    }

    /// Waits until the next request may be sent.
    fn keep_pace(&mut self) {
        let pace = self.reviews.service.pace;
        if let Some(last) = self.last {
            let left = pace.saturating_sub(last.elapsed());
            if !left.is_zero() {
                self.reviews.http.settings().pause.spend(left);
            }
        }
        self.last = Some(Instant::now());
    }

    /// A longer pause before a repetition.
    fn breathe(&self, times: u32) -> Result<(), SteamError> {
        if self.observer.stopped() {
            return Err(self.network(HttpFault::Stopped));
        }
        let pause = self.reviews.service.pace * 2_u32.saturating_pow(times.min(5));
        self.reviews.http.settings().pause.spend(pause);
        Ok(())
    }

    fn network(&self, fault: HttpFault) -> SteamError {
        SteamError::Network {
            app: self.wanted.app,
            fault,
        }
    }
}

/// The language stands in a folder's name.
fn check(wanted: &ReviewQuery) -> Result<(), SteamError> {
    let language = &wanted.language;
    if !language.is_empty() && language.bytes().all(|byte| byte.is_ascii_lowercase()) {
        return Ok(());
    }
    Err(SteamError::BadLanguage {
        language: language.clone(),
    })
}

impl Reviews {
    /// Puts reviews that were saved from the old service among the kept ones; returns how many were
    /// new.
    ///
    /// # Errors
    /// When a file cannot be read or a page cannot be kept.
    pub fn import(&self, wanted: &ReviewQuery, files: &[PathBuf]) -> Result<usize, SteamError> {
        check(wanted)?;
        let folder = self.pages_folder(wanted);
        let mut new = 0;
        for sentiment in Sentiment::BOTH {
            let mut class = Class::open(&folder, sentiment)?;
            for file in files {
                let reviews = super::saved::values(file)?;
                let fresh = class.fresh(&reviews);
                if fresh > 0 {
                    let next = class.next.clone();
                    let cursor = file.file_name().unwrap_or_default().to_string_lossy();
                    class.keep(&format!("file {cursor}"), next, reviews)?;
                    new += fresh;
                }
            }
        }
        Ok(new)
    }
}
