//! The chat templates of checkpoints, rendered as transformers renders them
//! (<https://github.com/huggingface/transformers/blob/main/src/transformers/utils/chat_template_utils.py>),
//! except that the day is always the same.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use jiff::civil::Date;
use minijinja::value::{Kwargs, ValueKind};
use minijinja::{Environment, Error, ErrorKind, UndefinedBehavior, Value, context};
use regex::Regex;

use super::Piece;
use super::template::{self, TemplateError};

/// The day that a template sees where none is set: Llama 3's own, where it knows no other.
pub const DEFAULT_DATE: Date = jiff::civil::date(2024, 7, 26);

/// Who speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Whoever gives the instructions.
    System,
    /// Whoever asks.
    User,
    /// Whoever answers.
    Assistant,
}

impl Role {
    /// The word for it in templates.
    fn word(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::User => "user",
            Self::Assistant => "assistant",
        }
    }
}

/// What somebody says in a chat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Who.
    pub role: Role,
    /// What.
    pub content: String,
}

impl Message {
    /// A message.
    #[must_use]
    pub fn new(role: Role, content: impl Into<String>) -> Self {
        let content = content.into();
        Self { role, content }
    }
}

/// Why a chat cannot be written.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say what is what")]
pub enum ChatError {
    #[error("its syntax is broken: {0}")]
    Syntax(TemplateError),
    #[error("it refuses this chat: {0}")]
    Refused(String),
    #[error("it cannot be rendered: {0}")]
    Rendering(TemplateError),
}

/// A chat template.
#[derive(Debug)]
pub struct ChatTemplate {
    environment: Environment<'static>,
    special_tokens: BTreeMap<String, String>,
    date_string: String,
}

const NAME: &str = "chat";
/// Marks what a template says when it refuses a chat.
const RAISED: &str = "raised by the template: ";

impl ChatTemplate {
    /// Reads a template. `special_tokens` are the texts of `bos_token`, `eos_token` and the like, which
    /// it may use under these names.
    ///
    /// # Errors
    /// When its syntax is broken.
    pub fn parse(
        source: &str,
        special_tokens: BTreeMap<String, String>,
        date: Date,
    ) -> Result<Self, ChatError> {
        // Marks what the assistant says, for training.
        static GENERATION: LazyLock<[Regex; 2]> = LazyLock::new(|| {
            [
                r"\{%([-+]?)\s*generation\s*([-+]?)%\}",
                r"\{%([-+]?)\s*endgeneration\s*([-+]?)%\}",
            ]
            .map(|expression| Regex::new(expression).expect("a sound expression"))
        });
        let [begin, end] = &*GENERATION;
        let source = begin.replace_all(source, "{%$1 if true $2%}");
        let source = end.replace_all(&source, "{%$1 endif $2%}");
        let mut environment = template::environment(UndefinedBehavior::Lenient);
        environment.add_filter("tojson", to_json);
        environment.add_function("raise_exception", |message: String| {
            let message = format!("{RAISED}{message}");
            Err::<Value, _>(Error::new(ErrorKind::InvalidOperation, message))
        });
        environment.add_function("strftime_now", move |format: &str| {
            let written = jiff::fmt::strtime::format(format, date.at(0, 0, 0, 0));
            written.map_err(|error| Error::new(ErrorKind::InvalidOperation, error.to_string()))
        });
        environment
            .add_template_owned(NAME, source.into_owned())
            .map_err(|error| ChatError::Syntax(error.into()))?;
        Ok(Self {
            environment,
            special_tokens,
            date_string: jiff::fmt::strtime::format("%d %b %Y", date).unwrap_or_default(),
        })
    }

