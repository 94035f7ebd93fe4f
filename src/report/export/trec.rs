//! Searches as `trec_eval` and its kin read them: what each question found, and which of it is
//! judged relevant.

use std::fmt::Write;
use std::path::PathBuf;

use super::Seed;
use crate::record::{RecordError, RetrievalRow, read_rows};

/// `<run>.seed-<n>.run`, and `.qrels` beside it where any question is judged.
pub(super) fn files(seed: &Seed<'_>) -> Result<Vec<(PathBuf, Vec<u8>)>, RecordError> {
    let rows: Vec<RetrievalRow> = read_rows(&seed.folder)?;
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let name = format!("{}.seed-{}", seed.run, seed.report.seed);
    let found = found(&rows, &token(&seed.record.label()));
    let mut files = vec![(PathBuf::from(format!("{name}.run")), found.into_bytes())];
    let figures = seed.record.metrics.iter();
    let totals = figures.filter(|row| row.metric == "relevant_chunks");
    let totals: Vec<(&str, f64)> = totals
        .map(|row| (row.evaluation.as_str(), row.value))
        .collect();
    let judged = judged(&rows, &totals);
    if !judged.is_empty() {
        let path = PathBuf::from(format!("{name}.qrels"));
        files.push((path, judged.into_bytes()));
    }
    Ok(files)
}

/// A line for each chunk that a question found: question, `Q0`, chunk, rank, score, tag.
///
/// The tools order by scores, which they keep in 32 bits, and equal ones by the chunk's name. So
/// that they have our order, a score that is not below the one before it is lowered by as little as
/// that takes.
fn found(rows: &[RetrievalRow], tag: &str) -> String {
    let mut text = String::new();
    let mut before: Option<(&str, f32)> = None;
    for row in rows {
        #[expect(clippy::cast_possible_truncation, reason = "as the tools do")]
        let own = (row.score as f32).clamp(f32::MIN, f32::MAX);
        let above = before.filter(|(question, _)| *question == row.question);
        let score = match above {
            Some((_, above)) if own < above => own,
            Some((_, above)) => above.next_down(),
            None if own.is_nan() => 0.0,
            None => own,
        };
        before = Some((&row.question, score));
        // Into memory, which cannot fail.
        let _ = writeln!(
            text,
            "{} Q0 {} {} {score} {tag}",
            token(&row.question),
            row.chunk,
            row.rank
        );
    }
    text
}

/// A line for each judged chunk: question, 0, chunk, and whether it is relevant. Of relevant chunks
/// that were not found, only their number is known: they stand there as `not-found-1` and so on,
/// without which recall would always be 1.
fn judged(rows: &[RetrievalRow], totals: &[(&str, f64)]) -> String {
    let mut text = String::new();
    for some in rows.chunk_by(|one, next| one.question == next.question) {
        let Some(first) = some.first() else {
            continue;
        };
        let question = token(&first.question);
        for row in some {
            if let Some(is_relevant) = row.relevant {
                let grade = u8::from(is_relevant);
                let _ = writeln!(text, "{question} 0 {} {grade}", row.chunk);
            }
        }
    }
    for (question, total) in totals {
        let own = |row: &&RetrievalRow| row.question == *question && row.relevant == Some(true);
        let found = rows.iter().filter(own).count();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a count of chunks"
        )]
        let total = total.clamp(0.0, MOST_CHUNKS) as usize;
        for number in 1..=total.saturating_sub(found) {
            let _ = writeln!(text, "{} 0 not-found-{number} 1", token(question));
        }
    }
    text
}

/// No document has more: a damaged record must not fill the disk.
const MOST_CHUNKS: f64 = 1e7;

/// A text as a word of a line: what would end the word is written as in an address.
fn token(text: &str) -> String {
    let mut token = String::new();
    let mut bytes = [0; 4];
    for letter in text.chars() {
        if letter.is_whitespace() || letter.is_control() || letter == '%' {
            for byte in letter.encode_utf8(&mut bytes).bytes() {
                let _ = write!(token, "%{byte:02X}");
            }
        } else {
            token.push(letter);
        }
    }
    token
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(question: &str, rank: usize, score: f64, relevant: Option<bool>) -> RetrievalRow {
        RetrievalRow {
            question: question.into(),
            rank,
            chunk: 10 * rank,
            score,
            relevant,
            text: String::new(),
        }
    }

    #[test]
    fn scores_fall_from_rank_to_rank_and_are_left_alone_where_they_do() {
        let scores = [0.75, 0.75, 0.75, 0.5, f64::NAN, f64::NEG_INFINITY];
        let rows: Vec<_> = (1..)
            .zip(scores)
            .map(|(rank, score)| row("q", rank, score, None))
            .collect();
        let text = found(&rows, "t");
        let written: Vec<f32> = text
            .lines()
            .map(|line| line.split(' ').nth(4).unwrap().parse().unwrap())
            .collect();
        assert!(written.windows(2).all(|pair| pair[0] > pair[1]), "{text}");
        assert_eq!((written[0], written[3]), (0.75, 0.5));
        assert!((written[2] - 0.75).abs() < 1e-6);
    }

    #[test]
    fn relevant_chunks_that_were_not_found_count() {
        let rows = [
            row("a b", 1, 2.0, Some(true)),
            row("a b", 2, 1.0, Some(false)),
            row("c", 1, 1.0, None),
        ];
        let totals = [("a b", 3.0), ("nothing", 1.0)];
        assert_eq!(
            judged(&rows, &totals),
            "a%20b 0 10 1\na%20b 0 20 0\na%20b 0 not-found-1 1\na%20b 0 not-found-2 1\nnothing 0 not-found-1 1\n"
        );
    }
}
