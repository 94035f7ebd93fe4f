//! The report as a whole, on made-up results trees.

use std::fs;
use std::path::Path;

use super::sample::{Sample, grid_names, write_plan};
use super::*;
use crate::draw;
use crate::record::Status;

/// The report with its tables and page written, but not its plots, which take the time.
fn without_plots(results: &Path) -> Report {
    let report = build(results, &[]).unwrap();
    let drawn = drawn::draw_all(&report);
    write::write_page(&report, &drawn, results).unwrap();
    for experiment in &report.experiments {
        write::write_summary(experiment, &results.join(&experiment.name)).unwrap();
    }
    report
}

fn written(results: &Path) -> Written {
    build(results, &[]).unwrap().write(results).unwrap()
}

fn small(run: &str) -> Sample {
    Sample {
        rows: 40,
        steps: 10,
        epochs: 2,
        ..Sample::new("x", run)
    }
}

fn columns<'a>(csv: &'a str, names: &[&str]) -> Vec<Vec<&'a str>> {
    let header: Vec<&str> = csv.lines().next().unwrap().split(',').collect();
    let places: Vec<usize> = names
        .iter()
        .map(|name| header.iter().position(|title| title == name).unwrap())
        .collect();
    // Good enough for names without commas.
    csv.lines()
        .skip(1)
        .map(|line| {
            places
                .iter()
                .map(|&place| line.split(',').nth(place).unwrap())
                .collect()
        })
        .collect()
}

#[test]
fn runs_stand_in_the_order_of_the_plan_and_missing_ones_are_named() {
    let results = tempfile::tempdir().unwrap();
    small("a").write(results.path());
    Sample {
        rank: 4,
        ..small("b")
    }
    .write(results.path());
    small("gone").write(results.path());
    write_plan(results.path(), "x", &[("b", 42), ("never", 42), ("a", 42)]);
    without_plots(results.path());
    let csv = fs::read_to_string(results.path().join("x/summary.csv")).unwrap();
    assert_eq!(
        columns(&csv, &["run", "seed", "status", "lora.rank", "rows"]),
        [
            ["b", "42", "complete", "4", "40"],
            ["never", "42", "not run", "", ""],
            ["a", "42", "complete", "8", "40"],
            ["gone", "42", "stale", "8", "40"]
        ]
    );
    assert!(csv.starts_with("run,seed,status,lora.rank,evaluation,rows,accuracy,accuracy_low,accuracy_high,accuracy_covers,macro_f1,loss,wall_seconds,"));
    assert!(
        csv.lines()
            .next()
            .unwrap()
            .contains("trainable_parameters,trainable_percent"),
        "{csv}"
    );
    let page = fs::read_to_string(results.path().join("report/index.html")).unwrap();
    assert!(page.contains("gone (not in the plan)") && page.contains("not run"));
}

#[test]
fn the_page_escapes_every_text_and_needs_no_network() {
    let results = tempfile::tempdir().unwrap();
    Sample {
        status: Status::Failed,
        ..small("<script>alert('1')</script>".replace('/', "|").as_str())
    }
    .write(results.path());
    Sample {
        classes: vec!["<i>".into(), "&".into()],
        ..small("b")
    }
    .write(results.path());
    write_plan(results.path(), "x", &[("b", 42)]);
    without_plots(results.path());
    let page = fs::read_to_string(results.path().join("report/index.html")).unwrap();
    assert!(
        !page.contains("<script>alert")
            && !page.contains("<i>")
            && !page.contains("<device>")
            && !page.contains("<ranks>")
    );
    assert!(page.contains("&lt;script&gt;") && page.contains("&lt;ranks&gt; &amp; seeds"));
    let elsewhere = page.replace("http://www.w3.org/2000/svg", "");
    assert!(
        !elsewhere.contains("http:")
            && !elsewhere.contains("https:")
            && !elsewhere.contains("src=")
    );
}

#[test]
fn the_same_results_give_the_same_bytes() {
    let (a, b) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    for results in [&a, &b] {
        small("r").write(results.path());
        written(results.path());
    }
    let plots = [
        "final-accuracy",
        "accuracy-by-epoch",
        "loss-by-epoch",
        "r.seed-42.curves",
        "r.seed-42.confusion-test",
    ];
    let files = plots
        .iter()
        .flat_map(|stem| [format!("x/plots/{stem}.svg"), format!("x/plots/{stem}.png")]);
    for file in files.chain(["x/summary.csv".to_owned(), "report/index.html".to_owned()]) {
        let read = |results: &tempfile::TempDir| fs::read(results.path().join(&file)).unwrap();
        assert!(read(&a) == read(&b), "{file}");
        assert!(!read(&a).is_empty(), "{file}");
    }
    assert!(
        fs::read(a.path().join("x/plots/final-accuracy.png"))
            .unwrap()
            .starts_with(b"\x89PNG")
    );
}

