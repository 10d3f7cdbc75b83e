//! Digits that are a telephone number because a word beside them, or the name of their field, says so.

use super::groups::Groups;

/// Subscribers of a town have seven digits in many plans, but then the groups are separated.
const DIGITS: std::ops::RangeInclusive<usize> = 7..=15;
const BARE_DIGITS: usize = 8;

/// Where the digits end that may be such a number.
pub(super) fn end(groups: &Groups) -> Option<usize> {
    let last = groups
        .all()
        .iter()
        .rev()
        .find(|group| DIGITS.contains(&group.total()))?;
    let digits = groups.digits(*last);
    let bare = groups.all()[0].end == last.end;
    // A counter that is filled up with zeros, a date, an address of the network.
    let padded = digits.starts_with(b"000");
    let date = matches!(groups.all(), [year, month, day, ..]
        if (year.length(), month.length(), day.length()) == (4, 2, 2)
            || (year.length(), month.length(), day.length()) == (2, 2, 4));
    let dotted = matches!(groups.all(), [_, rest @ ..]
        if !rest.is_empty() && rest.len() <= 3 && rest.iter().all(|group| group.separator == b'.' && group.length() <= 3));
    let too_short = bare && last.total() < BARE_DIGITS;
    (!padded && !date && !dotted && !too_short).then_some(last.end)
}
