//! Payment card numbers.

mod brands;

use std::ops::{Range, RangeInclusive};

use super::{
    digits::{self, Edges},
    source::Source,
    surroundings::{self, Meaning},
};
use crate::{
    finding::{Confidence, Finding},
    kind::Kind,
};

/// The groups in which people write card numbers.
const LAYOUTS: [&[usize]; 8] = [
    &[4, 4, 4, 4, 3],
    &[4, 4, 4, 4],
    &[4, 6, 5],
    &[4, 6, 4],
    &[6, 13],
    &[4, 4, 4, 1],
    &[4, 3, 3, 3],
    &[4, 4, 5],
];
const MAX_GROUPS: usize = 5;
const LENGTHS: RangeInclusive<usize> = 13..=19;

/// How far a word is read to each side of the digits. A SHA-512 in hexadecimal has 128 characters;
/// without a bound, a long word of many numbers would be read once for each of them.
const WORD_BYTES: usize = 64;

/// A card number whose first digit stands at `at`.
pub(super) fn at(source: &Source<'_>, _from: usize, at: usize) -> Option<Finding> {
    let bytes = source.bytes();
    if !digits::starts_run(bytes, at) {
        return None;
    }
    let (range, confidence) = contiguous(source, at).or_else(|| grouped(bytes, at))?;
    Some(Finding {
        kind: Kind::PaymentCard,
        range,
        rule: "card",
        confidence,
    })
}

fn contiguous(source: &Source<'_>, at: usize) -> Option<(Range<usize>, Confidence)> {
    let bytes = source.bytes();
    let range = at..at + digits::run(bytes, at);
    if !is_card(&bytes[range.clone()]) || is_decimal(bytes, &range) || in_hex_word(bytes, &range) {
        return None;
    }
    let confidence = match surroundings::meaning(source, &range) {
        Some(Meaning::Card) => Confidence::High,
        Some(Meaning::Product) => Confidence::Low,
        // A tenth of all EAN-13 with a brand's prefix have a valid Luhn digit, and cards of 13 digits
        // were issued long ago.
        _ if range.len() == *LENGTHS.start() => Confidence::Low,
        _ => Confidence::Medium,
    };
    Some((range, confidence))
}

fn grouped(bytes: &[u8], at: usize) -> Option<(Range<usize>, Confidence)> {
    let first = digits::run(bytes, at);
    if !LAYOUTS.iter().any(|lengths| lengths[0] == first) {
        return None;
    }
    let groups = digits::Groups::<MAX_GROUPS>::read(bytes, at, b" -._");
    LAYOUTS.iter().find_map(|lengths| {
        let range = at..groups.end(lengths)?;
        let (number, length) = digits::collect::<{ *LENGTHS.end() }>(bytes, range.clone())?;
        let chained = digits::edges(bytes, &range) == Edges::Chained && length < 16;
        (!chained && is_card(&number[..length])).then_some((range, Confidence::High))
    })
}

/// `0.4111111111111111` and `4111111111111111.5`.
fn is_decimal(bytes: &[u8], range: &Range<usize>) -> bool {
    let is_digit = |index: Option<usize>| {
        index
            .and_then(|index| bytes.get(index))
            .is_some_and(u8::is_ascii_digit)
    };
    digits::before(bytes, range.start) == Some(b'.') && is_digit(range.start.checked_sub(2))
        || bytes.get(range.end) == Some(&b'.') && is_digit(Some(range.end + 1))
}

/// Whether the digits are part of a longer word that reads as a hexadecimal id, as far as
/// [`WORD_BYTES`] show.
fn in_hex_word(bytes: &[u8], range: &Range<usize>) -> bool {
    let before = bytes[..range.start]
        .iter()
        .rev()
        .take(WORD_BYTES)
        .take_while(|b| b.is_ascii_alphanumeric())
        .count();
    let after = bytes[range.end..]
        .iter()
        .take(WORD_BYTES)
        .take_while(|b| b.is_ascii_alphanumeric())
        .count();
    before + after > 0
        && bytes[range.start - before..range.end + after]
            .iter()
            .all(u8::is_ascii_hexdigit)
}

fn is_card(digits: &[u8]) -> bool {
    LENGTHS.contains(&digits.len()) && brands::issues(digits) && luhn(digits)
}

/// The check digit of ISO/IEC 7812-1, annex B.
fn luhn(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(index, digit)| {
            let value = u32::from(digit - b'0') * if index % 2 == 1 { 2 } else { 1 };
            if value > 9 { value - 9 } else { value }
        })
        .sum();
    sum.is_multiple_of(10)
}

#[cfg(test)]
mod tests;
