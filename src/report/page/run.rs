//! The part of the page on one run with one seed.

use super::{add, figure, list, status};
use crate::record::MetricRow;
use crate::report::experiment::{ExperimentReport, RunReport};
use crate::report::figures;
use crate::report::html::escape;
use crate::report::seed::{SeedReport, State};
use crate::report::write::Drawn;

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
    let accuracy = seed
        .estimate(&experiment.evaluation)
        .map(|estimate| format!(", accuracy {}", figures::with_interval(&estimate)))
        .unwrap_or_default();
    add(
        page,
        format_args!(
            "<details{}><summary><b>{}</b> · seed {} · {}{accuracy}</summary>\n<div id=\"{id}\" class=\"target\"></div>\n",
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
    classification_reports(page, seed);
    answers(page, seed);
    if let Some(record) = &seed.record {
        let name = |row: &MetricRow| {
            if row.evaluation == "run" {
                row.metric.clone()
            } else {
                format!("{} {}", row.evaluation, row.metric)
            }
        };
        let metrics: Vec<_> = record
            .metrics
            .iter()
            .map(|row| (name(row), figures::count(row.value)))
            .collect();
        table(page, "Metrics", "number", &metrics);
        let measured: Vec<_> = record
            .measurements
            .iter()
            .map(|row| (row.metric.clone(), figures::count(row.value)))
            .collect();
        table(page, "Measurements", "number", &measured);
    }
    let settings: Vec<_> = seed
        .settings
        .iter()
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    table(page, "Settings", "setting", &settings);
    table(page, "Environment", "setting", &environment(seed));
    page.push_str("</div>\n</details>\n");
}

fn classification_reports(page: &mut String, seed: &SeedReport) {
    let mut evaluations: Vec<&str> = seed
        .classes
        .iter()
        .map(|row| row.evaluation.as_str())
        .collect();
    evaluations.dedup();
    for evaluation in evaluations {
        add(
            page,
            format_args!(
                "<div><h4>Classification report: {}</h4><div class=\"scroll\"><table><thead><tr><th>class</th>",
                escape(evaluation)
            ),
        );
        for title in ["precision", "recall", "F1", "rows"] {
            add(page, format_args!("<th class=\"number\">{title}</th>"));
        }
        page.push_str("</tr></thead><tbody>\n");
        for row in seed.classes_of(evaluation) {
            add(
                page,
                format_args!("<tr><td class=\"setting\">{}</td>", escape(&row.class)),
            );
            for value in [row.precision, row.recall, Some(row.f1_score)] {
                add(
                    page,
                    format_args!(
                        "<td class=\"number\">{}</td>",
                        value.map(figures::decimal).unwrap_or_default()
                    ),
                );
            }
            add(
                page,
                format_args!(
                    "<td class=\"number\">{}</td></tr>\n",
                    figures::group(&row.support.to_string())
                ),
            );
        }
        page.push_str("</tbody></table></div>");
        if let Some(estimate) = seed.estimate(evaluation) {
            add(
                page,
                format_args!(
                    "<p class=\"meta\">Accuracy {}</p>",
                    figures::with_interval(&estimate)
                ),
            );
        }
        page.push_str("</div>\n");
    }
}

/// What each question found and was answered.
fn answers(page: &mut String, seed: &SeedReport) {
    let rows: Vec<_> = seed
        .retrieval
        .chunk_by(|one, next| one.question == next.question)
        .map(|found| {
            let question = &found[0].question;
            let answer = seed.answers.iter().find(|row| row.question == *question);
            let chunks: Vec<String> = found
                .iter()
                .map(|row| {
                    let mark = if row.relevant == Some(true) { "*" } else { "" };
                    format!("{}{mark}", row.chunk)
                })
                .collect();
            let answer = answer.map_or(String::new(), |row| format!(". {}", row.answer));
            (question.clone(), format!("{}{answer}", chunks.join(" ")))
        })
        .collect();
    table(
        page,
        "Chunks found (* relevant), and answers",
        "setting",
        &rows,
    );
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

/// A two-column table, unless it is empty; `class` is that of the second column.
fn table(page: &mut String, title: &str, class: &str, rows: &[(String, String)]) {
    if rows.is_empty() {
        return;
    }
    add(
        page,
        format_args!("<div><h4>{title}</h4><div class=\"scroll\"><table><tbody>\n"),
    );
    for (key, value) in rows {
        add(
            page,
            format_args!(
                "<tr><td>{}</td><td class=\"{class}\">{}</td></tr>\n",
                escape(key),
                escape(value)
            ),
        );
    }
    page.push_str("</tbody></table></div></div>\n");
}
