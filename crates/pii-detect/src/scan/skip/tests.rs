//! Where the scan stops, and what it passes over.

use super::*;

/// The bytes at which rules are asked.
fn asked(skip: Skip, text: &str) -> Vec<usize> {
    let mut asked = Vec::new();
    let mut at = 0;
    while let Some((stop, index)) = skip.to_stop(text.as_bytes(), at, text.len()) {
        at = match stop {
            Stop::Skip { end } => end,
            Stop::Ask | Stop::Number { .. } => {
                asked.push(index);
                match stop {
                    Stop::Number { end } => end,
                    _ => index + 1,
                }
            }
        };
        assert!(at > index, "{text}");
    }
    asked
}

#[test]
fn rules_are_asked_at_signs_and_at_each_group_of_a_number_of_some_length() {
    for (text, expected) in [
        ("", vec![]),
        ("no digits: (none) + 1, 2", vec![]),
        ("a@b @", vec![1, 4]),
        ("12 34 56", vec![]),
        ("1234567", vec![0]),
        ("123-4567 890", vec![0, 4]),
        ("+1234567", vec![0, 1]),
        ("+123456", vec![]),
        ("(12) 34567", vec![0, 1]),
        ("+49 (0)170-123", vec![0, 1, 4, 5]),
        ("x1234567", vec![1]),
        ("a1b2c3d4e5f6a7b8 1", vec![]),
        ("a1b23456789c1", vec![3]),
        ("a1b2 345678", vec![3]),
        ("123    4567", vec![0]),
        ("123     4567", vec![]),
        ("1,234,567", vec![]),
        ("DE89 x", vec![2]),
        ("DEF89 x", vec![]),
        ("12.ABC.345/01DE-35", vec![16]),
        ("12.ABC.345/1DE-35", vec![]),
        ("AB.CDE.FGH/0001-95", vec![16]),
        ("12ABC34501DE35 ABCDEFGH000195", vec![0, 5, 12, 23]),
        ("12ABC34501DEF5 aBCDEFGH000195", vec![]),
    ] {
        assert_eq!(asked(Skip::new(false), text), expected, "{text}");
    }
}

#[test]
fn no_byte_at_which_there_is_something_to_decide_is_passed_over_with_others() {
    for skip in [Skip::new(false), Skip::new(true)] {
        for byte in 0..=u8::MAX {
            let is_stop = skip.classes[usize::from(byte)] >= DIGIT;
            for index in [0, NEAR, NEAR + CHUNK - 1, NEAR + 2 * CHUNK] {
                let mut text = [b'a'; NEAR + 3 * CHUNK];
                text[index] = byte;
                assert_eq!(skip.next(&text), is_stop.then_some(index), "{byte}");
            }
        }
    }
}

#[test]
fn addresses_of_networks_are_short_numbers_and_colons() {
    for (text, expected) in [("1.2.3.4", vec![0]), ("1.2.3", vec![]), ("::1", vec![0, 1])] {
        assert_eq!(asked(Skip::new(true), text), expected, "{text}");
        assert!(asked(Skip::new(false), text).is_empty(), "{text}");
    }
}

#[test]
fn uuids_and_dates_are_passed_over() {
    for text in [
        "550e8400-e29b-41d4-a716-446655440000",
        "41111111-1111-4111-8111-111111111111",
        "lead-41111111-1111-4111-8111-111111111111_b",
        "abcdefab-1111-4111-8111-111111111111",
        "2024-05-01T12:34:56",
        "1999-12-31 x",
    ] {
        assert!(asked(Skip::new(false), text).is_empty(), "{text}");
    }
    for text in [
        "x41111111-1111-4111-8111-111111111111",
        "41111111-1111-4111-8111-1111111111112",
        "41111111-1111-4111-8111-11111111111",
        "41111111-1111-4111-8111 111111111111",
        "2024-05-01-12",
        "2024-13-01 x",
        "3024-05-01 x",
        "2024-05-012 x",
    ] {
        assert!(!asked(Skip::new(false), text).is_empty(), "{text}");
    }
}
