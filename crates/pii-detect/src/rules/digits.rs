//! Runs and groups of digits, and where a number ends.

use std::ops::Range;

/// Longer runs are all alike: no rule knows a number of more digits.
const MAX_RUN: usize = 40;

/// How many digits stand in a row at `at`; beyond [`MAX_RUN`] they are not counted.
pub(super) fn run(bytes: &[u8], at: usize) -> usize {
    let rest = bytes.get(at..).unwrap_or_default();
    rest.iter()
        .take(MAX_RUN)
        .take_while(|b| b.is_ascii_digit())
        .count()
}

/// Whether `at` is the first digit of a run, and none of the digits in which a character is encoded:
/// `cart%20540020621`, `\u0040123`, `&#64;`.
pub(super) fn starts_run(bytes: &[u8], at: usize) -> bool {
    bytes[at].is_ascii_digit()
        && !before(bytes, at).is_some_and(|b| b.is_ascii_digit())
        && !is_encoded(bytes, at)
}

fn is_encoded(bytes: &[u8], at: usize) -> bool {
    let is_hex = |index: usize| bytes.get(index).is_some_and(u8::is_ascii_hexdigit);
    match &bytes[..at] {
        [.., b'%'] => is_hex(at + 1),
        [.., b'\\' | b'%', b'u'] | [.., b'\\', b'x' | b'U'] => is_hex(at + 1),
        [.., b'&', b'#'] | [.., b'&', b'#', b'x' | b'X'] | [.., b'\\', b'u' | b'x', b'{'] => true,
        _ => false,
    }
}

/// How many groups of digits of such a length stand before and behind `range`, each with this one
/// separator between it and the next. Dates, times and prices are no groups, and no more than a few
/// are counted.
pub(super) fn more_groups(
    bytes: &[u8],
    range: &Range<usize>,
    separator: u8,
    fits: impl Fn(usize) -> bool,
) -> (usize, usize) {
    const MOST: usize = 4;
    let ends = |b: u8| b == separator || b.is_ascii_whitespace();
    let (mut before, mut start) = (0, range.start);
    while before < MOST && start > 1 && bytes[start - 1] == separator {
        let digits = bytes[..start - 1].iter().rev().take(MAX_RUN);
        let length = digits.take_while(|b| b.is_ascii_digit()).count();
        start -= 1 + length;
        let is_apart = start == 0 || ends(bytes[start - 1]);
        if length == 0 || !fits(length) || !is_apart {
            break;
        }
        before += 1;
    }
    let (mut behind, mut end) = (0, range.end);
    while behind < MOST && bytes.get(end) == Some(&separator) {
        let length = run(bytes, end + 1);
        end += 1 + length;
        let is_apart = bytes.get(end).is_none_or(|b| ends(*b));
        if length == 0 || !fits(length) || !is_apart {
            break;
        }
        behind += 1;
    }
    (before, behind)
}

pub(super) fn before(bytes: &[u8], at: usize) -> Option<u8> {
    at.checked_sub(1).map(|index| bytes[index])
}

/// Groups of digits with one and the same separator between them.
pub(super) struct Groups<const N: usize> {
    lengths: [usize; N],
    ends: [usize; N],
    count: usize,
}

impl<const N: usize> Groups<N> {
    /// As many as `N` groups from `at` on, whose separator may be doubled or stand between spaces.
    pub(super) fn read(bytes: &[u8], at: usize, separators: &[u8]) -> Self {
        const MAX_GAP: usize = 3;
        let mut read = Self {
            lengths: [0; N],
            ends: [0; N],
            count: 0,
        };
        let mut separator: &[u8] = &[];
        let mut start = at;
        while read.count < N {
            let length = run(bytes, start);
            if length == 0 {
                break;
            }
            let end = start + length;
            read.lengths[read.count] = length;
            read.ends[read.count] = end;
            read.count += 1;
            let rest = &bytes[end..];
            if separator.is_empty() {
                let gap = rest.iter().take(MAX_GAP + 1);
                let gap = gap.take_while(|b| separators.contains(b)).count();
                if gap == 0 || gap > MAX_GAP {
                    break;
                }
                separator = &rest[..gap];
            } else if !rest.starts_with(separator) {
                break;
            }
            start = end + separator.len();
        }
        read
    }

    /// Where the groups end that have exactly these lengths.
    pub(super) fn end(&self, lengths: &[usize]) -> Option<usize> {
        let last = lengths.len() - 1;
        let fit = self.lengths[..self.count].starts_with(lengths);
        fit.then(|| self.ends[last])
    }
}

/// What stands in `range`, without separators.
pub(super) fn collect<const N: usize>(
    bytes: &[u8],
    range: Range<usize>,
) -> Option<([u8; N], usize)> {
    let mut number = [0; N];
    let mut length = 0;
    for byte in bytes[range].iter().filter(|b| b.is_ascii_alphanumeric()) {
        *number.get_mut(length)? = *byte;
        length += 1;
    }
    Some((number, length))
}

/// How a number is bound to what stands beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Edges {
    /// Nothing that would make it part of something longer.
    Apart,
    /// A link of a chain, `job-4711-…`.
    Chained,
    /// Part of a word or of a decimal.
    Inside,
}

/// How the number in `range` is bound, on its worse side.
pub(super) fn edges(bytes: &[u8], range: &Range<usize>) -> Edges {
    // Slashes make a date of groups, and a path of whole numbers: `/customers/52998224725/1`.
    let in_groups = run(bytes, range.start) < range.len();
    let left = side(
        before(bytes, range.start),
        range.start.checked_sub(2).map(|i| bytes[i]),
        in_groups,
    );
    let right = side(
        bytes.get(range.end).copied(),
        bytes.get(range.end + 1).copied(),
        in_groups,
    );
    let signed = before(bytes, range.start) == Some(b'+');
    left.max(right)
        .max(if signed { Edges::Chained } else { Edges::Apart })
}

/// `next` touches the number, `beyond` stands behind it.
fn side(next: Option<u8>, beyond: Option<u8>, in_groups: bool) -> Edges {
    let digit_beyond = beyond.is_some_and(|b| b.is_ascii_digit());
    match next {
        Some(b) if b.is_ascii_alphanumeric() => Edges::Inside,
        Some(b'.') if digit_beyond => Edges::Inside,
        Some(b'-' | b'+') if beyond.is_some_and(|b| b.is_ascii_alphanumeric()) => Edges::Chained,
        Some(b'/') if digit_beyond && in_groups => Edges::Chained,
        _ => Edges::Apart,
    }
}
