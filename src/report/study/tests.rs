//! Studies over made-up results trees.

use std::fs;
use std::path::Path;

use crate::report::sample::{Sample, searches, write_plan};
use crate::report::{self, StudyLine};
use crate::study::{self, Study};

/// A folder of experiments with a study, and one of results.
struct Place(tempfile::TempDir);

const MANIFEST: &str = r#"
name = "mine"
title = "A study of <ranks> & rows"
[published]
reports = "../published/reports.csv"
epochs = "../published/epochs.csv"
values = "../published/values.csv"
[[runs]]
name = "One"
run = "x/a"
[[runs]]
name = "Two"
run = "x/b"
[[runs]]
name = "Search"
run = "s/base"
environment = "MANUAL=m.txt"
[[figures]]
number = 1
caption = "What is trained, 100 % of it"
kind = "parameters"
values = ["lora.rank", "trainable_parameters", "trainable_percent", "train_samples_per_second"]
runs = ["One", "Two"]
[[figures]]
number = 2
caption = "Report"
kind = "classification-report"
runs = ["One"]
[[figures]]
number = 3
caption = "Epochs"
kind = "epochs"
runs = ["One"]
[[figures]]
number = 40
caption = "Answers"
kind = "answers"
runs = ["Search"]
questions = ["cd"]
[[figures]]
number = 41
caption = "Searches"
kind = "retrieval"
runs = ["Search"]
[[figures]]
number = 42
caption = "Data"
kind = "dataset"
runs = ["One"]
values = ["test/rows"]
"#;

const REPORTS: &str = "run,evaluation,class,precision,recall,f1_score,support
One,test,negative,0.84,0.84,0.84,500
One,test,positive,0.60,0.60,0.60,500
One,test,accuracy,,,0.84,1000
";

const EPOCHS: &str = "run,epoch,train_loss,validation_loss,accuracy
One,1,0.42,0.44,0.80
One,3,,,0.84
";

const VALUES: &str = "run,evaluation,name,value
One,run,lora.rank,8.0
One,run,trainable_parameters,296450
One,run,trainable_percent,0.17
One,run,train_samples_per_second,84.371
Two,run,trainable_parameters,148225
One,test,rows,1000
Search,run,retrieval.top_k,3
Search,run,chunks,5
";

impl Place {
    fn new() -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        for folder in ["experiments/studies", "experiments/published", "results"] {
            fs::create_dir_all(place.0.path().join(folder)).unwrap();
        }
        place.write("studies/mine.toml", MANIFEST);
        place.write("published/reports.csv", REPORTS);
        place.write("published/epochs.csv", EPOCHS);
        place.write("published/values.csv", VALUES);
        place
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.0.path().join("experiments").join(name), text).unwrap();
    }

    fn results(&self) -> std::path::PathBuf {
        self.0.path().join("results")
    }

    fn studies(&self) -> Vec<Study> {
        let loaded = study::load(&self.0.path().join("experiments"));
        assert!(loaded.problems.is_empty(), "{}", loaded.problems);
        loaded.studies
    }

    fn report(&self) -> StudyLine {
        let report = report::build(&self.results(), &[]).unwrap();
        let studies = self.studies();
        let mut lines = report.write_studies(&self.results(), &studies).unwrap();
        assert_eq!(report.study_lines(&studies), lines);
        lines.remove(0)
    }

    fn file(&self, name: &str) -> String {
        let path = self.results().join("report/studies").join(name);
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    /// (labels and value, published, ours, difference, verdict, command) of the lines of a table.
    fn lines(&self, figure: &str) -> Vec<Vec<String>> {
        let text = self.file(&format!("mine/{figure}.csv"));
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let rows = reader.records().map(|row| {
            let row = row.unwrap();
            let labels = row.len() - 5;
            let names: Vec<&str> = row.iter().take(labels).collect();
            let rest = row.iter().skip(labels).map(str::to_owned);
            std::iter::once(names.join(" ")).chain(rest).collect()
        });
        rows.collect()
    }

    /// The line of a value without its command.
    fn line(&self, figure: &str, name: &str) -> [String; 4] {
        let lines = self.lines(figure);
        let line = lines.iter().find(|line| line[0] == name);
        let line = line.unwrap_or_else(|| panic!("no {name} in {lines:?}"));
        [1, 2, 3, 4].map(|place| line[place].clone())
    }
}