#[test]
fn broken_files_are_shown_and_stop_nothing() {
    let results = tempfile::tempdir().unwrap();
    small("good").write(results.path());
    for run in ["record", "log", "settings", "predictions"] {
        small(run).write(results.path());
    }
    let file = |run: &str, name: &str| {
        results
            .path()
            .join("x")
            .join(run)
            .join("seed-42")
            .join(name)
    };
    fs::write(file("record", "record.json"), "{\"schema\": 1,").unwrap();
    fs::write(
        file("log", "training_log.csv"),
        "step,epoch,loss,learning_rate,gradient_norm\n1,0.1,much,0,0\n",
    )
    .unwrap();
    fs::write(file("settings", "run.toml"), "rank = [").unwrap();
    fs::write(file("predictions", "predictions.csv"), "row\n1\n").unwrap();
    fs::write(results.path().join("x/plan.json"), "[]").unwrap();
    let report = without_plots(results.path());
    let page = fs::read_to_string(results.path().join("report/index.html")).unwrap();
    let table = report.terminal_table("x", None).unwrap();
    for name in [
        "record.json",
        "training_log.csv",
        "run.toml",
        "predictions.csv",
        "plan.json",
    ] {
        assert!(
            page.contains(name) && table.contains(name),
            "{name}: {table}"
        );
    }
    assert!(table.contains("unreadable"));
}

#[test]
fn results_of_earlier_settings_are_marked() {
    let results = tempfile::tempdir().unwrap();
    small("a").write(results.path());
    let record = results.path().join("x/a/seed-42/record.json");
    fs::write(
        &record,
        fs::read_to_string(&record).unwrap().replace("5d1f", "0000"),
    )
    .unwrap();
    write_plan(results.path(), "x", &[("a", 42)]);
    let report = build(results.path(), &[]).unwrap();
    assert!(
        report
            .terminal_table("x", None)
            .unwrap()
            .contains("earlier settings")
    );
}

#[test]
fn several_seeds_are_one_line_with_a_mean() {
    let results = tempfile::tempdir().unwrap();
    for seed in [1, 2, 3] {
        Sample { seed, ..small("a") }.write(results.path());
    }
    let table = build(results.path(), &[])
        .unwrap()
        .terminal_table("x", None)
        .unwrap();
    let line = table.lines().nth(2).unwrap();
    assert!(
        line.starts_with('a') && line.contains("    3  0.") && line.contains('['),
        "{table}"
    );
    assert!(table.contains("other trainings and other texts") && table.contains(" ± "));
    let drawn = without_plots(results.path());
    assert_eq!(drawn.selected(), ["x"]);
    let csv = fs::read_to_string(results.path().join("x/summary.csv")).unwrap();
    let means = columns(&csv, &["seeds", "accuracy_mean", "accuracy_mean_low"]);
    assert_eq!(means.len(), 3);
    assert!(means.iter().all(|line| *line == means[0]) && means[0][0] == "3");
    assert!(means[0][1].parse::<f64>().unwrap() > means[0][2].parse::<f64>().unwrap());
    assert_eq!(
        table.lines().filter(|line| line.starts_with('a')).count(),
        1,
        "{table}"
    );
}

#[test]
fn selection_on_the_test_set_is_named() {
    let results = tempfile::tempdir().unwrap();
    for run in ["a", "b"] {
        small(run).write(results.path());
    }
    let report = without_plots(results.path());
    let table = report.terminal_table("x", None).unwrap();
    let page = fs::read_to_string(results.path().join("report/index.html")).unwrap();
    for said in [
        "is the best of 2 runs on “test”: ",
        "Epochs were judged on the test split",
    ] {
        assert!(table.contains(said) && page.contains(said), "{table}");
    }
    assert!(page.contains("Choosing an epoch by it would be selection on the test set."));
}

#[test]
fn only_selected_experiments_are_written_but_the_page_shows_all() {
    let results = tempfile::tempdir().unwrap();
    small("a").write(results.path());
    Sample {
        experiment: "y",
        ..small("b")
    }
    .write(results.path());
    let written = build(results.path(), &["y".to_owned()])
        .unwrap()
        .write(results.path())
        .unwrap();
    assert_eq!(written.summaries, [results.path().join("y/summary.csv")]);
    assert!(!results.path().join("x/plots").exists() && results.path().join("y/plots").exists());
    let page = fs::read_to_string(written.page).unwrap();
    assert!(page.contains("<h2>x</h2>") && page.contains("<h2>y</h2>"));
}

#[test]
fn an_unknown_experiment_is_named_with_those_that_exist() {
    let results = tempfile::tempdir().unwrap();
    small("a").write(results.path());
    let error = build(results.path(), &["z".to_owned()])
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("`z`") && error.ends_with("there are results of x"),
        "{error}"
    );
}

