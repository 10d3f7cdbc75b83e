//! What a token must be that goes over the wire with every request.

use super::{Key, encoded, known::Known, pattern};
use crate::config::origin::Origin;

const MIN_CHARS: usize = 32;
/// 32 random characters have about 14 distinct ones in hex and more in base64; fewer than 8 has one
/// in ten million.
const MIN_DISTINCT: usize = 8;
/// What has to be left without words and sequences.
const MIN_RANDOM_CHARS: usize = 16;

/// Everything that is wrong with a token.
pub(super) fn weaknesses<'a>(
    token: &str,
    keys: impl Iterator<Item = (&'a Origin, &'a Key)>,
    known: &Known,
) -> Vec<String> {
    let mut found = Vec::new();
    if let Some(reason) = weakness(token, known) {
        found.push(format!(
            "is weak: {reason}; take at least {MIN_CHARS} random characters"
        ));
    }
    for (origin, key) in keys {
        if encoded::holds(token, key) {
            found.push(format!("contains a secret of {origin}"));
        } else if Known::is_hash_of(key, token) {
            found.push(format!("is what a secret of {origin} is a hash of"));
        }
    }
    found.dedup();
    found
}

fn weakness(token: &str, known: &Known) -> Option<&'static str> {
    let bytes = token.as_bytes();
    if bytes.len() < MIN_CHARS {
        return Some("it is short");
    }
    let mut seen = [false; 256];
    bytes
        .iter()
        .for_each(|byte| seen[usize::from(*byte)] = true);
    if seen.iter().filter(|seen| **seen).count() < MIN_DISTINCT {
        return Some("it has few different characters");
    }
    if repeats(bytes) {
        return Some("it repeats itself");
    }
    if random_chars(token) < MIN_RANDOM_CHARS {
        return Some("it consists of words and sequences");
    }
    let is_weak = |key: &Key| known.has(key) || pattern::weakness(key).is_some();
    if known.has_text(token) || encoded_key(token).is_some_and(|key| is_weak(&key)) {
        return Some("it is a known one");
    }
    None
}

/// Three in four characters are those some way before: of random ones in hex, 1 in 10^10.
fn repeats(bytes: &[u8]) -> bool {
    (1..=bytes.len() / 2).any(|lag| {
        let pairs = bytes.iter().zip(&bytes[lag..]);
        let same = pairs.filter(|(one, other)| one == other).count();
        same * 4 >= (bytes.len() - lag) * 3
    })
}

/// The characters that are part of no word below, of no sequence (`4567`, `dcba`), and no separator.
fn random_chars(token: &str) -> usize {
    let lower = token.to_ascii_lowercase();
    let mut is_random: Vec<bool> = lower
        .bytes()
        .map(|byte| byte.is_ascii_alphanumeric())
        .collect();
    for word in WORDS {
        for (at, _) in lower.match_indices(word) {
            is_random[at..at + word.len()].fill(false);
        }
    }
    let bytes = lower.as_bytes();
    for (at, part) in bytes.windows(4).enumerate() {
        let goes = |step: i16| {
            let mut pairs = part.windows(2);
            pairs.all(|pair| i16::from(pair[1]) - i16::from(pair[0]) == step)
        };
        if [-1, 0, 1].into_iter().any(goes) {
            is_random[at..at + 4].fill(false);
        }
    }
    is_random.into_iter().filter(|is_random| *is_random).count()
}

/// Words of tokens that somebody made up. All are longer than what random text has by chance.
const WORDS: [&str; 40] = [
    "admin",
    "token",
    "bearer",
    "test",
    "secret",
    "password",
    "passwd",
    "change",
    "changeme",
    "please",
    "replace",
    "example",
    "default",
    "insecure",
    "portcullis",
    "ingest",
    "server",
    "service",
    "local",
    "development",
    "production",
    "staging",
    "dummy",
    "sample",
    "placeholder",
    "your",
    "this",
    "that",
    "here",
    "must",
    "least",
    "characters",
    "long",
    "random",
    "qwerty",
    "asdf",
    "zxcv",
    "letmein",
    "welcome",
    "super",
];

/// The 32 bytes that a token is the hexadecimal or the base64 of.
fn encoded_key(token: &str) -> Option<Key> {
    use base64::{
        Engine as _,
        engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD},
    };
    let plain = token.trim_end_matches('=');
    let pair = |at: usize| u8::from_str_radix(token.get(at..at + 2)?, 16).ok();
    let hex: Option<Vec<u8>> = (0..token.len()).step_by(2).map(pair).collect();
    let bytes = hex
        .or_else(|| STANDARD_NO_PAD.decode(plain).ok())
        .or_else(|| URL_SAFE_NO_PAD.decode(plain).ok())?;
    bytes.try_into().ok()
}
