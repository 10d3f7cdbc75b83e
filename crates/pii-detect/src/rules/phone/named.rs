//! Digits that are a telephone number because a word beside them, or the name of their field, says so.

use super::{groups::Groups, starts_word};

/// Subscribers of a town have seven digits in many plans; fewer are as often something else.
const DIGITS: std::ops::RangeInclusive<usize> = 7..=15;

/// Where the digits end that may be such a number.
pub(super) fn end(bytes: &[u8], at: usize) -> Option<usize> {
    if !starts_number(bytes, at) {
        return None;
    }
    let listed = at > 1 && bytes[at - 1] == b' ' && bytes[at - 2].is_ascii_digit();
    if listed {
        return None;
    }
    let start = at + usize::from(bytes[at] == b'(' || bytes[at] == b'+');
    let groups = Groups::read(bytes, start, b" -./()");
    let last = groups
        .all()
        .iter()
        .rev()
        .find(|group| DIGITS.contains(&group.total))?;
    let digits = groups.digits(*last);
    // A counter that is filled up with zeros, a date, an address of the network.
    let padded = digits.starts_with(b"000");
    let date = matches!(groups.all(), [year, month, day, ..]
        if (year.length, month.length, day.length) == (4, 2, 2)
            || (year.length, month.length, day.length) == (2, 2, 4));
    let dotted = matches!(groups.all(), [_, rest @ ..]
        if !rest.is_empty() && rest.len() <= 3 && rest.iter().all(|group| group.separator == b'.' && group.length <= 3));
    (!padded && !date && !dotted).then_some(last.end)
}

/// `tel-4155552671` is one too: the word may be joined by a hyphen.
fn starts_number(bytes: &[u8], at: usize) -> bool {
    let joined = at > 1 && bytes[at - 1] == b'-' && bytes[at - 2].is_ascii_alphabetic();
    joined || starts_word(bytes, at)
}
