//! What a text says in one spelling or another.

use zeroize::Zeroizing;

use super::PART_BYTES;

type Bytes = Zeroizing<Vec<u8>>;

const BASE64: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const BASE32: &[u8] = b"abcdefghijklmnopqrstuvwxyz234567";

/// Base64 with its cases exchanged, as `crypt` and bcrypt write it, after ROT13, and of uuencode.
const RARE_SEXTETS: [&[u8]; 5] = [
    b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+/",
    b"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
    b"./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
    b"NOPQRSTUVWXYZABCDEFGHIJKLMnopqrstuvwxyzabcdefghijklm0123456789+/",
    b"`!\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_",
];

/// Base32 in order of its digits (RFC 4648, 7), Crockford's, and z-base-32.
const RARE_QUINTETS: [&[u8]; 3] = [
    b"0123456789abcdefghijklmnopqrstuv",
    b"0123456789abcdefghjkmnpqrstvwxyz",
    b"ybndrfg8ejkmcpqxot1uwisza345h769",
];

/// What the texts say in the spellings in use, and backwards.
pub(super) fn usual(texts: &[Bytes]) -> Vec<Bytes> {
    all(
        texts.iter().map(|text| text.as_slice()),
        |text, readings| {
            readings.push(percent(text));
            // A list of numbers, as a program prints bytes.
            readings.push(listed(text, 10));
            // Text of 16 bits a character.
            readings.extend((0..2).map(|skipped| every_second(text, skipped)));
            let hex = digits(text, |byte| char::from(byte).to_digit(16));
            let base64 = digits(text, |byte| match byte {
                b'-' => Some(62),
                b'_' => Some(63),
                byte => place(BASE64, byte),
            });
            let base32 = digits(text, |byte| place(BASE32, byte.to_ascii_lowercase()));
            // A key may begin within a group that something else began.
            readings.extend((0..2).map(|skipped| joined(&hex, skipped, 4)));
            readings.extend((0..4).map(|skipped| joined(&base64, skipped, 6)));
            readings.extend((0..8).map(|skipped| joined(&base32, skipped, 5)));
        },
    )
}

/// What the text says in spellings that are seldom used, and backwards.
pub(super) fn rare(text: &[u8]) -> Vec<Bytes> {
    all(std::iter::once(text), |text, readings| {
        for alphabet in RARE_SEXTETS {
            let sextets = digits(text, |byte| place(alphabet, byte));
            readings.extend((0..4).map(|skipped| joined(&sextets, skipped, 6)));
        }
        for alphabet in RARE_QUINTETS {
            let quintets = digits(text, |byte| place(alphabet, byte.to_ascii_lowercase()));
            readings.extend((0..8).map(|skipped| joined(&quintets, skipped, 5)));
        }
        for (base, bits) in [(8, 3), (2, 1)] {
            let digits = digits(text, |byte| char::from(byte).to_digit(base));
            readings.extend((0..8).map(|skipped| joined(&digits, skipped, bits)));
        }
        // `\u00e9`: characters of 16 bits in hexadecimal.
        let hex = digits(text, |byte| char::from(byte).to_digit(16));
        let wide = joined(&hex, 0, 4);
        readings.extend((0..2).map(|skipped| every_second(&wide, skipped)));
        for base in [8, 10] {
            let digits = digits(text, |byte| char::from(byte).to_digit(base));
            readings.extend((0..3).map(|skipped| threes(&digits, skipped, base)));
        }
        readings.extend([8, 16].map(|base| listed(text, base)));
        readings.push(signed(text));
        readings.extend([2, 4, 8].map(|width| words(text, width)));
    })
}

/// The readings of each text and of each backwards, those that can hold a part of a key, each once.
fn all<'a>(
    texts: impl Iterator<Item = &'a [u8]>,
    read: impl Fn(&[u8], &mut Vec<Bytes>),
) -> Vec<Bytes> {
    let mut readings = Vec::new();
    for text in texts {
        let backwards: Bytes = Zeroizing::new(text.iter().rev().copied().collect());
        read(text, &mut readings);
        read(&backwards, &mut readings);
    }
    readings.retain(|bytes| bytes.len() >= PART_BYTES);
    readings.sort_by(|one, other| one.as_slice().cmp(other));
    readings.dedup_by(|one, other| one.as_slice() == other.as_slice());
    readings
}

fn place(alphabet: &[u8], byte: u8) -> Option<u32> {
    let place = alphabet.iter().position(|it| *it == byte)?;
    u32::try_from(place).ok()
}

/// The digits among the bytes; what separates them (`:`, `0x`, padding) is passed over. The `0` of
/// `0x` is none.
fn digits(text: &[u8], value: impl Fn(u8) -> Option<u32>) -> Zeroizing<Vec<u32>> {
    let is_prefix = |at: usize| matches!(text[at..], [b'0', b'x' | b'X', ..]);
    let digits = (0..text.len()).filter(|at| !is_prefix(*at));
    Zeroizing::new(digits.filter_map(|at| value(text[at])).collect())
}

/// Digits of so many bits as bytes.
fn joined(digits: &[u32], skipped: usize, bits: u32) -> Bytes {
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

fn percent(text: &[u8]) -> Bytes {
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

fn every_second(text: &[u8], skipped: usize) -> Bytes {
    Zeroizing::new(text.iter().skip(skipped).step_by(2).copied().collect())
}

/// A list of bytes.
fn listed(text: &[u8], base: u32) -> Bytes {
    let numbers = runs(text, base).filter_map(|digits| u8::from_str_radix(digits, base).ok());
    Zeroizing::new(numbers.collect())
}

/// A list of bytes that have a sign.
fn signed(text: &[u8]) -> Bytes {
    let numbers = text.split(|byte| !byte.is_ascii_digit() && *byte != b'-');
    let numbers = numbers.filter_map(|number| std::str::from_utf8(number).ok()?.parse().ok());
    Zeroizing::new(numbers.flat_map(i8::to_le_bytes).collect())
}

/// A list of numbers of so many bytes.
fn words(text: &[u8], width: usize) -> Bytes {
    let numbers = runs(text, 10).filter_map(|digits| digits.parse::<u64>().ok());
    Zeroizing::new(
        numbers
            .flat_map(|number| number.to_be_bytes().into_iter().skip(8 - width))
            .collect(),
    )
}

/// Digits in threes, each a byte.
fn threes(digits: &[u32], skipped: usize, base: u32) -> Bytes {
    let threes = digits.get(skipped..).unwrap_or_default().chunks_exact(3);
    let value = |three: &[u32]| three.iter().fold(0, |value, digit| value * base + digit);
    let bytes = threes.filter_map(|three| u8::try_from(value(three)).ok());
    Zeroizing::new(bytes.collect())
}

/// What stands between signs that are no digits.
fn runs(text: &[u8], base: u32) -> impl Iterator<Item = &str> {
    let runs = text.split(move |byte| !char::from(*byte).is_digit(base));
    runs.filter_map(|digits| std::str::from_utf8(digits).ok())
}
