//! How the values of ticks are written: never two alike, never a zero with a sign.

use super::Notation;

/// Values from here on are written with an exponent.
const LARGE: f64 = 1e7;
/// Digits beyond these tell nothing apart.
const MOST_DIGITS: usize = 16;

/// The texts of ticks that are `step` apart, all with as many digits as the step needs.
pub(super) fn all(values: &[f64], step: f64, notation: Notation) -> Vec<String> {
    let largest = values.iter().copied().map(f64::abs).fold(0.0, f64::max);
    let tiny = match notation {
        Notation::Scientific => step < 1e-3,
        Notation::Decimal => step < 1e-5 && largest < 1e-3,
    };
    let exponents = tiny || largest >= LARGE;
    let write = |digits: usize| -> Vec<String> {
        let one = |&value: &f64| {
            if value == 0.0 {
                return if exponents {
                    "0".to_owned()
                } else {
                    decimal(0.0, digits)
                };
            }
            if exponents {
                exponent(value, digits)
            } else {
                decimal(value, digits)
            }
        };
        values.iter().map(one).collect()
    };
    let right = |digits: &usize| {
        let close = |(text, value): (&String, &f64)| {
            let read: f64 = text.replace(',', "").parse().unwrap_or(f64::NAN);
            (read - value).abs() <= step * 1e-3
        };
        write(*digits).iter().zip(values).all(close)
    };
    write((0..MOST_DIGITS).find(right).unwrap_or(MOST_DIGITS))
}

/// `0.25`, `12,500`.
fn decimal(value: f64, digits: usize) -> String {
    let text = unsigned_zero(format!("{value:.digits$}"));
    if value.abs() >= 10_000.0 {
        group(&text)
    } else {
        text
    }
}

/// `2e-4`, `1.5e-4`: without the zeros that say nothing.
fn exponent(value: f64, digits: usize) -> String {
    let text = format!("{value:.digits$e}");
    match text.split_once('e') {
        Some((mantissa, power)) if mantissa.contains('.') => {
            let mantissa = mantissa.trim_end_matches('0').trim_end_matches('.');
            format!("{mantissa}e{power}")
        }
        _ => text,
    }
}

/// A value of an axis whose ticks are not evenly apart, in as few digits as it has.
pub(super) fn short(value: f64) -> String {
    if value == 0.0 {
        "0".to_owned()
    } else if (1e-3..LARGE).contains(&value.abs()) {
        let text = format!("{value:.6}");
        let text = text.trim_end_matches('0').trim_end_matches('.').to_owned();
        if value.abs() >= 10_000.0 {
            group(&text)
        } else {
            text
        }
    } else {
        exponent(value, 3)
    }
}

/// A text of zeros alone without its sign: `-0.000` is no number that anybody writes.
pub(crate) fn unsigned_zero(text: String) -> String {
    match text.strip_prefix('-') {
        Some(digits) if digits.chars().all(|c| matches!(c, '0' | '.' | ',')) => digits.to_owned(),
        _ => text,
    }
}

/// Commas between groups of three digits.
pub(crate) fn group(digits: &str) -> String {
    let (whole, decimals) = digits
        .split_once('.')
        .map_or((digits, None), |(whole, decimals)| (whole, Some(decimals)));
    let (sign, whole) = whole
        .strip_prefix('-')
        .map_or(("", whole), |rest| ("-", rest));
    let mut grouped = String::from(sign);
    for (i, digit) in whole.chars().enumerate() {
        if i > 0 && (whole.len() - i).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    if let Some(decimals) = decimals {
        grouped.push('.');
        grouped.push_str(decimals);
    }
    grouped
}
