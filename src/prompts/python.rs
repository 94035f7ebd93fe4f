//! Python's methods of strings and tables, which templates written for Jinja use and minijinja has
//! under other names or not at all.

use minijinja::value::{Kwargs, Rest, ValueKind, from_args};
use minijinja::{Error, ErrorKind, State, Value};

/// Answers a method that minijinja does not know.
pub(super) fn method(
    state: &mut State<'_, '_>,
    value: &Value,
    name: &str,
    arguments: &[Value],
) -> Result<Value, Error> {
    if let Some(text) = value.as_str() {
        return of_string(text, name, arguments);
    }
    match (value.kind(), name) {
        (ValueKind::Map, "items") => {
            let () = from_args(arguments)?;
            state.apply_filter("items", std::slice::from_ref(value))
        }
        (ValueKind::Map, "keys") => {
            let () = from_args(arguments)?;
            Ok(value.try_iter()?.collect())
        }
        (ValueKind::Map, "values") => {
            let () = from_args(arguments)?;
            let values = value.try_iter()?.map(|key| value.get_item(&key));
            values.collect::<Result<Value, _>>()
        }
        (ValueKind::Map, "get") => {
            let (key, default): (Value, Option<Value>) = from_args(arguments)?;
            let found = value.get_item(&key)?;
            if found.is_undefined() {
                Ok(default.unwrap_or_else(|| Value::from(())))
            } else {
                Ok(found)
            }
        }
        (ValueKind::Seq | ValueKind::Iterable, "count") => {
            let (wanted,): (Value,) = from_args(arguments)?;
            Ok(value
                .try_iter()?
                .filter(|item| *item == wanted)
                .count()
                .into())
        }
        (ValueKind::Seq | ValueKind::Iterable, "index") => {
            let (wanted,): (Value,) = from_args(arguments)?;
            let place = value.try_iter()?.position(|item| item == wanted);
            place
                .map(Value::from)
                .ok_or_else(|| Error::new(ErrorKind::InvalidOperation, "it is not in the list"))
        }
        _ => Err(Error::from(ErrorKind::UnknownMethod)),
    }
}

fn of_string(text: &str, name: &str, arguments: &[Value]) -> Result<Value, Error> {
    let none = || from_args::<()>(arguments);
    let value = match name {
        "upper" => none().map(|()| text.to_uppercase().into())?,
        "lower" => none().map(|()| text.to_lowercase().into())?,
        "capitalize" => none().map(|()| capitalized(text).into())?,
        "title" => none().map(|()| titled(text).into())?,
        "strip" => stripped(text, arguments, true, true)?.into(),
        "lstrip" => stripped(text, arguments, true, false)?.into(),
        "rstrip" => stripped(text, arguments, false, true)?.into(),
        "removeprefix" => {
            let (prefix,): (&str,) = from_args(arguments)?;
            text.strip_prefix(prefix).unwrap_or(text).into()
        }
        "removesuffix" => {
            let (suffix,): (&str,) = from_args(arguments)?;
            text.strip_suffix(suffix).unwrap_or(text).into()
        }
        "startswith" => any_of(arguments, |part| text.starts_with(part))?.into(),
        "endswith" => any_of(arguments, |part| text.ends_with(part))?.into(),
        "replace" => {
            let (old, new, count): (&str, &str, Option<i64>) = from_args(arguments)?;
            match count.and_then(|count| usize::try_from(count).ok()) {
                Some(count) => text.replacen(old, new, count).into(),
                None => text.replace(old, new).into(),
            }
        }
        "split" => {
            let (separator, most) = split_arguments(arguments)?;
            parts(text, separator.as_deref(), most)?
        }
        "rsplit" => {
            let (separator, most) = split_arguments(arguments)?;
            match (separator, most) {
                (Some(separator), Some(most)) if !separator.is_empty() => {
                    let parts = text.rsplitn(most + 1, separator.as_str());
                    let mut parts: Vec<&str> = parts.collect();
                    parts.reverse();
                    parts.into_iter().map(Value::from).collect()
                }
                (separator, _) => parts(text, separator.as_deref(), None)?,
            }
        }
        "splitlines" => none().map(|()| text.lines().map(Value::from).collect())?,
        "join" => {
            let (items,): (Value,) = from_args(arguments)?;
            let items: Vec<String> = items.try_iter()?.map(|item| item.to_string()).collect();
            items.join(text).into()
        }
        "find" | "index" => place(text, name, arguments, |text, part| text.find(part))?,
        "rfind" | "rindex" => place(text, name, arguments, |text, part| text.rfind(part))?,
        "count" => {
            let (part,): (&str,) = from_args(arguments)?;
            if part.is_empty() {
                (text.chars().count() + 1).into()
            } else {
                text.matches(part).count().into()
            }
        }
        "isdigit" => every(text, char::is_numeric).into(),
        "isalpha" => every(text, char::is_alphabetic).into(),
        "isalnum" => every(text, char::is_alphanumeric).into(),
        "isspace" => every(text, char::is_whitespace).into(),
        "isupper" => cased(text, char::is_uppercase, char::is_lowercase).into(),
        "islower" => cased(text, char::is_lowercase, char::is_uppercase).into(),
        "format" => formatted(text, arguments)?.into(),
        _ => return Err(Error::from(ErrorKind::UnknownMethod)),
    };
    Ok(value)
}

