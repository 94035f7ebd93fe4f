//! A CSV file read strictly: these columns and no others, and every fault with its line.

use std::path::Path;
use std::sync::Arc;

use super::super::printed::Printed;
use crate::config::{Problem, Problems, Source, Span, nearest_word};

/// A line of a file: its cells in the order of the wanted columns.
pub(super) struct Line<'a> {
    columns: &'a [&'a str],
    cells: Vec<String>,
    owner: &'a Path,
    span: Span,
}

/// The largest count that a double holds exactly.
const MOST: u64 = 1 << 53;

/// Bounds of a number.
#[derive(Debug, Clone, Copy)]
pub(super) enum Bounds {
    /// Any number.
    Any,
    /// From 0 to 1.
    Share,
}

/// Reads the lines of a file with these columns, in any order. Of a file whose header is wrong
/// nothing comes back.
pub(super) fn read<'a>(
    path: &'a Path,
    text: &str,
    columns: &'a [&'a str],
    problems: &mut Problems,
) -> Vec<Line<'a>> {
    let source = Arc::new(Source {
        name: path.display().to_string(),
        text: text.to_owned(),
        folder: path.parent().unwrap_or(Path::new("")).to_owned(),
    });
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .comment(Some(b'#'))
        .from_reader(text.as_bytes());
    let mut places: Option<Vec<usize>> = None;
    let mut lines = Vec::new();
    for record in reader.records() {
        let record = match record {
            Ok(record) => record,
            Err(error) => {
                problems.push(Problem::new(path, error.to_string()));
                return Vec::new();
            }
        };
        let start = record.position().map_or(0, csv::Position::byte);
        let span = line_at(&source, usize::try_from(start).unwrap_or(0));
        let Some(places) = &places else {
            places = header(path, &record, columns, &span, problems);
            if places.is_none() {
                return Vec::new();
            }
            continue;
        };
        if record.len() != columns.len() {
            let message = format!(
                "{} cells where the header has {}",
                record.len(),
                columns.len()
            );
            let problem = Problem::new(path, message).at(&span, "");
            problems.push(problem.help("a cell with a comma needs quotes: \"a, b\""));
            continue;
        }
        let cell = |place: &usize| record.get(*place).unwrap_or_default().trim().to_owned();
        lines.push(Line {
            columns,
            cells: places.iter().map(cell).collect(),
            owner: path,
            span,
        });
    }
    if places.is_none() {
        let problem = Problem::new(path, "the file is empty");
        problems.push(problem.help(format!("begin with the header {}", columns.join(","))));
    }
    lines
}

/// Where each wanted column stands.
fn header(
    path: &Path,
    record: &csv::StringRecord,
    columns: &[&str],
    span: &Span,
    problems: &mut Problems,
) -> Option<Vec<usize>> {
    let titles: Vec<&str> = record.iter().map(str::trim).collect();
    let mut sound = true;
    let mut complain = |message: String, help: String| {
        sound = false;
        problems.push(Problem::new(path, message).at(span, "").help(help));
    };
    for (place, title) in titles.iter().enumerate() {
        if titles[..place].contains(title) {
            complain(
                format!("the column `{title}` is there twice"),
                "remove one".to_owned(),
            );
        } else if !columns.contains(title) {
            let near = nearest_word(title, columns.iter().copied());
            complain(
                format!("unknown column `{title}`"),
                near.map_or_else(
                    || format!("the columns are {}", columns.join(", ")),
                    |near| format!("did you mean `{near}`?"),
                ),
            );
        }
    }
    let place = |column: &&str| titles.iter().position(|title| title == column);
    for column in columns.iter().filter(|column| place(column).is_none()) {
        complain(
            format!("there is no column `{column}`"),
            format!("the columns are {}", columns.join(", ")),
        );
    }
    let places = columns.iter().map(place).collect();
    if sound { places } else { None }
}

/// The line that begins at a byte.
fn line_at(source: &Arc<Source>, start: usize) -> Span {
    let rest = source.text.get(start..).unwrap_or_default();
    // Remarks and empty lines before a record belong to its bytes.
    let skipped: usize = rest
        .split_inclusive('\n')
        .take_while(|line| line.starts_with('#') || line.trim().is_empty())
        .map(str::len)
        .sum();
    let start = start + skipped;
    let line = source.text.get(start..).unwrap_or_default().lines().next();
    Span {
        source: Arc::clone(source),
        start,
        end: start + line.unwrap_or_default().len(),
    }
}