#[test]
fn no_results_make_an_empty_page() {
    let results = tempfile::tempdir().unwrap();
    let written = build(&results.path().join("none"), &[])
        .unwrap()
        .write(&results.path().join("none"))
        .unwrap();
    assert!(
        fs::read_to_string(written.page)
            .unwrap()
            .contains("no results yet")
    );
}

#[test]
fn plots_of_runs_that_are_gone_are_removed_and_other_files_stay() {
    let results = tempfile::tempdir().unwrap();
    small("a").write(results.path());
    let plots = results.path().join("x/plots");
    fs::create_dir_all(&plots).unwrap();
    for name in [
        "old.seed-1.curves.svg",
        "old.seed-1.curves.png",
        "mine.svg",
        "notes.txt",
    ] {
        fs::write(plots.join(name), "x").unwrap();
    }
    written(results.path());
    assert!(
        !plots.join("old.seed-1.curves.svg").exists()
            && !plots.join("old.seed-1.curves.png").exists()
    );
    assert!(plots.join("mine.svg").exists() && plots.join("notes.txt").exists());
    assert!(
        !fs::read_dir(&plots)
            .unwrap()
            .flatten()
            .any(|entry| entry.file_name().to_string_lossy().starts_with('.'))
    );
}

/// Trees that have broken plots before: each must give figures whose texts stay inside the picture.
fn odd_trees() -> Vec<Vec<Sample>> {
    let many = grid_names(40).into_iter().enumerate();
    let forty = many.map(|(i, name)| Sample {
        diverges: (i == 7).then_some(3),
        accuracy: if i % 2 == 0 { 0.6 } else { 0.8 },
        ..small(&name)
    });
    vec![
        vec![small("one")],
        vec![Sample {
            epochs: 1,
            steps: 1,
            rows: 2,
            ..small("single point")
        }],
        vec![
            small(&"x".repeat(100)),
            small(&"ñ, é ".repeat(14)),
            small("rank=4,targets=query+key+value+attention_output+intermediate+output"),
        ],
        forty.collect(),
        vec![
            Sample {
                accuracy: 1.0,
                ..small("all right")
            },
            Sample {
                accuracy: 0.0,
                ..small("all wrong")
            },
        ],
        vec![
            Sample {
                diverges: Some(0),
                ..small("never finite")
            },
            small("finite"),
        ],
        vec![Sample {
            epochs: 60,
            ..small("long")
        }],
        vec![Sample {
            status: Status::Failed,
            epochs: 0,
            ..small("failed at once")
        }],
        vec![Sample {
            classes: (0..40).map(|i| format!("class number {i}")).collect(),
            rows: 400,
            ..small("classes")
        }],
        vec![Sample {
            classes: vec!["only".into()],
            ..small("one class")
        }],
    ]
}

#[test]
fn every_text_of_every_plot_stays_inside_the_picture() {
    for tree in odd_trees() {
        let results = tempfile::tempdir().unwrap();
        for sample in &tree {
            sample.write(results.path());
        }
        let experiment = read_experiment(results.path(), "x").unwrap();
        let mut plots = views::of(&experiment.kind).plots(&experiment);
        plots.extend(experiment.seeds().flat_map(|(run, seed)| {
            views::of(&experiment.kind).plots_of_seed(&experiment, run, seed)
        }));
        assert!(!plots.is_empty() || tree[0].epochs == 0);
        for plot in plots {
            plot.scene
                .assert_sound(&format!("{} of {}", plot.stem, tree[0].run));
            assert!(draw::svg(&plot.scene, &plot.caption).ends_with("</svg>\n"));
        }
    }
}

#[test]
fn searches_have_tables_and_figures_of_their_own() {
    let results = tempfile::tempdir().unwrap();
    let runs = [("a", 60, 2), ("b", 60, 2), ("c", 120, 3), ("d", 120, 2)];
    sample::searches(results.path(), &runs);
    let report = build(results.path(), &[]).unwrap();
    let table = report.terminal_table("s", None).unwrap();
    assert!(
        table.contains("nDCG@k") && !table.contains("accuracy"),
        "{table}"
    );
    assert!(table.contains("Means over 2 of 3 questions"), "{table}");
    let written = report.write(results.path()).unwrap();
    let summary = fs::read_to_string(&written.summaries[0]).unwrap();
    let header = summary.lines().next().unwrap();
    assert!(
        header.starts_with("run,seed,status,chunks.size,retrieval.top_k,wall_seconds,"),
        "{header}"
    );
    assert!(
        header.contains(",ndcg@2,") && header.contains(",cd.reciprocal_rank,"),
        "{header}"
    );
    let agreement = fs::read_to_string(results.path().join("s/agreement.csv")).unwrap();
    let lines: Vec<&str> = agreement.lines().collect();
    // Two pairs of runs have the same chunks; on 1, 2 against 1, 0 they share one of two.
    assert_eq!(lines.len(), 1 + 2 * 3, "{agreement}");
    assert!(lines[1].starts_with("a,b,cd,2,0.5,"), "{agreement}");
    for name in ["score-by-rank", "ndcg-by-chunks", "agreement"] {
        assert!(
            results.path().join(format!("s/plots/{name}.svg")).exists(),
            "{name}"
        );
    }
}

