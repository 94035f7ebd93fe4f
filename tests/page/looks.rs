//! Both themes, three widths, paper, and texts that would be obeyed elsewhere.

use std::path::{Path, PathBuf};

use super::browser::Browser;
use super::record::{PREDICTIONS_FILE, RunFile, Status, read, run_folder};
use super::sample::{Sample, grid_names, searches, write_plan};
use super::{page, sample};

/// A tree with something of everything; its pages.
fn everything(results: &Path) -> Vec<PathBuf> {
    let names = grid_names(12);
    for (place, run) in names.iter().enumerate() {
        for seed in [1, 2, 3] {
            let accuracy = 0.7 + f64::from(u32::try_from(place).unwrap()) / 50.0;
            let status = if place == 5 {
                Status::Failed
            } else {
                Status::Complete
            };
            Sample {
                status,
                rank: 1 << (place / 4),
                ..sample(run, accuracy, seed)
            }
            .write(results);
        }
    }
    let wrong = "https://example.org/".to_owned() + &"wide".repeat(40);
    std::fs::write(
        run_folder(results, "x", &names[0], 1).join(PREDICTIONS_FILE),
        format!("evaluation,row,label,prediction,probability_negative,probability_positive,text\ntest,0,negative,positive,0.1,0.9,{wrong}\ntest,1,positive,positive,0.1,0.9,fine\n"),
    )
    .unwrap();
    let mut planned: Vec<(&str, u64)> = names
        .iter()
        .flat_map(|name| [1, 2, 3].map(|seed| (name.as_str(), seed)))
        .collect();
    planned.push(("never", 1));
    write_plan(results, "x", &planned);
    searches(results, &[("bm25", 60, 2), ("encoder", 120, 3)]);
    let index = page(results);
    let runs = index.with_file_name("runs");
    let of = |experiment: &str, run: &str, seed: u64| {
        runs.join(experiment).join(format!("{run}@{seed}.html"))
    };
    vec![
        index,
        of("x", &names[0], 1),
        of("x", &names[5], 2),
        of("s", "bm25", 42),
    ]
}

#[test]
fn pages_fit_every_width_in_both_themes_without_an_error() {
    let Some(mut browser) = Browser::start() else {
        return;
    };
    let results = tempfile::tempdir().unwrap();
    for file in everything(results.path()) {
        for scheme in ["light", "dark"] {
            browser.media("screen", scheme);
            browser.visit(&file);
            for width in [360, 768, 1280] {
                browser.width(width);
                let found = browser.number("document.documentElement.scrollWidth");
                assert!(
                    found <= f64::from(width),
                    "{}: {found} at {width}",
                    file.display()
                );
            }
            let paper = browser.text("getComputedStyle(document.body).backgroundColor");
            assert_eq!(paper == "rgb(255, 255, 255)", scheme == "light", "{paper}");
            let faint = browser.value(CONTRAST);
            assert_eq!(faint, serde_json::json!([]), "{} {scheme}", file.display());
        }
    }
    assert_eq!(browser.errors, [""; 0]);
}

/// Texts whose contrast with what is behind them is below WCAG's AA.
const CONTRAST: &str = r"(() => {
  const channels = (colour) => colour.match(/[\d.]+/g).map(Number);
  const light = (colour) => {
    const [r, g, b] = channels(colour).slice(0, 3).map((one) => one / 255).map((one) => one <= 0.04045 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (element) => {
    for (let one = element; one; one = one.parentElement) {
      const colour = getComputedStyle(one).backgroundColor;
      if ((channels(colour)[3] ?? 1) > 0) return colour;
    }
    return 'rgb(255, 255, 255)';
  };
  const found = new Set();
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const element = walk.currentNode.parentElement;
    if (!walk.currentNode.textContent.trim() || element.closest('svg, script, style, button:disabled, option')) continue;
    const [one, two] = [light(getComputedStyle(element).color), light(behind(element))].sort((a, b) => b - a);
    if ((one + 0.05) / (two + 0.05) < 4.5) found.add(element.outerHTML.slice(0, 120));
  }
  return [...found];
})()";

#[test]
fn eight_settings_and_six_figures_fit_a_small_screen() {
    let Some(mut browser) = Browser::start() else {
        return;
    };
    let results = tempfile::tempdir().unwrap();
    for run in 0..6 {
        let name = format!("attempt-{run}");
        Sample {
            rank: 1 << run,
            epochs: 1 + run,
            ..sample(&name, 0.8, 42)
        }
        .write(results.path());
        let folder = run_folder(results.path(), "x", &name, 42);
        let mut file = RunFile::<toml::Table>::read(&folder).unwrap();
        let training = file.settings["training"].as_table_mut().unwrap();
        for (key, value) in [
            ("learning_rate", 2e-5),
            ("weight_decay", 0.01),
            ("max_gradient_norm", 0.5),
        ] {
            training.insert(
                key.into(),
                toml::Value::Float(value * f64::from(u32::try_from(run + 1).unwrap())),
            );
        }
        training.insert("schedule".into(), format!("cosine-{run}").into());
        training.insert(
            "gradient_accumulation".into(),
            toml::Value::Integer(i64::try_from(run).unwrap()),
        );
        file.settings["lora"]["targets"] = toml::Value::Array(vec![
            "query".into(),
            format!("attention_output_{run}").into(),
        ]);
        file.write(&folder).unwrap();
        let mut record = read(&folder).unwrap().unwrap();
        record
            .metrics
            .iter_mut()
            .filter(|row| row.metric == "trainable_parameters")
            .for_each(|row| row.value *= 1000.0);
        record.write(&folder).unwrap();
    }
    browser.width(1280);
    browser.visit(&page(results.path()));
    let settings =
        browser.number("document.querySelectorAll('table.runs thead th.setting').length");
    let figures = browser.number("document.querySelectorAll('table.runs thead th.number').length");
    assert!(
        settings >= 8.0 && figures >= 6.0,
        "{settings} settings, {figures} figures"
    );
    let (wide, room) = (
        browser.number("document.querySelector('table.runs').parentElement.scrollWidth"),
        browser.number("document.querySelector('table.runs').parentElement.clientWidth"),
    );
    assert!(wide <= room, "{wide} of {room}");
    assert_eq!(browser.errors, [""; 0]);
}

