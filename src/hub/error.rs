//! Why a model did not come. Each message names the repository, the file where there is one, what
//! happened, and the cure.

use std::path::PathBuf;

use super::disk::DiskFault;
use super::http::HttpFault;

/// A failure of the hub's client.
#[derive(Debug, thiserror::Error)]
pub enum HubError {
    /// The name of a repository is none.
    #[error(
        "`{id}` is not the name of a model on the hub: expected `name` or `owner/name`, of letters, digits, `-`, `_` and `.`"
    )]
    BadId {
        /// What was given.
        id: String,
    },
    /// The name of a revision is none.
    #[error("{repository}: `{revision}` is not a revision: expected a branch, a tag or a commit")]
    BadRevision {
        /// The repository.
        repository: String,
        /// What was given.
        revision: String,
    },
    /// A name that the repository gives leads out of its folder.
    #[error(
        "{repository}: {named_in} names the file `{name}`, which is not below its folder: the repository is damaged or hostile; report it there"
    )]
    BadName {
        /// The repository.
        repository: String,
        /// The file that names it.
        named_in: String,
        /// The name.
        name: String,
    },
    /// Access has to be asked for.
    #[error("{repository} is gated: {}", gated(.page, *.token))]
    Gated {
        /// The repository.
        repository: String,
        /// The page where access is granted.
        page: String,
        /// Whether a token was sent.
        token: bool,
    },
    /// Missing, misspelt or private.
    #[error("{repository} is not on {endpoint}, or is private{}: {}", there_is(.near), private(*.token))]
    NotFound {
        /// The repository.
        repository: String,
        /// The hub's address.
        endpoint: String,
        /// Repositories with similar names.
        near: Vec<String>,
        /// Whether a token was sent.
        token: bool,
    },
    /// The token is not accepted.
    #[error(
        "{repository}: the hub does not accept the token: make a new one at {endpoint}/settings/tokens and put it into HF_TOKEN"
    )]
    BadToken {
        /// The repository.
        repository: String,
        /// The hub's address.
        endpoint: String,
    },
    /// No such branch, tag or commit.
    #[error("{repository} has no revision `{revision}`{}", there_is(.known))]
    NoRevision {
        /// The repository.
        repository: String,
        /// The revision.
        revision: String,
        /// Revisions that it has.
        known: Vec<String>,
    },
    /// No such file.
    #[error("{repository} at {revision} has no file `{file}`{}", there_is(.present))]
    NoFile {
        /// The repository.
        repository: String,
        /// The revision.
        revision: String,
        /// The file.
        file: String,
        /// Files that it has.
        present: Vec<String>,
    },
    /// No weights in a format that can be read.
    #[error("{repository} at {revision} has no weights that can be used{}: expected model.safetensors, its shards with model.safetensors.index.json, or pytorch_model.bin; choose another repository or revision (conversions are often in `refs/pr/1`)", only(.found))]
    NoWeights {
        /// The repository.
        repository: String,
        /// The revision.
        revision: String,
        /// Weights in other formats.
        found: Vec<String>,
    },
    /// The hub has switched the repository off.
    #[error("{repository} is disabled on the hub: {reason}: choose another model")]
    Disabled {
        /// The repository.
        repository: String,
        /// What the hub says.
        reason: String,
    },
    /// Not in the cache, and nothing may be asked.
    #[error("{repository} at {revision} lacks {} in the cache {}, and the network is switched off by HF_HUB_OFFLINE: unset it, or run `ensayo fetch` on a machine with network and the same cache", listed(.missing), .cache.display())]
    Offline {
        /// The repository.
        repository: String,
        /// The revision.
        revision: String,
        /// Files that are missing.
        missing: Vec<String>,
        /// The cache.
        cache: PathBuf,
    },
    /// No answer.
    #[error("{repository}: {fault}")]
    Network {
        /// The repository, or what was asked.
        repository: String,
        /// What happened.
        fault: HttpFault,
    },
    /// The hub asks for patience, and attempts are over.
    #[error("{repository}: the hub accepts no more requests for now (status 429){}", private_limit(*.token))]
    RateLimited {
        /// The repository, or what was asked.
        repository: String,
        /// Whether a token was sent.
        token: bool,
    },
    /// Any other refusal.
    #[error("{repository}{}: {host} answers {status}{}: try again later, and look at https://status.huggingface.co if it persists", of_file(.file.as_ref()), said(.reason))]
    Refused {
        /// The repository, or what was asked.
        repository: String,
        /// The file.
        file: Option<String>,
        /// The host.
        host: String,
        /// The status.
        status: u16,
        /// What it says.
        reason: String,
    },
    /// A web page or other text in place of data.
    #[error("{repository}{}: {host} answers with {what} instead of the data: a proxy or a login page stands in between; open {host} in a browser, or check HF_ENDPOINT and HTTPS_PROXY", of_file(.file.as_ref()))]
    NotData {
        /// The repository, or what was asked.
        repository: String,
        /// The file.
        file: Option<String>,
        /// The host.
        host: String,
        /// What came.
        what: String,
    },
    /// A download broke too often.
    #[error("{repository}, {file}: the download broke off {attempts} times without progress, at {}: {reason}: run again, it goes on from there", of_total(*.have, *.total))]
    Broken {
        /// The repository.
        repository: String,
        /// The file.
        file: String,
        /// Bytes that are here.
        have: u64,
        /// Its size.
        total: Option<u64>,
        /// Attempts without progress.
        attempts: u32,
        /// What happened last.
        reason: String,
    },
    /// The content is not the announced one.
    #[error(
        "{repository}, {file}: what arrives is not what the hub announces: its hash is {found} instead of {expected}: a proxy or mirror alters it; try another network or HF_ENDPOINT"
    )]
    Corrupted {
        /// The repository.
        repository: String,
        /// The file.
        file: String,
        /// The hash that the hub gives.
        expected: String,
        /// The hash of what came.
        found: String,
    },
    /// The length is not the announced one.
    #[error(
        "{repository}, {file}: the server sends {found} bytes instead of {expected}: a proxy or mirror alters it; try another network or HF_ENDPOINT"
    )]
    WrongSize {
        /// The repository.
        repository: String,
        /// The file.
        file: String,
        /// The size that the hub gives.
        expected: u64,
        /// The size of what came.
        found: u64,
    },
    /// A folder of the cache is a link to somewhere else.
    #[error("{repository}: {} leads out of the cache, and nothing is written there: remove the link", .path.display())]
    LeavesCache {
        /// The repository.
        repository: String,
        /// The folder.
        path: PathBuf,
    },
    /// The disk.
    #[error("{repository}: {fault}")]
    Disk {
        /// The repository.
        repository: String,
        /// What happened.
        fault: DiskFault,
    },
    /// A file that says which others belong to the model cannot be read.
    #[error("{repository}, {file}: {reason}: the repository is damaged; choose another revision")]
    Damaged {
        /// The repository.
        repository: String,
        /// The file.
        file: String,
        /// What is wrong.
        reason: String,
    },
    /// The client could not be set up.
    #[error("{0}")]
    Setup(HttpFault),
}

