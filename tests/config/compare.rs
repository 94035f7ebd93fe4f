//! `[compare]`: which other experiments the report sets beside one.

use ensayo::config::BestBy;
use insta::assert_snapshot;

use crate::{SOUND, study, with};

/// What is said about the sound experiment with `more` at its end, where `other` is one as well.
fn beside(more: &str) -> String {
    let other = SOUND.replace("\"sweep\"", "\"other\"");
    let rag = "name = \"bash\"\nkind = \"rag\"\n";
    let text = format!("{SOUND}{more}");
    study(&[("sweep", &text), ("other", &other), ("bash", rag)], &[])
        .problems
        .of(std::path::Path::new("experiments/sweep.toml"))
        .render(ensayo::config::Look::Plain, 100)
}

#[test]
fn defaults_are_accuracy_on_the_test_split_and_no_cell_knows_of_it() {
    let other = SOUND.replace("\"sweep\"", "\"other\"");
    let text = format!("{SOUND}[compare]\nexperiments = [\"other\"]\n");
    let compared = study(&[("other", &other), ("sweep", &text)], &[]);
    assert!(compared.problems.is_empty(), "{}", compared.problems);
    let [other, sweep] = &compared.grids[..] else {
        panic!("two experiments")
    };
    let compare = sweep.experiment.compare().unwrap();
    assert_eq!(compare.experiments, ["other"]);
    assert_eq!(
        (compare.metric, compare.evaluation.as_str()),
        (BestBy::Accuracy, "test")
    );
    // The same cells, so the same identities.
    assert_eq!(sweep.cells, other.cells);
}

#[test]
fn names_must_be_those_of_other_classifiers() {
    assert_snapshot!(beside(
        "[compare]\nexperiments = [\"othre\", \"sweep\", \"bash\", \"other\", \"other\"]\n"
    ));
}

#[test]
fn the_table_is_as_strict_as_the_others() {
    assert_snapshot!(beside(
        "[compare]\nexperiments = []\nmetric = \"acuracy\"\nevaluations = \"test\"\n"
    ));
    assert_snapshot!(with("[compare]\nmetric = \"loss\"\n"));
    assert_snapshot!(beside(
        "[compare]\nexperiments = [\"other\"]\nevaluation = \"custom\"\n[[data.evaluations]]\nname = \"customs\"\nrows = [{ text = \"a\", label = 1 }]\n"
    ));
}

#[test]
fn only_classifiers_are_compared() {
    let text = "name = \"sweep\"\nkind = \"rag\"\n[compare]\nexperiments = [\"other\"]\n";
    let said = crate::complaints(text);
    assert!(
        said.contains("kind \"rag\" cannot have `[compare]`"),
        "{said}"
    );
}
