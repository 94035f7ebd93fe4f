//! What a download says while it goes on. Rooms print nothing: whoever asks for a download listens.

/// A moment of a download.
#[derive(Debug, Clone, PartialEq)]
pub enum Event<'a> {
    /// A file is about to come; `have` bytes of it are here from an earlier attempt.
    Started {
        /// The file's name in its repository, or the document's address.
        file: &'a str,
        /// Its size, where it is known.
        total: Option<u64>,
        /// What is here already.
        have: u64,
    },
    /// More of a file is here.
    Progress {
        /// The file.
        file: &'a str,
        /// Its size, where it is known.
        total: Option<u64>,
        /// What is here now.
        have: u64,
    },
    /// A file is complete and checked.
    Finished {
        /// The file.
        file: &'a str,
    },
    /// A wait before the next attempt.
    Waiting {
        /// The host.
        host: &'a str,
        /// What went wrong.
        reason: &'a str,
        /// For how long.
        seconds: f64,
        /// Whether the server asked for this time.
        told: bool,
    },
    /// Another process fetches this file; it is waited for.
    WaitingForOther {
        /// The file.
        file: &'a str,
    },
}

/// Who listens to a download, and may stop it.
pub trait Observer: Sync {
    /// Something happened.
    fn event(&self, event: &Event<'_>);

    /// Whether to stop. What is half fetched stays for the next time.
    fn stopped(&self) -> bool {
        false
    }
}

/// Nobody listens.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Observer for Silent {
    fn event(&self, _: &Event<'_>) {}
}