/// Where a part stands, in characters; where it stands nowhere, -1 or an error, by the method's name.
fn place(
    text: &str,
    name: &str,
    arguments: &[Value],
    find: impl Fn(&str, &str) -> Option<usize>,
) -> Result<Value, Error> {
    let (part,): (&str,) = from_args(arguments)?;
    match find(text, part) {
        Some(byte) => Ok(text[..byte].chars().count().into()),
        None if name.ends_with("find") => Ok(Value::from(-1)),
        None => Err(Error::new(
            ErrorKind::InvalidOperation,
            "the part is not in the string",
        )),
    }
}

fn capitalized(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().into_iter().flat_map(char::to_uppercase);
    let rest: String = letters.as_str().to_lowercase();
    first.collect::<String>() + &rest
}

fn titled(text: &str) -> String {
    let mut in_word = false;
    let mut titled = String::with_capacity(text.len());
    for letter in text.chars() {
        if in_word {
            titled.extend(letter.to_lowercase());
        } else {
            titled.extend(letter.to_uppercase());
        }
        in_word = letter.is_alphabetic();
    }
    titled
}

fn stripped(text: &str, arguments: &[Value], start: bool, end: bool) -> Result<String, Error> {
    let (letters,): (Option<&str>,) = from_args(arguments)?;
    let goes = |letter: char| match letters {
        Some(letters) => letters.contains(letter),
        // Python also takes the separators of ASCII for white space.
        None => letter.is_whitespace() || matches!(letter, '\u{1c}'..='\u{1f}'),
    };
    let text = if start {
        text.trim_start_matches(goes)
    } else {
        text
    };
    let text = if end {
        text.trim_end_matches(goes)
    } else {
        text
    };
    Ok(text.to_owned())
}

