//! Bank accounts: IBAN, ISO 13616.

mod countries;

use std::ops::Range;

use self::countries::Structure;
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
/// The country and the check digits.
const HEAD: usize = 4;
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
    let structure = Structure::of(country.map(|b| b.to_ascii_uppercase()))?;
    let length = HEAD + structure.places();
    let one_case =
        country.iter().all(u8::is_ascii_uppercase) || country.iter().all(u8::is_ascii_lowercase);
    let touched = digits::before(bytes, start).is_some_and(|b| b.is_ascii_alphanumeric());
    if !one_case || touched || digits::run(bytes, at) < 2 {
        return None;
    }
    let range = span(bytes, start, length)?;
    let compact = digits::collect::<MAX_CHARS>(bytes, range.clone())?.0;
    let iban = &compact[..length];
    if !structure.fits(&iban[HEAD..]) || !is_valid(iban) {
        return None;
    }
    let grouped = range.len() > length;
    let confidence = match surroundings::meaning(source, &range) {
        Some(Meaning::Iban) => Confidence::High,
        Some(Meaning::Code) if !grouped => Confidence::Low,
        _ if is_hexadecimal(iban) => Confidence::Low,
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

/// Whether it reads as an object id, or as words of bytes in a dump: `ad81 0001 2030 2003 5910 abcd`.
/// With digits alone behind the country it is an account: hardly any id has so many in a row.
fn is_hexadecimal(iban: &[u8]) -> bool {
    let is_digit = |b: &u8| matches!(b, b'0'..=b'9' | b'a'..=b'f');
    iban.iter().all(is_digit) && iban[HEAD..].iter().any(u8::is_ascii_alphabetic)
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
    let (head, body) = iban.split_at(HEAD);
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
