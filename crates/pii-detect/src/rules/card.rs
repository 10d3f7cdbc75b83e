//! Payment card numbers.

use std::ops::{Range, RangeInclusive};

use super::digits;

/// The groups in which people write card numbers.
const LAYOUTS: [&[usize]; 4] = [&[4, 4, 4, 4, 3], &[4, 4, 4, 4], &[4, 6, 5], &[4, 6, 4]];
const LENGTHS: RangeInclusive<usize> = 13..=19;

/// How far a word is read to each side of the digits. A SHA-512 in hexadecimal has 128 characters;
/// without a bound, a long word of many numbers would be read once for each of them.
const WORD_BYTES: usize = 64;

/// A card number whose first digit stands at `at`.
pub(crate) fn at(bytes: &[u8], at: usize) -> Option<Range<usize>> {
    if at > 0 && bytes[at - 1].is_ascii_digit() {
        return None;
    }
    contiguous(bytes, at).or_else(|| grouped(bytes, at))
}

fn contiguous(bytes: &[u8], at: usize) -> Option<Range<usize>> {
    let range = at..at + digits::run(bytes, at);
    (is_card(&bytes[range.clone()]) && !in_hex_word(bytes, &range)).then_some(range)
}

fn grouped(bytes: &[u8], at: usize) -> Option<Range<usize>> {
    LAYOUTS.iter().find_map(|lengths| {
        let range = digits::groups(bytes, at, lengths, b" -._")?;
        let mut number = [0; *LENGTHS.end()];
        let mut length = 0;
        for digit in bytes[range.clone()].iter().filter(|b| b.is_ascii_digit()) {
            *number.get_mut(length)? = *digit;
            length += 1;
        }
        is_card(&number[..length]).then_some(range)
    })
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
    LENGTHS.contains(&digits.len()) && is_brand(digits) && luhn(digits)
}

/// Issuer ranges of ISO/IEC 7812 in use, each with the lengths that it issues.
fn is_brand(digits: &[u8]) -> bool {
    let prefix = |length: usize| {
        digits[..length]
            .iter()
            .fold(0_u32, |number, digit| number * 10 + u32::from(digit - b'0'))
    };
    let length = digits.len();
    match (prefix(1), prefix(2), prefix(3), prefix(4)) {
        (4, ..) => matches!(length, 13 | 16 | 19),
        (_, 51..=55, ..) | (_, _, _, 2221..=2720 | 2200..=2204) => length == 16,
        (_, 34 | 37, ..) => length == 15,
        (_, 36 | 38 | 39, ..) | (_, _, 300..=305, _) => length == 14,
        (_, 62 | 65, ..) | (_, _, 644..=649, _) | (_, _, _, 6011 | 3528..=3589) => length >= 16,
        (_, _, _, 5018 | 5020 | 5038 | 5893 | 6304 | 6759 | 6761..=6763) => true,
        _ => false,
    }
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
