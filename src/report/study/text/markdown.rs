//! A table as Markdown.

use crate::report::study::table::Table;

/// The text of a figure: its caption, the table, notes, and what fills it.
pub(in crate::report::study) fn markdown(number: u32, caption: &str, table: &Table) -> String {
    let mut text = format!("**Figure {number}.** {}\n\n", escaped(caption));
    let head = table.labels.iter().chain(&table.columns);
    let head: Vec<String> = head.map(|title| escaped(title)).collect();
    line(&mut text, head.into_iter().chain(["verdict".to_owned()]));
    let columns = table.labels.len() + table.columns.len() + 1;
    line(&mut text, std::iter::repeat_n("---".to_owned(), columns));
    for row in &table.rows {
        let cells = row.cells.iter().map(|cell| escaped(&cell.words()));
        let labels = row.labels.iter().map(|label| escaped(label));
        let verdict = escaped(&row.verdict(&table.columns));
        line(&mut text, labels.chain(cells).chain([verdict]));
    }
    if table.columns.len() + table.labels.len() > 0 {
        text.push_str("\nOurs first; in brackets what was published, and the difference.\n");
    }
    for note in &table.notes {
        text.push('\n');
        text.push_str(&escaped(note));
        text.push('\n');
    }
    if !table.commands.is_empty() {
        text.push_str("\nNot run yet:\n\n");
        for command in &table.commands {
            text.push_str("    ");
            text.push_str(&command.replace(['\n', '\r'], " "));
            text.push('\n');
        }
    }
    text
}

fn line(text: &mut String, cells: impl Iterator<Item = String>) {
    for cell in cells {
        text.push_str("| ");
        text.push_str(&cell);
        text.push(' ');
    }
    text.push_str("|\n");
}

/// Text that no mark of Markdown or HTML changes, in one line.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '\\' | '`' | '*' | '_' | '{' | '}' | '[' | ']' | '#' | '|' | '~' | '$' => {
                escaped.push('\\');
                escaped.push(letter);
            }
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            letter if letter.is_control() => escaped.push(' '),
            letter => escaped.push(letter),
        }
    }
    escaped.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::study::table::Cell;

    #[test]
    fn nothing_in_a_cell_ends_it_or_becomes_a_mark() {
        let mut table = Table::new(&["a|b"], &["c"]);
        let nasty = "x | y\n| z <b> *w* `v` \\";
        table.push(["1"], vec![Cell::Text(nasty.to_owned())], None);
        table.commands.push("ensayo run x/y".to_owned());
        let text = markdown(7, "What *is*", &table);
        assert_eq!(
            text.lines().collect::<Vec<_>>(),
            [
                "**Figure 7.** What \\*is\\*",
                "",
                "| a\\|b | c | verdict |",
                "| --- | --- | --- |",
                "| 1 | x \\| y \\| z &lt;b&gt; \\*w\\* \\`v\\` \\\\ |  |",
                "",
                "Ours first; in brackets what was published, and the difference.",
                "",
                "Not run yet:",
                "",
                "    ensayo run x/y",
            ]
        );
    }
}
