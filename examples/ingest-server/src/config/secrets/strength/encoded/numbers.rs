//! A key as one large number, in bases that are no power of two: no part of the text stands for a
//! part of the key, so the key is written in each of them and looked for.

use zeroize::Zeroizing;

use super::Key;

/// Decimal, base36, base58 (Bitcoin, Flickr, Ripple) and base62 in the three orders of its digits.
const ALPHABETS: [&[u8]; 8] = [
    b"0123456789",
    b"0123456789abcdefghijklmnopqrstuvwxyz",
    b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz",
    b"123456789abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ",
    b"rpshnaf39wBUDNEGHJKLM4PQRST7VWXYZ2bcdeCg65jkm8oFqi1tuvAxyz",
    b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
    b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ",
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
];

/// Ascii85, that of RFC 1924, and Z85: five digits for four bytes.
const BASE85: [&[u8]; 3] = [
    b"!\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstu",
    b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;<=>?@^_`{|}~",
    b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#",
];
/// The digits of half a key.
const HALF: usize = 20;

/// Whether the key stands in the text as a number, or half of it in base 85; also backwards.
pub(super) fn are_in(text: &str, key: &Key) -> bool {
    let texts = [
        Zeroizing::new(text.as_bytes().to_vec()),
        Zeroizing::new(text.bytes().rev().collect()),
        Zeroizing::new(text.to_ascii_lowercase().into_bytes()),
    ];
    let mut reversed = Zeroizing::new(*key);
    reversed.reverse();
    let has = |number: &[u8]| texts.iter().any(|text| contains(text, number));
    [key, &*reversed].into_iter().any(|key| {
        ALPHABETS
            .iter()
            .any(|alphabet| has(&written(key, alphabet)))
            || BASE85.iter().any(|alphabet| {
                let digits = key.chunks(4).map(|group| padded(group, alphabet));
                let digits = digits.collect::<Vec<_>>().concat();
                digits.windows(HALF).step_by(5).any(has)
            })
    })
}

/// A key that is a small number, or none, stands in many a text.
fn contains(text: &[u8], number: &[u8]) -> bool {
    number.len() >= HALF && text.windows(number.len()).any(|window| window == number)
}

/// The bytes as a number, without leading zeros.
fn written(bytes: &[u8], alphabet: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut left = Zeroizing::new(bytes.to_vec());
    let mut digits = Zeroizing::new(Vec::new());
    while left.iter().any(|byte| *byte != 0) {
        let mut rest = 0;
        for byte in left.iter_mut() {
            let value = rest * 256 + usize::from(*byte);
            *byte = u8::try_from(value / alphabet.len()).unwrap_or_default();
            rest = value % alphabet.len();
        }
        digits.push(alphabet[rest]);
    }
    digits.reverse();
    digits
}

/// Four bytes as five digits.
fn padded(group: &[u8], alphabet: &[u8]) -> Vec<u8> {
    let digits = written(group, alphabet);
    let mut padded = vec![alphabet[0]; 5_usize.saturating_sub(digits.len())];
    padded.extend_from_slice(&digits);
    padded
}
