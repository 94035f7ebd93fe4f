//! Pure functions on slices: what a classifier, a search or an answer got right, and how much of it
//! may be chance. Knows nothing of models, files or records.

mod additive;
mod agreement;
mod answers;
mod choice;
mod classification;
mod paired;
mod pool;
mod random;
mod report_text;
mod retrieval;
mod statistics;

pub use additive::{Additive, Effect, Noise, Observed, additive};
pub use agreement::{ClassRows, common_part, macro_f1_row_variance};
pub use answers::{repetition, rouge_l, token_f1};
pub use choice::{Contender, DRAWS, on_fresh_rows};
pub use classification::{
    ClassScore, ClassificationReport, ReportLine, Scores, accuracy, classification_report,
    confusion_matrix,
};
pub use paired::{FEWEST_DISCORDANT, PairedRows, RESAMPLES, holm, mcnemar};
pub use pool::{Covers, Estimated, Pool, Rows, Seeds, Trainings};
pub use retrieval::{RankScores, overlap, rank_agreement, rank_scores};
pub use statistics::{
    Interval, mean, mean_interval, standard_deviation, welch_p_value, wilson_interval,
};