fn gated(page: &str, token: bool) -> String {
    if token {
        format!(
            "your account has no access yet: ask for it at {page}, and check that HF_TOKEN belongs to that account and may read gated repositories"
        )
    } else {
        format!(
            "accept its conditions at {page}, make a token in your account's settings, and put it into HF_TOKEN"
        )
    }
}

fn private(token: bool) -> &'static str {
    if token {
        "check the name, and that HF_TOKEN belongs to an account that may see it"
    } else {
        "check the name; for a private one put a token into HF_TOKEN"
    }
}

fn private_limit(token: bool) -> &'static str {
    if token {
        ": run again in a few minutes"
    } else {
        ": run again in a few minutes, or put a token into HF_TOKEN, for which limits are higher"
    }
}

fn there_is(names: &[String]) -> String {
    match names {
        [] => String::new(),
        _ => format!(" (there is {})", listed(names)),
    }
}

fn only(names: &[String]) -> String {
    match names {
        [] => String::new(),
        _ => format!(" (only {})", listed(names)),
    }
}

fn listed(names: &[String]) -> String {
    const SHOWN: usize = 6;
    let more = names.len().saturating_sub(SHOWN);
    let shown: Vec<String> = names
        .iter()
        .take(SHOWN)
        .map(|name| format!("`{name}`"))
        .collect();
    match more {
        0 => shown.join(", "),
        _ => format!("{} and {more} more", shown.join(", ")),
    }
}

fn of_file(file: Option<&String>) -> String {
    file.map(|file| format!(", {file}")).unwrap_or_default()
}

fn said(reason: &str) -> String {
    if reason.is_empty() {
        String::new()
    } else {
        format!(" ({reason})")
    }
}

fn of_total(have: u64, total: Option<u64>) -> String {
    match total {
        Some(total) => format!("{have} of {total} bytes"),
        None => format!("{have} bytes"),
    }
}
