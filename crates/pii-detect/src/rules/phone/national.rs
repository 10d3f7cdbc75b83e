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
    let area = groups.all().first()?;
    // With its bracket, it would have been found there.
    if bytes[..at].ends_with(b"(") && bytes.get(area.end) == Some(&b')') {
        return None;
    }
    // The longest first, so that no group of the number is left behind.
    (2..=groups.all().len())
        .rev()
        .map(|count| &groups.all()[..count])
        .find(|taken| is_national(&groups, taken))
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
