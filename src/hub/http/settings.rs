//! How patient requests are. All of it can be set, so that tests of every fault take moments.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// How a wait is spent: sleeping, unless a test counts waits instead.
#[derive(Clone)]
pub struct Pause(Arc<dyn Fn(Duration) + Send + Sync>);

impl Pause {
    /// A wait that does `spend` instead of sleeping.
    pub fn new(spend: impl Fn(Duration) + Send + Sync + 'static) -> Self {
        Self(Arc::new(spend))
    }

    pub(crate) fn spend(&self, time: Duration) {
        (self.0)(time);
    }
}

impl Default for Pause {
    fn default() -> Self {
        Self::new(std::thread::sleep)
    }
}

impl fmt::Debug for Pause {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Pause")
    }
}

/// Time limits, retries and the name that servers see.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Longest time to find and reach a host, encryption included.
    pub connect_timeout: Duration,
    /// Longest time from a request to the answer's headers.
    pub answer_timeout: Duration,
    /// Longest silence, before an answer or in the middle of it.
    pub stall_timeout: Duration,
    /// A body that brings fewer than `drip_bytes` in this time counts as stalled.
    pub drip_window: Duration,
    /// The least that a body has to bring in `drip_window`; also the least progress that makes a
    /// broken download start to count its attempts anew.
    pub drip_bytes: u64,
    /// Attempts without progress, the first included.
    pub attempts: u32,
    /// Pause after the first failed attempt; doubled after each further one.
    pub first_pause: Duration,
    /// Longest of these pauses.
    pub longest_pause: Duration,
    /// Longest wait that a server may ask for; beyond it the request fails and says how long it
    /// would have been.
    pub longest_told_wait: Duration,
    /// How waits are spent.
    pub pause: Pause,
    /// The `User-Agent` header.
    pub user_agent: String,
}

impl Default for Settings {
    /// As patient as Python's client: five repetitions, a second at first and eight at most. Rate
    /// limits count in windows of 300 s, so a wait of that length is still granted.
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(10),
            answer_timeout: Duration::from_secs(20),
            stall_timeout: Duration::from_secs(20),
            drip_window: Duration::from_mins(1),
            drip_bytes: 16 * 1024,
            attempts: 6,
            first_pause: Duration::from_secs(1),
            longest_pause: Duration::from_secs(8),
            longest_told_wait: Duration::from_secs(330),
            pause: Pause::default(),
            user_agent: format!("ensayo/{} (rust; ureq)", env!("CARGO_PKG_VERSION")),
        }
    }
}
