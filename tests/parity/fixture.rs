//! Reads fixtures and measures distances; also part of the engine's tests, which have fixtures of their own.

use std::path::{Path, PathBuf};

use safetensors::SafeTensors;

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
        let path = path(name);
        Self(std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display())))
    }

    fn view<T>(&self, name: &str, of: impl FnOnce(&safetensors::tensor::TensorView) -> T) -> T {
        let tensors = SafeTensors::deserialize(&self.0).unwrap();
        of(&tensors
            .tensor(name)
            .unwrap_or_else(|error| panic!("{name}: {error}")))
    }

    pub fn names(&self) -> Vec<String> {
        SafeTensors::deserialize(&self.0)
            .unwrap()
            .names()
            .into_iter()
            .map(str::to_owned)
            .collect()
    }

    pub fn has(&self, name: &str) -> bool {
        self.names().iter().any(|other| other == name)
    }

    pub fn shape(&self, name: &str) -> Vec<usize> {
        self.view(name, |view| view.shape().to_vec())
    }

    pub fn floats(&self, name: &str) -> Vec<f32> {
        self.view(name, |view| {
            assert_eq!(view.dtype(), safetensors::Dtype::F32, "{name}");
            view.data()
                .as_chunks()
                .0
                .iter()
                .map(|&bytes| f32::from_le_bytes(bytes))
                .collect()
        })
    }

    pub fn integers(&self, name: &str) -> Vec<usize> {
        self.view(name, |view| {
            assert_eq!(view.dtype(), safetensors::Dtype::I64, "{name}");
            let values = view
                .data()
                .as_chunks()
                .0
                .iter()
                .map(|&bytes| i64::from_le_bytes(bytes));
            values
                .map(|value| usize::try_from(value).unwrap())
                .collect()
        })
    }

    /// The texts of a ragged batch.
    pub fn texts(&self, prefix: &str) -> Vec<Vec<u32>> {
        let ids = self.integers(&format!("{prefix}token_ids"));
        let mut ids = ids.into_iter().map(|id| u32::try_from(id).unwrap());
        let lengths = self.integers(&format!("{prefix}lengths"));
        lengths
            .into_iter()
            .map(|length| ids.by_ref().take(length).collect())
            .collect()
    }
}

/// Asserts that no value is further than `tolerance` from its reference.
#[track_caller]
pub fn assert_close(what: &str, actual: &[f32], expected: &[f32], tolerance: f32) {
    assert_eq!(actual.len(), expected.len(), "{what}: length");
    let distance = |(a, b): (&f32, &f32)| {
        if a.is_nan() || b.is_nan() {
            f32::INFINITY
        } else {
            (a - b).abs()
        }
    };
    let worst = actual
        .iter()
        .zip(expected)
        .map(distance)
        .fold(0.0, f32::max);
    assert!(
        worst <= tolerance,
        "{what}: largest difference {worst:e}, tolerance {tolerance:e}"
    );
}

/// As [`assert_close`], with a tolerance that grows with the largest reference value above 1.
#[track_caller]
pub fn assert_close_to_scale(what: &str, actual: &[f32], expected: &[f32], tolerance: f32) {
    let scale = expected
        .iter()
        .fold(1.0_f32, |scale, value| scale.max(value.abs()));
    assert_close(what, actual, expected, tolerance * scale);
}

/// Asserts that the difference of two rows of values is at most `tolerance` times the reference's norm.
#[track_caller]
pub fn assert_relative(what: &str, actual: &[f32], expected: &[f32], tolerance: f64) {
    assert_eq!(actual.len(), expected.len(), "{what}: length");
    let norm = |values: &mut dyn Iterator<Item = f64>| {
        values.map(|value| value * value).sum::<f64>().sqrt()
    };
    let difference = norm(
        &mut actual
            .iter()
            .zip(expected)
            .map(|(a, b)| f64::from(*a) - f64::from(*b)),
    );
    let reference = norm(&mut expected.iter().map(|&value| f64::from(value)));
    assert!(
        reference > 0.0,
        "{what}: the reference is 0, which proves nothing"
    );
    assert!(
        difference <= tolerance * reference,
        "{what}: relative difference {:e}, tolerance {tolerance:e}",
        difference / reference
    );
}
