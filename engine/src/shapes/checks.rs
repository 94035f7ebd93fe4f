//! What every `config.json` must keep to for a network to exist.

use super::ShapesError;

/// The error of a key whose value is impossible.
pub(super) fn impossible(key: &'static str, problem: impl Into<String>) -> ShapesError {
    ShapesError::Impossible {
        key,
        problem: problem.into(),
    }
}

/// Refuses a network without extent.
pub(super) fn check_sizes(sizes: &[(&'static str, usize)]) -> Result<(), ShapesError> {
    if let Some((key, _)) = sizes.iter().find(|(_, size)| *size == 0) {
        return Err(impossible(key, "is 0"));
    }
    // Bounds no real checkpoint comes near, so that no list of tensors is longer than memory and no
    // count of parameters overflows.
    let largest = |key: &str| match key {
        "num_hidden_layers" => 1 << 10,
        "vocab_size" => 1 << 28,
        _ => 1 << 22,
    };
    match sizes.iter().find(|(key, size)| *size > largest(key)) {
        Some((key, size)) => Err(impossible(
            key,
            format!("is {size}, which is beyond any real checkpoint"),
        )),
        None => Ok(()),
    }
}

/// Refuses a dropout outside of 0 to 1.
pub(super) fn check_dropouts(dropouts: &[(&'static str, f64)]) -> Result<(), ShapesError> {
    match dropouts
        .iter()
        .find(|(_, value)| !(0.0..1.0).contains(value))
    {
        Some((key, value)) => Err(impossible(
            key,
            format!("is {value}, but must be at least 0 and less than 1"),
        )),
        None => Ok(()),
    }
}

/// Refuses a norm that could divide by zero, and a negative deviation.
pub(super) fn check_scales(layer_norm_eps: f64, initializer_range: f64) -> Result<(), ShapesError> {
    if !(layer_norm_eps > 0.0 && layer_norm_eps.is_finite()) {
        return Err(impossible(
            "layer_norm_eps",
            format!("is {layer_norm_eps}, but must be above 0"),
        ));
    }
    if !(initializer_range >= 0.0 && initializer_range.is_finite()) {
        return Err(impossible(
            "initializer_range",
            format!("is {initializer_range}, but must be at least 0"),
        ));
    }
    Ok(())
}
