//! Numbers that are kept, and numbers that are not.

use proptest::prelude::*;
use serde_json::Value;

use super::*;

/// What is kept of a number, as it is given out.
fn kept(text: &str) -> Option<String> {
    exact(text).map(|number| number.to_string())
}

#[test]
fn numbers_come_out_as_the_value_that_went_in() {
    for (text, expected) in [
        ("0", "0"),
        ("7", "7"),
        ("-7", "-7"),
        ("9007199254740993", "9007199254740993"),
        ("9223372036854775807", "9223372036854775807"),
        ("9223372036854775808", "9223372036854775808"),
        ("18446744073709551615", "18446744073709551615"),
        ("-9223372036854775808", "-9223372036854775808"),
        ("-0", "-0.0"),
        ("-0.0", "-0.0"),
        ("0.0", "0.0"),
        ("0e999999999999999999999", "0.0"),
        ("1.0", "1.0"),
        ("1.00", "1.0"),
        ("1e0", "1.0"),
        ("0.1", "0.1"),
        ("0.10", "0.1"),
        ("1.5e3", "1500.0"),
        ("1.5E+3", "1500.0"),
        ("15000e-1", "1500.0"),
        ("-2.5e-3", "-0.0025"),
        ("0.30000000000000004", "0.30000000000000004"),
        ("9007199254740992.0", "9007199254740992.0"),
        ("1e22", "1e+22"),
        ("1e23", "1e+23"),
        ("1.7976931348623157e308", "1.7976931348623157e+308"),
        ("5e-324", "5e-324"),
        ("822525686247517.2", "822525686247517.2"),
        ("2.2250738585072014e-308", "2.2250738585072014e-308"),
    ] {
        assert_eq!(kept(text).as_deref(), Some(expected), "{text}");
    }
}

#[test]
fn numbers_that_would_be_rounded_are_not_kept() {
    let long = format!("0.1{}1", "0".repeat(1_000));
    for text in [
        "18446744073709551616",
        "18446744073709551617",
        "-9223372036854775809",
        "100000000000000000000",
        "0.1000000000000000055511151231257827",
        "0.10000000000000001",
        "0.3000000000000000444",
        "9007199254740993.0",
        "9007199254740993.5",
        "9007199254740993e0",
        "18446744073709551616.0",
        "1.7976931348623159e308",
        "1e309",
        "1e400",
        "-1e400",
        "1e99999999999999999999",
        "1e-400",
        "1e-99999999999999999999",
        // Its `f64` ends in 25, which is written with a 2.
        "822525686247517.3",
        "4.9e-324",
        "2e-324",
        &long,
    ] {
        assert_eq!(kept(text), None, "{text}");
    }
}

#[test]
fn zeros_that_say_nothing_cost_a_number_nothing() {
    let zeros = "0".repeat(2_000);
    for (text, expected) in [
        (format!("1.5{zeros}"), "1.5"),
        (format!("0.{zeros}15e2001"), "1.5"),
        (format!("15{zeros}e-2001"), "1.5"),
        (format!("0.{zeros}"), "0.0"),
    ] {
        assert_eq!(kept(&text).as_deref(), Some(expected), "{text}");
    }
}

proptest! {
    /// Two numbers of different values never become the same.
    #[test]
    fn what_is_kept_has_the_value_of_the_text(
        text in r"-?(0|[1-9][0-9]{0,20})(\.[0-9]{1,20})?([eE][+-]?[0-9]{1,3})?",
    ) {
        if let Some(number) = exact(&text) {
            prop_assert_eq!(Decimal::of(&number.to_string()), Decimal::of(&text));
        }
    }

    #[test]
    fn every_finite_number_of_64_bits_is_kept_as_it_is_printed(bits in any::<u64>()) {
        let numbers = [
            Some(Value::from(bits)),
            Some(Value::from(bits.cast_signed())),
            Number::from_f64(f64::from_bits(bits)).map(Value::Number),
        ];
        for number in numbers.into_iter().flatten() {
            prop_assert_eq!(exact(&number.to_string()).map(Value::Number), Some(number));
        }
    }

    /// Texts that are not of the grammar never get here; still none may end the process.
    #[test]
    fn no_text_panics(text in any::<String>()) {
        let _ = exact(&text);
    }
}
