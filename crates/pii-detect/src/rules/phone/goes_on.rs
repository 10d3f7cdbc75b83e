//! Digits in the shape of a telephone number that go on to both sides of it.

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