/// Whether something holds of a string, or of any string of a list.
fn any_of(arguments: &[Value], holds: impl Fn(&str) -> bool) -> Result<bool, Error> {
    let (wanted,): (Value,) = from_args(arguments)?;
    if let Some(part) = wanted.as_str() {
        return Ok(holds(part));
    }
    for part in wanted.try_iter()? {
        if part.as_str().is_some_and(&holds) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// A separator, and how often it may part; both may be named.
fn split_arguments(arguments: &[Value]) -> Result<(Option<String>, Option<usize>), Error> {
    let (separator, most, named): (Option<Value>, Option<i64>, Kwargs) = from_args(arguments)?;
    let separator = match separator {
        Some(separator) => Some(separator),
        None => named.get::<Option<Value>>("sep")?,
    };
    let most = match most {
        Some(most) => Some(most),
        None => named.get::<Option<i64>>("maxsplit")?,
    };
    named.assert_all_used()?;
    let separator = separator
        .filter(|separator| !separator.is_none() && !separator.is_undefined())
        .map(|separator| separator.to_string());
    Ok((separator, most.and_then(|most| usize::try_from(most).ok())))
}

fn parts(text: &str, separator: Option<&str>, most: Option<usize>) -> Result<Value, Error> {
    Ok(match (separator, most) {
        (Some(""), _) => {
            return Err(Error::new(
                ErrorKind::InvalidOperation,
                "the separator is empty",
            ));
        }
        (Some(separator), Some(most)) => {
            text.splitn(most + 1, separator).map(Value::from).collect()
        }
        (Some(separator), None) => text.split(separator).map(Value::from).collect(),
        (None, None) => text.split_whitespace().map(Value::from).collect(),
        (None, Some(most)) => {
            let mut rest = text.trim_start();
            let mut parts = Vec::new();
            while !rest.is_empty() {
                let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
                if parts.len() == most || end == rest.len() {
                    parts.push(Value::from(rest));
                    break;
                }
                parts.push(Value::from(&rest[..end]));
                rest = rest[end..].trim_start();
            }
            parts.into_iter().collect()
        }
    })
}

fn every(text: &str, holds: impl Fn(char) -> bool) -> bool {
    !text.is_empty() && text.chars().all(holds)
}

fn cased(text: &str, wanted: impl Fn(char) -> bool, other: impl Fn(char) -> bool) -> bool {
    text.chars().any(wanted) && !text.chars().any(other)
}

/// `{}`, `{0}` and `{{` of Python's `format`; what it says beyond that is refused.
fn formatted(text: &str, arguments: &[Value]) -> Result<String, Error> {
    let (given, _): (Rest<Value>, Kwargs) = from_args(arguments)?;
    let refused = || {
        Error::new(
            ErrorKind::InvalidOperation,
            "such a format is not supported",
        )
    };
    let mut formatted = String::new();
    let mut next = 0;
    let mut rest = text;
    while let Some(place) = rest.find(['{', '}']) {
        formatted.push_str(&rest[..place]);
        let brace = &rest[place..=place];
        rest = &rest[place + 1..];
        if let Some(after) = rest.strip_prefix(brace) {
            formatted.push_str(brace);
            rest = after;
            continue;
        }
        let end = rest.find('}').filter(|_| brace == "{");
        let end = end.ok_or_else(refused)?;
        let number = match &rest[..end] {
            "" => {
                next += 1;
                next - 1
            }
            number => number.parse::<usize>().map_err(|_| refused())?,
        };
        let value = given.get(number).ok_or_else(refused)?;
        formatted.push_str(&value.to_string());
        rest = &rest[end + 1..];
    }
    formatted.push_str(rest);
    Ok(formatted)
}

#[cfg(test)]
mod tests {
    use minijinja::{UndefinedBehavior, context};

    use super::super::template::environment;

    /// The right sides are what Python says.
    #[test]
    fn methods_of_strings_do_what_python_does() {
        let environment = environment(UndefinedBehavior::Strict);
        for (template, said) in [
            ("{{ '  a b '.strip() }}|", "a b|"),
            ("{{ 'xxaxx'.strip('x') }}", "a"),
            ("{{ ' a '.lstrip() }}|{{ ' a '.rstrip() }}|", "a | a|"),
            ("{{ 'a,b,c'.split(',')[-1] }}", "c"),
            ("{{ 'a,b,c'.split(',', 1)[1] }}", "b,c"),
            ("{{ 'a,b,c'.rsplit(',', 1)[0] }}", "a,b"),
            ("{{ ' a  b c '.split(maxsplit=1)[1] }}|", "b c |"),
            ("{{ ' a  b '.split() | length }}", "2"),
            (
                "{{ 'abc'.startswith('ab') }}{{ 'abc'.endswith('ab') }}",
                "TrueFalse",
            ),
            ("{{ 'abc'.startswith(('x', 'a')) }}", "True"),
            (
                "{{ 'aXa'.replace('a', 'b') }}{{ 'aa'.replace('a', 'b', 1) }}",
                "bXbba",
            ),
            (
                "{{ 'hELLO wORLD'.title() }} {{ 'hELLO'.capitalize() }}",
                "Hello World Hello",
            ),
            ("{{ 'añb'.find('b') }} {{ 'a'.find('x') }}", "2 -1"),
            ("{{ '-'.join(['a', 'b']) }}", "a-b"),
            ("{{ '{} and {1} {{}}'.format('a', 'b') }}", "a and b {}"),
            (
                "{{ 'a'.removeprefix('a') }}|{{ 'ab'.removesuffix('b') }}",
                "|a",
            ),
            (
                "{% for key, value in table.items() %}{{ key }}={{ value }};{% endfor %}",
                "a=1;b=2;",
            ),
            (
                "{{ table.get('a') }} {{ table.get('x', 3) }} {{ table.keys() | list | length }}",
                "1 3 2",
            ),
        ] {
            let table = context! { a => 1, b => 2 };
            let rendered = environment.render_str(template, context! { table });
            assert_eq!(rendered.unwrap(), said, "{template}");
        }
    }

    #[test]
    fn methods_that_no_string_has_are_errors() {
        let environment = environment(UndefinedBehavior::Strict);
        for template in [
            "{{ 'a'.shout() }}",
            "{{ 'a'.split('') }}",
            "{{ '{:>3}'.format('a') }}",
        ] {
            assert!(environment.render_str(template, ()).is_err(), "{template}");
        }
    }
}
