//! What training reads, looked at before anything runs.

use engine::FloatDType;
use engine::classifier;
use engine::device::Device;

use crate::config::LoraSettings;
use crate::data::{self, Splits};
use crate::hub::Wanted;
use crate::tasks::inspect::{Inspection, Look};
use crate::tasks::needs::absent_reviews;
use crate::tasks::snapshot;

use super::classes;
use super::sets::{tokenise, tokenizer};

/// Rows of each split whose texts are tried on the tokeniser, those with the shortest texts.
const TRIED: usize = 64;

/// The data and their classes; the model, its tokeniser, its fit for these classes, and that of the
/// adapter to start from.
pub fn look(settings: &LoraSettings, inspection: &mut Inspection) -> Vec<Look> {
    if let Some(said) = absent_reviews(&settings.data) {
        return vec![Ok(vec![said])];
    }
    let mut splits = None;
    let data = inspection.once(&("data", &settings.data), || {
        let read = data::prepare(&settings.data).map_err(|error| error.to_string())?;
        let mut facts = vec![classes(&read, settings)];
        let path = settings.data.path.display();
        let warnings = read.labels.warnings().into_iter();
        facts.extend(warnings.map(|warning| format!("{path}: {warning}")));
        splits = Some(read);
        Ok(facts)
    });
    if data.is_err() {
        return vec![data];
    }
    let key = (
        "model",
        &settings.model,
        &settings.data,
        &settings.lora.init,
        settings.training.max_length,
    );
    let model = inspection.once(&key, || {
        if let Some(said) = snapshot::absent(&settings.model.origin, Wanted::Classifier) {
            return Ok(vec![said]);
        }
        let mut splits = match splits {
            Some(splits) => splits,
            None => data::prepare(&settings.data).map_err(|error| error.to_string())?,
        };
        model(settings, &mut splits).map_err(|error| error.to_string())
    });
    vec![data, model]
}

fn model(
    settings: &LoraSettings,
    splits: &mut Splits,
) -> Result<Vec<String>, crate::runner::ExecuteError> {
    let (encoder, order) = classes::open(settings, splits, 0)?;
    encoder.check_values()?;
    let tokenizer = tokenizer(&encoder, settings.training.max_length)?;
    let evaluations = splits.evaluations.iter();
    let named = evaluations.map(|set| (set.name.as_str(), set.examples.as_slice()));
    let validation = splits.validation.as_deref().unwrap_or_default();
    let sets = [
        ("train", splits.train.as_slice()),
        ("test", splits.test.as_slice()),
        ("validation", validation),
    ];
    for (name, rows) in sets.into_iter().chain(named) {
        let mut rows: Vec<&data::Example> = rows.iter().collect();
        rows.sort_by_key(|row| row.text.len());
        let tried: Vec<data::Example> = rows.into_iter().take(TRIED).cloned().collect();
        tokenise(|texts| tokenizer.encode(texts), &tried, name)?;
    }
    if let Some(adapter) = &settings.lora.init {
        // Whether an adapter fits shows when it is attached.
        let start = classes::start_from(settings, adapter);
        classifier::load(&encoder, start, FloatDType::F32, Device::Cpu)?;
    }
    Ok(order.into_iter().collect())
}

/// How many rows each class has, the largest first.
fn classes(splits: &Splits, settings: &LoraSettings) -> String {
    const SHOWN: usize = 8;
    let names = splits.labels.names();
    let mut counts = vec![0_usize; names.len()];
    let validation = splits.validation.as_deref().unwrap_or_default();
    let rows = splits.train.iter().chain(validation).chain(&splits.test);
    for row in rows {
        counts[row.label] += 1;
    }
    let mut order: Vec<usize> = (0..names.len()).collect();
    order.sort_by_key(|&class| std::cmp::Reverse(counts[class]));
    let shown: Vec<String> = order
        .iter()
        .take(SHOWN)
        .map(|&class| format!("{} {}", names[class], counts[class]))
        .collect();
    let more = match names.len().saturating_sub(SHOWN) {
        0 => String::new(),
        more => format!(", and {more} more"),
    };
    format!(
        "{}: {} training, {} test rows; classes: {}{more}",
        settings.data.path.display(),
        splits.train.len(),
        splits.test.len(),
        shown.join(", ")
    )
}
