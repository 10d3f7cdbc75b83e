//! Keys that are not accepted, made from one that is.

use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};

use super::{
    ours::Ours,
    peers::{self, CHECKSUM, SECRET},
};

pub(crate) const ALPHABET: &[u8; 62] =
    b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Keys with a good checksum and kids that another service made, under a pepper of its own.
pub(crate) fn invented(count: usize) -> Vec<String> {
    Ours::with_keys(count, 8).keys().to_vec()
}

/// The key with a character of its secret replaced, and its checksum as it was.
pub(crate) fn mistyped(key: &str, count: usize) -> Vec<String> {
    let mut random = StdRng::seed_from_u64(19);
    let mistype = |_| {
        let mut text = key.as_bytes().to_vec();
        let at = text.len() - CHECKSUM - SECRET + random.random_range(0..SECRET);
        text[at] = if text[at] == b'x' { b'y' } else { b'x' };
        String::from_utf8(text).expect("it is ASCII")
    };
    (0..count).map(mistype).collect()
}

/// The key with other secrets and good checksums.
pub(crate) fn with_wrong_secrets(key: &str, count: usize) -> Vec<String> {
    let mut random = StdRng::seed_from_u64(13);
    let draw = |_| with_secret(key, &make_secret(&mut random));
    (0..count).map(draw).collect()
}

pub(crate) fn make_secret(random: &mut StdRng) -> Vec<u8> {
    let draw = |_| ALPHABET[random.random_range(0..ALPHABET.len())];
    (0..SECRET).map(draw).collect()
}

pub(crate) fn secret_of(text: &str) -> &[u8] {
    let end = text.len() - CHECKSUM;
    &text.as_bytes()[end - SECRET..end]
}

/// The key with another secret and the checksum of that.
pub(crate) fn with_secret(key: &str, secret: &[u8]) -> String {
    let mut text = key.as_bytes()[..key.len() - CHECKSUM - SECRET].to_vec();
    text.extend_from_slice(secret);
    let checksum = peers::encode(crc32fast::hash(&text));
    text.extend_from_slice(&checksum);
    String::from_utf8(text).expect("it is ASCII")
}
