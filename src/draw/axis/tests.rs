//! Tests of `axis`.

use proptest::prelude::*;

use super::*;

fn texts(axis: &Axis) -> Vec<&str> {
    axis.ticks.iter().map(|(_, text)| text.as_str()).collect()
}

#[test]
fn ticks_are_round_and_enclose_the_data() {
    let axis = Axis::around([0.364, 0.475], 5, Notation::Decimal);
    assert_eq!(texts(&axis), ["0.375", "0.400", "0.425", "0.450", "0.475"]);
    assert!(axis.from <= 0.364 && axis.to >= 0.475);
}

#[test]
fn learning_rates_are_written_as_in_a_toml() {
    let axis = Axis::around([0.0, 2e-4], 5, Notation::Scientific);
    assert_eq!(texts(&axis), ["0", "5e-5", "1e-4", "1.5e-4", "2e-4"]);
}

#[test]
fn epochs_have_whole_ticks() {
    assert_eq!(texts(&Axis::integers(1, 3, 0.2, 8)), ["1", "2", "3"]);
    assert_eq!(texts(&Axis::integers(1, 1, 0.5, 8)), ["1"]);
    assert_eq!(
        texts(&Axis::integers(1, 40, 0.5, 8)),
        ["5", "10", "15", "20", "25", "30", "35", "40"]
    );
    assert_eq!(
        texts(&Axis::integers(0, 12_000, 0.0, 4)),
        ["0", "5000", "10,000"]
    );
    assert!(Axis::integers(0, 0, 0.0, 4).to > Axis::integers(0, 0, 0.0, 4).from);
}

#[test]
fn one_value_gets_room_on_both_sides() {
    let axis = Axis::around([0.69; 5], 5, Notation::Decimal);
    assert!(
        axis.from < 0.69 && axis.to > 0.69 && axis.ticks.len() > 2,
        "{axis:?}"
    );
    let zero = Axis::around([0.0], 5, Notation::Decimal);
    assert!(zero.from >= 0.0 && zero.to > 0.0);
}

#[test]
fn nothing_finite_still_gives_an_axis() {
    let axis = Axis::around([f64::NAN, f64::INFINITY], 5, Notation::Decimal);
    assert_eq!((axis.from, axis.to), (0.0, 1.0));
    assert!(axis.position(f64::NAN).is_finite());
}

#[test]
fn shares_stay_between_0_and_1() {
    let axis = Axis::around_shares([0.93, 1.0], 5);
    assert!((axis.to - 1.0).abs() < 1e-12 && axis.from < 0.93);
    assert_eq!(texts(&axis), ["0.94", "0.96", "0.98", "1.00"]);
    assert!(Axis::around_shares([0.0, 0.2], 5).from >= 0.0);
    assert!(Axis::around_shares([1.0, 1.0], 5).to > Axis::around_shares([1.0, 1.0], 5).from);
}

#[test]
fn every_scale_has_two_ticks_and_room_around_its_data() {
    for (low, high) in [
        (0.5, 0.86),
        (0.1, 0.1001),
        (3.0, 17.0),
        (-2.0, 5.0),
        (0.0, 2e-4),
        (1.0, 1.0),
    ] {
        for count in 2..8 {
            let axis = Axis::around([low, high], count, Notation::Decimal);
            assert!(axis.ticks.len() > 1 && axis.ticks.len() < 20, "{axis:?}");
            assert!(
                (axis.from < low || low == 0.0) && axis.to > high,
                "{axis:?}"
            );
            assert!(
                axis.ticks
                    .iter()
                    .all(|(value, _)| (axis.from - 1e-9..=axis.to + 1e-9).contains(value)),
                "{axis:?}"
            );
        }
    }
}

#[test]
fn a_diverging_loss_gets_a_logarithmic_axis() {
    let axis = Axis::around_losses(&[0.4, 3e5], 5);
    assert!(axis.logarithmic);
    assert_eq!(texts(&axis), ["0.1", "10", "1000", "1e5"]);
    assert!((axis.position(0.1)).abs() < 1e-9 && (axis.position(1e6) - 1.0).abs() < 1e-9);
    assert!(!Axis::around_losses(&[0.4, 0.9], 5).logarithmic);
}

