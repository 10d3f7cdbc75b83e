//! `+49 170 1234567`, `0049 170 1234567`, `011 49 170 1234567`.

use super::{
    calling_codes,
    groups::{Groups, MAX_GROUPS, Separators},
};

/// An article number in groups, `0 00950 00000 6`, has nine digits behind two zeros.
const MIN_AFTER_ZEROS: usize = 10;

/// Where the number behind `+` ends, whose first digit stands at `start`.
pub(super) fn behind_plus(bytes: &[u8], start: usize, groups: &Groups) -> Option<usize> {
    if is_coordinate(bytes, start, groups) {
        return None;
    }
    longest(groups, 0)
}

/// Where the number behind `00` or `011` ends. Zero-padded counters look alike: a gap must stand
/// behind the prefix and the code, or the digits be said to be a telephone number.
pub(super) fn behind_zeros(bytes: &[u8], at: usize, groups: &Groups) -> Option<usize> {
    let first = groups.all().first()?;
    let prefix = match groups.digits(*first) {
        b"00" | b"011" => first.length(),
        // `004-3531573-1880407` is an order: no code is 4.
        [b'0', b'0', code @ ..] if calling_codes::is_code(code) => 2,
        _ => return None,
    };
    // No code begins with a zero: a list of zeros is seen off before it is read again.
    let code = groups.digits(*groups.all().last()?).get(prefix)?;
    if *code == b'0' {
        return None;
    }
    let groups = Groups::read(bytes, at, Separators::NO_POINT, MAX_GROUPS);
    if groups.all().last()?.total() < prefix + MIN_AFTER_ZEROS {
        return None;
    }
    longest(&groups, prefix).filter(|end| *end > first.end)
}

/// The most groups that make a number with a calling code behind `prefix` digits.
fn longest(groups: &Groups, prefix: usize) -> Option<usize> {
    let fitting = groups.all().iter().rev().find(|group| {
        groups
            .digits(**group)
            .get(prefix..)
            .is_some_and(calling_codes::is_number)
    });
    fitting.map(|group| group.end)
}

/// `+40.712776` and ISO 6709, `+40.7128-074.0060/`: up to three digits before the point. The form of
/// EPP, `+1.4155552671`, has nine digits or more behind it, and no second number.
fn is_coordinate(bytes: &[u8], start: usize, groups: &Groups) -> bool {
    const EPP_DIGITS: usize = 9;
    let [whole, fraction, rest @ ..] = groups.all() else {
        return false;
    };
    if whole.length() > 3 || fraction.separator != b'.' {
        return false;
    }
    let point = rest.iter().any(|group| group.separator == b'.');
    let all_points = rest.iter().all(|group| group.separator == b'.');
    let second = {
        let before = bytes[..start - 1].trim_ascii_end();
        matches!(before, [.., b'0'..=b'9', b',' | b';'])
    };
    let pair = second || {
        let after = bytes.get(fraction.end..).unwrap_or_default();
        let after = after
            .strip_prefix(b",")
            .or_else(|| after.strip_prefix(b";"));
        let after = after.map(|after| after.strip_prefix(b" ").unwrap_or(after));
        after.is_some_and(|after| matches!(after, [b'+' | b'-' | b'0'..=b'9', ..]))
    };
    pair || point && !all_points || rest.is_empty() && fraction.length() < EPP_DIGITS
}
