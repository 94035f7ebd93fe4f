//! Chat templates against transformers.

use std::collections::BTreeMap;

use ensayo::prompts::{ChatError, ChatTemplate, DEFAULT_DATE, Message, Role};
use serde::Deserialize;

use crate::fixture::path;

#[derive(Deserialize)]
struct Fixture {
    special_tokens: BTreeMap<String, String>,
    cases: Vec<Case>,
    expressions: Expressions,
}

#[derive(Deserialize)]
struct Case {
    template: String,
    chat: String,
    messages: Vec<Said>,
    prompt: Rendered,
}

#[derive(Deserialize)]
struct Expressions {
    messages: Vec<Said>,
    cases: Vec<Expression>,
}

#[derive(Deserialize)]
struct Expression {
    template: String,
    text: String,
}

#[derive(Deserialize)]
struct Said {
    role: String,
    content: String,
}

#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Rendered {
    Text(String),
    Refused(String),
}

fn cases() -> Fixture {
    let text = std::fs::read_to_string(path("chat-templates/cases.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// What a template makes of a chat, or why it fails.
fn render(
    source: &str,
    special_tokens: &BTreeMap<String, String>,
    messages: &[Said],
) -> Result<Rendered, String> {
    let messages: Vec<Message> = messages
        .iter()
        .map(|said| {
            let role = match said.role.as_str() {
                "system" => Role::System,
                "user" => Role::User,
                "assistant" => Role::Assistant,
                other => panic!("{other}"),
            };
            Message::new(role, said.content.as_str())
        })
        .collect();
    let template = ChatTemplate::parse(source, special_tokens.clone(), DEFAULT_DATE);
    match template.and_then(|template| template.render(&messages)) {
        Ok(text) => Ok(Rendered::Text(text)),
        Err(ChatError::Refused(message)) => Ok(Rendered::Refused(message)),
        Err(error) => Err(error.to_string()),
    }
}

#[test]
fn chats_are_written_as_transformers_writes_them() {
    let Fixture {
        special_tokens,
        cases,
        ..
    } = cases();
    assert!(cases.len() >= 100);
    let (mut refused, mut wrong) = (0, Vec::new());
    for case in cases {
        let file = path("chat-templates/templates").join(&case.template);
        let source = std::fs::read_to_string(file).unwrap();
        let actual = render(&source, &special_tokens, &case.messages);
        refused += usize::from(matches!(actual, Ok(Rendered::Refused(_))));
        let expected = Ok(case.prompt);
        if actual != expected {
            let (template, chat) = (case.template, case.chat);
            wrong.push(format!(
                "{template}, {chat}: {actual:?}\n  not {expected:?}"
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(refused > 0);
}

#[test]
fn expressions_of_templates_mean_what_they_mean_in_python() {
    let Fixture {
        special_tokens,
        expressions,
        ..
    } = cases();
    let mut wrong = Vec::new();
    assert!(expressions.cases.len() > 150);
    for Expression { template, text } in expressions.cases {
        let actual = render(&template, &special_tokens, &expressions.messages);
        let expected = Ok(Rendered::Text(text));
        if actual != expected {
            wrong.push(format!("{template}: {actual:?}, not {expected:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
