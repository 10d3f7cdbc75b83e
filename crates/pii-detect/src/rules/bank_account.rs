//! Bank accounts: IBAN, ISO 13616.

mod countries;

use std::ops::Range;

use super::{
    digits,
    source::Source,
    surroundings::{self, Meaning},
};
use crate::{
    finding::{Confidence, Finding},
    kind::Kind,
};

const MAX_CHARS: usize = 34;
/// Four characters between two blanks.
const GROUP: usize = 4;

/// An IBAN whose check digits stand at `at`, behind the letters of its country.
pub(super) fn at(source: &Source<'_>, from: usize, at: usize) -> Option<Finding> {
    let bytes = source.bytes();
    let start = at.checked_sub(2).filter(|start| *start >= from)?;
    let country = [bytes[start], bytes[start + 1]];
    if !country.iter().all(u8::is_ascii_alphabetic) {
        return None;
    }
    let length = countries::length(country.map(|b| b.to_ascii_uppercase()))?;
    let one_case =
        country.iter().all(u8::is_ascii_uppercase) || country.iter().all(u8::is_ascii_lowercase);
    let touched = digits::before(bytes, start).is_some_and(|b| b.is_ascii_alphanumeric());
    if !one_case || touched || digits::run(bytes, at) < 2 {
        return None;
    }
    let range = span(bytes, start, length)?;
    let compact = digits::collect::<MAX_CHARS>(bytes, range.clone())?.0;
    if !is_valid(&compact[..length]) {
        return None;
    }
    let grouped = range.len() > length;
    let confidence = match surroundings::meaning(source, &range) {
        Some(Meaning::Iban) => Confidence::High,
        Some(Meaning::Code) if !grouped => Confidence::Low,
        _ if in_dump(bytes, &range) => Confidence::Low,
        // Written like a word: one in 97 of such words has right check digits.
        _ if country[0].is_ascii_lowercase() => Confidence::Medium,
        _ => Confidence::High,
    };
    Some(Finding {
        kind: Kind::BankAccount,
        range,
        rule: "iban",
        confidence,
    })
}

/// Whether it is some of the words of bytes in hexadecimal, `08f4 be51 8f11 b282 08f4 aa0a`.
fn in_dump(bytes: &[u8], range: &Range<usize>) -> bool {
    let is_hex = |b: &u8| b.is_ascii_hexdigit() && !b.is_ascii_uppercase();
    let behind = match &bytes[range.end..] {
        [b' ', word @ ..] => word.iter().take_while(|b| is_hex(b)).count() == GROUP,
        _ => false,
    };
    let before = match &bytes[..range.start] {
        [word @ .., b' '] => word.iter().rev().take_while(|b| is_hex(b)).count() == GROUP,
        _ => false,
    };
    let in_words = bytes[range.clone()].iter().all(|b| *b == b' ' || is_hex(b));
    in_words && (before || behind)
}

/// As many letters and digits as the country gives its accounts, in one word or in groups of four.
fn span(bytes: &[u8], start: usize, length: usize) -> Option<Range<usize>> {
    let separator = bytes
        .get(start + GROUP)
        .copied()
        .filter(|b| matches!(b, b' ' | b'-' | b'.'));
    let mut end = start;
    for index in 0..length {
        if index > 0 && index % GROUP == 0 && separator.is_some() {
            if bytes.get(end).copied() != separator {
                return None;
            }
            end += 1;
        }
        bytes.get(end).filter(|b| b.is_ascii_alphanumeric())?;
        end += 1;
    }
    let touched = bytes.get(end).is_some_and(u8::is_ascii_alphanumeric);
    (!touched).then_some(start..end)
}

/// Modulo 97, ISO 7064: the first four characters stand at the end, and letters count from ten on.
fn is_valid(iban: &[u8]) -> bool {
    let (head, body) = iban.split_at(GROUP);
    let remainder = body.iter().chain(head).fold(0_u32, |remainder, byte| {
        if byte.is_ascii_digit() {
            (remainder * 10 + u32::from(byte - b'0')) % 97
        } else {
            (remainder * 100 + u32::from(byte.to_ascii_uppercase() - b'A') + 10) % 97
        }
    });
    remainder == 1
}

#[cfg(test)]
mod tests;
