//! Tests of `estimate`.

use super::*;

#[test]
fn one_seed_has_the_interval_of_its_rows() {
    let estimate = Estimate::of_share(&[(0.5, Some(4))]).unwrap();
    assert_eq!(estimate.basis, Basis::Rows(4));
    assert!(
        (estimate.low - 0.150).abs() < 1e-3 && (estimate.high - 0.850).abs() < 1e-3,
        "{estimate:?}"
    );
}

#[test]
fn two_seeds_have_a_wide_interval_within_what_a_share_can_be() {
    let near = Estimate::of_share(&[(0.80, Some(100)), (0.81, Some(100))]).unwrap();
    // t(0.975, 1) = 12.706, standard error 0.005.
    assert!((near.low - (0.805 - 0.063_53)).abs() < 1e-4, "{near:?}");
    assert_eq!(near.basis, Basis::Seeds(2));
    let far = Estimate::of_share(&[(0.8, Some(100)), (0.9, Some(100))]).unwrap();
    assert!((far.value - 0.85).abs() < 1e-12);
    assert!(
        far.low < 0.22 && far.high.to_bits() == 1.0_f64.to_bits(),
        "{far:?}"
    );
}

#[test]
fn three_seeds_have_the_interval_of_their_mean() {
    let estimate = Estimate::of_seeds(&[0.8, 0.9, 1.0]).unwrap();
    // t(0.975, 2) = 4.303, standard error 0.1 / sqrt(3).
    assert!(
        (estimate.high - (0.9 + 4.303 * 0.057_735)).abs() < 1e-4,
        "{estimate:?}"
    );
    assert_eq!(estimate.basis, Basis::Seeds(3));
}

#[test]
fn nothing_and_not_a_number_are_no_panic() {
    assert_eq!(Estimate::of_share(&[]), None);
    assert!(
        Estimate::of_share(&[(f64::NAN, Some(10))])
            .unwrap()
            .value
            .is_nan()
    );
    assert_eq!(
        Estimate::of_seeds(&[f64::NAN; 3]).unwrap().basis,
        Basis::None
    );
}
