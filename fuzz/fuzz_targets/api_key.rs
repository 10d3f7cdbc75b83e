//! API keys as text and in headers, against the form that the documents give.

#![no_main]

use http::{HeaderMap, header::AUTHORIZATION};
use libfuzzer_sys::{Corpus, fuzz_target};
use portcullis_apikey_cache::{ApiKey, CredentialError, Kid};
use portcullis_fuzz::message;

/// `_<kid>_<secret><checksum>`.
const TAIL: usize = 1 + 22 + 1 + 43 + 6;

// An input is a text, or header lines: those end with a line break. After `!`, its checksum is put
// right, which no fuzzer would find.
fuzz_target!(|input: &[u8]| -> Corpus {
    let mended = input.strip_prefix(b"!").map(mend);
    let input = mended.as_deref().unwrap_or(input);
    if input.contains(&b'\n') {
        check_headers(&message::headers(input));
    } else {
        let Ok(text) = std::str::from_utf8(input) else {
            return Corpus::Reject;
        };
        check_text(text);
    }
    Corpus::Keep
});

fn check_text(text: &str) {
    let parsed = ApiKey::parse(text);
    assert_eq!(parsed.is_ok(), has_form(text), "the form of {text:?}");
    match parsed {
        Ok(key) => {
            assert_eq!(key.hazmat_expose(), text, "the text is the key");
            let kid = &text[text.len() - TAIL + 1..][..22];
            assert_eq!(key.kid().to_string(), kid);
            assert_eq!(kid.parse::<Kid>(), Ok(*key.kid()));
            let secret = &text[text.len() - 49..];
            // The kid, which is shown, could begin as the secret does.
            let shown = format!("{key:?} {}", key.kid()).replace(kid, "");
            assert!(!shown.contains(secret), "the secret is shown");
            // Six of its characters could be in the kid by chance, not half of them.
            assert!(
                !shown.contains(&secret[..22]),
                "half of the secret is shown"
            );
            let again = ApiKey::parse(key.hazmat_expose()).expect("it was parsed");
            assert_eq!(again.hazmat_expose(), text);
            // Twelve random characters, then the version of the tag's key: a number of three digits.
            let version = kid[12..15]
                .bytes()
                .fold(0, |number, digit| number * 62 + value(digit));
            let found = key
                .kid()
                .tag_version()
                .map(|version| u32::from(version.value()));
            assert_eq!(found, (1..=65_535).contains(&version).then_some(version));
            check_one_typing_error(text);
        }
        // Which of three words it is, and no word of the text.
        Err(error) => assert_eq!(size_of_val(&error), 1),
    }
}

/// The checksum finds every change of one character.
fn check_one_typing_error(text: &str) {
    for at in 0..text.len() {
        let mut mistyped = text.as_bytes().to_vec();
        mistyped[at] = if mistyped[at] == b'x' { b'y' } else { b'x' };
        let mistyped = String::from_utf8(mistyped).expect("it is ASCII");
        assert!(
            ApiKey::parse(&mistyped).is_err(),
            "changed at {at}: {text:?}"
        );
    }
}

/// Of a digit of base 62.
fn value(digit: u8) -> u32 {
    match digit {
        b'0'..=b'9' => u32::from(digit - b'0'),
        b'A'..=b'Z' => u32::from(digit - b'A') + 10,
        _ => u32::from(digit - b'a') + 36,
    }
}

/// Who carries two credentials that differ is refused, whatever they are; one is what its text is.
fn check_headers(headers: &HeaderMap) {
    let bearer = headers.get_all(AUTHORIZATION).iter().filter_map(|value| {
        let value = value.as_bytes();
        let scheme = value.get(..7)?;
        scheme
            .eq_ignore_ascii_case(b"bearer ")
            .then(|| value[7..].trim_ascii())
    });
    let named = headers
        .get_all("x-api-key")
        .iter()
        .map(|value| value.as_bytes());
    let mut credentials: Vec<&[u8]> = bearer.chain(named).collect();
    credentials.sort_unstable();
    credentials.dedup();
    let found = ApiKey::from_headers(headers);
    match (credentials.as_slice(), found) {
        ([], found) => assert!(matches!(found, Err(CredentialError::Missing))),
        ([one], Ok(key)) => {
            assert_eq!(key.hazmat_expose().as_bytes(), *one);
            check_text(key.hazmat_expose());
        }
        ([one], Err(error)) => {
            let text = std::str::from_utf8(one).unwrap_or_default();
            assert!(!has_form(text), "a key in a header is a key");
            assert!(matches!(error, CredentialError::Malformed(_)), "{error}");
        }
        ([_, _, ..], found) => assert!(matches!(found, Err(CredentialError::Ambiguous))),
    }
}

/// `<prefix>_<env>_<kid>_<secret><checksum>`, the checksum CRC-32 in base 62.
fn has_form(text: &str) -> bool {
    let parts: Vec<&str> = text.split('_').collect();
    let [prefix, environment, kid, secret] = parts.as_slice() else {
        return false;
    };
    let is_label = |part: &str, most| {
        (1..=most).contains(&part.len())
            && part
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
            && part.as_bytes()[0].is_ascii_lowercase()
    };
    let is_base62 = |part: &str, len| {
        part.len() == len && part.bytes().all(|byte| byte.is_ascii_alphanumeric())
    };
    is_label(prefix, 16)
        && is_label(environment, 16)
        && is_base62(kid, 22)
        && is_base62(secret, 49)
        && checksum(&text.as_bytes()[..text.len() - 6]) == text.as_bytes()[text.len() - 6..]
}

/// The input with the checksum of what stands before its last six bytes, line breaks at its end
/// apart.
fn mend(input: &[u8]) -> Vec<u8> {
    let mut mended = input.to_vec();
    let end = mended.trim_ascii_end().len();
    let start = mended[..end]
        .iter()
        .rposition(|byte| !byte.is_ascii_alphanumeric() && *byte != b'_')
        .map_or(0, |blank| blank + 1);
    if end - start > 6 {
        let checksum = checksum(&mended[start..end - 6]);
        mended[end - 6..end].copy_from_slice(&checksum);
    }
    mended
}

fn checksum(content: &[u8]) -> [u8; 6] {
    let mut rest = !content.iter().fold(!0_u32, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg())
        })
    });
    let mut digits = [0; 6];
    for digit in digits.iter_mut().rev() {
        let value = u8::try_from(rest % 62).expect("it is less than 62");
        *digit = match value {
            0..10 => b'0' + value,
            10..36 => b'A' + value - 10,
            _ => b'a' + value - 36,
        };
        rest /= 62;
    }
    digits
}