    /// Writes a chat up to where the assistant is to answer.
    ///
    /// # Errors
    /// When the template refuses it, or does what is not supported.
    pub fn render(&self, messages: &[Message]) -> Result<String, ChatError> {
        let fault = |error: Error| match error.detail().and_then(|said| said.strip_prefix(RAISED)) {
            Some(said) => ChatError::Refused(said.to_owned()),
            None => ChatError::Rendering(error.into()),
        };
        let template = self.environment.get_template(NAME).map_err(fault)?;
        let messages = messages.iter().map(|message| {
            Piece::of_fields([
                ("role", Value::from(message.role.word())),
                ("content", Value::from(message.content.as_str())),
            ])
            .value()
        });
        let tokens = self.special_tokens.iter();
        let special = Value::from_pairs(tokens.map(|(name, text)| (name.as_str(), text.as_str())));
        let values = context! {
            messages => messages.collect::<Value>(),
            tools => (),
            documents => (),
            add_generation_prompt => true,
            date_string => self.date_string.as_str(),
            ..special
        };
        template.render(values).map_err(fault)
    }
}

/// `json.dumps` as transformers calls it: nothing is escaped beyond what JSON asks for.
#[expect(clippy::needless_pass_by_value, reason = "minijinja's signature")]
fn to_json(value: &Value, named: Kwargs) -> Result<Value, Error> {
    let indent: Option<usize> = named.get("indent")?;
    let only_ascii: Option<bool> = named.get("ensure_ascii")?;
    let separators: Option<Value> = named.get("separators")?;
    let sorted: Option<bool> = named.get("sort_keys")?;
    named.assert_all_used()?;
    let item = if indent.is_some() { "," } else { ", " };
    let mut style = Style {
        item: item.to_owned(),
        key: ": ".to_owned(),
        indent,
        only_ascii: only_ascii == Some(true),
        sorted: sorted == Some(true),
    };
    if let Some(pair) = separators.filter(|pair| !pair.is_none()) {
        style.item = pair.get_item_by_index(0)?.to_string();
        style.key = pair.get_item_by_index(1)?.to_string();
    }
    let mut written = String::new();
    style.write(&mut written, value, 0)?;
    Ok(written.into())
}

/// How JSON is written.
struct Style {
    item: String,
    key: String,
    indent: Option<usize>,
    only_ascii: bool,
    sorted: bool,
}

/// How deep values may lie in one another.
const DEEPEST: usize = 100;

impl Style {
    fn write(&self, out: &mut String, value: &Value, depth: usize) -> Result<(), Error> {
        if depth > DEEPEST {
            return Err(Error::new(ErrorKind::BadSerialization, "it is too deep"));
        }
        match value.kind() {
            ValueKind::None | ValueKind::Undefined => out.push_str("null"),
            ValueKind::Bool => out.push_str(if value.is_true() { "true" } else { "false" }),
            ValueKind::Number => out.push_str(&value.to_string()),
            ValueKind::Seq | ValueKind::Iterable => {
                let items: Vec<Value> = value.try_iter()?.collect();
                self.write_all(out, ['[', ']'], &items, depth, |out, item| {
                    self.write(out, item, depth + 1)
                })?;
            }
            ValueKind::Map => {
                let mut keys: Vec<Value> = value.try_iter()?.collect();
                if self.sorted {
                    keys.sort();
                }
                self.write_all(out, ['{', '}'], &keys, depth, |out, key| {
                    self.write_text(out, &key.to_string());
                    out.push_str(&self.key);
                    self.write(out, &value.get_item(key)?, depth + 1)
                })?;
            }
            _ => self.write_text(out, &value.to_string()),
        }
        Ok(())
    }

    fn write_all(
        &self,
        out: &mut String,
        [open, close]: [char; 2],
        items: &[Value],
        depth: usize,
        mut write: impl FnMut(&mut String, &Value) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let line = |out: &mut String, depth: usize| {
            if let Some(indent) = self.indent {
                out.push('\n');
                out.extend(std::iter::repeat_n(' ', indent.min(64) * depth));
            }
        };
        out.push(open);
        for (place, item) in items.iter().enumerate() {
            if place > 0 {
                out.push_str(&self.item);
            }
            line(out, depth + 1);
            write(out, item)?;
        }
        if !items.is_empty() {
            line(out, depth);
        }
        out.push(close);
        Ok(())
    }