#[test]
fn every_text_of_a_searchs_plots_stays_inside_the_picture() {
    let names: Vec<String> = (0..24)
        .map(|i| format!("{}-{i}", "long name ".repeat(1 + i % 9)))
        .collect();
    let many: Vec<(&str, usize, usize)> = names
        .iter()
        .enumerate()
        .map(|(i, name)| (name.as_str(), 60 + i % 5, 1 + i % 4))
        .collect();
    for runs in [
        &many[..],
        &[("one", 60, 1)],
        &[("one", 60, 3), ("two", 60, 3)],
    ] {
        let results = tempfile::tempdir().unwrap();
        sample::searches(results.path(), runs);
        let experiment = read_experiment(results.path(), "s").unwrap();
        for plot in views::of(&experiment.kind).plots(&experiment) {
            plot.scene.assert_sound(&plot.stem);
            assert!(draw::svg(&plot.scene, &plot.caption).ends_with("</svg>\n"));
        }
    }
}

#[test]
fn a_kind_of_a_newer_version_is_shown_by_its_name_and_metrics() {
    let results = tempfile::tempdir().unwrap();
    small("a").write(results.path());
    let record = results.path().join("x/a/seed-42/record.json");
    let text = fs::read_to_string(&record).unwrap();
    fs::write(&record, text.replace("\"lora\"", "\"novel\"")).unwrap();
    let table = without_plots(results.path())
        .terminal_table("x", None)
        .unwrap();
    assert!(table.contains("does not know experiments of kind `novel`"));
    assert!(
        table.contains("accuracy") && !table.contains("interval"),
        "{table}"
    );
    let page = fs::read_to_string(results.path().join("report/index.html")).unwrap();
    assert!(page.contains("Kind novel, 1 run"));
}

#[test]
fn the_best_runs_of_experiments_that_are_compared_stand_in_one_plot() {
    let results = tempfile::tempdir().unwrap();
    for (experiment, run, accuracy, rows) in [
        ("x", "attempt-1", 0.7, 400),
        ("x", "attempt-2", 0.9, 400),
        ("y", "few-shot", 0.6, 60),
    ] {
        Sample {
            experiment,
            accuracy,
            rows,
            ..small(run)
        }
        .write(results.path());
    }
    write_plan(results.path(), "x", &[("attempt-1", 42), ("attempt-2", 42)]);
    let mut plan = crate::record::PlanFile::read(results.path(), "x")
        .unwrap()
        .unwrap();
    plan.compare = Some(crate::record::PlannedComparison {
        experiments: vec!["y".into(), "not run".into()],
        metric: "accuracy".into(),
        evaluation: "test".into(),
    });
    plan.write(results.path()).unwrap();
    let report = build(results.path(), &[]).unwrap();
    let plots = |name: &str| {
        let experiment = report.experiments.iter().find(|known| known.name == name);
        let experiment = experiment.unwrap();
        let plots = views::of(&experiment.kind).plots(experiment);
        let mut beside = plots
            .into_iter()
            .filter(|plot| plot.stem == "beside-others");
        beside.next()
    };
    let plot = plots("x").unwrap();
    plot.scene.assert_sound("beside");
    assert!(
        plot.caption.contains("of 2 experiments on “test”")
            && plot.caption.contains("Highest: x: attempt-2"),
        "{}",
        plot.caption
    );
    let words = plot.scene.words();
    assert!(
        words.contains("x: attempt-2") && words.contains("y: few-shot"),
        "{words}"
    );
    assert!(
        words.contains("Not on the same rows: x on 400, y on 60."),
        "{words}"
    );
    assert!(plots("y").is_none());
}

#[test]
fn the_pages_style_has_every_colour_of_the_plots_for_light_and_dark() {
    let style = include_str!("templates/page.css");
    for (word, (red, green, blue)) in draw::palette::REPLACED {
        let light = format!("light-dark(#{red:02x}{green:02x}{blue:02x}, #");
        for rule in [
            format!(".f-{word} {{ fill: {light}"),
            format!(".s-{word} {{ stroke: {light}"),
        ] {
            assert!(style.contains(&rule), "{rule}");
        }
    }
}
