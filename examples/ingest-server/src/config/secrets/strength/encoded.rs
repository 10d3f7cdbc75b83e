//! A key in another spelling: found in a token by undoing spellings until a key stands there.

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD},
};
use zeroize::Zeroizing;

use super::Key;

/// How many spellings may lie in each other, as in base64 of hexadecimal.
const DEPTH: usize = 3;
/// Half of a key gives it away; 16 bytes are never there by chance.
const PART_BYTES: usize = 16;

/// How operators write a key.
pub(super) fn spellings(key: &Key) -> [Zeroizing<String>; 6] {
    let hex: String = key.iter().map(|byte| format!("{byte:02x}")).collect();
    [
        STANDARD.encode(key),
        STANDARD_NO_PAD.encode(key),
        URL_SAFE.encode(key),
        URL_SAFE_NO_PAD.encode(key),
        hex.to_ascii_uppercase(),
        hex,
    ]
    .map(Zeroizing::new)
}

/// Whether half of the key or more stands in the text, in whatever spelling, also backwards.
pub(super) fn holds(text: &str, key: &Key) -> bool {
    let mut reversed = Zeroizing::new(*key);
    reversed.reverse();
    let mut level = vec![Zeroizing::new(text.as_bytes().to_vec())];
    for _ in 0..=DEPTH {
        let has_part = |bytes: &Zeroizing<Vec<u8>>, key: &Key| {
            let mut parts = key.windows(PART_BYTES);
            parts.any(|part| bytes.windows(PART_BYTES).any(|window| window == part))
        };
        if level
            .iter()
            .any(|it| has_part(it, key) || has_part(it, &reversed))
        {
            return true;
        }
        level = level.iter().flat_map(|it| undone(it)).collect();
    }
    false
}

/// Every reading of the bytes as text in some spelling, and backwards.
fn undone(text: &[u8]) -> Vec<Zeroizing<Vec<u8>>> {
    let backwards: Zeroizing<Vec<u8>> = Zeroizing::new(text.iter().rev().copied().collect());
    let mut readings = Vec::new();
    for text in [text, &backwards] {
        readings.push(percent(text));
        readings.push(decimals(text));
        let hex = digits(text, |byte| char::from(byte).to_digit(16));
        let base64 = digits(text, sextet);
        let base32 = digits(text, quintet);
        // A key may begin within a group that something else began.
        readings.extend((0..2).map(|skipped| joined(&hex, skipped, 4)));
        readings.extend((0..4).map(|skipped| joined(&base64, skipped, 6)));
        readings.extend((0..8).map(|skipped| joined(&base32, skipped, 5)));
    }
    readings.retain(|bytes| bytes.len() >= PART_BYTES && bytes.as_slice() != text);
    readings.sort_by(|one, other| one.as_slice().cmp(other));
    readings.dedup_by(|one, other| one.as_slice() == other.as_slice());
    readings
}

/// The digits among the bytes; what separates them (`:`, `0x`, padding) is passed over. The `0` of
/// `0x` is none.
fn digits(text: &[u8], value: impl Fn(u8) -> Option<u32>) -> Zeroizing<Vec<u32>> {
    let is_prefix = |at: usize| text[at] == b'0' && text.get(at + 1) == Some(&b'x');
    let digits = (0..text.len()).filter(|at| !is_prefix(*at));
    Zeroizing::new(digits.filter_map(|at| value(text[at])).collect())
}

fn sextet(byte: u8) -> Option<u32> {
    let value = match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' | b'-' => 62,
        b'/' | b'_' => 63,
        _ => return None,
    };
    Some(value.into())
}

fn quintet(byte: u8) -> Option<u32> {
    let value = match byte.to_ascii_uppercase() {
        letter @ b'A'..=b'Z' => letter - b'A',
        digit @ b'2'..=b'7' => digit - b'2' + 26,
        _ => return None,
    };
    Some(value.into())
}

/// Digits of so many bits as bytes.
fn joined(digits: &[u32], skipped: usize, bits: u32) -> Zeroizing<Vec<u8>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(digits.len()));
    let (mut buffer, mut held) = (0_u32, 0);
    for digit in digits.iter().skip(skipped) {
        buffer = (buffer << bits) | digit;
        held += bits;
        if held >= 8 {
            held -= 8;
            bytes.push(buffer.wrapping_shr(held).to_le_bytes()[0]);
        }
    }
    bytes
}

fn percent(text: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(text.len()));
    let mut at = 0;
    while let Some(byte) = text.get(at) {
        let pair = text
            .get(at + 1..at + 3)
            .and_then(|pair| std::str::from_utf8(pair).ok());
        let decoded = pair.and_then(|pair| u8::from_str_radix(pair, 16).ok());
        match decoded.filter(|_| *byte == b'%') {
            Some(decoded) => {
                bytes.push(decoded);
                at += 3;
            }
            None => {
                bytes.push(*byte);
                at += 1;
            }
        }
    }
    bytes
}

/// A list of numbers, as a program prints bytes.
fn decimals(text: &[u8]) -> Zeroizing<Vec<u8>> {
    let numbers = text.split(|byte| !byte.is_ascii_digit());
    let numbers = numbers.filter_map(|digits| std::str::from_utf8(digits).ok()?.parse().ok());
    Zeroizing::new(numbers.collect())
}
