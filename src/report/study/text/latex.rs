//! A table as LaTeX, with booktabs and no package beside it.

use std::fmt::Write;

use crate::report::study::table::{Cell, Table};

/// Longer texts get a column that breaks lines.
const LONG: usize = 30;
/// Columns of a table that is set smaller.
const MANY: usize = 5;

/// The text of a figure.
pub(in crate::report::study) fn latex(
    study: &str,
    number: u32,
    caption: &str,
    table: &Table,
) -> String {
    let mut columns: Vec<Vec<String>> = Vec::new();
    for (place, title) in table.labels.iter().enumerate() {
        let cells = table.rows.iter().map(|row| row.labels.get(place));
        columns.push(column(
            title,
            cells.map(|cell| cell.cloned().unwrap_or_default()),
        ));
    }
    for (place, title) in table.columns.iter().enumerate() {
        let cells = table.rows.iter().map(|row| row.cells.get(place));
        columns.push(column(
            title,
            cells.map(|cell| cell.map_or_else(String::new, Cell::words)),
        ));
    }
    let verdicts = table.rows.iter().map(|row| row.verdict(&table.columns));
    columns.push(column("verdict", verdicts));

    let mut text = String::new();
    let _ = writeln!(text, "% \\usepackage{{booktabs}}");
    let _ = writeln!(text, "\\begin{{table}}[htbp]\n\\centering");
    let _ = writeln!(
        text,
        "\\caption{{Figure {number} of the study: {} Ours first; in brackets what was published, and the difference.}}",
        escaped(&sentence(caption))
    );
    let label: String = study
        .chars()
        .map(|letter| {
            if letter.is_ascii_alphanumeric() {
                letter
            } else {
                '-'
            }
        })
        .collect();
    let _ = writeln!(text, "\\label{{tab:{label}-{number}}}");
    if columns.len() > MANY {
        text.push_str("\\footnotesize\n\\setlength{\\tabcolsep}{3pt}\n");
    }
    let _ = writeln!(text, "\\begin{{tabular}}{{{}}}", widths(&columns));
    text.push_str("\\toprule\n");
    for row in 0..=table.rows.len() {
        let cells: Vec<String> = columns.iter().map(|column| escaped(&column[row])).collect();
        // A bracket after the end of a line would be its argument.
        let start = if cells[0].starts_with(['[', '*']) {
            "{}"
        } else {
            ""
        };
        let _ = writeln!(text, "{start}{} \\\\", cells.join(" & "));
        if row == 0 {
            text.push_str("\\midrule\n");
        }
    }
    text.push_str("\\bottomrule\n\\end{tabular}\n\\end{table}\n");
    text
}

/// A title and the cells below it.
fn column(title: &str, cells: impl Iterator<Item = String>) -> Vec<String> {
    std::iter::once(title.to_owned()).chain(cells).collect()
}

fn sentence(text: &str) -> String {
    let text = text.trim_end();
    if text.ends_with(['.', '!', '?']) {
        text.to_owned()
    } else {
        format!("{text}.")
    }
}

/// The columns' forms: left, or paragraphs that share the width where texts are long.
fn widths(columns: &[Vec<String>]) -> String {
    let longest = |column: &Vec<String>| {
        let lengths = column.iter().map(|cell| cell.chars().count());
        lengths.max().unwrap_or(0)
    };
    let long: Vec<usize> = columns
        .iter()
        .map(longest)
        .filter(|length| *length > LONG)
        .collect();
    let short: usize = columns
        .iter()
        .map(longest)
        .filter(|length| *length <= LONG)
        .sum();
    // A line has room for about ninety letters.
    #[allow(clippy::cast_precision_loss, reason = "numbers of letters")]
    let share = (1.0 - short as f64 / 90.0).max(0.25) / (long.len().max(1) as f64) * 0.9;
    let form = |column: &Vec<String>| {
        if longest(column) > LONG {
            format!("p{{{share:.2}\\linewidth}}")
        } else {
            "l".to_owned()
        }
    };
    columns.iter().map(form).collect()
}

/// Text in which every letter stands for itself. Letters that LaTeX does not set without a package
/// are named by their number.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' | '%' | '$' | '#' | '_' | '{' | '}' => {
                escaped.push('\\');
                escaped.push(letter);
            }
            '\\' => escaped.push_str("\\textbackslash{}"),
            '~' => escaped.push_str("\\textasciitilde{}"),
            '^' => escaped.push_str("\\textasciicircum{}"),
            '<' => escaped.push_str("\\textless{}"),
            '>' => escaped.push_str("\\textgreater{}"),
            '|' => escaped.push_str("\\textbar{}"),
            '`' => escaped.push_str("\\textasciigrave{}"),
            '–' => escaped.push_str("--"),
            '—' => escaped.push_str("---"),
            '"' | '“' | '”' => escaped.push_str("''"),
            '‘' | '’' => escaped.push('\''),
            '…' => escaped.push_str("\\ldots{}"),
            '\u{a0}' => escaped.push('~'),
            // A minus of two letters would be a dash.
            '-' if escaped.ends_with('-') => escaped.push_str("{}-"),
            ' '..='~' => escaped.push(letter),
            letter if is_set(letter) => escaped.push(letter),
            letter if letter.is_control() => escaped.push(' '),
            letter => {
                let _ = write!(escaped, "[U+{:04X}]", u32::from(letter));
            }
        }
    }
    escaped
}

/// Whether LaTeX sets a letter beyond ASCII from UTF-8 without a package.
fn is_set(letter: char) -> bool {
    "¡¿áéíóúàèìòùâêîôûäëïöüãõñçåæøßýÿÁÉÍÓÚÀÈÌÒÙÂÊÎÔÛÄËÏÖÜÃÕÑÇÅÆØÝœŒ".contains(letter)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_letter_stands_for_itself() {
        assert_eq!(
            escaped(r#"50 % of a_b & c#d {e} $f \g ~h ^i <j> "k" -- "#),
            r"50 \% of a\_b \& c\#d \{e\} \$f \textbackslash{}g \textasciitilde{}h \textasciicircum{}i \textless{}j\textgreater{} ''k'' -{}- "
        );
        assert_eq!(escaped("¿Qué? 日\n"), "¿Qué? [U+65E5] ");
    }

    #[test]
    fn a_table_has_rules_of_booktabs_and_as_many_cells_in_each_line() {
        let mut table = Table::new(&["run"], &["answer", "n"]);
        let cell = |text: &str| Cell::Text(text.to_owned());
        table.push(["[a]"], vec![cell(&"word ".repeat(20)), cell("1")], None);
        table.push(["b"], vec![Cell::Empty, cell("2")], None);
        let text = latex("a study_1", 9, "What & how", &table);
        for wanted in [
            "\\caption{Figure 9 of the study: What \\& how. Ours",
            "\\label{tab:a-study-1-9}",
            "\\begin{tabular}{lp{",
            "\\toprule",
            "\\midrule",
            "\\bottomrule",
            "{}[a] & ",
        ] {
            assert!(text.contains(wanted), "{wanted}\n{text}");
        }
        let lines = text.lines().filter(|line| line.ends_with("\\\\"));
        assert!(
            lines.clone().all(|line| line.matches(" & ").count() == 3),
            "{text}"
        );
        assert_eq!(lines.count(), 3);
    }
}
