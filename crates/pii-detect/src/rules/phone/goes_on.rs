//! Digits in the shape of a telephone number that go on to both sides of it, or are an address of
//! hardware.

use std::ops::Range;

use crate::rules::digits;

/// `01 23 45 67 89 ab`: bytes in hexadecimal, some of which have no letters.
pub(super) fn in_pairs(bytes: &[u8], range: &Range<usize>) -> bool {
    let number = &bytes[range.clone()];
    let pairs = number.chunks(3).all(|chunk| {
        matches!(
            chunk,
            [b'0'..=b'9', b'0'..=b'9'] | [b'0'..=b'9', b'0'..=b'9', b' ' | b'-' | b'.']
        )
    });
    let after = matches!(
        bytes.get(range.end..),
        Some([b' ' | b'-' | b'.', high, low, rest @ ..])
            if high.is_ascii_hexdigit()
                && low.is_ascii_hexdigit()
                && !rest.first().is_some_and(u8::is_ascii_alphanumeric)
    );
    let before = matches!(
        &bytes[range.start.saturating_sub(3)..range.start],
        [high, low, b' '] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit()
    );
    pairs && (before || after)
}

/// In the middle of a row of pairs that is longer than any national number: whatever could begin here is
/// [`in_pairs`], which is told before it is read.
pub(super) fn in_row_of_pairs(bytes: &[u8], at: usize) -> bool {
    const BYTES: usize = 3 * super::national::MAX_GROUPS;
    let is_pair = |chunk: &[u8]| matches!(chunk, [b'0'..=b'9', b'0'..=b'9', b' ']);
    let row = bytes.get(at..at + BYTES).unwrap_or_default();
    let before = &bytes[at.saturating_sub(3)..at];
    is_pair(before) && !row.is_empty() && !row.starts_with(b"00") && row.chunks(3).all(is_pair)
}

/// `00-59-22-82-13-08`: an address of hardware in which no letter happens to be, or bytes. A telephone
/// number in pairs has five of them, or blanks between them: `00 45 12 34 56 78`.
pub(super) fn is_hardware(bytes: &[u8], range: &Range<usize>) -> bool {
    let number = &bytes[range.clone()];
    let separator = number.get(2).copied();
    let in_pairs = number.chunks(3).all(|chunk| match chunk {
        [high, low, rest @ ..] => {
            high.is_ascii_digit()
                && low.is_ascii_digit()
                && rest.iter().all(|b| Some(*b) == separator)
        }
        _ => false,
    });
    let pairs = number.len().div_ceil(3);
    in_pairs && (pairs >= 8 || pairs == 6 && separator != Some(b' '))
}

/// A row of a table or of a dump, `0391 0473 8383 7618 8918`: written with blanks, and so are words of
/// digits beside it. Behind `from`, and but for a number that begins with a zero as this one does.
pub(super) fn in_list(bytes: &[u8], from: usize, range: &Range<usize>) -> bool {
    let number = &bytes[range.clone()];
    if !number.iter().all(|b| b.is_ascii_digit() || *b == b' ') {
        return false;
    }
    let before = range.start > from + 1
        && bytes[range.start - 1] == b' '
        && ends_with_word(&bytes[from..range.start - 1]);
    let behind = || {
        let [b' ', next @ ..] = &bytes[range.end..] else {
            return false;
        };
        let length = next.iter().take(MAX_WORD).take_while(|b| **b != b' ');
        let after = next.get(length.count() + 1..).unwrap_or_default();
        next.first() != Some(&b'0') && is_word(next.iter()) && is_word(after.iter())
    };
    before || behind()
}

/// Longer words are read no further.
const MAX_WORD: usize = 16;

/// Whether a word of digits stands last, or but for a few of letters only, as in `18cd babe 0453`.
fn ends_with_word(mut bytes: &[u8]) -> bool {
    const MOST_OF_LETTERS: usize = 3;
    for _ in 0..MOST_OF_LETTERS {
        let letters = bytes.iter().rev().take(MAX_WORD);
        let letters = letters.take_while(|b| matches!(b, b'a'..=b'f' | b'A'..=b'F'));
        match bytes.split_at(bytes.len() - letters.count()) {
            ([rest @ .., b' '], [_, ..]) => bytes = rest,
            _ => break,
        }
    }
    is_word(bytes.iter().rev())
}

/// Whether a word of digits begins here, be they hexadecimal. A date, a time or a price is none.
fn is_word<'b>(bytes: impl Iterator<Item = &'b u8>) -> bool {
    let mut digits = false;
    for byte in bytes.take(MAX_WORD) {
        match byte {
            b'0'..=b'9' => digits = true,
            b'a'..=b'f' | b'A'..=b'F' => {}
            _ => return digits && byte.is_ascii_whitespace(),
        }
    }
    digits
}

/// `0 36000 29145 2` and `4 006381 333931`: article numbers in the groups under their bars.
pub(super) fn in_code(bytes: &[u8], range: &Range<usize>) -> bool {
    let before = matches!(&bytes[..range.start], [.., b'0'..=b'9', b' ' | b'-'])
        && digits::run(bytes, range.start - 2) == 1
        && digits::starts_run(bytes, range.start - 2);
    let after = bytes
        .get(range.end)
        .is_some_and(|b| matches!(b, b' ' | b'-'))
        && digits::run(bytes, range.end + 1) == 1;
    let halves = matches!(&bytes[range.clone()], [first @ .., b' ' | b'-', _, _, _, _, _, _] if first.len() == 6);
    before && (after || halves)
}
