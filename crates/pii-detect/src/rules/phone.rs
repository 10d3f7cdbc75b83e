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
    if bytes[at].is_ascii_digit() && !digits::starts_run(bytes, at) {
        return None;
    }
    let (end, rule, confidence) = international::end(bytes, at)
        .map(|end| (end, "international", Confidence::High))
        .or_else(|| {
            let end = national::end(bytes, at)?;
            Some((end, "national", Confidence::Medium))
        })
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
            let end = whole(bytes, at..named::end(bytes, at)?)?;
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

#[cfg(test)]
mod tests;
