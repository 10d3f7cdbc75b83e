//! National forms with separators: the shapes of common regions.

use super::{
    groups::{Group, Groups},
    shapes, starts_word,
};

const SEPARATORS: &[u8] = b" -./()";

/// Where the number ends.
pub(super) fn end(bytes: &[u8], at: usize) -> Option<usize> {
    if !starts_word(bytes, at) {
        return None;
    }
    if bytes[at] == b'(' {
        return in_brackets(bytes, at);
    }
    if !bytes[at].is_ascii_digit() {
        return None;
    }
    let groups = Groups::read(bytes, at, SEPARATORS);
    // The longest first, so that no group of the number is left behind.
    (2..=groups.all().len())
        .rev()
        .map(|count| &groups.all()[..count])
        .find(|taken| is_national(&groups, taken) && !goes_on_in_pairs(bytes, at, taken))
        .and_then(|taken| taken.last())
        .map(|last| last.end)
}

/// `(415) 555-2671`, `(030) 1234567`, `(11) 98765-4321`.
fn in_brackets(bytes: &[u8], at: usize) -> Option<usize> {
    let groups = Groups::read(bytes, at + 1, SEPARATORS);
    let area = groups.all().first()?;
    if bytes.get(area.end) != Some(&b')') {
        return None;
    }
    (2..=groups.all().len())
        .rev()
        .map(|count| &groups.all()[..count])
        .find(|taken| {
            let number = taken.last().map_or(&[][..], |last| groups.digits(*last));
            shapes::in_brackets(number, &lengths(taken)[..taken.len()])
        })
        .and_then(|taken| taken.last())
        .map(|last| last.end)
}

fn is_national(groups: &Groups, taken: &[Group]) -> bool {
    let Some(last) = taken.last() else {
        return false;
    };
    let digits = groups.digits(*last);
    let lengths = lengths(taken);
    let mut separators = [0; MAX_GROUPS];
    for (place, group) in separators.iter_mut().zip(&taken[1..]) {
        *place = group.separator;
    }
    let separators = &separators[..taken.len() - 1];
    shapes::is_national(digits, &lengths[..taken.len()], separators)
}

const MAX_GROUPS: usize = 9;

fn lengths(taken: &[Group]) -> [usize; MAX_GROUPS] {
    let mut lengths = [0; MAX_GROUPS];
    for (place, group) in lengths.iter_mut().zip(taken) {
        *place = group.length;
    }
    lengths
}

/// `01 23 45 67 89 ab`: bytes in hexadecimal, of which these five have no letters.
fn goes_on_in_pairs(bytes: &[u8], at: usize, taken: &[Group]) -> bool {
    let Some(last) = taken
        .last()
        .filter(|_| taken.iter().all(|group| group.length == 2))
    else {
        return false;
    };
    let pair_after = matches!(
        bytes.get(last.end..),
        Some([b' ' | b'-' | b'.', high, low, rest @ ..])
            if high.is_ascii_hexdigit()
                && low.is_ascii_hexdigit()
                && !rest.first().is_some_and(u8::is_ascii_alphanumeric)
    );
    let pair_before = matches!(
        &bytes[at.saturating_sub(3)..at],
        [high, low, b' '] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit()
    );
    pair_after || pair_before
}
