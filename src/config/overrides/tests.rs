//! Tests of `overrides`.

use super::*;
use crate::config::rules::Bounds;

fn value(argument: &str, rule: &Rule) -> String {
    format!("{:?}", Override::parse(argument).unwrap().value(rule).value)
}

#[test]
fn values_are_toml_or_plain_strings() {
    assert_eq!(
        value("a.b=3", &Rule::Integer(Bounds::default())),
        "Integer(3)"
    );
    assert_eq!(
        value("a.b = 3", &Rule::Integer(Bounds::default())),
        "Integer(3)"
    );
    assert_eq!(
        value("a.b=data/x=y.csv", &Rule::Text),
        "Text(\"data/x=y.csv\")"
    );
    assert_eq!(value("a.b=\"3\"", &Rule::Text), "Text(\"3\")");
    assert_eq!(value("a.b=3", &Rule::Text), "Text(\"3\")");
    assert_eq!(value("a.b=", &Rule::Text), "Text(\"\")");
}

#[test]
fn an_argument_without_key_or_value_is_a_problem() {
    assert_eq!(
        Override::parse("epochs").unwrap_err().message,
        "`--set` needs a key and a value"
    );
    assert_eq!(
        Override::parse("=3").unwrap_err().message,
        "`--set` needs a key before the `=`"
    );
}
