//! A key in another spelling: found in a token by undoing spellings until a key stands there, and by
//! writing the key as the numbers that no bits can be cut from.

mod numbers;
mod readings;

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD},
};
use zeroize::Zeroizing;

use super::Key;

/// How many usual spellings may lie in each other, as in base64 of hexadecimal. Within a rare one lies
/// one usual one at the most.
const DEPTH: usize = 3;
/// Half of a key gives it away; 16 bytes are never there by chance.
const PART_BYTES: usize = 16;

type Fragment = Zeroizing<[u8; PART_BYTES]>;

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

/// Of which keys half or more stands in the text, in whatever spelling, also backwards. By number.
pub(super) fn held(text: &str, keys: &[&Key]) -> Vec<usize> {
    if keys.is_empty() {
        return Vec::new();
    }
    let parts = parts(keys);
    let mut found = vec![false; keys.len()];
    let mut look = |readings: &[Zeroizing<Vec<u8>>]| {
        for window in readings.iter().flat_map(|it| it.windows(PART_BYTES)) {
            if let Ok(at) = parts.binary_search_by(|(part, _)| part.as_slice().cmp(window)) {
                found[parts[at].1] = true;
            }
        }
    };
    let mut level = vec![Zeroizing::new(text.as_bytes().to_vec())];
    look(&level);
    let rare = readings::rare(text.as_bytes());
    look(&rare);
    look(&readings::usual(&rare));
    for _ in 0..DEPTH {
        level = readings::usual(&level);
        look(&level);
    }
    for (key, found) in keys.iter().zip(&mut found) {
        *found = *found || numbers::are_in(text, key);
    }
    (0..keys.len()).filter(|number| found[*number]).collect()
}

/// Every part of the keys as they are, backwards, inverted, and in words of the other byte order, with
/// the key's number; sorted.
fn parts(keys: &[&Key]) -> Vec<(Fragment, usize)> {
    let mut parts = Vec::new();
    for (number, key) in keys.iter().enumerate() {
        let mut add = |key: &Key| {
            for part in key.windows(PART_BYTES) {
                let mut copy = Fragment::default();
                copy.copy_from_slice(part);
                parts.push((copy, number));
            }
        };
        add(key);
        let mut inverted = Zeroizing::new(**key);
        inverted.iter_mut().for_each(|byte| *byte = !*byte);
        add(&inverted);
        for word in [2, 4, 8, 32] {
            let mut swapped = Zeroizing::new(**key);
            swapped.chunks_mut(word).for_each(<[u8]>::reverse);
            add(&swapped);
        }
    }
    parts.sort_by(|(one, _), (other, _)| one.as_slice().cmp(other.as_slice()));
    parts
}
