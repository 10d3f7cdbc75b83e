//! One coat of encoding taken off: percent-encoding, HTML entities, backslash escapes.

mod entity;
mod escape;
mod percent;

use memchr::memchr3;

use super::{
    chars,
    copy::{Copy, Layer},
};

/// A character that was written in another way, and how many bytes that took.
type Decoded = (char, usize);

/// A folded text with one coat of encoding taken off and what came out folded; `None` if nothing in
/// it is encoded. What is no valid encoding stays.
pub(crate) fn decode(text: &str) -> Option<Layer> {
    let bytes = text.as_bytes();
    let mut copy = Copy::of(text);
    let mut at = 0;
    while let Some(found) = memchr3(b'%', b'&', b'\\', &bytes[at..]) {
        at += found;
        let Some((c, length)) = encoded(&bytes[at..]) else {
            at += 1;
            continue;
        };
        copy.replace(at..at + length, |emit| chars::fold(c, emit));
        at += length;
    }
    copy.finish()
}

fn encoded(bytes: &[u8]) -> Option<Decoded> {
    match bytes[0] {
        b'%' => percent::at(bytes),
        b'&' => entity::at(bytes),
        _ => escape::at(bytes),
    }
}

/// The number that as many as `max` hexadecimal digits give, and how many there are.
fn hexadecimal(bytes: &[u8], max: usize) -> Option<(u32, usize)> {
    number(bytes, 16, max)
}

/// The number that as many as `max` digits of a base give, and how many there are; `None` if it does
/// not fit.
fn number(bytes: &[u8], base: u32, max: usize) -> Option<(u32, usize)> {
    let mut value: u32 = 0;
    let mut length = 0;
    for byte in bytes.iter().take(max) {
        let Some(digit) = char::from(*byte).to_digit(base) else {
            break;
        };
        value = value.checked_mul(base)?.checked_add(digit)?;
        length += 1;
    }
    (length > 0).then_some((value, length))
}
