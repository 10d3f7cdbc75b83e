//! Payment card numbers.

mod brands;

use std::ops::{Range, RangeInclusive};

use self::brands::Issued;
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
    let (range, confidence) = contiguous(source, at).or_else(|| grouped(source, at))?;
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
    let issued = issued(&bytes[range.clone()])?;
    if is_decimal(bytes, &range) || in_hex_word(bytes, &range) {
        return None;
    }
    let confidence = match (surroundings::meaning(source, &range), issued) {
        (Some(Meaning::Card), _) => Confidence::High,
        // A tenth of all ids that begin like a card have a valid Luhn digit: EAN-13, ids of accounts
        // and messages with 17 to 19 digits.
        (Some(Meaning::Code), _) | (_, Issued::Rarely) => Confidence::Low,
        // A number of a company behind its country, `GB36498561126669`.
        _ if range.len() < 16 && touches_letter(bytes, &range) => Confidence::Low,
        _ => Confidence::Medium,
    };
    Some((range, confidence))
}

fn grouped(source: &Source<'_>, at: usize) -> Option<(Range<usize>, Confidence)> {
    let bytes = source.bytes();
    let first = digits::run(bytes, at);
    if !LAYOUTS.iter().any(|lengths| lengths[0] == first) {
        return None;
    }
    let groups = digits::Groups::<MAX_GROUPS>::read(bytes, at, b" -._");
    LAYOUTS.iter().find_map(|lengths| {
        let range = at..groups.end(lengths)?;
        let (number, length) = digits::collect::<{ *LENGTHS.end() }>(bytes, range.clone())?;
        let chained = digits::edges(bytes, &range) == Edges::Chained && length < 16;
        let is_card = !chained && issued(&number[..length]).is_some();
        let is_named = || surroundings::meaning(source, &range) == Some(Meaning::Card);
        (is_card && (!is_listed(bytes, &range, length) || is_named()))
            .then_some((range, Confidence::High))
    })
}

/// Whether it is in a row of a table of numbers, `1847 2938 4111 1111 1111 1111 2093 3746`, or in the
/// middle of a longer one, `9400 4111 1111 1111 1111 39`: groups of its length stand beside it, and are
/// no card themselves. The date and the code of a card may stand behind it, if it is not one of the
/// rare ones of 13 digits. With points, it is part of an object identifier, `1.3.4382.9059.8147.1188`.
fn is_listed(bytes: &[u8], range: &Range<usize>, length: usize) -> bool {
    const MOST_BEHIND: usize = 3;
    const CARD: &[usize] = &[4, 4, 4, 4];
    const CARD_BYTES: usize = 19;
    let between = bytes[range.clone()].iter().find(|b| !b.is_ascii_digit());
    let Some(&separator) = between else {
        return false;
    };
    let (before, behind) = digits::more_groups(bytes, range, separator, |length| length == CARD[0]);
    let any = digits::more_groups(bytes, range, separator, |_| true);
    if separator == b'.' && any != (0, 0) || length == *LENGTHS.start() && any.0 + any.1 > 1 {
        return true;
    }
    let is_card = |start: usize| {
        let groups = digits::Groups::<{ CARD.len() }>::read(bytes, start, &[separator]);
        let range = start..groups.end(CARD)?;
        let (number, length) = digits::collect::<{ *LENGTHS.end() }>(bytes, range)?;
        issued(&number[..length])
    };
    let last = range.start.checked_sub(CARD_BYTES + 1);
    (before > 1 || behind > MOST_BEHIND || before == 1 && any.1 > 0)
        && is_card(range.end + 1).is_none()
        && last.and_then(is_card).is_none()
}

fn touches_letter(bytes: &[u8], range: &Range<usize>) -> bool {
    let beside = [
        digits::before(bytes, range.start),
        bytes.get(range.end).copied(),
    ];
    let mut beside = beside.into_iter().flatten();
    beside.any(|b| b.is_ascii_alphabetic())
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

/// How it is issued, if the number is one of a card.
fn issued(digits: &[u8]) -> Option<Issued> {
    let issued = LENGTHS
        .contains(&digits.len())
        .then(|| brands::issued(digits))??;
    luhn(digits).then_some(issued)
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
