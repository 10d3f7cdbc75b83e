//! Telephone numbers: international, in the shapes of common regions, or said to be one.

mod calling_codes;
mod extension;
mod goes_on;
mod groups;
mod international;
mod named;
mod national;
mod shapes;

use std::ops::Range;

use self::groups::{Groups, Separators};
use super::{
    digits,
    source::Source,
    surroundings::{self, Meaning},
};
use crate::{
    finding::{Confidence, Finding},
    kind::Kind,
};

/// A telephone number that starts at `at` with `+`, `(` or the first digit of a run.
pub(super) fn at(source: &Source<'_>, from: usize, at: usize) -> Option<Finding> {
    let bytes = source.bytes();
    if digits::before(bytes, at).is_some_and(|b| b.is_ascii_alphanumeric()) {
        return None;
    }
    let starts_word = starts_word(bytes, at);
    let starts_named = starts_word || follows_joined_word(bytes, at);
    let (sign, start) = match bytes[at..] {
        [b'+', b'(', ..] => (b'+', at + 2),
        [sign @ (b'+' | b'('), ..] => (sign, at + 1),
        _ => (0, at),
    };
    let is_tried = in_single_digits(bytes, at) || goes_on::in_row_of_pairs(bytes, at);
    if sign != b'+' && (!starts_named || is_tried) {
        return None;
    }
    let is_listed = matches!(bytes[..at], [.., b'0'..=b'9', b' ']);
    // No word says it of a number in a list, and those in national shapes have fewer groups.
    let most = if is_listed && sign != b'+' {
        national::MAX_GROUPS
    } else {
        groups::MAX_GROUPS
    };
    let groups = Groups::read(bytes, start, Separators::ALL, most);
    let international = || match sign {
        b'+' => international::behind_plus(bytes, start, &groups),
        b'(' => None,
        _ if starts_word => international::behind_zeros(bytes, at, &groups),
        _ => None,
    };
    let national = || match sign {
        b'+' => None,
        _ if !starts_word => None,
        b'(' => national::in_brackets(bytes, &groups),
        _ => national::end(bytes, at, &groups),
    };
    let (end, rule, confidence) = international()
        .map(|end| (end, "international", Confidence::High))
        .or_else(|| Some((national()?, "national", Confidence::Medium)))
        .filter(|(end, ..)| {
            let range = at..*end;
            !goes_on::in_pairs(bytes, &range)
                && !goes_on::in_code(bytes, &range)
                && !goes_on::is_hardware(bytes, &range)
        })
        .and_then(|(end, rule, confidence)| Some((whole(bytes, at..end)?, rule, confidence)))
        .map(|(end, rule, confidence)| {
            let listed = goes_on::in_list(bytes, from, &(at..end));
            let alone = if listed { Confidence::Low } else { confidence };
            (end, rule, judge(source, at..end, alone))
        })
        .or_else(|| {
            if is_listed || !starts_named || start > at + 1 {
                return None;
            }
            let end = whole(bytes, at..named::end(&groups)?)?;
            let said = surroundings::meaning(source, &(at..end)) == Some(Meaning::Phone);
            let meant = said && !surroundings::is_measured(bytes, end);
            meant.then_some((end, "named", Confidence::High))
        })?;
    Some(Finding {
        kind: Kind::Phone,
        range: at..end,
        rule,
        confidence,
    })
}

/// What the surroundings make of a number in a national shape.
fn judge(source: &Source<'_>, range: Range<usize>, alone: Confidence) -> Confidence {
    if alone == Confidence::High {
        return alone;
    }
    match surroundings::meaning(source, &range) {
        Some(Meaning::Phone) => Confidence::High,
        Some(Meaning::Code | Meaning::Thing) => Confidence::Low,
        _ => alone,
    }
}

/// The end with the extension, if nothing binds the number to what follows.
fn whole(bytes: &[u8], range: Range<usize>) -> Option<usize> {
    if let Some(end) = extension::end(bytes, range.end) {
        return Some(end);
    }
    let next = bytes.get(range.end).copied();
    let beyond = bytes.get(range.end + 1).copied();
    let bound = match next {
        Some(b'.' | b':') => beyond.is_some_and(|b| b.is_ascii_digit()),
        Some(b'-') => beyond.is_some_and(|b| b.is_ascii_alphanumeric()),
        Some(next) => next.is_ascii_alphanumeric(),
        None => false,
    };
    (!bound).then_some(range.end)
}

/// Not inside a word, a decimal fraction or a chain of groups such as an id with hyphens.
fn starts_word(bytes: &[u8], at: usize) -> bool {
    match digits::before(bytes, at) {
        None => true,
        Some(b'.' | b',' | b'-' | b'+' | b'/') => at < 2 || !bytes[at - 2].is_ascii_alphanumeric(),
        Some(b':') => at < 2 || !bytes[at - 2].is_ascii_digit(),
        Some(before) => !before.is_ascii_alphanumeric(),
    }
}

/// The third or a later one of digits that stand singly, `4 4 4 4`: a number that is written so was
/// looked for at the first.
fn in_single_digits(bytes: &[u8], at: usize) -> bool {
    let is_single =
        bytes[at].is_ascii_digit() && !bytes.get(at + 1).is_some_and(u8::is_ascii_digit);
    is_single && matches!(bytes[..at], [.., b'0'..=b'9', b' ', b'0'..=b'9', b' '])
}

/// `tel-4155552671`: the word that says it may be joined by a hyphen.
fn follows_joined_word(bytes: &[u8], at: usize) -> bool {
    at > 1 && bytes[at - 1] == b'-' && bytes[at - 2].is_ascii_alphabetic()
}

#[cfg(test)]
mod tests;
