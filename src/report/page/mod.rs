//! The page: all experiments in one HTML document that needs neither network nor script.

mod run;

use std::fmt::Write;

use super::compared::{self, Compared};
use super::drawn::{Drawn, DrawnExperiment};
use super::experiment::{ExperimentReport, RunReport};
use super::html::{address, breakable, escape};
use super::seed::State;

use super::{figures, views};
use crate::keys;
use crate::record::PlannedComparison;

/// The whole document. `drawn` has an entry for each experiment.
pub(super) fn html(experiments: &[ExperimentReport], drawn: &[DrawnExperiment]) -> String {
    let mut page = String::from(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>ensayo report</title>\n<style>\n",
    );
    page.push_str(include_str!("page.css"));
    page.push_str("</style>\n</head>\n<body>\n<h1>ensayo report</h1>\n");
    if experiments.is_empty() {
        page.push_str("<p>There are no results yet: <code>ensayo run</code> makes some.</p>\n");
    }
    if experiments.len() > 1 {
        page.push_str("<nav><ul>\n");
        for (index, experiment) in experiments.iter().enumerate() {
            let counts = counts(experiment);
            add(
                &mut page,
                format_args!(
                    "<li><a href=\"#experiment-{index}\">{}</a> ({counts})</li>\n",
                    escape(&experiment.name)
                ),
            );
        }
        page.push_str("</ul></nav>\n");
    }
    for (index, (experiment, drawn)) in experiments.iter().zip(drawn).enumerate() {
        section(&mut page, index, experiment, drawn);
    }
    page.push_str("</body>\n</html>\n");
    page
}

fn section(
    page: &mut String,
    index: usize,
    experiment: &ExperimentReport,
    drawn: &DrawnExperiment,
) {
    add(
        page,
        format_args!(
            "<section id=\"experiment-{index}\">\n<h2>{}</h2>\n",
            escape(&experiment.name)
        ),
    );
    if let Some(description) = &experiment.description {
        add(page, format_args!("<p>{}</p>\n", escape(description)));
    }
    let kind = if experiment.kind.is_empty() {
        String::new()
    } else {
        format!("Kind {}, ", escape(&experiment.kind))
    };
    let summary = address(&format!("../{}/summary.csv", experiment.name));
    add(
        page,
        format_args!(
            "<p class=\"meta\">{kind}{}. <a href=\"{summary}\">summary.csv</a></p>\n",
            counts(experiment)
        ),
    );
    list(page, "problems", &experiment.problems);
    comparison(page, index, experiment);
    for drawn in &drawn.together {
        figure(page, &experiment.name, drawn);
    }
    if let (Some(asked), Some(compared)) = (&experiment.compare, &experiment.compared) {
        side_by_side(page, experiment, asked, compared);
    }
    page.push_str("<h3>Runs</h3>\n");
    for (place, ((run, seed), plots)) in experiment.seeds().zip(&drawn.seeds).enumerate() {
        run::details(
            page,
            &format!("run-{index}-{place}"),
            experiment,
            run,
            seed,
            plots,
        );
    }
    page.push_str("</section>\n");
}

/// How many runs there are, and in which state.
fn counts(experiment: &ExperimentReport) -> String {
    let all = experiment.seeds().count();
    let mut text = format!("{all} {}", if all == 1 { "run" } else { "runs" });
    for state in [
        State::Complete,
        State::Failed,
        State::Interrupted,
        State::Unfinished,
        State::NotRun,
        State::Unreadable,
    ] {
        match experiment.count(state) {
            0 => {}
            count => add(&mut text, format_args!(", {count} {}", state.text())),
        }
    }
    text
}