impl Line<'_> {
    /// The text of a column.
    pub(super) fn text(&self, column: &str) -> &str {
        let place = self.columns.iter().position(|known| *known == column);
        place.map_or("", |place| &self.cells[place])
    }

    /// A problem of this line.
    pub(super) fn problem(&self, message: impl Into<String>) -> Problem {
        Problem::new(self.owner, message).at(&self.span, "")
    }

    /// A column that must not be empty.
    pub(super) fn needed(&self, column: &str, problems: &mut Problems) -> Option<String> {
        let text = self.text(column);
        if text.is_empty() {
            problems.push(self.problem(format!("`{column}` is empty")));
            return None;
        }
        Some(text.to_owned())
    }

    /// The column `run`, which is one of the study's.
    pub(super) fn run(&self, names: &[&str], problems: &mut Problems) -> Option<String> {
        let run = self.needed("run", problems)?;
        if names.contains(&run.as_str()) {
            return Some(run);
        }
        let problem = self.problem(format!("the manifest has no run `{run}`"));
        let near = nearest_word(&run, names.iter().copied());
        problems.push(match near {
            Some(near) => problem.help(format!("did you mean `{near}`?")),
            None => problem.help(format!("its runs are {}", names.join(", "))),
        });
        None
    }

    /// A number, as printed; none where the cell is empty.
    pub(super) fn number(
        &self,
        column: &str,
        bounds: Bounds,
        problems: &mut Problems,
    ) -> Option<Printed> {
        let text = self.text(column);
        if text.is_empty() {
            return None;
        }
        let Some(printed) = Printed::parse(text) else {
            let problem = self.problem(format!("`{column}` is `{text}`, which is no number"));
            problems.push(problem.help("write digits with a point, such as 0.84"));
            return None;
        };
        if matches!(bounds, Bounds::Share) && !(0.0..=1.0).contains(&printed.value) {
            let problem = self.problem(format!(
                "`{column}` is {text}, but must be at least 0 and at most 1"
            ));
            problems.push(problem.help("write a share, not percent"));
            return None;
        }
        Some(printed)
    }

    /// A count that must be there.
    pub(super) fn count(&self, column: &str, problems: &mut Problems) -> Option<u64> {
        let text = self.needed(column, problems)?;
        let count = text.parse::<u64>().ok();
        let count = count.filter(|count| *count <= MOST);
        if count.is_none() {
            problems.push(self.problem(format!("`{column}` is `{text}`, which is no count")));
        }
        count
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_all(text: &str) -> (Vec<Vec<String>>, String) {
        let mut problems = Problems::default();
        let lines = read(Path::new("p.csv"), text, &["run", "value"], &mut problems);
        let cells = lines.into_iter().map(|line| line.cells);
        (cells.collect(), problems.to_string())
    }

    #[test]
    fn columns_may_stand_in_any_order_and_remarks_anywhere() {
        let (cells, _) = read_all("# a\nvalue,run\n1,a\n# b\n\n2,\"a, b\"\n");
        assert_eq!(cells, [["a", "1"], ["a, b", "2"]]);
    }

    #[test]
    fn a_wrong_header_is_named_with_the_right_one() {
        for (text, wanted) in [
            ("run,valeu\n", "did you mean `value`?"),
            ("run\n", "there is no column `value`"),
            ("run,value,run\n", "is there twice"),
            ("run,value,other\n", "the columns are run, value"),
            ("# only a remark\n", "begin with the header run,value"),
        ] {
            let (cells, said) = read_all(text);
            assert!(
                cells.is_empty() && said.contains(wanted),
                "{wanted}\n{said}"
            );
        }
    }

    #[test]
    fn a_line_that_is_too_long_is_shown_with_its_number() {
        let (cells, said) = read_all("# a\nrun,value\na,1\n# b\na,1,2\nb,2\n");
        assert_eq!(cells.len(), 2);
        assert!(
            said.contains("p.csv:5:1") && said.contains("3 cells"),
            "{said}"
        );
    }

    #[test]
    fn numbers_are_read_as_they_were_printed() {
        let mut problems = Problems::default();
        let lines = read(
            Path::new("p.csv"),
            "run,value\na,0.50\na,\na,x\na,1.5\n",
            &["run", "value"],
            &mut problems,
        );
        let found: Vec<_> = lines
            .iter()
            .map(|line| line.number("value", Bounds::Share, &mut problems))
            .collect();
        assert_eq!(found[0].as_ref().unwrap().decimals, 2);
        assert_eq!(found[1..], [None, None, None]);
        let said = problems.to_string();
        for wanted in ["p.csv:4:1", "no number", "p.csv:5:1", "at most 1"] {
            assert!(said.contains(wanted), "{wanted}\n{said}");
        }
    }
}
