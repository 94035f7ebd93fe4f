//! Uses what a run trained.

use engine::classifier::{self, Start};
use engine::device::Device;

use super::sets::{tokenise, tokenizer};
use crate::config::{LoraSettings, Settings};
use crate::data;
use crate::plan::RunSpec;
use crate::runner::ExecuteError;
use crate::tasks::{Classifier, Finished, Prediction, Predictions, encoder, prepare};

impl Classifier for LoraSettings {
    fn text_column(&self) -> &str {
        &self.data.text
    }

    fn predict(
        &self,
        finished: Finished<'_>,
        texts: &[String],
        device: Device,
    ) -> Result<Predictions, ExecuteError> {
        let Finished {
            folder,
            record,
            settings,
        } = finished;
        finished.verify("adapter")?;
        // With its model where that is now.
        let found = RunSpec::of_finished(record, folder, settings, &["model"])?;
        let Settings::Lora(here) = &found.settings else {
            return Err(ExecuteError::message("the run trained no classifier"));
        };
        prepare(device, folder);
        let classes = record.labels.clone();
        let encoder = encoder::open(&here.model, classes.len(), record.seed)?;
        let tokenizer = tokenizer(&encoder, self.training.max_length)?;
        let rows = texts.iter().enumerate().map(|(row, text)| data::Example {
            row,
            text: text.clone(),
            label: 0,
        });
        let examples = tokenise(
            |texts| tokenizer.encode(texts),
            &rows.collect::<Vec<_>>(),
            "given",
        )?;
        let format = encoder::format(self.model.precision, device)?;
        let adapter = folder.join("adapter");
        let model = classifier::load(&encoder, Start::Folder(&adapter), format, device)?;
        let batch_size = self.training.rows_at_once();
        let predictions = model
            .evaluate(&examples, batch_size, &mut |_| true)
            .unwrap_or_default();
        let rows = predictions
            .classes()
            .into_iter()
            .zip(predictions.logits)
            .zip(predictions.probabilities);
        Ok(Predictions {
            classes,
            rows: rows
                .map(|((class, logits), probabilities)| Prediction {
                    class,
                    logits,
                    probabilities,
                })
                .collect(),
        })
    }
}