#[test]
fn a_chosen_theme_is_remembered_by_all_pages() {
    let Some(mut browser) = Browser::start() else {
        return;
    };
    let results = tempfile::tempdir().unwrap();
    sample("a", 0.8, 42).write(results.path());
    let index = page(results.path());
    browser.media("screen", "light");
    browser.visit(&index);
    assert_eq!(browser.texts("button.theme"), ["Dark theme"]);
    browser.click("button.theme");
    let paper = "getComputedStyle(document.body).backgroundColor";
    let dark = browser.text(paper);
    assert_ne!(dark, "rgb(255, 255, 255)");
    browser.visit(&index.with_file_name("runs").join("x/a@42.html"));
    assert_eq!(browser.text(paper), dark);
    assert_eq!(browser.texts("button.theme"), ["Light theme"]);
    browser.click("button.theme");
    browser.media("screen", "dark");
    browser.visit(&index);
    assert_eq!(browser.text(paper), "rgb(255, 255, 255)");
    assert_eq!(browser.errors, [""; 0]);
}

#[test]
fn paper_shows_all_and_no_controls() {
    let Some(mut browser) = Browser::start() else {
        return;
    };
    let results = tempfile::tempdir().unwrap();
    let pages = everything(results.path());
    for file in &pages[..2] {
        browser.visit(file);
        browser.media("print", "dark");
        browser.value("dispatchEvent(new Event('beforeprint'))");
        let seen = browser.value("[...document.querySelectorAll('button, input, select')].filter((one) => one.checkVisibility() && !one.matches('.sort')).length");
        assert_eq!(seen, 0, "{}", file.display());
        assert_eq!(
            browser.value("document.querySelectorAll('details:not([open])').length"),
            0
        );
        assert_eq!(
            browser.text("getComputedStyle(document.body).backgroundColor"),
            "rgb(255, 255, 255)"
        );
        let pdf = browser.call("Page.printToPDF", serde_json::json!({}));
        assert!(pdf["data"].as_str().is_some_and(|data| data.len() > 10_000));
        browser.value("dispatchEvent(new Event('afterprint'))");
        browser.media("screen", "light");
    }
    browser.visit(&pages[1]);
    assert!(browser.number("document.querySelectorAll('details:not([open])').length") > 0.0);
    assert_eq!(browser.errors, [""; 0]);
}

#[test]
fn names_with_markup_are_shown_as_they_are() {
    let Some(mut browser) = Browser::start() else {
        return;
    };
    let results = tempfile::tempdir().unwrap();
    let evil = [
        "<img src=x onerror=hacked=1>",
        "'\"><script>hacked=1<|script>",
        "\u{2028}<|b>&amp;",
    ];
    for run in evil {
        sample(run, 0.8, 42).write(results.path());
    }
    browser.visit(&page(results.path()));
    browser.value("document.querySelectorAll('table.runs input').forEach((box) => box.click())");
    browser.click("button.go");
    browser.value("new Promise((ready) => { const look = () => document.querySelector('.compare h4') ? ready() : setTimeout(look, 10); look(); })");
    // White space is no part of the question here.
    let plain = |names: Vec<String>| -> Vec<String> {
        let names = names.iter().map(|name| name.replace(['\u{2028}', ' '], ""));
        let mut names: Vec<String> = names.collect();
        names.sort();
        names
    };
    let wanted = evil.iter().map(|run| format!("x/{run}")).collect();
    assert_eq!(plain(browser.texts(".compare .legend li")), plain(wanted));
    assert_eq!(browser.text("typeof hacked"), "undefined");
    // Every link of the page leads somewhere.
    let links = "[...document.querySelectorAll('a[href]')].filter((link) => !link.hash).map((link) => decodeURIComponent(link.pathname))";
    let links: Vec<PathBuf> = serde_json::from_value(browser.value(links)).unwrap();
    assert!(links.len() > 5, "{links:?}");
    for link in links {
        assert!(link.is_file(), "{}", link.display());
        // Other files are shown by other programs.
        if link.extension().is_some_and(|ending| ending == "html") {
            browser.visit(&link);
        }
    }
    assert_eq!(browser.text("typeof hacked"), "undefined");
    assert_eq!(browser.errors, [""; 0]);
}