fn sample(run: &str) -> Sample {
    Sample {
        accuracy: 0.84,
        ..Sample::new("x", run)
    }
}

#[test]
fn before_the_first_run_every_table_says_what_fills_it() {
    let place = Place::new();
    let line = place.report();
    assert_eq!(line.address, "studies/mine.html");
    assert!(
        line.counts.starts_with("6 tables, ") && line.counts.contains("not run yet"),
        "{line:?}"
    );
    for lines in ["figure-01", "figure-02", "figure-03"].map(|figure| place.lines(figure)) {
        for line in lines {
            let command = &line[5];
            assert!(command.starts_with("ensayo run x/"), "{line:?}");
            assert!(line[4] == "not run yet" && line[2].is_empty(), "{line:?}");
        }
    }
    assert!(place.lines("figure-40")[0].contains(&"MANUAL=m.txt ensayo run s/base".to_owned()));
    for ending in ["csv", "md", "tex"] {
        for number in ["01", "02", "03", "40", "41", "42"] {
            place.file(&format!("mine/figure-{number}.{ending}"));
        }
    }
}

#[test]
fn what_must_be_exact_is_equal_or_differs_and_speeds_are_measured() {
    let place = Place::new();
    sample("a").write(&place.results());
    let line = place.report();
    let of = |name: &str| place.line("figure-01", &format!("One {name}"));
    assert_eq!(of("lora.rank"), ["8.0", "8", "", "equal"]);
    assert_eq!(
        of("trainable_parameters"),
        ["296450", "296450", "0", "equal"]
    );
    assert_eq!(
        of("trainable_percent"),
        ["0.17", "0.16", "-0.01", "differs"]
    );
    assert_eq!(
        of("train_samples_per_second"),
        ["84.371", "131.250", "+46.879", "measured"]
    );
    let two = place.line("figure-01", "Two trainable_parameters");
    assert_eq!(two, ["148225", "", "", "not run yet"]);
    for part in ["differ", "equal", "measured", "not run yet"] {
        assert!(line.counts.contains(part), "{part}: {line:?}");
    }
}

#[test]
fn shares_are_judged_by_the_noise_of_both_sides() {
    let place = Place::new();
    sample("a").write(&place.results());
    place.report();
    let of = |name: &str| place.line("figure-02", name);
    assert_eq!(of("accuracy f1-score")[3], "within noise");
    assert_eq!(of("negative recall")[3], "within noise");
    assert_eq!(of("positive recall")[3], "outside noise");
    assert_eq!(of("positive precision")[3], "outside noise");
    assert_eq!(of("negative support"), ["500", "500", "0", "equal"]);
    // An average that nobody published is shown all the same, where there is one of ours.
    assert_eq!(place.line("figure-03", "1 accuracy")[0], "0.80");
    let epoch = place.line("figure-03", "3 accuracy");
    assert_eq!(epoch[3], "within noise", "{epoch:?}");
    // Epoch 2 is ours alone.
    assert_eq!(place.line("figure-03", "2 accuracy")[3], "");
    assert_eq!(
        place.line("figure-42", "One test/rows value"),
        ["1000", "1000", "0", "equal"]
    );
    let text = &place.line(
        "figure-42",
        "One first text of class negative (row 0) value",
    )[1];
    assert_eq!(text, "text 0");
}

#[test]
fn seeds_widen_the_noise() {
    let place = Place::new();
    for (seed, accuracy) in [(1, 0.70), (2, 0.80), (3, 0.60)] {
        Sample {
            seed,
            accuracy,
            ..sample("a")
        }
        .write(&place.results());
    }
    place.report();
    let accuracy = place.line("figure-02", "accuracy f1-score");
    assert_eq!(accuracy[3], "within noise", "{accuracy:?}");
}