/// The table of all runs with the settings that set them apart.
fn comparison(page: &mut String, index: usize, experiment: &ExperimentReport) {
    let several = experiment.has_several_seeds();
    let mut place = 0;
    page.push_str("<div class=\"scroll\"><table>\n<thead><tr><th>run</th>");
    let varying: Vec<&str> = experiment.varying.iter().map(String::as_str).collect();
    for key in keys::short(&varying) {
        add(page, format_args!("<th>{}</th>", escape(key)));
    }
    if several {
        page.push_str("<th class=\"number\">seeds</th>");
    }
    let view = views::of(&experiment.kind);
    let scores = view.scores(experiment, &experiment.evaluation);
    for score in &scores {
        let (class, title) = (class(score), escape(&score.page));
        let interval = if score.interval {
            "<br>[95 % interval]"
        } else {
            ""
        };
        add(
            page,
            format_args!("<th class=\"{class}\">{title}{interval}</th>"),
        );
    }
    page.push_str("<th class=\"number\">time</th>");
    page.push_str("<th>status</th></tr></thead>\n<tbody>\n");
    for run in &experiment.runs {
        let name = breakable(&run.title());
        add(
            page,
            format_args!("<tr><td class=\"name\"><a href=\"#run-{index}-{place}\">{name}</a></td>"),
        );
        place += run.seeds.len();
        for key in &experiment.varying {
            add(
                page,
                format_args!("<td class=\"setting\">{}</td>", escape(&setting(run, key))),
            );
        }
        if several {
            add(
                page,
                format_args!("<td class=\"number\">{}</td>", run.seeds.len()),
            );
        }
        for score in &scores {
            let (class, cell) = (class(score), (score.figure)(run).unwrap_or_default());
            add(page, format_args!("<td class=\"{class}\">{cell}</td>"));
        }
        let time = run.mean(|seed| Some(seed.record.as_ref()?.wall_seconds));
        let time = time.map(figures::duration).unwrap_or_default();
        add(page, format_args!("<td class=\"number\">{time}</td>"));
        add(
            page,
            format_args!("<td>{}</td></tr>\n", status(run.state())),
        );
    }
    page.push_str("</tbody></table></div>\n");
    list(page, "remarks", &view.remarks(experiment));
}

fn class(score: &views::Score<'_>) -> &'static str {
    if score.interval { "accuracy" } else { "number" }
}

/// The comparison with other experiments.
fn side_by_side(
    page: &mut String,
    experiment: &ExperimentReport,
    asked: &PlannedComparison,
    compared: &Compared,
) {
    let names: Vec<String> = asked.experiments.iter().map(|name| escape(name)).collect();
    add(
        page,
        format_args!("<h3>Compared with {}</h3>\n", names.join(", ")),
    );
    for table in &compared.tables {
        add(
            page,
            format_args!(
                "<h4>{}</h4><div class=\"scroll\"><table>\n<thead><tr>",
                escape(&table.title)
            ),
        );
        for (index, row) in table.rows.iter().enumerate() {
            let tag = if index == 0 { "th" } else { "td" };
            if index == 1 {
                page.push_str("</tr></thead>\n<tbody>\n");
            }
            if index > 0 {
                page.push_str("<tr>");
            }
            for cell in row {
                add(
                    page,
                    format_args!("<{tag} class=\"setting\">{}</{tag}>", breakable(cell)),
                );
            }
            if index > 0 {
                page.push_str("</tr>\n");
            }
        }
        page.push_str("</tbody></table></div>\n");
    }
    list(page, "remarks", &compared.remarks);
    if !compared.rows.is_empty() {
        let file = address(&format!("../{}/{}", experiment.name, compared::FILE));
        add(
            page,
            format_args!(
                "<p class=\"meta\"><a href=\"{file}\">{}</a></p>\n",
                compared::FILE
            ),
        );
    }
}

/// A setting of a run, which its seeds share but where one of them is of earlier settings.
fn setting(run: &RunReport, key: &str) -> String {
    let mut values: Vec<&str> = run
        .seeds
        .iter()
        .filter_map(|seed| seed.settings.get(key))
        .map(String::as_str)
        .collect();
    values.dedup();
    values.join(" | ")
}

fn status(state: State) -> String {
    if state == State::Complete {
        state.text().to_owned()
    } else {
        format!("<span class=\"bad\">{}</span>", state.text())
    }
}

/// A plot with its caption and links to its files.
fn figure(page: &mut String, experiment: &str, drawn: &Drawn) {
    let file = |ending: &str| {
        address(&format!(
            "../{experiment}/plots/{}.{ending}",
            drawn.plot.stem
        ))
    };
    add(
        page,
        format_args!(
            "<figure>\n{}<figcaption>{} <a href=\"{}\">SVG</a> <a href=\"{}\">PNG</a></figcaption>\n</figure>\n",
            drawn.svg,
            escape(&drawn.plot.caption),
            file("svg"),
            file("png")
        ),
    );
}

/// A list, unless it is empty. `problems` and `notes` stand in a box.
fn list(page: &mut String, class: &str, items: &[String]) {
    if items.is_empty() {
        return;
    }
    let boxed = class != "remarks";
    let (open, close) = if boxed {
        (format!("<div class=\"{class}\"><ul>"), "</ul></div>")
    } else {
        (format!("<ul class=\"{class}\">"), "</ul>")
    };
    page.push_str(&open);
    for item in items {
        add(page, format_args!("<li>{}</li>", escape(item)));
    }
    page.push_str(close);
    page.push('\n');
}

fn add(page: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing to a string cannot fail.
    let _ = page.write_fmt(text);
}
