//! Pure functions on slices: what a classifier, a search or an answer got right, and how much of it
//! may be chance. Knows nothing of models, files or records.

mod answers;
mod classification;
mod paired;
mod report_text;
mod retrieval;
mod statistics;

pub use answers::{repetition, rouge_l, token_f1};
pub use classification::{
    ClassScore, ClassificationReport, ReportLine, Scores, accuracy, classification_report,
    confusion_matrix,
};
pub use paired::{FEWEST_DISCORDANT, PairedRows, RESAMPLES, holm, mcnemar};
pub use retrieval::{RankScores, overlap, rank_agreement, rank_scores};
pub use statistics::{
    Interval, mean, mean_interval, standard_deviation, welch_p_value, wilson_interval,
};
