//! The groups of digits of a telephone number, with what stands between them.

use super::digits;

/// E.164 allows 15 digits, and `00` stands before them.
const MAX_DIGITS: usize = 17;
const MAX_GROUPS: usize = 9;
const MAX_GAP: usize = 3;

/// Digits in groups.
pub(super) struct Groups {
    digits: [u8; MAX_DIGITS],
    groups: [Group; MAX_GROUPS],
    count: usize,
}

/// One of the groups.
#[derive(Clone, Copy, Default)]
pub(super) struct Group {
    /// Digits up to and with this group.
    pub(super) total: usize,
    /// Digits of this group.
    pub(super) length: usize,
    /// Where it ends in the text.
    pub(super) end: usize,
    /// The first separator before it; zero for the first group.
    pub(super) separator: u8,
}

impl Groups {
    /// The groups from `at` on, as many as a telephone number can have. A bracketed zero, as in
    /// `+49 (0)30`, is a separator.
    pub(super) fn read(bytes: &[u8], at: usize, separators: &[u8]) -> Self {
        let mut read = Self {
            digits: [0; MAX_DIGITS],
            groups: [Group::default(); MAX_GROUPS],
            count: 0,
        };
        let mut start = at;
        let mut total = 0;
        while read.count < MAX_GROUPS {
            let length = digits::run(bytes, start);
            let Some(place) = read.digits.get_mut(total..total + length) else {
                break;
            };
            if length == 0 {
                break;
            }
            place.copy_from_slice(&bytes[start..start + length]);
            total += length;
            let end = start + length;
            read.groups[read.count] = Group {
                total,
                length,
                end,
                separator: if read.count == 0 { 0 } else { bytes[start - 1] },
            };
            read.count += 1;
            let gap = gap(&bytes[end..], separators);
            if gap == 0 {
                break;
            }
            start = end + gap;
        }
        read
    }

    pub(super) fn all(&self) -> &[Group] {
        &self.groups[..self.count]
    }

    /// The digits up to and with a group.
    pub(super) fn digits(&self, group: Group) -> &[u8] {
        &self.digits[..group.total]
    }
}

/// How many bytes separate two groups at the start of `rest`.
fn gap(rest: &[u8], separators: &[u8]) -> usize {
    const TRUNK: &[u8] = b"(0)";
    let plain = |rest: &[u8], most: usize| {
        rest.iter()
            .take(most + 1)
            .take_while(|b| separators.contains(b))
            .count()
    };
    let blank = usize::from(rest.first() == Some(&b' '));
    if rest[blank..].starts_with(TRUNK) {
        let after = blank + TRUNK.len();
        return after + plain(&rest[after..], 1);
    }
    match plain(rest, MAX_GAP) {
        gap if gap <= MAX_GAP => gap,
        _ => 0,
    }
}
