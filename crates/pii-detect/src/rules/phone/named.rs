//! Digits that are a telephone number because a word beside them, or the name of their field, says so.

use super::groups::{Group, Groups};

/// Subscribers of a town have seven digits in many plans; fewer are as often something else.
const DIGITS: std::ops::RangeInclusive<usize> = 7..=15;

/// Where the digits end that may be such a number.
pub(super) fn end(groups: &Groups) -> Option<usize> {
    let last = groups
        .all()
        .iter()
        .rev()
        .find(|group| DIGITS.contains(&group.total()))?;
    let digits = groups.digits(*last);
    // A counter that is filled up with zeros, a date, an address of the network.
    let padded = digits.starts_with(b"000");
    let date = matches!(groups.all(), [first, second, third, ..]
        if is_date([first, second, third], groups));
    let address = matches!(groups.all(), [_, rest @ ..]
        if rest.len() == 3 && rest.iter().all(|group| group.separator == b'.' && group.length() <= 3));
    (!padded && !date && !address).then_some(last.end)
}

/// `2024-05-01`, `01/05/2024`, `05 31 2024`; `34 10 1234` is a telephone number.
fn is_date(parts: [&Group; 3], groups: &Groups) -> bool {
    let value = |group: &Group| {
        let digits = groups.digits(*group);
        let digits = digits[digits.len() - group.length()..].iter();
        digits.fold(0, |value, digit| value * 10 + u32::from(digit - b'0'))
    };
    let (year, others) = match parts.map(|group| group.length()) {
        [4, 2, 2] => (parts[0], [parts[1], parts[2]]),
        [2, 2, 4] => (parts[2], [parts[0], parts[1]]),
        _ => return false,
    };
    let [one, other] = others.map(value);
    let month_and_day = (1..=31).contains(&one.max(other)) && (1..=12).contains(&one.min(other));
    (1900..2100).contains(&value(year)) && month_and_day
}
