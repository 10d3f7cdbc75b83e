//! Getting from one byte at which a rule may find something to the next, as fast as can be: most of
//! a text is neither an `@` nor a number of some length.

use std::ops::Range;

/// What stands where the skipping stops.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// A byte at which the rules are asked.
    Ask,
    /// The first digit of a number, at which the rules are asked; the next of its groups, or what
    /// is behind it, is at `end`.
    Number { end: usize },
    /// Nothing that any rule takes, up to `end`.
    Skip { end: usize },
}

/// What may be skipped, which depends on what is looked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Skip {
    classes: &'static [u8; 256],
    /// No rule takes a number with fewer digits in all its groups.
    min_digits: usize,
}

impl Skip {
    /// `ip_addresses` says whether `1.2.3.4` and `::1` are looked for.
    pub(super) const fn new(ip_addresses: bool) -> Self {
        if ip_addresses {
            Self {
                classes: &CLASSES_WITH_COLON,
                min_digits: 4,
            }
        } else {
            Self {
                classes: &CLASSES,
                min_digits: 7,
            }
        }
    }

    /// The first byte in `at..end` at which there is something to decide, and what.
    #[inline]
    pub(super) fn to_stop(self, bytes: &[u8], at: usize, end: usize) -> Option<(Stop, usize)> {
        let index = at + self.next(bytes.get(at..end)?)?;
        let stop = match self.classes[usize::from(bytes[index])] {
            SIGN => Stop::Ask,
            OPENING if self.has_digits(bytes, index + 1) => Stop::Ask,
            OPENING => Stop::Skip { end: index + 1 },
            _ => self.number(bytes, index),
        };
        Some((stop, index))
    }

    /// The first byte of a class of digits or signs: looked for one by one where one is near, as in
    /// numbers, and otherwise in many at once.
    #[inline]
    pub(super) fn next(self, bytes: &[u8]) -> Option<usize> {
        let is_stop = |byte: &u8| self.classes[usize::from(*byte)] >= DIGIT;
        let near = bytes.len().min(NEAR);
        if let Some(found) = bytes[..near].iter().position(is_stop) {
            return Some(found);
        }
        let (chunks, _) = bytes[near..].as_chunks();
        let clean = chunks.iter().take_while(|chunk| !may_stop(chunk)).count();
        let from = near + clean * CHUNK;
        Some(from + bytes[from..].iter().position(is_stop)?)
    }

    /// A digit that stands first in its word, or behind a letter in it.
    fn number(self, bytes: &[u8], at: usize) -> Stop {
        let word = Word::of_rest(bytes, at, self.min_digits);
        if starts_uuid(bytes, word.end) {
            return Stop::Skip {
                end: word.end - 8 + UUID_BYTES,
            };
        }
        let is_likely =
            follows_country(bytes, at) || follows_branch(bytes, at) || ends_company(bytes, &word);
        if !is_likely {
            let last_run = word.end - word.last_run;
            if !self.has_digits(bytes, last_run) {
                return Stop::Skip { end: word.end };
            }
            if last_run > at {
                return Stop::Skip { end: last_run };
            }
        }
        if is_date(&bytes[at..]) {
            return Stop::Skip {
                end: at + DATE_BYTES,
            };
        }
        match uuid_around(bytes, at) {
            Some(uuid) => Stop::Skip { end: uuid.end },
            None => Stop::Number {
                end: at + run(&bytes[at..]),
            },
        }
    }

    /// Whether enough digits for a rule follow, with no more than [`MAX_GAP`] separators in a row.
    fn has_digits(self, bytes: &[u8], at: usize) -> bool {
        let (mut digits, mut gap) = (0, 0);
        for byte in &bytes[at..] {
            match self.classes[usize::from(*byte)] {
                DIGIT => {
                    digits += 1;
                    if digits == self.min_digits {
                        return true;
                    }
                    gap = 0;
                }
                OPENING | SEPARATOR if gap < MAX_GAP => gap += 1,
                _ => break,
            }
        }
        false
    }
}

const NEAR: usize = 8;
const CHUNK: usize = 32;

/// Whether a digit, a sign or a colon is among these bytes. Without look-ups and branches, so that the
/// compiler compares many of them at once.
fn may_stop(chunk: &[u8; CHUNK]) -> bool {
    chunk.iter().fold(false, |any, byte| {
        any | matches!(byte, b'0'..=b':') | (*byte == b'(') | (*byte == b'+') | (*byte == b'@')
    })
}

fn run(bytes: &[u8]) -> usize {
    bytes
        .iter()
        .take_while(|byte| byte.is_ascii_digit())
        .count()
}

/// Letters and digits up to the next byte that is neither, or up to where they are digits enough for
/// a rule.
struct Word {
    end: usize,
    /// Of the digits with which it ends.
    last_run: usize,
}

impl Word {
    /// Read without a branch for each change between digits and letters: hexadecimal ids have many.
    fn of_rest(bytes: &[u8], at: usize, min_digits: usize) -> Self {
        let (mut last_run, mut end) = (0, at);
        for byte in &bytes[at..] {
            let digit = usize::from(byte.is_ascii_digit());
            if last_run == min_digits || digit == 0 && !byte.is_ascii_alphabetic() {
                break;
            }
            last_run = (last_run + 1) * digit;
            end += 1;
        }
        Self { end, last_run }
    }
}

