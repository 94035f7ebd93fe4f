//! The page as files: which there are, what they say, and that no text in them is obeyed.

use std::fs;
use std::path::Path;

use proptest::prelude::*;

use crate::record::{PREDICTIONS_FILE, RunRecord, Status, read, run_folder};
use crate::report::sample::{Sample, searches, write_plan};
use crate::report::{StudyLine, build, drawn, write};

fn small(run: &str) -> Sample {
    Sample {
        rows: 40,
        steps: 10,
        epochs: 2,
        ..Sample::new("x", run)
    }
}

/// The page alone, without the plots beside it, which take the time.
fn written(results: &Path) {
    let report = build(results, &[]).unwrap();
    let drawn = drawn::draw_all(&report);
    write::write_page(&report, &drawn, results).unwrap();
}

fn page(results: &Path, name: &str) -> String {
    fs::read_to_string(results.join("report").join(name))
        .unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn change(results: &Path, run: &str, with: impl FnOnce(&mut RunRecord)) {
    let folder = run_folder(results, "x", run, 42);
    let mut record = read(&folder).unwrap().unwrap();
    with(&mut record);
    record.write(&folder).unwrap();
}

#[test]
fn runs_are_ranked_the_best_is_marked_and_settings_come_last() {
    let results = tempfile::tempdir().unwrap();
    for (run, accuracy, rank) in [("low", 0.6, 4), ("high", 0.9, 8), ("middle", 0.75, 16)] {
        Sample {
            accuracy,
            rank,
            rows: 400,
            ..small(run)
        }
        .write(results.path());
    }
    written(results.path());
    let index = page(results.path(), "index.html");
    let table = &index[index.find("<table class=\"runs").unwrap()..];
    let at = |text: &str| {
        table
            .find(text)
            .unwrap_or_else(|| panic!("{text}: {table}"))
    };
    let row = |run: &str| at(&format!("<a href=\"runs/x/{run}%4042.html\">"));
    assert!(row("high") < row("middle") && row("middle") < row("low"));
    assert!(at(" class=\"best\"") < row("high") && table.matches("class=\"mark\"").count() == 1);
    assert!(at(">accuracy on test") < at(">rank</th>"));
    assert!(at("aria-sort=\"descending\"") < at(">macro F1"));
    let high = page(results.path(), "runs/x/high@42.html");
    assert!(
        high.contains("1 of 3 by accuracy") && high.contains("middle<wbr>@42 →")
            || high.contains("middle@42 →")
    );
    assert!(high.contains("<mark>8</mark>") && high.contains("16 (1),<wbr> 4 (1)"));
    assert!(high.contains("<code>ensayo rerun x/high@42</code>"));
    assert!(high.contains("href=\"../../../x/high/seed-42/training_log.csv\""));
}

#[test]
fn settings_that_names_say_have_no_column() {
    let results = tempfile::tempdir().unwrap();
    for rank in [4, 8] {
        Sample {
            rank,
            ..small(&format!("rank={rank},epochs=2"))
        }
        .write(results.path());
    }
    written(results.path());
    let index = page(results.path(), "index.html");
    assert!(
        !index.contains("title=\"lora.rank\"") && index.contains(">rank=4</a>"),
        "{index}"
    );
    assert!(index.contains("All of them: epochs=2"));
}

#[test]
fn a_runs_page_has_its_mistakes_the_surest_first() {
    let results = tempfile::tempdir().unwrap();
    small("a").write(results.path());
    fs::write(
        run_folder(results.path(), "x", "a", 42).join(PREDICTIONS_FILE),
        "evaluation,row,label,prediction,probability_negative,probability_positive,text\n\
         test,3,negative,positive,0.25,0.75,\"not <b>so</b> sure\"\n\
         test,4,positive,negative,0.99,0.01,quite sure\n",
    )
    .unwrap();
    written(results.path());
    let page = page(results.path(), "runs/x/a@42.html");
    let at = |text: &str| page.find(text).unwrap_or_else(|| panic!("{text}"));
    assert!(at("0.9900") < at("0.7500") && at("quite sure") < at("not &lt;b&gt;so&lt;/b&gt; sure"));
}

#[test]
fn a_search_shows_questions_in_full_beside_fragments_and_answers() {
    let results = tempfile::tempdir().unwrap();
    searches(results.path(), &[("a", 60, 2), ("b", 120, 2)]);
    let settings = run_folder(results.path(), "s", "a", 42).join(crate::record::RUN_FILE);
    let text = fs::read_to_string(&settings).unwrap();
    let question = "[[questions]]\nid = \"cd\"\ntext = \"¿Para qué <sirve> cd?\"\n";
    fs::write(&settings, text + question).unwrap();
    written(results.path());
    let page = page(results.path(), "runs/s/a@42.html");
    for said in [
        "<h3>¿Para qué &lt;sirve&gt; cd?</h3>",
        "Cambia de &lt;carpeta&gt;. [Contexto 1]",
        "chunk 2, score 0.5000, <b>relevant</b>",
        "<h3>umask</h3>",
    ] {
        assert!(page.contains(said), "{said}");
    }
}

#[test]
fn failed_runs_say_why_and_missing_ones_what_makes_them() {
    let results = tempfile::tempdir().unwrap();
    small("a").write(results.path());
    Sample {
        status: Status::Failed,
        ..small("broken")
    }
    .write(results.path());
    write_plan(
        results.path(),
        "x",
        &[("a", 42), ("broken", 42), ("never", 42)],
    );
    written(results.path());
    let index = page(results.path(), "index.html");
    assert!(index.contains(">ensayo run x/never@42</code>"));
    assert!(index.contains("<span class=\"bad\">failed</span>"));
    let broken = page(results.path(), "runs/x/broken@42.html");
    assert!(broken.contains("caused by &lt;the device&gt;") && !broken.contains("ensayo rerun"));
    assert!(!results.path().join("report/runs/x/never@42.html").exists());
}

#[test]
fn pages_of_runs_that_are_gone_are_removed_and_other_files_stay() {
    let results = tempfile::tempdir().unwrap();
    small("a").write(results.path());
    small("b").write(results.path());
    Sample {
        experiment: "y",
        ..small("c")
    }
    .write(results.path());
    written(results.path());
    let there = |name: &str| results.path().join("report").join(name).exists();
    assert!(there("runs/x/b@42.html") && there("runs/y/c@42.html") && there("data/y.js"));
    fs::write(results.path().join("report/runs/x/notes.txt"), "mine").unwrap();
    fs::remove_dir_all(results.path().join("x/b")).unwrap();
    fs::remove_dir_all(results.path().join("y")).unwrap();
    written(results.path());
    assert!(there("runs/x/a@42.html") && there("runs/x/notes.txt") && there("data/x.js"));
    assert!(!there("runs/x/b@42.html") && !there("runs/y") && !there("data/y.js"));
}

#[test]
fn studies_are_named_with_their_pages() {
    let results = tempfile::tempdir().unwrap();
    small("a").write(results.path());
    let study = StudyLine {
        name: "s".into(),
        title: "Encoders & <decoders>".into(),
        address: "studies/s.html".into(),
        counts: "3 tables".into(),
    };
    let report = build(results.path(), &[])
        .unwrap()
        .with_studies(vec![study]);
    report.write(results.path()).unwrap();
    let index = page(results.path(), "index.html");
    let link = "<a href=\"studies/s.html\">Encoders &amp; &lt;decoders&gt;</a>: 3 tables";
    assert!(index.contains(link), "{index}");
}

#[test]
fn a_report_of_the_same_results_writes_no_page_again() {
    let results = tempfile::tempdir().unwrap();
    small("a").write(results.path());
    written(results.path());
    let files = ["index.html", "runs/x/a@42.html", "data/x.js"];
    let times = || {
        files.map(|name| {
            let path = results.path().join("report").join(name);
            fs::metadata(path).unwrap().modified().unwrap()
        })
    };
    let before = times();
    std::thread::sleep(std::time::Duration::from_millis(20));
    written(results.path());
    assert_eq!(times(), before);
}

/// Everything that a browser would take for a tag, an attribute or an address elsewhere.
fn assert_harmless(html: &str, what: &str) {
    assert!(
        !html.contains("<evil") && !html.contains("\"evil"),
        "{what}: {html}"
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    #[test]
    fn no_text_of_a_user_is_ever_obeyed(
        noise in "[a-z\u{2028}\u{2029}&'<>\u{0}é]{0,12}",
        end in prop_oneof![Just("</script>"), Just("--></style>"), Just("'>"), Just("\">"), Just("]]>")],
    ) {
        let results = tempfile::tempdir().unwrap();
        let evil = format!("{noise}{end}<evil a=\"evil\">");
        let name = evil.replace(['/', '\0'], "|");
        for run in [name.as_str(), "b"] {
            Sample { classes: vec![evil.replace('"', "'"), "other".into()], rows: 6, ..small(run) }.write(results.path());
        }
        for run in [name.as_str(), "b"] {
            change(results.path(), run, |record| {
                record.notes = vec![evil.clone()];
                record.error = Some(evil.clone());
                record.environment.device = evil.clone();
                record.environment.content.insert(evil.clone(), evil.clone());
            });
        }
        written(results.path());
        let pages = ["index.html", "runs/x/b@42.html", "data/x.js"].map(|name| page(results.path(), name));
        let scripts = pages[0].matches("</script>").count();
        for html in &pages[..2] {
            assert_harmless(html, "page");
        }
        prop_assert_eq!(scripts, 2, "a text ended a script");
        let obeyed = ['<', '\u{2028}', '\u{2029}'];
        prop_assert!(!pages[2].contains(obeyed));
        let own = page(results.path(), &format!("runs/x/{name}@42.html"));
        assert_harmless(&own, "run");
    }
}
