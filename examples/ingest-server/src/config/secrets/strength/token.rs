//! What a token must be that goes over the wire with every request.

use super::{Key, encoded, known::Known, pattern, words};
use crate::config::origin::Origin;

const MIN_CHARS: usize = 32;
/// A head of 16 KiB could not carry a much longer one, and looking through it takes its time.
const MAX_CHARS: usize = 1_024;
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
    if token.len() > MAX_CHARS {
        found.push(format!("has more than {MAX_CHARS} characters"));
        return found;
    }
    let (origins, keys): (Vec<_>, Vec<_>) = keys.unzip();
    let held = encoded::held(token, &keys);
    for (number, (origin, key)) in origins.into_iter().zip(keys).enumerate() {
        if held.contains(&number) {
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
    if words::random_chars(token) < MIN_RANDOM_CHARS || encodes_text(token) {
        return Some("it consists of words and sequences");
    }
    let plain = words::plain(token);
    if PLACEHOLDERS.iter().any(|word| plain.contains(word)) {
        return Some("it has a word of a placeholder");
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

/// Whether it is hexadecimal or base64 of words, or of bytes that count.
fn encodes_text(token: &str) -> bool {
    decoded(token).is_some_and(|bytes| {
        let steps = bytes.windows(2).map(|pair| pair[1].wrapping_sub(pair[0]));
        let counts = pattern::most_common(&mut steps.into_iter()) * 2 >= bytes.len();
        let text = std::str::from_utf8(&bytes).ok();
        let text = text.filter(|text| !text.contains(char::is_control));
        counts
            || text
                .is_some_and(|text| text.is_ascii() && words::random_chars(text) < MIN_RANDOM_CHARS)
    })
}

/// What nobody draws by chance, and no one leaves in a token that was drawn.
const PLACEHOLDERS: [&str; 6] = [
    "example",
    "changeme",
    "placeholder",
    "password",
    "insertyour",
    "yourtoken",
];

/// The 32 bytes that a token is the hexadecimal or the base64 of.
fn encoded_key(token: &str) -> Option<Key> {
    decoded(token)?.try_into().ok()
}

fn decoded(token: &str) -> Option<Vec<u8>> {
    use base64::{
        Engine as _,
        engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD},
    };
    let plain = token.trim_end_matches('=');
    let pair = |at: usize| u8::from_str_radix(token.get(at..at + 2)?, 16).ok();
    let hex: Option<Vec<u8>> = (0..token.len()).step_by(2).map(pair).collect();
    hex.or_else(|| STANDARD_NO_PAD.decode(plain).ok())
        .or_else(|| URL_SAFE_NO_PAD.decode(plain).ok())
}
