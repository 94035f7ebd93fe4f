//! Whether two files of a result say the same: byte for byte, or number by number.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use safetensors::{Dtype, SafeTensors};
use serde_json::Value;

use super::numbers::{Drift, scale};
use crate::record::{AnswerRow, CsvReader, MetricRow, Row};

/// Columns with what is measured, which differs from time to time.
const MEASURED: [(&str, &str); 1] = [(AnswerRow::FILE, "seconds")];

/// What only says where the base model lies.
const PLACE: &str = "base_model_name_or_path";

/// How two files compare.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Likeness {
    /// All that is computed is the same.
    Same,
    /// They are alike but for their numbers.
    Near(Drift),
    /// They differ in this.
    Other(String),
}

/// Compares a file of a result, called by its name in the run's folder.
///
/// # Errors
/// When one of the two cannot be read.
pub(super) fn compare(name: &str, before: &Path, now: &Path) -> std::io::Result<Likeness> {
    let (before, now) = (fs::read(before)?, fs::read(now)?);
    if before == now {
        return Ok(Likeness::Same);
    }
    let ending = Path::new(name).extension().unwrap_or_default();
    let compared = match ending.to_str() {
        Some("csv") => tables(name, &before, &now),
        Some("json") => values(&before, &now),
        Some("safetensors") => tensors(&before, &now),
        _ => None,
    };
    Ok(compared.unwrap_or_else(|| Likeness::Other("it has other bytes".to_owned())))
}

fn likeness(drift: Drift) -> Likeness {
    if drift.numbers == 0 {
        Likeness::Same
    } else {
        Likeness::Near(drift)
    }
}

/// The columns of a table by their titles, in order.
struct Columns {
    titles: Vec<String>,
    cells: Vec<Vec<String>>,
    rows: usize,
}

fn columns(name: &str, content: &[u8]) -> Option<Columns> {
    let mut reader = CsvReader::new(content).ok()?;
    let is_measured = |title: &str| {
        let mut measured = MEASURED.iter();
        measured.any(|(file, column)| *file == name && *column == title)
    };
    let kept: Vec<usize> = (0..reader.header().len())
        .filter(|&place| !is_measured(&reader.header()[place]))
        .collect();
    let titles = kept.iter().map(|&place| reader.header()[place].to_owned());
    let titles: Vec<String> = titles.collect();
    let mut cells = vec![Vec::new(); kept.len()];
    let mut rows = 0;
    while let Some(row) = reader.next_row().ok()? {
        for (column, &place) in cells.iter_mut().zip(&kept) {
            column.push(row[place].to_owned());
        }
        rows += 1;
    }
    Some(Columns {
        titles,
        cells,
        rows,
    })
}

/// Compares column by column, each of which has a scale of its own; in the table of figures, each
/// figure has. `None` where they are no tables.
fn tables(name: &str, before: &[u8], now: &[u8]) -> Option<Likeness> {
    let (before, now) = (columns(name, before)?, columns(name, now)?);
    if before.titles != now.titles {
        return Some(Likeness::Other("it has other columns".to_owned()));
    }
    if before.rows != now.rows {
        let (rows, now) = (before.rows, now.rows);
        return Some(Likeness::Other(format!("it has {now} rows, not {rows}")));
    }
    let each_its_own = name == MetricRow::FILE;
    let mut drift = Drift::default();
    for ((title, before), now) in before.titles.iter().zip(&before.cells).zip(&now.cells) {
        let numbers = before.iter().chain(now);
        let whole = scale(numbers.filter_map(|cell| cell.parse().ok()));
        for (row, (before, now)) in before.iter().zip(now).enumerate() {
            if before == now {
                continue;
            }
            let (Ok(one), Ok(other)) = (before.parse::<f64>(), now.parse::<f64>()) else {
                let words = format!(
                    "row {} has {title} {}, not {}",
                    row + 1,
                    short(now),
                    short(before)
                );
                return Some(Likeness::Other(words));
            };
            let own = if each_its_own {
                scale([one, other].into_iter())
            } else {
                whole
            };
            drift.add(one, other, own);
        }
    }
    Some(likeness(drift))
}

/// A cell as a message quotes it.
fn short(cell: &str) -> String {
    const LONGEST: usize = 40;
    let line: String = cell
        .chars()
        .map(|letter| if letter.is_control() { ' ' } else { letter })
        .take(LONGEST)
        .collect();
    let more = if cell.chars().count() > LONGEST {
        "…"
    } else {
        ""
    };
    format!("`{line}{more}`")
}

fn values(before: &[u8], now: &[u8]) -> Option<Likeness> {
    let before: Value = serde_json::from_slice(before).ok()?;
    let now: Value = serde_json::from_slice(now).ok()?;
    let mut drift = Drift::default();
    Some(match difference("", &before, &now, &mut drift) {
        Some(words) => Likeness::Other(words),
        None => likeness(drift),
    })
}

/// Where two values differ in more than numbers.
fn difference(key: &str, before: &Value, now: &Value, drift: &mut Drift) -> Option<String> {
    let other = || {
        Some(format!(
            "{} differs",
            if key.is_empty() { "it" } else { key }
        ))
    };
    match (before, now) {
        (Value::Object(before), Value::Object(now)) => {
            let keys: std::collections::BTreeSet<&String> =
                before.keys().chain(now.keys()).collect();
            keys.into_iter()
                .filter(|inner| *inner != PLACE)
                .find_map(|inner| match (before.get(inner), now.get(inner)) {
                    (Some(before), Some(now)) => difference(inner, before, now, drift),
                    _ => Some(format!("{inner} is in one of the two only")),
                })
        }
        (Value::Array(before), Value::Array(now)) if before.len() == now.len() => {
            let mut pairs = before.iter().zip(now);
            pairs.find_map(|(before, now)| difference(key, before, now, drift))
        }
        (Value::Number(before), Value::Number(now)) => {
            let (before, now) = (before.as_f64()?, now.as_f64()?);
            drift.add(before, now, scale([before, now].into_iter()));
            None
        }
        _ if before == now => None,
        _ => other(),
    }
}

/// Compares tensor by tensor, each of which has a scale of its own. `None` where they are none.
fn tensors(before: &[u8], now: &[u8]) -> Option<Likeness> {
    let before = SafeTensors::deserialize(before).ok()?;
    let now = SafeTensors::deserialize(now).ok()?;
    let named = |tensors: &SafeTensors<'_>| -> BTreeMap<String, (Vec<usize>, Dtype)> {
        let tensors = tensors.iter();
        tensors
            .map(|(name, view)| (name.to_owned(), (view.shape().to_vec(), view.dtype())))
            .collect()
    };
    let (listed, made) = (named(&before), named(&now));
    if listed != made {
        return Some(Likeness::Other("it has other tensors or shapes".to_owned()));
    }
    let mut drift = Drift::default();
    for (name, (_, kind)) in &listed {
        let (before, now) = (before.tensor(name).ok()?, now.tensor(name).ok()?);
        if before.data() == now.data() {
            continue;
        }
        if *kind != Dtype::F32 {
            return Some(Likeness::Other(format!("the tensor {name} differs")));
        }
        let (before, now) = (floats(before.data()), floats(now.data()));
        let own = scale(before.iter().chain(&now).copied());
        for (&before, &now) in before.iter().zip(&now) {
            drift.add(before, now, own);
        }
    }
    Some(likeness(drift))
}

fn floats(data: &[u8]) -> Vec<f64> {
    let values = data.chunks_exact(4);
    values
        .map(|bytes| f64::from(f32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])))
        .collect()
}
