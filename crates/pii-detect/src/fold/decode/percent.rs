//! Percent-encoding: each byte of a character in UTF-8 as `%` and two hexadecimal digits, and
//! `%u0040` as browsers once wrote it. A `+` stays: in a path it is no space.

use std::str;

use super::{Decoded, escape, hexadecimal};

/// The character that is encoded at the `%` with which the bytes begin.
pub(super) fn at(bytes: &[u8]) -> Option<Decoded> {
    if bytes.get(1) == Some(&b'u') {
        return escape::utf16(bytes, b"%u");
    }
    let mut character = [triplet(bytes)?; 4];
    let length = match character[0] {
        0..=0x7f => 1,
        0xc2..=0xdf => 2,
        0xe0..=0xef => 3,
        0xf0..=0xf4 => 4,
        _ => return None,
    };
    for (index, byte) in character[..length].iter_mut().enumerate() {
        *byte = triplet(bytes.get(index * 3..)?)?;
    }
    let c = str::from_utf8(&character[..length]).ok()?.chars().next()?;
    Some((c, length * 3))
}

fn triplet(bytes: &[u8]) -> Option<u8> {
    let (value, length) = hexadecimal(bytes.strip_prefix(b"%")?, 2)?;
    u8::try_from(value).ok().filter(|_| length == 2)
}