#[test]
fn stale_results_are_shown_but_not_judged() {
    let place = Place::new();
    sample("a").write(&place.results());
    sample("b").write(&place.results());
    write_plan(&place.results(), "x", &[("b", 42)]);
    let line = place.report();
    let parameters = place.line("figure-01", "One trainable_parameters");
    assert_eq!(parameters, ["296450", "296450", "0", "stale"]);
    assert!(line.counts.contains("stale"), "{line:?}");
    let text = place.file("mine/figure-01.md");
    assert!(
        text.contains("is stale: the experiment no longer has this run"),
        "{text}"
    );
    assert!(text.contains("    ensayo run x/a\n"), "{text}");
}

#[test]
fn answers_stand_beside_their_settings_without_a_verdict() {
    let place = Place::new();
    searches(&place.results(), &[("base", 120, 3)]);
    place.report();
    let of = |name: &str| place.line("figure-40", name);
    assert_eq!(of("Search  retrieval.top_k value"), ["3", "3", "", "equal"]);
    assert_eq!(of("Search  chunks value"), ["5", "4", "-1", "differs"]);
    assert_eq!(
        of("Search cd answer value"),
        ["", "Cambia de <carpeta>. [Contexto 1]", "", ""]
    );
    assert_eq!(of("Search cd chunks found (* right) value")[1], "1 2* 3");
    let found = place.lines("figure-41");
    assert!(
        found
            .iter()
            .any(|line| line[0] == "Search hit@k" && line[2] == "1.0000"),
        "{found:?}"
    );
}

#[test]
fn the_page_escapes_every_text_and_names_every_figure() {
    let place = Place::new();
    sample("a").write(&place.results());
    searches(&place.results(), &[("base", 120, 3)]);
    place.report();
    let page = place.file("mine.html");
    assert!(page.contains("A study of &lt;ranks&gt; &amp; rows") && !page.contains("<ranks>"));
    assert!(!page.contains("<carpeta>") && !page.contains("<script"));
    assert!(!page.contains("http:") && !page.contains("https:") && !page.contains("src="));
    for number in ["01", "02", "03", "40", "41", "42"] {
        assert!(page.contains(&format!("id=\"figure-{number}\"")));
        assert!(page.contains(&format!("href=\"mine/figure-{number}.tex\"")));
    }
    assert!(page.contains("within noise") && page.contains("published 0.84"));
    assert!(page.contains("ensayo run x/b"));
}

#[test]
fn tables_of_figures_that_are_no_more_go() {
    let place = Place::new();
    place.report();
    let folder = place.results().join("report/studies/mine");
    fs::write(folder.join("figure-99.csv"), "old").unwrap();
    fs::write(folder.join("notes.csv"), "mine").unwrap();
    place.report();
    assert!(!folder.join("figure-99.csv").exists() && folder.join("notes.csv").exists());
}

#[test]
fn the_bundled_studies_have_all_their_tables_before_anything_ran() {
    let results = tempfile::tempdir().unwrap();
    let experiments = Path::new(env!("CARGO_MANIFEST_DIR")).join("experiments");
    let loaded = study::load(&experiments);
    assert!(loaded.problems.is_empty(), "{}", loaded.problems);
    let report = report::build(results.path(), &[]).unwrap();
    report
        .write_studies(results.path(), &loaded.studies)
        .unwrap();
    let folder = results.path().join("report/studies/transformers-practice");
    let files = fs::read_dir(folder).unwrap().count();
    assert_eq!(files, 82 * 3);
    for study in &loaded.studies {
        let page = results
            .path()
            .join(format!("report/studies/{}.html", study.manifest.name));
        assert!(
            fs::read_to_string(page)
                .unwrap()
                .contains(&study.manifest.title)
        );
    }
}
