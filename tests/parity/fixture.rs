//! Reads fixtures and measures distances.

use std::path::{Path, PathBuf};

use safetensors::SafeTensors;
use safetensors::tensor::TensorView;

/// A path below `tests/parity`.
pub fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/parity")
        .join(name)
}

/// A safetensors file.
pub struct Fixture(Vec<u8>);

impl Fixture {
    pub fn read(name: &str) -> Self {
        Self(std::fs::read(path(name)).unwrap())
    }

    fn view<T>(&self, name: &str, of: impl FnOnce(&TensorView) -> T) -> T {
        of(&SafeTensors::deserialize(&self.0)
            .unwrap()
            .tensor(name)
            .unwrap())
    }

    pub fn floats(&self, name: &str) -> Vec<f32> {
        self.view(name, |view| {
            let values = view.data().as_chunks().0.iter();
            values.map(|&bytes| f32::from_le_bytes(bytes)).collect()
        })
    }

    pub fn integers(&self, name: &str) -> Vec<usize> {
        self.view(name, |view| {
            let values = view.data().as_chunks().0.iter();
            values
                .map(|&bytes| usize::try_from(i64::from_le_bytes(bytes)).unwrap())
                .collect()
        })
    }
}

/// Asserts that no value is further than `tolerance` from its reference.
#[track_caller]
pub fn assert_close(what: &str, actual: &[f32], expected: &[f32], tolerance: f32) {
    assert_eq!(actual.len(), expected.len(), "{what}: length");
    for (place, (one, other)) in actual.iter().zip(expected).enumerate() {
        assert!(
            (one - other).abs() <= tolerance,
            "{what}: {one} against {other} in place {place}, tolerance {tolerance:e}"
        );
    }
}
