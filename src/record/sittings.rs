//! The sittings that a result took: an interrupted run goes on in another one, perhaps elsewhere.

use std::fs;
use std::path::Path;
use std::time::SystemTime;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::store::write_json;
use super::{ANSWERED_FILE, CHECKPOINT_FILE, RecordError, SITTINGS_FILE};

/// One sitting: from when a process took the work up until it finished, stopped or died.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sitting {
    /// When it began, RFC 3339.
    pub started: String,
    /// `cpu` or `cuda:N`, as asked for.
    pub device: String,
    /// How long it lasted; of one that was killed, until its last sign of life.
    pub seconds: f64,
}

/// The earlier sittings whose work goes on: none where they left nothing to go on from.
#[must_use]
pub fn earlier(work: &Path) -> Vec<Sitting> {
    let goes_on = [CHECKPOINT_FILE, ANSWERED_FILE];
    if !goes_on.iter().any(|name| work.join(name).exists()) {
        return Vec::new();
    }
    let text = fs::read(work.join(SITTINGS_FILE)).unwrap_or_default();
    let mut sittings: Vec<Sitting> = serde_json::from_slice(&text).unwrap_or_default();
    if let Some(last) = sittings.last_mut()
        && last.seconds == 0.0
        && let Ok(started) = last.started.parse::<Timestamp>()
        && let Some(end) = last_sign_of_life(work)
    {
        last.seconds = end.duration_since(started).as_secs_f64().max(0.0);
    }
    sittings
}

/// Writes the sittings down, the present one last with no seconds yet.
///
/// # Errors
/// When the file cannot be written.
pub fn write(work: &Path, sittings: &[Sitting]) -> Result<(), RecordError> {
    write_json(&work.join(SITTINGS_FILE), &sittings)
}

/// When a file of the folder was last written.
fn last_sign_of_life(work: &Path) -> Option<Timestamp> {
    let written = fs::read_dir(work).ok()?.flatten();
    let times = written.filter_map(|file| file.metadata().ok()?.modified().ok());
    Timestamp::try_from(times.max().unwrap_or(SystemTime::UNIX_EPOCH)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_killed_sitting_lasted_until_its_last_file() {
        let work = tempfile::tempdir().unwrap();
        let sitting = |started: Timestamp, seconds| Sitting {
            started: started.to_string(),
            device: "cpu".into(),
            seconds,
        };
        let begun = Timestamp::now() - jiff::SignedDuration::from_secs(60);
        write(work.path(), &[sitting(begun, 4.0), sitting(begun, 0.0)]).unwrap();
        // Nothing to go on from: the time was spent for nothing that is left.
        assert_eq!(earlier(work.path()), []);
        fs::write(work.path().join(CHECKPOINT_FILE), "").unwrap();
        let sittings = earlier(work.path());
        assert!((sittings[0].seconds - 4.0).abs() < 1e-9);
        assert!((59.0..90.0).contains(&sittings[1].seconds), "{sittings:?}");
    }
}
