//! What is done with a run that is complete: its classifier and its document stay of use.

use std::io::ErrorKind;
use std::path::Path;

use engine::device::Device;

use crate::config::Settings;
use crate::content;
use crate::record::RunRecord;
use crate::runner::ExecuteError;

/// A complete run.
#[derive(Debug, Clone, Copy)]
pub struct Finished<'a> {
    /// Where its results are.
    pub folder: &'a Path,
    /// Its record.
    pub record: &'a RunRecord,
    /// Its settings.
    pub settings: &'a Settings,
}

impl Finished<'_> {
    /// Makes sure that what the run left in a folder of its own is still that, to the last bit.
    ///
    /// # Errors
    /// With the first file that is not, and what makes it again.
    pub(super) fn verify(&self, folder: &str) -> Result<(), ExecuteError> {
        let files = self.record.files.iter();
        for (name, left) in files.filter(|(name, _)| name.split('/').next() == Some(folder)) {
            let path = self.folder.join(name);
            let what = match content::sha256(&path) {
                Ok(sha256) if sha256 == left.sha256 => continue,
                Ok(_) => "is not what the run left",
                Err(error) if error.kind() == ErrorKind::NotFound => "is missing",
                Err(_) => "cannot be read",
            };
            return Err(ExecuteError::message(format!(
                "{} {what}; `ensayo run --force {}` makes it again",
                path.display(),
                self.record.label()
            )));
        }
        Ok(())
    }
}

/// Runs that leave a classifier.
pub trait Classifier {
    /// The column of the data set that has the texts.
    fn text_column(&self) -> &str;

    /// Classifies texts with what the run trained.
    ///
    /// # Errors
    /// When the run's model or adapter cannot be read.
    fn predict(
        &self,
        finished: Finished<'_>,
        texts: &[String],
        device: Device,
    ) -> Result<Predictions, ExecuteError>;
}

/// What a trained run says of a text.
#[derive(Debug, Clone, PartialEq)]
pub struct Prediction {
    /// Index of the most probable class.
    pub class: usize,
    /// The network's output for each class.
    pub logits: Vec<f64>,
    /// The probability of each class.
    pub probabilities: Vec<f64>,
}

/// Predictions for several texts.
#[derive(Debug, Clone, PartialEq)]
pub struct Predictions {
    /// Class names in the order of their indices.
    pub classes: Vec<String>,
    /// One for each text.
    pub rows: Vec<Prediction>,
}

/// Who follows answers as they are written: gets a question's place and what came to its answer.
pub type Listener<'a, 'l> = &'a mut (dyn FnMut(usize, &str) + 'l);

/// Runs that search a document.
pub trait Searchable {
    /// Answers new questions as the run answers its own. A listener follows the answers as they
    /// are written: it gets the question's place and what came to its answer, one question after
    /// the other.
    ///
    /// # Errors
    /// When the document or a model cannot be read, or is not what it was when the run was made.
    fn ask(
        &self,
        finished: Finished<'_>,
        questions: &[String],
        device: Device,
        listener: Option<Listener<'_, '_>>,
    ) -> Result<Vec<Asked>, ExecuteError>;
}

/// What a question found.
#[derive(Debug, Clone, PartialEq)]
pub struct Asked {
    /// The best chunks, the best first.
    pub fragments: Vec<FoundFragment>,
    /// The answer, unless the run only retrieves.
    pub answer: Option<String>,
    /// Whether a listener heard it while it was written.
    pub heard: bool,
    /// What a reader of the answer should know.
    pub notes: Vec<String>,
}

/// A chunk that a question found.
#[derive(Debug, Clone, PartialEq)]
pub struct FoundFragment {
    /// How answers cite it.
    pub citation: String,
    /// How near to the question it is.
    pub score: f64,
    /// What it says.
    pub text: String,
}
