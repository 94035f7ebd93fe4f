//! The state of an interrupted training, in one file of the run's folder.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use engine::training::{History, State};
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::content::hex;
use crate::record::{self, CHECKPOINT_FILE, RecordError};

/// What stands in the file's metadata.
#[derive(Debug, Serialize, Deserialize)]
struct Header {
    /// The run's identity: a state of other settings is not used.
    identity: String,
    history: History,
    losses: Vec<f64>,
    parameters: usize,
    moments: usize,
    kept: bool,
}

/// The keys of the metadata.
const KEY: &str = "state";
const SUM: &str = "sha256";

/// sha256 of everything in the file that is read again, in hexadecimal digits. A state that is not
/// to the last bit what was written would train on from nowhere, or not at all, each time again.
fn sum<'a>(header: &str, tensors: impl Iterator<Item = (&'a str, &'a [u8])>) -> String {
    let mut sum = Sha256::new();
    let mut add = |bytes: &[u8]| {
        sum.update((bytes.len() as u64).to_le_bytes());
        sum.update(bytes);
    };
    add(header.as_bytes());
    let tensors: BTreeMap<&str, &[u8]> = tensors.collect();
    for (name, bytes) in tensors {
        add(name.as_bytes());
        add(bytes);
    }
    hex(&sum.finalize())
}

/// Writes a state, atomically.
///
/// # Errors
/// When the file cannot be written.
pub fn write(folder: &Path, identity: &str, state: &State) -> Result<(), RecordError> {
    let header = Header {
        identity: identity.to_owned(),
        history: state.history.clone(),
        losses: state.losses.clone(),
        parameters: state.parameters.len(),
        moments: state.moments.len(),
        kept: state.kept.is_some(),
    };
    let named = |prefix: &'static str, rows: &[Vec<f32>]| {
        let bytes = rows.iter().enumerate().map(move |(index, row)| {
            let bytes: Vec<u8> = row.iter().flat_map(|value| value.to_le_bytes()).collect();
            (format!("{prefix}.{index}"), bytes)
        });
        bytes.collect::<Vec<_>>()
    };
    let moments: Vec<Vec<f32>> = state.moments.iter().flatten().cloned().collect();
    let mut tensors = named("parameter", &state.parameters);
    tensors.extend(named("moment", &moments));
    tensors.extend(named("kept", state.kept.as_deref().unwrap_or_default()));

    let path = folder.join(CHECKPOINT_FILE);
    let broken = |message: String| RecordError::Broken {
        path: path.clone(),
        message,
    };
    let text = serde_json::to_string(&header).map_err(|error| broken(error.to_string()))?;
    let sum = sum(
        &text,
        tensors
            .iter()
            .map(|(name, bytes)| (name.as_str(), bytes.as_slice())),
    );
    let views = tensors.iter().map(|(name, bytes)| {
        TensorView::new(Dtype::F32, vec![bytes.len() / 4], bytes).map(|view| (name, view))
    });
    let content = views
        .collect::<Result<Vec<_>, _>>()
        .and_then(|views| {
            let metadata = [(KEY.to_owned(), text), (SUM.to_owned(), sum)];
            safetensors::serialize(views, Some(HashMap::from(metadata)))
        })
        .map_err(|error| broken(error.to_string()))?;
    record::write_atomically(&path, &content)
}

/// Reads the state that a run with this identity left; none if there is no such file, or it is
/// another's or broken, since starting over is always right.
#[must_use]
pub fn read(folder: &Path, identity: &str) -> Option<State> {
    let bytes = std::fs::read(folder.join(CHECKPOINT_FILE)).ok()?;
    let (_, metadata) = SafeTensors::read_metadata(&bytes).ok()?;
    let metadata = metadata.metadata().as_ref()?;
    let text = metadata.get(KEY)?;
    let header: Header = serde_json::from_str(text).ok()?;
    if header.identity != identity {
        return None;
    }
    let tensors = SafeTensors::deserialize(&bytes).ok()?;
    let stored = tensors.iter().map(|(name, view)| (name, view.data()));
    if sum(text, stored) != *metadata.get(SUM)? {
        return None;
    }
    let rows = |prefix: &str, count: usize| {
        let row = |index| {
            let view = tensors.tensor(&format!("{prefix}.{index}")).ok()?;
            let values = view.data().as_chunks().0.iter();
            Some(values.map(|&bytes| f32::from_le_bytes(bytes)).collect())
        };
        (0..count).map(row).collect::<Option<Vec<Vec<f32>>>>()
    };
    let mut moments = rows("moment", 2 * header.moments)?.into_iter();
    let pairs = std::iter::from_fn(|| Some([moments.next()?, moments.next()?]));
    Some(State {
        history: header.history,
        losses: header.losses,
        parameters: rows("parameter", header.parameters)?,
        moments: pairs.collect(),
        kept: if header.kept {
            Some(rows("kept", header.parameters)?)
        } else {
            None
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state() -> State {
        State {
            history: History {
                steps: 3,
                mean_loss: 0.1 + 0.2,
                ..History::default()
            },
            losses: vec![0.7, 1.0 / 3.0],
            parameters: vec![vec![1.0, -0.0], vec![f32::MIN_POSITIVE]],
            moments: vec![[vec![0.1, 0.2], vec![0.3, 0.4]], [vec![0.5], vec![0.6]]],
            kept: Some(vec![vec![9.0, 8.0], vec![7.0]]),
        }
    }

    #[test]
    fn a_state_is_read_back_to_the_last_bit() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), "a", &state()).unwrap();
        assert_eq!(read(folder.path(), "a"), Some(state()));
        let fresh = State {
            moments: Vec::new(),
            kept: None,
            ..state()
        };
        write(folder.path(), "a", &fresh).unwrap();
        assert_eq!(read(folder.path(), "a"), Some(fresh));
    }

    #[test]
    fn a_state_of_other_settings_or_a_broken_file_is_no_state() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(read(folder.path(), "a"), None);
        write(folder.path(), "a", &state()).unwrap();
        assert_eq!(read(folder.path(), "b"), None);
        let path = folder.path().join(CHECKPOINT_FILE);
        let whole = std::fs::read(&path).unwrap();
        for length in [0, 5, 40, whole.len() - 1] {
            std::fs::write(&path, &whole[..length]).unwrap();
            assert_eq!(read(folder.path(), "a"), None, "{length}");
        }
        for place in 0..whole.len() {
            let mut damaged = whole.clone();
            damaged[place] ^= 4;
            std::fs::write(&path, damaged).unwrap();
            let read = read(folder.path(), "a");
            // White space at the header's end pads it, and says nothing.
            assert!(read.is_none() || whole[place] == b' ', "{place}");
        }
    }
}
