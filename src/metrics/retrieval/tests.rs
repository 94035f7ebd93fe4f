//! Tests of `retrieval`.

use super::*;

#[test]
fn a_list_is_scored_by_its_first_places() {
    let scores = rank_scores(&[false, true, false, true], 3, 3).unwrap();
    assert_eq!(
        (scores.hit, scores.recall, scores.reciprocal_rank),
        (1.0, 1.0 / 3.0, 0.5)
    );
    let ideal = 1.0 + 1.0 / 3.0_f64.log2() + 0.5;
    assert!((scores.ndcg - 1.0 / 3.0_f64.log2() / ideal).abs() < 1e-12);
    let best = rank_scores(&[true, true], 2, 5).unwrap();
    assert_eq!(
        [best.hit, best.recall, best.reciprocal_rank, best.ndcg].map(f64::to_bits),
        [1.0_f64.to_bits(); 4]
    );
    let none = rank_scores(&[false], 2, 5).unwrap();
    assert_eq!(
        [none.hit, none.recall, none.reciprocal_rank, none.ndcg].map(f64::to_bits),
        [0; 4]
    );
    assert_eq!(rank_scores(&[false], 0, 5), None);
}

#[test]
fn equal_lists_agree_and_reversed_ones_do_not() {
    assert_eq!(rank_agreement(&[4, 2, 9], &[4, 2, 9]), Some(1.0));
    assert_eq!(rank_agreement(&[4, 2, 9], &[9, 2, 4]), Some(-1.0));
    assert_eq!(rank_agreement(&[4], &[4]), None);
}

#[test]
fn an_item_that_a_list_lacks_stands_behind_its_own() {
    // Pairs: (1,2) alike, (1,3) alike, (2,3) opposite.
    assert_eq!(rank_agreement(&[1, 2], &[1, 3]), Some(1.0 / 3.0));
    // (1,2) and (3,4) are ordered by one list only, the other four oppositely.
    assert_eq!(rank_agreement(&[1, 2], &[3, 4]), Some(-4.0 / 6.0));
}

#[test]
fn overlap_is_a_share_of_the_places() {
    assert_eq!(overlap(&[1, 2, 3], &[3, 1, 7], 2), Some(0.5));
    assert_eq!(overlap(&[1], &[1, 2], 5), Some(0.5));
    assert_eq!(overlap(&[], &[], 5), None);
}