/// The most separators between two groups of a number.
const MAX_GAP: usize = 4;

/// Whether two letters that start a word stand before, as in `DE89 3704 …`.
fn follows_country(bytes: &[u8], at: usize) -> bool {
    let before = |back| at.checked_sub(back).map(|index| bytes[index]);
    before(1).is_some_and(|byte| byte.is_ascii_alphabetic())
        && before(2).is_some_and(|byte| byte.is_ascii_alphabetic())
        && !before(3).is_some_and(|byte| byte.is_ascii_alphanumeric())
}

/// Whether four characters and signs around them stand before, as in `12.ABC.345/01DE-35`.
fn follows_branch(bytes: &[u8], at: usize) -> bool {
    let before = |back| at.checked_sub(back).map(|index| bytes[index]);
    before(1) == Some(b'-') && before(6) == Some(b'/')
}

/// Whether the word is a number of a company with letters, as in `12ABC34501DE35`.
fn ends_company(bytes: &[u8], word: &Word) -> bool {
    const LENGTH: usize = 14;
    let Some(start) = word.end.checked_sub(LENGTH) else {
        return false;
    };
    let is_part = |byte: &u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
    let before = start.checked_sub(1).map(|index| bytes[index]);
    word.last_run >= 2
        && bytes[start..word.end].iter().all(is_part)
        && !before.is_some_and(|byte| byte.is_ascii_alphanumeric())
}

const SEPARATOR: u8 = 1;
const DIGIT: u8 = 2;
/// What may stand before the digits of a number and belong to it.
const OPENING: u8 = 3;
/// At which the rules are asked whatever follows.
const SIGN: u8 = 4;

static CLASSES: [u8; 256] = classes(false);
static CLASSES_WITH_COLON: [u8; 256] = classes(true);

const fn classes(colon: bool) -> [u8; 256] {
    let mut classes = [0; 256];
    let (separators, mut index) = (b" \t-._/)[]", 0);
    while index < separators.len() {
        classes[separators[index] as usize] = SEPARATOR;
        index += 1;
    }
    let mut digit = b'0';
    while digit <= b'9' {
        classes[digit as usize] = DIGIT;
        digit += 1;
    }
    classes[b'+' as usize] = OPENING;
    classes[b'(' as usize] = OPENING;
    classes[b'@' as usize] = SIGN;
    if colon {
        classes[b':' as usize] = SIGN;
    }
    classes
}

const UUID_BYTES: usize = 36;

/// Whether a first part of eight bytes that ends here begins a UUID.
fn starts_uuid(bytes: &[u8], end: usize) -> bool {
    bytes.get(end) == Some(&b'-')
        && end
            .checked_sub(8)
            .is_some_and(|start| is_uuid(bytes, start))
}

/// The UUID that holds the byte at `at`, in whichever of its five parts.
fn uuid_around(bytes: &[u8], at: usize) -> Option<Range<usize>> {
    let before = bytes[..at].iter().rev().take(12);
    let part = at - before.take_while(|byte| byte.is_ascii_hexdigit()).count();
    let starts = [0, 9, 14, 19, 24].into_iter();
    starts
        .filter_map(|offset| part.checked_sub(offset))
        .find(|start| is_uuid(bytes, *start))
        .map(|start| start..start + UUID_BYTES)
}

fn is_uuid(bytes: &[u8], start: usize) -> bool {
    if bytes.get(start + 8) != Some(&b'-') || bytes.get(start + 13) != Some(&b'-') {
        return false;
    }
    let is_outside = |byte: Option<&u8>| !byte.is_some_and(u8::is_ascii_alphanumeric);
    let before = start.checked_sub(1).and_then(|index| bytes.get(index));
    let digits = bytes.get(start..start + UUID_BYTES).into_iter().flatten();
    let mut digits = digits.enumerate();
    bytes.len() >= start + UUID_BYTES
        && digits.all(|(index, byte)| match index {
            8 | 13 | 18 | 23 => *byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
        && is_outside(before)
        && is_outside(bytes.get(start + UUID_BYTES))
}

const DATE_BYTES: usize = 10;

/// Whether the bytes begin with a date, `2024-05-01`, behind which no further group follows.
fn is_date(bytes: &[u8]) -> bool {
    let Some((date, rest)) = bytes.split_at_checked(DATE_BYTES) else {
        return false;
    };
    let is_shaped = date.iter().enumerate().all(|(index, byte)| match index {
        4 | 7 => *byte == b'-',
        _ => byte.is_ascii_digit(),
    });
    let followed = |byte: &u8| byte.is_ascii_digit() || b"-./".contains(byte);
    is_shaped
        && matches!(date[0], b'1' | b'2')
        && matches!(&date[5..7], [b'0', b'1'..=b'9'] | [b'1', b'0'..=b'2'])
        && !rest.first().is_some_and(followed)
}

#[cfg(test)]
mod tests;
