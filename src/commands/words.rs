//! Numbers in words.

use unicode_width::UnicodeWidthStr;

use crate::report::padded;

/// `1 run`, `4 runs`.
pub(super) fn count(number: usize, noun: &str) -> String {
    let s = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{s}")
}

/// A number of bytes, as memory is sold: `310 MB`, `1.2 GB`.
#[expect(clippy::cast_precision_loss, reason = "shown with two digits")]
pub(super) fn bytes(bytes: u64) -> String {
    let megabytes = bytes as f64 / 1e6;
    if megabytes < 999.5 {
        format!("{megabytes:.0} MB")
    } else {
        format!("{:.1} GB", megabytes / 1e3)
    }
}

/// A whole number with a comma between thousands; what is none stays as it is.
pub(super) fn grouped(digits: &str) -> String {
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return digits.to_owned();
    }
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// The day of a time as the hub writes it; empty where there is none.
pub(super) fn day(time: Option<&str>) -> String {
    let time = time.unwrap_or_default();
    time.split('T').next().unwrap_or_default().to_owned()
}

/// Makes all cells of a column equally wide, with what they say at the right.
pub(super) fn to_the_right<R: AsMut<[String]>>(rows: &mut [R], column: usize) {
    let cells = rows.iter_mut();
    let cells = cells.filter_map(|row| row.as_mut().get_mut(column));
    let mut cells: Vec<&mut String> = cells.collect();
    let widest = cells.iter().map(|cell| cell.width()).max().unwrap_or(0);
    for cell in &mut cells {
        **cell = padded(cell, widest, true);
    }
}

/// A metric with as many digits as help: counts whole, shares with four decimals, small values in
/// scientific notation.
pub(super) fn number(value: f64) -> String {
    if !value.is_finite() {
        return value.to_string();
    }
    let size = value.abs();
    if value.fract() == 0.0 && size < 1e15 {
        format!("{value:.0}")
    } else if size >= 1000.0 {
        format!("{value:.1}")
    } else if size >= 0.001 {
        format!("{value:.4}")
    } else {
        format!("{value:.3e}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_said_in_megabytes_or_gigabytes() {
        assert_eq!(
            [310_400_000, 999_600_000, 12_340_000_000].map(bytes),
            ["310 MB", "1.0 GB", "12.3 GB"]
        );
    }

    #[test]
    fn numbers_have_as_many_digits_as_help() {
        let said: Vec<_> = [1200.0, 0.85, 0.000_02, 1234.56, f64::NAN]
            .into_iter()
            .map(number)
            .collect();
        assert_eq!(said, ["1200", "0.8500", "2.000e-5", "1234.6", "NaN"]);
    }

    #[test]
    fn thousands_are_set_apart_and_columns_set_right() {
        let said = ["7", "124647170", "1000", "1e5"].map(grouped);
        assert_eq!(said, ["7", "124,647,170", "1,000", "1e5"]);
        let mut rows = [["a", "1"], ["b", "100"]].map(|row| row.map(str::to_owned));
        to_the_right(&mut rows, 1);
        assert_eq!([&*rows[0][1], &*rows[1][1]], ["  1", "100"]);
        assert_eq!(day(Some("2022-03-02T23:29:04.000Z")), "2022-03-02");
    }

    #[test]
    fn one_is_singular() {
        assert_eq!([count(1, "run"), count(0, "run")], ["1 run", "0 runs"]);
    }
}