#[test]
fn neighbouring_ticks_never_share_a_text() {
    for (low, high) in [
        (0.0, 1e-9),
        (123_456.0, 123_457.0),
        (-3.0, 5.0),
        (0.69, 0.690_01),
        (1e12, 3e12),
    ] {
        for notation in [Notation::Decimal, Notation::Scientific] {
            let axis = Axis::around([low, high], 5, notation);
            let texts = texts(&axis);
            assert!(texts.windows(2).all(|pair| pair[0] != pair[1]), "{texts:?}");
            assert!(texts.len() <= 12, "{texts:?}");
        }
    }
}

#[test]
fn digits_are_grouped() {
    assert_eq!(
        (group("1234567"), group("-123"), group("12345.5")),
        ("1,234,567".into(), "-123".into(), "12,345.5".into())
    );
}

#[test]
fn costs_get_a_logarithmic_axis_with_ticks_between_the_powers_of_ten() {
    let axis = Axis::around_costs(&[12.0, 95.0], 5);
    assert!(axis.logarithmic && axis.from < 12.0 && axis.to > 95.0);
    assert_eq!(texts(&axis), ["20", "50", "100"]);
    assert_eq!(
        texts(&Axis::around_costs(&[3e3, 5e6], 5)),
        ["10,000", "100,000", "1,000,000"]
    );
    assert!(!Axis::around_costs(&[12.0, 40.0], 5).logarithmic);
    assert!(!Axis::around_costs(&[0.0, 40.0], 5).logarithmic);
}

#[test]
fn a_difference_has_its_zero_on_the_axis() {
    let axis = Axis::around_differences([0.01, 0.03], 5);
    assert!(axis.from < 0.0 && axis.to > 0.03);
    assert!(texts(&axis).contains(&"0.00"), "{axis:?}");
}

/// Numbers of all sizes, and close neighbours of large ones.
fn numbers() -> impl Strategy<Value = (f64, f64)> {
    let any = || {
        prop_oneof![
            -1e3..1e3,
            prop::num::f64::NORMAL,
            prop::num::f64::SUBNORMAL,
            Just(0.0)
        ]
    };
    let near = (any(), -1e-3..1e-3_f64).prop_map(|(value, share)| (value, value * (1.0 + share)));
    prop_oneof![(any(), any()), near, any().prop_map(|value| (value, value))]
}

fn assert_readable(axis: &Axis) -> Result<(), TestCaseError> {
    prop_assert!(
        axis.from.is_finite() && axis.to.is_finite() && axis.from < axis.to,
        "{axis:?}"
    );
    prop_assert!((2..=20).contains(&axis.ticks.len()), "{axis:?}");
    let span = axis.to - axis.from;
    for (value, text) in &axis.ticks {
        prop_assert!(
            *value >= axis.from - span * 1e-6 && *value <= axis.to + span * 1e-6,
            "{axis:?}"
        );
        let zero = text.starts_with('-') && !text.contains(|c: char| matches!(c, '1'..='9'));
        prop_assert!(!zero, "{axis:?}");
        prop_assert!(text.len() <= 16, "{axis:?}");
        let read: f64 = text.replace(',', "").parse().unwrap();
        prop_assert!((read - value).abs() <= span * 1e-2, "{axis:?}");
    }
    for pair in axis.ticks.windows(2) {
        prop_assert!(pair[0].0 < pair[1].0 && pair[0].1 != pair[1].1, "{axis:?}");
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn ticks_of_any_range_differ_and_none_is_a_zero_with_a_sign(
        (one, other) in numbers(),
        count in 1_usize..9,
    ) {
        for notation in [Notation::Decimal, Notation::Scientific] {
            assert_readable(&Axis::around([one, other], count, notation))?;
        }
        assert_readable(&Axis::around_losses(&[one, other], count))?;
        assert_readable(&Axis::around_costs(&[one, other], count))?;
        assert_readable(&Axis::around_differences([one, other], count))?;
        assert_readable(&Axis::around_shares([one, other], count))?;
    }

    #[test]
    fn whole_numbers_have_whole_ticks(low in 0_usize..1_000_000, more in 0_usize..1_000_000, count in 1_usize..12) {
        let axis = Axis::integers(low, low + more, 0.5, count);
        prop_assert!(axis.from < axis.to && axis.ticks.len() <= 2 * count + 2, "{axis:?}");
        for pair in axis.ticks.windows(2) {
            prop_assert!(pair[0].1 != pair[1].1, "{axis:?}");
        }
        for (value, text) in &axis.ticks {
            prop_assert!(value.fract() == 0.0 && !text.contains('.'), "{axis:?}");
        }
    }
}
