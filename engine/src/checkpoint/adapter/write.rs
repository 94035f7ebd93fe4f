//! Writes an adapter as PEFT does.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use safetensors::Dtype;
use safetensors::tensor::TensorView;

use super::config::AdapterConfig;
use super::{AdapterError, CLASSES_FILE, CONFIG_FILE, Card, PREFIX, TENSORS_FILE};

/// Writes `adapter_config.json`, `adapter_model.safetensors`, `README.md` and, where the card names
/// classes, `config.json` into `folder`.
///
/// `tensors` are shapes and little-endian 32-bit floats by the names of their modules without
/// PEFT's prefix.
///
/// # Errors
/// When a file cannot be written.
pub fn write(
    folder: &Path,
    config: &AdapterConfig,
    tensors: &BTreeMap<String, (Vec<usize>, Vec<u8>)>,
    card: &Card,
) -> Result<(), AdapterError> {
    let views = tensors.iter().map(|(name, (shape, bytes))| {
        TensorView::new(Dtype::F32, shape.clone(), bytes)
            .map(|view| (format!("{PREFIX}{name}"), view))
    });
    let stored = views.collect::<Result<Vec<_>, _>>().and_then(|views| {
        safetensors::serialize(views, Some(HashMap::from([("format".into(), "pt".into())])))
    });
    let failed = |name: &str, source| AdapterError::Write {
        path: folder.join(name),
        source,
    };
    std::fs::create_dir_all(folder).map_err(|source| failed("", source))?;
    let write = |name: &str, content: &[u8]| {
        std::fs::write(folder.join(name), content).map_err(|source| failed(name, source))
    };
    let stored = stored.map_err(|error| failed(TENSORS_FILE, std::io::Error::other(error)))?;
    write(TENSORS_FILE, &stored)?;
    let text = serde_json::to_string_pretty(config)
        .map_err(|error| failed(CONFIG_FILE, std::io::Error::other(error)))?;
    write(CONFIG_FILE, text.as_bytes())?;
    if let Some(classes) = card.config_json() {
        write(CLASSES_FILE, classes.as_bytes())?;
    }
    write("README.md", card.readme().as_bytes())
}
