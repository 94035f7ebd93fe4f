//! The part of the page on one run with one seed.

use super::{add, figure, list, status};
use crate::record::MetricRow;
use crate::report::drawn::Drawn;
use crate::report::experiment::{ExperimentReport, RunReport};
use crate::report::figures;
use crate::report::html::escape;
use crate::report::seed::{SeedReport, State};
use crate::report::views::{self, Cell, Detail};

/// A run, folded; open if it needs attention. The anchor stands inside, because browsers unfold what they jump into.
pub(super) fn details(
    page: &mut String,
    id: &str,
    experiment: &ExperimentReport,
    run: &RunReport,
    seed: &SeedReport,
    plots: &[Drawn],
) {
    let attention =
        matches!(seed.state, State::Failed | State::Unreadable) || !seed.problems.is_empty();
    let view = views::of(&experiment.kind);
    let headline = view
        .headline(seed, &experiment.evaluation)
        .map(|(name, estimate)| format!(", {name} {}", figures::with_interval(&estimate)))
        .unwrap_or_default();
    add(
        page,
        format_args!(
            "<details{}><summary><b>{}</b> · seed {} · {}{headline}</summary>\n<div id=\"{id}\" class=\"target\"></div>\n",
            if attention { " open" } else { "" },
            escape(&run.title()),
            seed.seed,
            status(seed.state)
        ),
    );
    if let Some(error) = seed
        .record
        .as_ref()
        .and_then(|record| record.error.as_ref())
    {
        add(
            page,
            format_args!("<div class=\"error\"><pre>{}</pre></div>\n", escape(error)),
        );
    }
    list(page, "problems", &seed.problems);
    if let Some(record) = &seed.record {
        list(page, "notes", &record.notes);
    }
    for drawn in plots {
        figure(page, &experiment.name, drawn);
    }
    page.push_str("<div class=\"columns\">\n");
    for shown in view.details(seed) {
        detail(page, &shown);
    }
    if let Some(record) = &seed.record {
        let name = |row: &MetricRow| {
            if row.evaluation == "run" {
                row.metric.clone()
            } else {
                format!("{} {}", row.evaluation, row.metric)
            }
        };
        let metrics = record
            .metrics
            .iter()
            .map(|row| (name(row), figures::count(row.value)));
        detail(page, &Detail::pairs("Metrics", "number", metrics));
        let measured = record
            .measurements
            .iter()
            .map(|row| (row.metric.clone(), figures::count(row.value)));
        detail(page, &Detail::pairs("Measurements", "number", measured));
    }
    let settings = seed
        .settings
        .iter()
        .map(|(key, value)| (key.clone(), value.clone()));
    detail(page, &Detail::pairs("Settings", "setting", settings));
    detail(
        page,
        &Detail::pairs("Environment", "setting", environment(seed)),
    );
    page.push_str("</div>\n</details>\n");
}

fn environment(seed: &SeedReport) -> Vec<(String, String)> {
    let Some(record) = &seed.record else {
        return Vec::new();
    };
    let environment = &record.environment;
    let mut rows = vec![
        ("started".to_owned(), record.started.clone()),
        ("time".to_owned(), figures::duration(record.wall_seconds)),
        ("device".to_owned(), environment.device.clone()),
        ("threads".to_owned(), environment.threads.to_string()),
        ("precision".to_owned(), environment.precision.clone()),
        ("ensayo".to_owned(), environment.version.clone()),
        ("identity".to_owned(), record.identity.clone()),
    ];
    rows.extend(environment.tf32.map(|allowed| {
        let words = if allowed { "may be in TF32" } else { "in f32" };
        ("products of f32".to_owned(), words.to_owned())
    }));
    rows.extend(
        environment
            .driver
            .iter()
            .map(|driver| ("driver".to_owned(), driver.clone())),
    );
    rows.extend(
        environment
            .commit
            .iter()
            .map(|commit| ("commit".to_owned(), commit.clone())),
    );
    rows.extend(
        environment
            .content
            .iter()
            .map(|(role, hash)| (format!("content of {role}"), hash.clone())),
    );
    rows.extend(
        record
            .overrides
            .iter()
            .map(|set| ("--set".to_owned(), set.clone())),
    );
    rows.retain(|(_, value)| !value.is_empty());
    rows
}

/// A table, unless it is empty.
fn detail(page: &mut String, detail: &Detail) {
    if detail.rows.is_empty() {
        return;
    }
    add(
        page,
        format_args!(
            "<div><h4>{}</h4><div class=\"scroll\"><table>",
            escape(&detail.title)
        ),
    );
    if !detail.head.is_empty() {
        page.push_str("<thead><tr>");
        cells(page, "th", &detail.head);
        page.push_str("</tr></thead>");
    }
    page.push_str("<tbody>\n");
    for row in &detail.rows {
        page.push_str("<tr>");
        cells(page, "td", row);
        page.push_str("</tr>\n");
    }
    page.push_str("</tbody></table></div>");
    if let Some(note) = &detail.note {
        add(page, format_args!("<p class=\"meta\">{}</p>", escape(note)));
    }
    page.push_str("</div>\n");
}

fn cells(page: &mut String, tag: &str, cells: &[Cell]) {
    for Cell { class, text } in cells {
        let class = if class.is_empty() {
            String::new()
        } else {
            format!(" class=\"{class}\"")
        };
        add(page, format_args!("<{tag}{class}>{}</{tag}>", escape(text)));
    }
}