    fn write_text(&self, out: &mut String, text: &str) {
        use std::fmt::Write;
        let quoted = serde_json::to_string(text).unwrap_or_default();
        if !self.only_ascii {
            out.push_str(&quoted);
            return;
        }
        for letter in quoted.chars() {
            if letter.is_ascii() {
                out.push(letter);
            } else {
                for unit in letter.encode_utf16(&mut [0; 2]) {
                    let _ = write!(out, "\\u{unit:04x}");
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn template(source: &str) -> ChatTemplate {
        let tokens = BTreeMap::from([("bos_token".to_owned(), "<s>".to_owned())]);
        ChatTemplate::parse(source, tokens, DEFAULT_DATE).unwrap()
    }

    fn rendered(source: &str) -> String {
        let messages = [
            Message::new(Role::System, "Be <brief>."),
            Message::new(Role::User, " ¿Qué? \"'& "),
        ];
        template(source).render(&messages).unwrap()
    }

    /// The right sides are what transformers 5 writes.
    #[test]
    fn chats_are_written_as_transformers_writes_them() {
        for (source, said) in [
            (
                "{{ bos_token }}{% for message in messages %}\n  {% if loop.first %}\n[{{ message['content'] }}]{% endif %}\n{% endfor %}\n{{ tools is none }}\n",
                "<s>[Be <brief>.]True",
            ),
            (
                "{{ messages[1] | tojson }}",
                r#"{"role": "user", "content": " ¿Qué? \"'& "}"#,
            ),
            (
                "{{ [1, none, true, {'a': 1.5}] | tojson(indent=2) }}",
                "[\n  1,\n  null,\n  true,\n  {\n    \"a\": 1.5\n  }\n]",
            ),
            ("{{ messages[1].content.strip().split()[0] }}", "¿Qué?"),
            (
                "{{ messages[0].absent }}|{{ absent }}|{{ none }}|{{ false }}",
                "||None|False",
            ),
            (
                "{% for m in messages %}{% if loop.index0 == 1 %}{% break %}{% endif %}{{ m.role }}{% endfor %}",
                "system",
            ),
            (
                "{% for m in messages[1:] %}{{ m.role }}{% endfor %}",
                "user",
            ),
            (
                "{{ strftime_now('%d %b %Y') }} {{ date_string }}",
                "26 Jul 2024 26 Jul 2024",
            ),
            (
                "{% generation %}a{% endgeneration %}{%- generation -%} b{%- endgeneration -%}",
                "ab",
            ),
            (
                "{% set ns = namespace(found=false) %}{% for m in messages %}{% set ns.found = true %}{% endfor %}{{ ns.found }}",
                "True",
            ),
            ("{{ 'a' + 'b' if add_generation_prompt }}", "ab"),
        ] {
            assert_eq!(rendered(source), said, "{source}");
        }
    }

    #[test]
    fn the_day_is_the_one_that_is_set() {
        let date = jiff::civil::date(2025, 1, 2);
        let template =
            ChatTemplate::parse("{{ strftime_now('%Y-%m-%d') }}", BTreeMap::new(), date).unwrap();
        assert_eq!(template.render(&[]).unwrap(), "2025-01-02");
    }

    #[test]
    fn what_a_template_refuses_is_said_in_its_own_words() {
        let template = template("{{ raise_exception('only users may speak') }}");
        let error = template.render(&[]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "it refuses this chat: only users may speak"
        );
    }

    #[test]
    fn broken_syntax_is_an_error_with_its_line() {
        let error = ChatTemplate::parse("a\n{% if %}", BTreeMap::new(), DEFAULT_DATE).unwrap_err();
        assert!(error.to_string().contains("line 2"), "{error}");
    }
}
