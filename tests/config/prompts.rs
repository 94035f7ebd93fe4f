//! What is wrong with a prompt is said before anything runs.

use crate::kinds::{PROMPT, RAG};
use crate::{complaints, laid_out};

/// What is said about the sound prompting experiment after replacing `from` by `to`.
fn prompt(from: &str, to: &str) -> String {
    assert!(PROMPT.contains(from), "{from}");
    complaints(&PROMPT.replace(from, to))
}

/// What is said where nothing is wrong.
const SOUND: &str = "0 problems\n";

const TEMPLATE: &str = "template = \"{{ examples }} {{ reviews }}\"";

fn template(source: &str) -> String {
    prompt(TEMPLATE, &format!("template = '''{source}'''"))
}

#[test]
fn templates_that_would_fail_are_refused_with_their_line() {
    for (source, said) in [
        ("{{ examples }}\n{% for x in reviews %}", "line 2"),
        (
            "{{ examples }} {{ reviews }}\n\n{{ revews }}",
            "line 3: there is no `revews`",
        ),
        ("{{ examples }} {{ revews }}", "did you mean `reviews`?"),
        (
            "{{ examples }} {{ reviews }} {{ question }}",
            "known here: reviews, count, examples, classes",
        ),
        (
            "{{ examples }} {{ count }}",
            "it never uses the texts that are to be classified",
        ),
        ("{{ reviews }}", "it never uses the examples"),
        (
            "{{ examples | length }} {{ reviews | length }}",
            "whatever the texts, the prompt is the same",
        ),
        (
            "{{ examples }}\n{% for review in reviews %}\n{{ review.txt }}\n{% endfor %}",
            "line 3",
        ),
    ] {
        let told = template(source);
        assert!(told.contains(said), "{source}: {told}");
        assert!(told.contains("prompt.template"), "{told}");
    }
    assert_eq!(
        template(
            "{{ examples }}{% for review in reviews %}{{ loop.index }}. {{ review.text.strip() }}{% endfor %}"
        ),
        SOUND
    );
}

#[test]
fn a_template_stands_in_exactly_one_place_and_can_be_read() {
    for (table, said) in [
        (
            "format = \"raw\"",
            "needs one of `template`, `template_file`",
        ),
        (
            "template = \"a\"\ntemplate_file = \"../prompts/rag.txt\"",
            "`template_file`",
        ),
        (
            "template_file = \"../prompts/broken.txt\"",
            "prompts/broken.txt: line 3",
        ),
        (
            "template_file = \"../prompts/none.txt\"",
            "prompts/none.txt",
        ),
    ] {
        let told = prompt(TEMPLATE, table);
        assert!(told.contains(said), "{table}: {told}");
    }
}

#[test]
fn what_only_chats_have_is_refused_elsewhere() {
    let told = prompt(TEMPLATE, &format!("{TEMPLATE}\nsystem = \"Be brief.\""));
    assert!(told.contains("`prompt.system` is for chats"), "{told}");
    let told = prompt(TEMPLATE, &format!("{TEMPLATE}\ndate = \"2024-13-01\""));
    assert!(told.contains("no day"), "{told}");
    let chat =
        format!("{TEMPLATE}\nformat = \"chat\"\nsystem = \"Be brief.\"\ndate = \"2025-01-02\"");
    assert_eq!(prompt(TEMPLATE, &chat), SOUND);
}

#[test]
fn settings_of_classification_that_say_two_things_are_refused() {
    for (more, said) in [
        ("example_rows = [1]", "is set beside `examples`"),
        ("separator = \"\"", "`classification.separator` is empty"),
        ("calibration = true", "is for `mode = \"likelihood\"`"),
        (
            "words = [{ class = 0, word = \"a\" }, { class = 1, word = \"a\" }]",
            "a word for two classes",
        ),
        (
            "words = [{ class = 0, word = \"a\" }, { class = 0, word = \"b\" }]",
            "two words for a class",
        ),
        ("max_tries = 0", "max_tries"),
    ] {
        let told = prompt("examples = 5", &format!("examples = 5\n{more}"));
        assert!(told.contains(said), "{more}: {told}");
    }
    let twice = prompt("examples = 5", "example_rows = [1, 1]");
    assert!(twice.contains("has a row twice"), "{twice}");
    let stop = prompt("[prompt]", "[generation]\nstop = [\"\"]\n[prompt]");
    assert!(
        stop.contains("`generation.stop` has an empty text"),
        "{stop}"
    );
}

#[test]
fn a_likelihood_prompt_may_name_its_one_review() {
    let text = PROMPT
        .replace("\"chunks\"", "\"likelihood\"")
        .replace(TEMPLATE, "template = \"{{ examples }} {{ review }}\"");
    assert_eq!(laid_out(&text, &[]).cells.len(), 1);
}

#[test]
fn prompts_of_retrieval_need_question_and_fragments() {
    let rag = |template: &str| {
        let text = RAG.replace("\"manual\"", "\"sweep\"");
        complaints(&text.replace(
            "template_file = \"../prompts/rag.txt\"",
            &format!("template = '''{template}'''"),
        ))
    };
    assert!(rag("{{ question }}").contains("it never uses the fragments"));
    assert!(rag("{{ fragments }}").contains("it never uses the question"));
    assert!(rag("{{ fragments }} {{ query }}").contains("there is no `query`"));
    assert_eq!(
        rag(
            "{{ question }}{% for f in fragments %}{{ f.number }} {{ f.score }} {{ f.text }}{% endfor %}"
        ),
        SOUND
    );
}

#[test]
fn four_bits_can_be_written_and_planned() {
    assert_eq!(
        prompt(
            "id = \"org/decoder\"",
            "id = \"org/decoder\"\nprecision = \"nf4\""
        ),
        SOUND
    );
}
