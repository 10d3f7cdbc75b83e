//! Fixed-width text over `0-9A-Za-z`: random text and zero-padded numbers.

use zeroize::Zeroizing;

use crate::entropy::{Entropy, EntropyError};

const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Whether every byte is of the alphabet.
pub(crate) fn is_text(bytes: &[u8]) -> bool {
    // To the end in any case: without a way out in the middle it is done many bytes at once.
    bytes
        .iter()
        .fold(true, |is_text, byte| is_text & byte.is_ascii_alphanumeric())
}

/// The number as `N` digits, most significant first; digits beyond `N` are lost.
pub(crate) fn encode<const N: usize>(mut number: u64) -> [u8; N] {
    let mut digits = [b'0'; N];
    for digit in digits.iter_mut().rev() {
        *digit = ALPHABET[(number % 62) as usize];
        number /= 62;
    }
    digits
}

/// The number that up to ten digits stand for, `None` if a byte is not of the alphabet.
pub(crate) fn decode(digits: &[u8]) -> Option<u64> {
    digits.iter().try_fold(0, |number: u64, digit| {
        let value = match digit {
            b'0'..=b'9' => digit - b'0',
            b'A'..=b'Z' => digit - b'A' + 10,
            b'a'..=b'z' => digit - b'a' + 36,
            _ => return None,
        };
        number.checked_mul(62)?.checked_add(u64::from(value))
    })
}

/// `N` characters, each uniform over the alphabet (5.954 bits).
pub(crate) fn make_text<const N: usize>(
    entropy: &dyn Entropy,
) -> Result<Zeroizing<[u8; N]>, EntropyError> {
    // 248 is the largest multiple of 62 in a byte: what lies above would favour some digits.
    const UNBIASED: u8 = 248;
    let mut text = Zeroizing::new([0; N]);
    let mut bytes = Zeroizing::new([0; N]);
    let mut filled = 0;
    while filled < N {
        entropy.fill(bytes.as_mut())?;
        for byte in bytes
            .iter()
            .filter(|byte| **byte < UNBIASED)
            .take(N - filled)
        {
            text[filled] = ALPHABET[usize::from(byte % 62)];
            filled += 1;
        }
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::entropy::SystemEntropy;

    #[test]
    fn a_number_is_padded_with_zeros() {
        assert_eq!(&encode::<3>(0), b"000");
        assert_eq!(&encode::<3>(61), b"00z");
        assert_eq!(&encode::<3>(65_535), b"H31");
    }

    #[test]
    fn random_text_uses_the_whole_alphabet() {
        let text = make_text::<4096>(&SystemEntropy).unwrap();
        assert!(ALPHABET.iter().all(|character| text.contains(character)));
        assert!(is_text(text.as_ref()));
    }

    proptest! {
        #[test]
        fn decoding_undoes_encoding(number in 0..62_u64.pow(7)) {
            prop_assert_eq!(decode(&encode::<7>(number)), Some(number));
        }

        #[test]
        fn decoding_any_bytes_does_not_panic(bytes: Vec<u8>) {
            decode(&bytes);
        }
    }
}
