//! The groups of digits of a telephone number, with what stands between them.

/// E.164 allows 15 digits, and `00` stands before them.
const MAX_DIGITS: usize = 17;
pub(super) const MAX_GROUPS: usize = 9;
const MAX_GAP: usize = 3;
/// Digits that stand singly; more of them are a list of digits, which is not read to its end at each.
const MAX_SINGLE: usize = 3;

/// What may stand between two groups.
#[derive(Clone, Copy)]
pub(super) struct Separators(u64);

impl Separators {
    pub(super) const ALL: Self = Self::of(b" -./()");
    pub(super) const NO_POINT: Self = Self::of(b" -/()");

    /// A bit for each, all of them below 64 in ASCII.
    const fn of(bytes: &[u8]) -> Self {
        let (mut bits, mut index) = (0, 0);
        while index < bytes.len() {
            bits |= 1 << bytes[index];
            index += 1;
        }
        Self(bits)
    }

    fn contain(self, byte: u8) -> bool {
        byte < 64 && self.0 >> byte & 1 == 1
    }
}

/// Digits in groups.
pub(super) struct Groups {
    digits: [u8; MAX_DIGITS],
    groups: [Group; MAX_GROUPS],
    count: usize,
}

/// One of the groups.
#[derive(Clone, Copy, Default)]
pub(super) struct Group {
    /// Where it ends in the text.
    pub(super) end: usize,
    /// Digits up to and with this group.
    total: u8,
    /// Digits of this group.
    length: u8,
    /// The last separator before it; zero for the first group.
    pub(super) separator: u8,
}

impl Group {
    pub(super) fn total(self) -> usize {
        usize::from(self.total)
    }

    pub(super) fn length(self) -> usize {
        usize::from(self.length)
    }
}

impl Groups {
    /// The groups from `at` on, `most` of them, which are no more than [`MAX_GROUPS`], and no more than
    /// a few of single digits. A bracketed zero, as in `+49 (0)30`, is a separator.
    pub(super) fn read(bytes: &[u8], at: usize, separators: Separators, most: usize) -> Self {
        let mut read = Self {
            digits: [0; MAX_DIGITS],
            groups: [Group::default(); MAX_GROUPS],
            count: 0,
        };
        let mut start = at;
        let (mut total, mut single) = (0, 0);
        while read.count < most {
            let rest = bytes.get(start..).unwrap_or_default();
            let mut length = 0;
            while let Some(digit) = rest.get(usize::from(length)).filter(|b| b.is_ascii_digit()) {
                let Some(place) = read.digits.get_mut(usize::from(total + length)) else {
                    return read;
                };
                *place = *digit;
                length += 1;
            }
            single += usize::from(length == 1);
            if length == 0 || single > MAX_SINGLE {
                break;
            }
            total += length;
            let end = start + usize::from(length);
            read.groups[read.count] = Group {
                end,
                total,
                length,
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
        &self.digits[..group.total()]
    }
}

/// How many bytes separate two groups at the start of `rest`.
fn gap(rest: &[u8], separators: Separators) -> usize {
    const TRUNK: &[u8] = b"(0)";
    let plain = |rest: &[u8], most: usize| {
        rest.iter()
            .take(most + 1)
            .take_while(|b| separators.contain(**b))
            .count()
    };
    let Some(first) = rest.first().filter(|b| separators.contain(**b)) else {
        return 0;
    };
    let blank = usize::from(*first == b' ');
    if rest.get(blank) == Some(&TRUNK[0]) && rest[blank..].starts_with(TRUNK) {
        let after = blank + TRUNK.len();
        return after + plain(&rest[after..], 1);
    }
    match plain(rest, MAX_GAP) {
        gap if gap <= MAX_GAP => gap,
        _ => 0,
    }
}
