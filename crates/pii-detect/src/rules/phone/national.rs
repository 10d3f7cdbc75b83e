//! National forms with separators: the shapes of common regions.

use std::ops::RangeInclusive;

use super::{
    groups::{Group, Groups},
    shapes,
};

/// How many digits the numbers of all [`shapes`] have.
const DIGITS: RangeInclusive<usize> = 9..=12;
/// Each group behind the first has two digits or more.
pub(super) const MAX_GROUPS: usize = 6;

/// Where the number ends whose first digit stands at `at`.
pub(super) fn end(bytes: &[u8], at: usize, groups: &Groups) -> Option<usize> {
    let area = groups.all().first()?;
    // With its bracket, it would have been found there.
    if bytes[..at].ends_with(b"(") && bytes.get(area.end) == Some(&b')') {
        return None;
    }
    longest(groups, is_national)
}

/// `(415) 555-2671`, `(030) 1234567`, `(11) 98765-4321`: where the number ends behind the bracket.
pub(super) fn in_brackets(bytes: &[u8], groups: &Groups) -> Option<usize> {
    let area = groups.all().first()?;
    if bytes.get(area.end) != Some(&b')') {
        return None;
    }
    longest(groups, |digits, taken| {
        shapes::in_brackets(digits, &lengths(taken)[..taken.len()])
    })
}

/// The longest first, so that no group of the number is left behind.
fn longest(groups: &Groups, is_number: impl Fn(&[u8], &[Group]) -> bool) -> Option<usize> {
    let all = groups.all();
    (2..=all.len().min(MAX_GROUPS))
        .rev()
        .map(|count| (all[count - 1], &all[..count]))
        .filter(|(last, _)| DIGITS.contains(&last.total()))
        .find(|(last, taken)| is_number(groups.digits(*last), taken))
        .map(|(last, _)| last.end)
}

fn is_national(digits: &[u8], taken: &[Group]) -> bool {
    let lengths = lengths(taken);
    let mut separators = [0; MAX_GROUPS];
    for (place, group) in separators.iter_mut().zip(&taken[1..]) {
        *place = group.separator;
    }
    let separators = &separators[..taken.len() - 1];
    shapes::is_national(digits, &lengths[..taken.len()], separators)
}

fn lengths(taken: &[Group]) -> [usize; MAX_GROUPS] {
    let mut lengths = [0; MAX_GROUPS];
    for (place, group) in lengths.iter_mut().zip(taken) {
        *place = group.length();
    }
    lengths
}
