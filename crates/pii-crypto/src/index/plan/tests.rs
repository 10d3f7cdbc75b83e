//! What a plan allows, beside the formula as it is printed.

use proptest::prelude::*;

use super::*;

/// 2 ≤ R / 2^b ≤ √R, in numbers that are exact: both sides times 2^b, the second squared.
fn formula(rows: u64, bits: u32) -> bool {
    let (rows, two_to_b) = (u128::from(rows), 1_u128 << bits.min(100));
    rows >= 16 && two_to_b.saturating_mul(2) <= rows && rows <= two_to_b.saturating_mul(two_to_b)
}

#[test]
fn the_bounds_are_those_of_the_formula_at_every_edge() {
    let edges = (0..64).flat_map(|log| [0, 1, 2].map(|add| (1_u64 << log).wrapping_sub(1) + add));
    for rows in edges.chain([0, u64::MAX]) {
        for bits in 0..=80_u16 {
            let planned = search_bits(rows, [bits]).is_ok();
            assert_eq!(
                planned,
                formula(rows, bits.into()),
                "{rows} rows, {bits} bits"
            );
        }
    }
}

/// A row stores two values of each index then.
#[test]
fn during_a_rotation_the_bounds_are_those_of_twice_the_bits() {
    let edges = (0..64).flat_map(|log| [0, 1, 2].map(|add| (1_u64 << log).wrapping_sub(1) + add));
    for rows in edges.chain([0, u64::MAX]) {
        for bits in 0..=80_u16 {
            let planned = search_bits_in_rotation(rows, [bits]).is_ok();
            let expected = rows >= 32 && formula(rows, 2 * u32::from(bits));
            assert_eq!(planned, expected, "{rows} rows, {bits} bits");
        }
        let some = (0..=80).any(|bits| search_bits_in_rotation(rows, [bits]).is_ok());
        assert_eq!(some, rows >= 32, "{rows} rows");
    }
}

/// Why there are two functions.
#[test]
fn no_number_of_bits_is_right_for_one_version_and_for_two() {
    for rows in [16, 32, 1_000, 50_000, 1 << 40, u64::MAX] {
        let both = |bits| {
            search_bits(rows, [bits]).is_ok() && search_bits_in_rotation(rows, [bits]).is_ok()
        };
        assert!(!(0..=80).any(both), "{rows} rows");
    }
}

#[test]
fn what_a_refusal_recommends_is_allowed_and_the_next_is_not() {
    for rows in [16, 17, 31, 32, 1_000, 50_000, 1 << 40, u64::MAX] {
        let long = search_bits(rows, [u16::MAX, u16::MAX]).expect_err("it leaks");
        let LeakyIndex::TooManyBits {
            at_least, at_most, ..
        } = long
        else {
            panic!("{long}");
        };
        let is_allowed = |bits: u32| search_bits(rows, [u16::try_from(bits).expect("few")]).is_ok();
        assert!((at_least..=at_most).all(is_allowed), "{rows}");
        assert!(
            !is_allowed(at_least - 1) && !is_allowed(at_most + 1),
            "{rows}"
        );
    }
}

#[test]
fn a_refusal_says_the_numbers_and_what_to_choose() {
    let of = |rows, bits| search_bits(rows, [bits]).expect_err("refused").to_string();
    assert_eq!(
        of(15, 2),
        "15 rows are too few for a search index: with fewer than 16 any value tells rows apart; open all of them and \
         compare"
    );
    assert_eq!(
        of(1_000_000, 32),
        "32 bits in the search values of a row tell 1000000 rows apart, fewer than 2 share them: choose 10 to 18 bits \
         for all its search indexes together"
    );
    assert_eq!(
        of(1_000_000, 4),
        "4 bits in the search values of a row are too few for 1000000 rows, more than √1000000 share them: choose 10 \
         to 18 bits for all its search indexes together"
    );
}

/// A name of eight characters has six trigrams of 12 bits.
#[test]
fn trigrams_of_names_never_pass() {
    for rows in [16, 1_000_000, 8_000_000_000, u64::MAX] {
        assert!(search_bits(rows, [12; 6]).is_err(), "{rows}");
    }
}

proptest! {
    #[test]
    fn the_bits_of_all_values_of_a_row_count_together(
        rows in any::<u64>(), one in 0..40_u16, other in 0..40_u16,
    ) {
        let together = search_bits(rows, [one, other]);
        prop_assert_eq!(together.is_ok(), search_bits(rows, [one + other]).is_ok());
        if let Ok(bits) = together {
            prop_assert_eq!(bits.map(SearchBits::get), [one, other]);
        }
    }
}
