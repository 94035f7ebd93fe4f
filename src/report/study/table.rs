//! A table of a study: rows that are known by labels, and values under columns.

use super::verdict::{Compared, Counts, Verdict};

/// A table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Table {
    /// Titles of the labels.
    pub labels: Vec<String>,
    /// Titles of the values.
    pub columns: Vec<String>,
    /// Its rows.
    pub rows: Vec<Row>,
    /// What there is to say below it.
    pub notes: Vec<String>,
    /// What makes the runs that are missing.
    pub commands: Vec<String>,
}

/// A row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Row {
    /// What it is about, as many as the table's labels.
    pub labels: Vec<String>,
    /// Its values, as many as the table's columns.
    pub cells: Vec<Cell>,
    /// What fills it, if it has to be filled.
    pub command: Option<String>,
}

/// What stands in a cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Cell {
    /// Nothing belongs there.
    Empty,
    /// Something of ours that nothing was published of.
    Text(String),
    /// A value beside the published one.
    Value(Compared),
}

impl Table {
    /// A table without rows.
    pub(super) fn new(labels: &[&str], columns: &[&str]) -> Self {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Self {
            labels: owned(labels),
            columns: owned(columns),
            ..Self::default()
        }
    }

    /// Adds a row.
    pub(super) fn push(
        &mut self,
        labels: impl IntoIterator<Item = impl Into<String>>,
        cells: Vec<Cell>,
        command: Option<String>,
    ) {
        self.rows.push(Row {
            labels: labels.into_iter().map(Into::into).collect(),
            cells,
            command,
        });
    }

    /// All values.
    pub(super) fn values(&self) -> impl Iterator<Item = &Compared> {
        let cells = self.rows.iter().flat_map(|row| &row.cells);
        cells.filter_map(|cell| match cell {
            Cell::Value(value) => Some(value),
            _ => None,
        })
    }

    /// How the published values came out.
    pub(super) fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        self.values().for_each(|value| counts.add(value));
        counts
    }
}

impl Row {
    /// What there is to say of the row: the verdict of all of its values, else each with its columns.
    pub(super) fn verdict(&self, columns: &[String]) -> String {
        let mut groups: Vec<(Verdict, Vec<&str>)> = Vec::new();
        for (cell, column) in self.cells.iter().zip(columns) {
            let Cell::Value(value) = cell else {
                continue;
            };
            if value.verdict == Verdict::Unjudged {
                continue;
            }
            match groups.iter_mut().find(|(known, _)| *known == value.verdict) {
                Some((_, names)) => names.push(column),
                None => groups.push((value.verdict, vec![column])),
            }
        }
        groups.sort_unstable();
        if let [(verdict, _)] = groups.as_slice() {
            return verdict.words().to_owned();
        }
        let words = groups
            .iter()
            .map(|(verdict, names)| format!("{}: {}", verdict.words(), names.join(", ")));
        words.collect::<Vec<_>>().join("; ")
    }
}

impl Cell {
    /// In one line: ours, then in brackets the published value and the difference.
    pub(super) fn words(&self) -> String {
        match self {
            Self::Empty => String::new(),
            Self::Text(text) => text.clone(),
            Self::Value(value) => {
                let ours = if value.ours.is_empty() {
                    "–"
                } else {
                    &value.ours
                };
                let beside: Vec<&str> = [value.published.as_str(), value.difference.as_str()]
                    .into_iter()
                    .filter(|part| !part.is_empty())
                    .collect();
                if beside.is_empty() {
                    ours.to_owned()
                } else {
                    format!("{ours} ({})", beside.join("; "))
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(ours: &str, published: &str, difference: &str, verdict: Verdict) -> Cell {
        Cell::Value(Compared {
            published: published.to_owned(),
            ours: ours.to_owned(),
            difference: difference.to_owned(),
            verdict,
        })
    }

    #[test]
    fn a_cell_has_ours_first_and_the_published_value_in_brackets() {
        let words = |ours, published, difference| {
            value(ours, published, difference, Verdict::Equal).words()
        };
        assert_eq!(words("0.8512", "0.85", "+0.0012"), "0.8512 (0.85; +0.0012)");
        assert_eq!(words("", "0.85", ""), "– (0.85)");
        assert_eq!(words("7", "", ""), "7");
    }

    #[test]
    fn a_rows_verdict_names_columns_only_where_they_differ() {
        let columns = ["a".to_owned(), "b".to_owned(), "c".to_owned()];
        let row = |cells| Row {
            labels: Vec::new(),
            cells,
            command: None,
        };
        let equal = value("1", "1", "0", Verdict::Equal);
        let alike = row(vec![equal.clone(), Cell::Empty, equal.clone()]);
        assert_eq!(alike.verdict(&columns), "equal");
        let other = value("2", "1", "+1", Verdict::Differs);
        let mixed = row(vec![equal.clone(), other, equal]);
        assert_eq!(mixed.verdict(&columns), "equal: a, c; differs: b");
    }
}
