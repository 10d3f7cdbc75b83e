//! Telephone numbers.

use std::ops::{Range, RangeInclusive};

use super::digits;

/// E.164 allows 15 digits; under 8 no country code with a subscriber number is left.
const INTERNATIONAL: RangeInclusive<usize> = 8..=15;
/// After `00` a zero-padded counter looks alike, so that more digits are asked for.
const AFTER_DOUBLE_ZERO: RangeInclusive<usize> = 12..=17;
const NATIONAL: RangeInclusive<usize> = 10..=12;

/// A telephone number that starts at `at` with `+`, `(` or a digit.
pub(crate) fn at(bytes: &[u8], at: usize) -> Option<Range<usize>> {
    let digit = |offset: usize| {
        bytes
            .get(at + offset)
            .filter(|b| b.is_ascii_digit())
            .copied()
    };
    match bytes[at] {
        b'+' if digit(1)? != b'0' => {
            number(bytes, at, at + 1, b" -./()", INTERNATIONAL).filter(|r| ends_word(bytes, r.end))
        }
        b'(' => in_brackets(bytes, at),
        b'0' if starts_word(bytes, at) => {
            let found = match (digit(1)?, digit(2)) {
                (b'0', Some(b'1'..=b'9')) => number(bytes, at, at, b" -./()", AFTER_DOUBLE_ZERO),
                (b'1'..=b'9', Some(_)) => number(bytes, at, at, b" -/", NATIONAL),
                (b'1'..=b'9', None) => digits::groups(bytes, at, &[2, 2, 2, 2, 2], b" -."),
                _ => None,
            };
            found.filter(|range| ends_word(bytes, range.end) && !is_account(bytes, range))
        }
        b'2'..=b'9' if starts_word(bytes, at) => {
            digits::groups(bytes, at, &[3, 3, 4], b"-.").filter(|range| ends_word(bytes, range.end))
        }
        _ => None,
    }
}

/// `(415) 555-2671`, `(030) 1234567`.
fn in_brackets(bytes: &[u8], at: usize) -> Option<Range<usize>> {
    let area = digits::run(bytes, at + 1);
    ((2..=5).contains(&area) && bytes.get(at + 1 + area) == Some(&b')'))
        .then(|| number(bytes, at, at + 1, b" -./()", NATIONAL))
        .flatten()
        .filter(|range| ends_word(bytes, range.end))
}

/// Digit groups from `from` on with at most two separators between them, taken while they fit.
fn number(
    bytes: &[u8],
    start: usize,
    from: usize,
    separators: &[u8],
    length: RangeInclusive<usize>,
) -> Option<Range<usize>> {
    let mut total = digits::run(bytes, from);
    let mut end = from + total;
    loop {
        let gap = bytes[end..]
            .iter()
            .take_while(|b| separators.contains(b))
            .count();
        let group = digits::run(bytes, end + gap);
        if gap == 0 || gap > 2 || group == 0 || total + group > *length.end() {
            break;
        }
        total += group;
        end += gap + group;
    }
    length.contains(&total).then_some(start..end)
}

/// The account in an Amazon resource name, `arn:partition:service:region:account:resource`: twelve
/// digits that may begin with a zero.
fn is_account(bytes: &[u8], range: &Range<usize>) -> bool {
    const FIELDS_BEFORE: usize = 4;
    let is_run = bytes[range.clone()].iter().all(u8::is_ascii_digit);
    if range.len() != 12 || !is_run || bytes.get(range.end) != Some(&b':') {
        return false;
    }
    let before = &bytes[..range.start];
    let is_part = |byte: &&u8| byte.is_ascii_alphanumeric() || b":-".contains(byte);
    let name = before.iter().rev().take_while(is_part).count();
    let name = &before[before.len() - name..];
    let fields = name.iter().filter(|byte| **byte == b':').count();
    name.starts_with(b"arn:") && name.ends_with(b":") && fields == FIELDS_BEFORE
}

/// Not inside a word, a decimal fraction or a chain of groups such as an id with hyphens.
fn starts_word(bytes: &[u8], at: usize) -> bool {
    match at.checked_sub(1).map(|index| bytes[index]) {
        None => true,
        Some(b'.' | b',' | b'-') => at < 2 || !bytes[at - 2].is_ascii_alphanumeric(),
        Some(before) => !before.is_ascii_alphanumeric(),
    }
}

fn ends_word(bytes: &[u8], end: usize) -> bool {
    !bytes.get(end).is_some_and(u8::is_ascii_alphanumeric)
}
