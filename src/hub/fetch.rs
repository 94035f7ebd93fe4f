//! Fetching what a plan names into the cache: each file once, checked, and under its final name
//! only when it is whole.

use std::path::{Path, PathBuf};

use super::cache::{LinkFault, Presence, RepositoryCache, is_commit};
use super::client::{check_names, network};
use super::disk::{DiskFault, check_space};
use super::http::{Redirects, Request, host};
use super::plan::PlannedFile;
use super::refused::Refusal;
use super::sum::Sum;
use super::transfer::{Transfer, TransferFault};
use super::{Event, FetchPlan, Hub, HubError, ModelRequest, Observer, Silent, lock};

/// A model in the cache.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// The folder with its files.
    pub folder: PathBuf,
    /// Its commit, which is its identity.
    pub commit: String,
    /// The commit that the revision stands for on the hub, if that was asked and is another.
    pub newer: Option<String>,
    /// The files that the run needs.
    pub files: Vec<String>,
}

/// What a file is called in the cache, and how large it is.
struct Blob {
    name: String,
    sum: Option<Sum>,
    bytes: Option<u64>,
}

/// A cache that is deleted under our hands is filled anew this often.
const ROUNDS: usize = 3;

impl Hub {
    /// The model from the cache alone, if it is there; asks nothing.
    ///
    /// # Errors
    /// When names are wrong or files of the cache are damaged.
    pub fn cached(&self, request: &ModelRequest) -> Result<Option<Snapshot>, HubError> {
        let mut offline = self.clone();
        offline.environment.offline = true;
        match offline.plan(request, &Silent) {
            Ok(plan) => Ok(Some(self.snapshot(&plan))),
            Err(HubError::Offline { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The commit that a revision stood for when the cache last learnt of it; asks nothing.
    #[must_use]
    pub fn cached_commit(&self, id: &str, revision: &str) -> Option<String> {
        check_names(id, revision).ok()?;
        if is_commit(revision) {
            return Some(revision.to_ascii_lowercase());
        }
        self.repository(id, revision).commit(revision)
    }

    /// The folder of a commit, if the cache has at least its configuration; asks nothing.
    #[must_use]
    pub fn cached_folder(&self, id: &str, commit: &str) -> Option<PathBuf> {
        check_names(id, commit).ok()?;
        let cache = self.repository(id, commit);
        match cache.presence(commit, "config.json") {
            Presence::Here(_) => Some(cache.snapshot(commit)),
            Presence::Missing | Presence::Unknown => None,
        }
    }

    /// The model, fetched as far as it is not in the cache.
    ///
    /// # Errors
    /// When it cannot be had; what was fetched until then stays for the next time.
    pub fn fetch(
        &self,
        request: &ModelRequest,
        observer: &dyn Observer,
    ) -> Result<Snapshot, HubError> {
        let plan = self.plan(request, observer)?;
        self.fetch_plan(&plan, observer)
    }

    /// What a plan names, fetched as far as it is not in the cache.
    ///
    /// # Errors
    /// As [`fetch`](Self::fetch).
    pub fn fetch_plan(
        &self,
        plan: &FetchPlan,
        observer: &dyn Observer,
    ) -> Result<Snapshot, HubError> {
        let cache = self.repository(&plan.id, &plan.revision);
        let disk = |fault| disk(&plan.id, fault);
        self.has_room([plan])?;
        if !plan.is_here() {
            cache.tag().map_err(disk)?;
        }
        // Usually one round. Somebody may delete what has come while the rest is coming.
        let snapshot = cache.snapshot(&plan.commit);
        for round in 0..ROUNDS {
            let is_due = |file: &&PlannedFile| {
                let known = if round == 0 { file.here } else { true };
                !known || !snapshot.join(&file.name).is_file()
            };
            let due: Vec<&PlannedFile> = plan.files.iter().filter(is_due).collect();
            if due.is_empty() {
                break;
            }
            for file in due {
                self.fetch_file(plan, &cache, file, observer)?;
            }
        }
        // A note that saves a question next time; a cache that cannot be written does without.
        for file in &plan.missing {
            let _ = cache.set_missing(&plan.commit, file);
        }
        if !is_commit(&plan.revision) {
            let noted = cache.set_commit(&plan.revision, &plan.commit);
            if !plan.is_here() {
                noted.map_err(disk)?;
            }
        }
        Ok(self.snapshot(plan))
    }

    fn snapshot(&self, plan: &FetchPlan) -> Snapshot {
        let cache = self.repository(&plan.id, &plan.revision);
        Snapshot {
            folder: cache.snapshot(&plan.commit),
            commit: plan.commit.clone(),
            newer: plan.newer.clone(),
            files: plan.files.iter().map(|file| file.name.clone()).collect(),
        }
    }

    /// Whether the disk has room for everything that these plans still have to fetch.
    ///
    /// # Errors
    /// When it has not.
    pub fn has_room<'a>(
        &self,
        plans: impl IntoIterator<Item = &'a FetchPlan>,
    ) -> Result<(), HubError> {
        let (mut ids, mut needed) = (Vec::new(), 0_u64);
        for plan in plans {
            ids.push(plan.id.as_str());
            needed = needed.saturating_add(self.bytes_to_come(plan));
        }
        check_space(&self.environment.cache, needed).map_err(|fault| disk(&ids.join(", "), fault))
    }

    /// Bytes that a plan still has to fetch, without those of broken downloads.
    fn bytes_to_come(&self, plan: &FetchPlan) -> u64 {
        let cache = self.repository(&plan.id, &plan.revision);
        let to_come = |file: &PlannedFile| {
            let have = file.sum.as_ref().map_or(0, |sum| {
                let [blob, part] = [cache.blob(sum.text()), cache.part(sum.text())];
                length(&blob).or(length(&part)).unwrap_or(0)
            });
            file.bytes.unwrap_or(0).saturating_sub(have)
        };
        let missing = plan.files.iter().filter(|file| !file.here);
        missing.map(to_come).sum()
    }

    fn fetch_file(
        &self,
        plan: &FetchPlan,
        cache: &RepositoryCache,
        file: &PlannedFile,
        observer: &dyn Observer,
    ) -> Result<(), HubError> {
        let blob = self.blob(plan, file, observer)?;
        let mut round = 1;
        loop {
            match self.fetch_blob(plan, cache, file, &blob, observer) {
                Err(HubError::Disk { fault, .. }) if fault.is_gone() && round < ROUNDS => {}
                Err(error) => return Err(error),
                Ok(()) => {
                    let path = cache.snapshot(&plan.commit).join(&file.name);
                    if path.is_file() || round == ROUNDS {
                        observer.event(&Event::Finished { file: &file.name });
                        return Ok(());
                    }
                }
            }
            round += 1;
        }
    }

    fn fetch_blob(
        &self,
        plan: &FetchPlan,
        cache: &RepositoryCache,
        file: &PlannedFile,
        blob: &Blob,
        observer: &dyn Observer,
    ) -> Result<(), HubError> {
        let disk = |fault| disk(&plan.id, fault);
        let lock = lock::acquire(&cache.lock(&blob.name), &file.name, observer).map_err(disk)?;
        let _lock = lock.map_err(|fault| network(&plan.id, fault))?;
        let there = length(&cache.blob(&blob.name));
        let is_whole = there.is_some_and(|there| blob.bytes.is_none_or(|bytes| bytes == there));
        if !is_whole {
            let url = self.file_url(&plan.id, &plan.commit, &file.name);
            let part = cache.part(&blob.name);
            let transfer = Transfer {
                http: &self.http,
                url: &url,
                token: self.token_for(&url),
                file: &file.name,
                part: &part,
                size: blob.bytes,
                sum: blob.sum.as_ref(),
                limit: u64::MAX,
            };
            transfer
                .run(observer)
                .map_err(|fault| self.of_transfer(fault, plan, &file.name, &url, observer))?;
            cache.keep(&blob.name).map_err(disk)?;
        }
        let linked = cache.link(&plan.commit, &file.name, &blob.name);
        linked.map_err(|fault| match fault {
            LinkFault::Disk(fault) => disk(fault),
            LinkFault::Leaves(path) => HubError::LeavesCache {
                repository: plan.id.clone(),
                path,
            },
        })
    }

    /// The blob of a file: as listed, else as the file's own address says, which is what Python
    /// asks.
    fn blob(
        &self,
        plan: &FetchPlan,
        file: &PlannedFile,
        observer: &dyn Observer,
    ) -> Result<Blob, HubError> {
        if let Some(sum) = &file.sum {
            return Ok(Blob {
                name: sum.text().to_owned(),
                sum: Some(sum.clone()),
                bytes: file.bytes,
            });
        }
        let url = self.file_url(&plan.id, &plan.commit, &file.name);
        let request = Request {
            head: true,
            token: self.token_for(&url),
            redirects: Redirects::SameHost,
            identity: true,
            ..Request::get(&url)
        };
        let answer = self
            .http
            .ask(&request, observer, Ok)
            .map_err(|fault| network(&plan.id, fault))?;
        if answer.status >= 400 {
            let refusal = Refusal::new(&plan.id, host(&url), answer.status, &answer.headers, b"");
            let error = self.refused(&refusal.of_file(&file.name), observer);
            return Err(self.of_revision(error, &plan.commit, observer));
        }
        let etag = answer
            .header("x-linked-etag")
            .or_else(|| answer.header("etag"));
        let etag = etag.map(|etag| etag.trim().trim_start_matches("W/").trim_matches('"'));
        let is_name = |etag: &&str| {
            let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
            !etag.is_empty() && etag.len() <= 128 && etag.bytes().all(is_letter)
        };
        let Some(name) = etag.filter(is_name) else {
            return Err(HubError::NotData {
                repository: plan.id.clone(),
                file: Some(file.name.clone()),
                host: host(&url),
                what: "no ETag".to_owned(),
            });
        };
        let linked = answer
            .header("x-linked-size")
            .and_then(|size| size.parse().ok());
        // A redirect's own length is that of the redirect.
        let own_length = || answer.content_length().filter(|_| answer.status == 200);
        Ok(Blob {
            name: name.to_owned(),
            // Of small files only the listing says surely that the hash is git's.
            sum: Sum::from_name(name).filter(|sum| matches!(sum, Sum::Sha256(_))),
            bytes: file.bytes.or(linked).or_else(own_length),
        })
    }

    fn of_transfer(
        &self,
        fault: TransferFault,
        plan: &FetchPlan,
        file: &str,
        url: &str,
        observer: &dyn Observer,
    ) -> HubError {
        let repository = plan.id.clone();
        let file = file.to_owned();
        match fault {
            TransferFault::Http(fault) => network(&repository, fault),
            TransferFault::Disk(fault) => disk(&repository, fault),
            TransferFault::Refused {
                status,
                headers,
                body,
            } => {
                let refusal =
                    Refusal::new(&repository, host(url), status, &headers, body.as_bytes());
                let error = self.refused(&refusal.of_file(&file), observer);
                self.of_revision(error, &plan.commit, observer)
            }
            TransferFault::Html => HubError::NotData {
                repository,
                file: Some(file),
                host: host(url),
                what: "a web page".to_owned(),
            },
            TransferFault::Broken {
                have,
                total,
                attempts,
                reason,
            } => HubError::Broken {
                repository,
                file,
                have,
                total,
                attempts,
                reason,
            },
            TransferFault::Sum { expected, found } => HubError::Corrupted {
                repository,
                file,
                expected,
                found,
            },
            TransferFault::Size { expected, found } => HubError::WrongSize {
                repository,
                file,
                expected,
                found,
            },
        }
    }
}

fn length(path: &Path) -> Option<u64> {
    path.metadata().ok().map(|file| file.len())
}

fn disk(repository: &str, fault: DiskFault) -> HubError {
    HubError::Disk {
        repository: repository.to_owned(),
        fault,
    }
}
