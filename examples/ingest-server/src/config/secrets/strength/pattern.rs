//! Bytes that nobody drew at random, told by what they look like.
//!
//! Each rule says how many of 32 random bytes it refuses; together they are fewer than one in ten
//! million, so that no operator will ever have to draw twice.

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};
use zeroize::Zeroizing;

use super::{Key, words};

/// Whether a rule refuses a key.
type Rule = fn(&Key) -> bool;

/// Why 32 bytes cannot be random ones.
pub(super) fn weakness(key: &Key) -> Option<&'static str> {
    let rules: [(Rule, &'static str); 8] = [
        (has_few_values, "it has few different bytes"),
        (repeats, "it repeats itself"),
        (is_progression, "its bytes follow a rule"),
        (is_recurrence, "its bytes follow from each other"),
        (is_mirrored, "one half of it follows from the other"),
        (is_text, "it is text"),
        (is_words, "its base64 is words"),
        (is_lopsided, "its bits are not random"),
    ];
    rules
        .iter()
        .find(|(rule, _)| rule(key))
        .map(|(_, reason)| *reason)
}

/// Fewer than 16 values (1 in 10^10, some 30 are usual), or one value 8 times (1 in 6·10^9).
fn has_few_values(key: &Key) -> bool {
    let mut counts = BTreeMap::new();
    for byte in key {
        *counts.entry(byte).or_insert(0) += 1;
    }
    counts.len() < 16 || counts.values().any(|count| *count >= 8)
}

/// 8 bytes equal those some way before them: 1 in 10^11.
fn repeats(key: &Key) -> bool {
    (1..=24).any(|lag| pairs(key, lag).filter(|(one, other)| one == other).count() >= 8)
}

/// One difference, sum of bits or change of difference 8 times or more: 1 in 10^8. Counters of any
/// step and width are such, forwards and backwards.
fn is_progression(key: &Key) -> bool {
    let constant = |values: &mut dyn Iterator<Item = u8>| most_common(values) >= 8;
    let steps = differences(key);
    (1..=16).any(|lag| {
        constant(&mut pairs(key, lag).map(|(one, other)| other.wrapping_sub(one)))
            || constant(&mut pairs(key, lag).map(|(one, other)| one ^ other))
    }) || {
        // Squares have a change that stays, cubes one of that.
        let changes = differences(&steps);
        constant(&mut changes.iter().copied()) || constant(&mut differences(&changes).into_iter())
    }
}

fn differences(values: &[u8]) -> Vec<u8> {
    let pairs = values.windows(2);
    pairs.map(|pair| pair[1].wrapping_sub(pair[0])).collect()
}

/// Each step is that before by one factor (powers, simple generators), or each byte the sum of the two
/// before, 9 times or more: 1 in 10^12.
fn is_recurrence(key: &Key) -> bool {
    let steps = differences(key);
    let follows = |factor: u8| {
        let pairs = steps.windows(2);
        pairs
            .filter(|pair| pair[1] == pair[0].wrapping_mul(factor))
            .count()
            >= 9
    };
    let sums = key
        .windows(3)
        .filter(|part| part[2] == part[1].wrapping_add(part[0]));
    sums.count() >= 9 || (0..=u8::MAX).any(follows)
}

/// The second half is the first one backwards, or that with one change for all of its bytes: less
/// than 1 in 10^11.
fn is_mirrored(key: &Key) -> bool {
    let halves = || key[..16].iter().zip(key[16..].iter().rev());
    most_common(&mut halves().map(|(one, other)| one ^ other)) >= 8
        || most_common(&mut halves().map(|(one, other)| one.wrapping_sub(*other))) >= 8
}

/// 28 of 32 printable in ASCII (1 in 10^8), or all of it text in UTF-8 (1 in 10^9): a pass phrase, or
/// half of a key in hexadecimal.
fn is_text(key: &Key) -> bool {
    let is_printable = |byte: &&u8| (b' '..=b'~').contains(*byte) || byte.is_ascii_whitespace();
    key.iter().filter(is_printable).count() >= 28 || std::str::from_utf8(key).is_ok()
}

/// Base64 of one case (1 in 10^9), or with a word in it that no random text has (1 in 10^7).
fn is_words(key: &Key) -> bool {
    let text = Zeroizing::new(STANDARD_NO_PAD.encode(key));
    // The last character holds four bits alone.
    let text = text.get(..42).unwrap_or(&text);
    let lower = Zeroizing::new(text.to_ascii_lowercase());
    !text.bytes().any(|byte| byte.is_ascii_uppercase())
        || !text.bytes().any(|byte| byte.is_ascii_lowercase())
        || WORDS.iter().any(|word| lower.contains(word))
        || words::random_chars(text) < MIN_RANDOM_CHARS
}

/// What has to be left of 42 characters without words and sequences. Random ones would need six words by
/// chance to have fewer: less than 1 in 10^7.
const MIN_RANDOM_CHARS: usize = 20;

const WORDS: [&str; 12] = [
    "password",
    "passphrase",
    "changeme",
    "example",
    "default",
    "secretkey",
    "mysecret",
    "supersecret",
    "portcullis",
    "testtest",
    "insecure",
    "production",
];

/// All within half of the values (1 in 10^8), or one bit in four or fewer set, or three in four:
/// 1 in 10^14.
fn is_lopsided(key: &Key) -> bool {
    let (least, most) = key.iter().fold((u8::MAX, 0), |(least, most), byte| {
        (least.min(*byte), most.max(*byte))
    });
    let bits: u32 = key.iter().map(|byte| byte.count_ones()).sum();
    most - least < 128 || !(65..=191).contains(&bits)
}

fn pairs(key: &Key, lag: usize) -> impl Iterator<Item = (u8, u8)> {
    key.iter()
        .zip(&key[lag..])
        .map(|(one, other)| (*one, *other))
}

/// How often the most common value is there.
pub(super) fn most_common(values: &mut dyn Iterator<Item = u8>) -> usize {
    let mut counts = [0; 256];
    values.for_each(|value| counts[usize::from(value)] += 1);
    counts.into_iter().max().unwrap_or_default()
}
