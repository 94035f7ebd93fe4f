//! Why reviews did not come.

use std::path::PathBuf;

use crate::hub::DiskFault;
use crate::hub::http::HttpFault;

/// A failure of the client for reviews.
#[derive(Debug, thiserror::Error)]
pub enum SteamError {
    /// The service is gone from there.
    #[error(
        "{host}: {what}: the reviews are no longer served there; look for the new address and set the service's address and dialect, or use a CSV with `path`"
    )]
    Retired {
        /// The host.
        host: String,
        /// What came in place of reviews.
        what: String,
    },
    /// No such game.
    #[error(
        "Steam knows no reviews of a game with the number {app}: the number stands in the address of its page in the store"
    )]
    NoSuchGame {
        /// The number.
        app: u64,
    },
    /// Attempts are over.
    #[error(
        "{host} answers {status}: what has come is kept; run again later, it goes on from there"
    )]
    Busy {
        /// The host.
        host: String,
        /// The status.
        status: u16,
    },
    /// Something other than reviews came.
    #[error(
        "{host} answers with {what} instead of reviews: what has come is kept; run again later, it goes on from there"
    )]
    NotReviews {
        /// The host.
        host: String,
        /// What came.
        what: String,
    },
    /// No answer.
    #[error(
        "the reviews of game {app}: {fault}: what has come is kept; run again, it goes on from there"
    )]
    Network {
        /// The game.
        app: u64,
        /// What happened.
        fault: HttpFault,
    },
    /// Not here, and nothing may be asked.
    #[error("of the reviews of game {app}, {have} of {wanted} {class} ones are in {}, and the network is switched off: run `ensayo fetch` on a machine with network", .folder.display())]
    Offline {
        /// The game.
        app: u64,
        /// The class.
        class: &'static str,
        /// How many are here.
        have: usize,
        /// How many are wanted.
        wanted: usize,
        /// The folder.
        folder: PathBuf,
    },
    /// The language's name is none.
    #[error(
        "`{language}` is not Steam's name of a language: expected `english`, `spanish`, `schinese` or the like, or `all`"
    )]
    BadLanguage {
        /// What was given.
        language: String,
    },
    /// The dialect's name is none.
    #[error("ENSAYO_STEAM_DIALECT is `{dialect}`: expected `service` or `store`")]
    BadDialect {
        /// What was given.
        dialect: String,
    },
    /// There is no client to ask with.
    #[error("cannot ask Steam: {0}")]
    Client(HttpFault),
    /// A kept page cannot be read.
    #[error("{}: {reason}: remove the file, and its page is fetched again", .path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// The disk.
    #[error("{0}")]
    Disk(#[from] DiskFault),
}
