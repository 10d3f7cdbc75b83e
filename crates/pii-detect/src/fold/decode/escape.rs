//! Backslash escapes of JSON and of programming languages: `\u0040`, `\x40`, `\u{40}`,
//! `\U00000040`, and the doubled backslash before one, which is such an escape in a text within a
//! text.

use super::{Decoded, hexadecimal};

/// Longer rows of backslashes are read from their end.
const MAX_BACKSLASHES: usize = 8;

/// The character that is encoded at the backslash with which the bytes begin.
pub(super) fn at(bytes: &[u8]) -> Option<Decoded> {
    let row = bytes.iter().take(MAX_BACKSLASHES + 1);
    match row.take_while(|byte| **byte == b'\\').count() {
        1 => single(bytes),
        row @ 2..=MAX_BACKSLASHES => single(&bytes[row - 1..]).map(|_| ('\\', 2)),
        _ => None,
    }
}

fn single(bytes: &[u8]) -> Option<Decoded> {
    match (bytes.get(1)?, bytes.get(2)?) {
        (b'u' | b'x', b'{') => {
            let (value, length) = hexadecimal(&bytes[3..], 6)?;
            let closed = bytes.get(3 + length) == Some(&b'}');
            Some((char::from_u32(value)?, 4 + length)).filter(|_| closed)
        }
        (b'u', _) => utf16(bytes, b"\\u"),
        (b'U', _) => exactly(bytes, 8),
        (b'x', _) => exactly(bytes, 2),
        _ => None,
    }
}

/// A backslash, a letter, and this many hexadecimal digits.
fn exactly(bytes: &[u8], digits: usize) -> Option<Decoded> {
    let (value, length) = hexadecimal(&bytes[2..], digits)?;
    let c = char::from_u32(value).filter(|_| length == digits)?;
    Some((c, 2 + digits))
}

/// A character as one or two units of UTF-16, each of four hexadecimal digits behind `sign`.
pub(super) fn utf16(bytes: &[u8], sign: &[u8]) -> Option<Decoded> {
    let unit = |at: usize| {
        let digits = bytes.get(at..)?.strip_prefix(sign)?;
        let (value, length) = hexadecimal(digits, 4)?;
        u16::try_from(value).ok().filter(|_| length == 4)
    };
    let unit_bytes = sign.len() + 4;
    let units = [unit(0)?, unit(unit_bytes).unwrap_or_default()];
    let c = char::decode_utf16(units).next()?.ok()?;
    Some((c, c.len_utf16() * unit_bytes))
}
