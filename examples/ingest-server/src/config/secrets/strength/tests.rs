//! Weak secrets are found, and random ones never.

use std::fs;

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD},
};
use ring::digest::{SHA256, SHA512, SHA512_256, digest};

use super::*;

/// Bytes as good as random ones, the same in every run.
fn random(number: u32) -> Key {
    let hash = digest(&SHA256, format!("a random key, number {number}").as_bytes());
    hash.as_ref().try_into().unwrap()
}

fn made(byte: impl Fn(u8) -> u8) -> Key {
    std::array::from_fn(|at| byte(u8::try_from(at).unwrap()))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn is_weak(key: &Key) -> bool {
    pattern::weakness(key).is_some() || Known::tables().has(key)
}

fn hashed(text: &str) -> Key {
    digest(&SHA256, text.as_bytes())
        .as_ref()
        .try_into()
        .unwrap()
}

#[test]
fn no_random_key_is_weak_or_related_to_another() {
    let known = Known::tables();
    let mut before = random(0);
    for number in 1..4_000 {
        let key = random(number);
        assert_eq!(pattern::weakness(&key), None, "{number}");
        assert!(!known.has(&key), "{number}");
        if number % 16 == 0 {
            assert_eq!(related::relation(&key, &before), None, "{number}");
        }
        before = key;
    }
}

#[test]
fn no_random_token_is_weak() {
    let known = Known::tables();
    for number in 0..1_000 {
        let key = random(number);
        let tokens = [
            hex(&key),
            hex(&key[..16]),
            URL_SAFE_NO_PAD.encode(key),
            STANDARD.encode(key),
        ];
        for token in tokens {
            let found = token::weaknesses(&token, std::iter::empty(), known);
            assert_eq!(found, [""; 0], "{number}");
        }
    }
}

#[test]
fn keys_with_a_pattern_are_weak() {
    let half = random(1);
    let half = |at: u8| half[usize::from(at % 16)];
    let text = |text: &str| -> Key {
        let bytes = text.as_bytes();
        made(|at| bytes[usize::from(at) % bytes.len()])
    };
    let base64 = |text: &str| -> Key { STANDARD_NO_PAD.decode(text).unwrap().try_into().unwrap() };
    for (name, key) in [
        ("zeros", [0; 32]),
        ("ones", [0xff; 32]),
        ("counting", made(|at| at)),
        ("counting from 1", made(|at| at + 1)),
        ("counting down", made(|at| 31 - at)),
        ("counting down from 255", made(|at| 255 - at)),
        ("counting over the end", made(|at| at.wrapping_add(240))),
        ("by 17", made(|at| at.wrapping_mul(17))),
        ("by 8", made(|at| at.wrapping_mul(8))),
        ("squares", made(|at| at.wrapping_mul(at))),
        (
            "two counters",
            made(|at| if at % 2 == 0 { at } else { 255 - at }),
        ),
        (
            "wide numbers",
            made(|at| if at % 4 == 3 { at / 4 } else { 0 }),
        ),
        ("gray code", made(|at| at ^ (at >> 1))),
        (
            "counting but for a few",
            made(|at| if at % 8 == 5 { 200 - at } else { at + 7 }),
        ),
        (
            "0123456789abcdef",
            made(|at| [0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef][usize::from(at % 8)]),
        ),
        (
            "deadbeef",
            made(|at| [0xde, 0xad, 0xbe, 0xef][usize::from(at % 4)]),
        ),
        ("half of it twice", made(half)),
        (
            "half of it and zeros",
            made(|at| if at < 16 { half(at) } else { 0 }),
        ),
        (
            "24 bytes and padding",
            made(|at| if at < 24 { half(at) } else { 8 }),
        ),
        (
            "half of it mirrored",
            made(|at| if at < 16 { half(at) } else { half(31 - at) }),
        ),
        (
            "half of it inverted",
            made(|at| if at < 16 { half(at) } else { !half(at) }),
        ),
        ("few values", made(|at| half(at % 7))),
        ("digits", made(|at| half(at) % 10)),
        ("seven bits", made(|at| random(2)[usize::from(at)] & 0x7f)),
        ("one bit a byte", made(|at| 1 << (half(at) % 8))),
        ("a pass phrase", text("correct horse battery staple, 47")),
        (
            "a pass phrase and zeros",
            text("correct horse battery\0\0\0\0\0\0\0\0\0\0\0"),
        ),
        ("another alphabet", text("пароль для базы данных и службы.")),
        ("hexadecimal", text(&hex(&random(3)))),
        ("base64", text(&STANDARD.encode(random(3)))),
        (
            "words in base64",
            base64("thisisasecretkeythatnobodywouldeverguess12Q"),
        ),
        (
            "a word in base64",
            base64("qPx7MyPasswordZ9RkVt2LbXcJ0eWm5uHn8aYo4sTgA"),
        ),
        (
            "the alphabet in base64",
            base64("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopo"),
        ),
    ] {
        assert!(is_weak(&key), "{name}");
    }
}

#[test]
fn keys_that_everybody_knows_are_weak() {
    for text in [
        "",
        "\n",
        "password",
        "Password\n",
        "SECRET",
        "changeme",
        "test",
        "123456",
        "a",
        "portcullis",
        "PORTCULLIS",
    ] {
        assert!(is_weak(&hashed(text)), "{text:?}");
        let hash = digest(&SHA512_256, text.as_bytes());
        assert!(is_weak(hash.as_ref().try_into().unwrap()), "{text:?}");
        let hash = digest(&SHA512, text.as_bytes());
        assert!(is_weak(hash.as_ref()[..32].try_into().unwrap()), "{text:?}");
        let twice = digest(&SHA256, &hashed(text));
        assert!(is_weak(twice.as_ref().try_into().unwrap()), "{text:?}");
    }
    for number in ["0", "7", "42", "999"] {
        assert!(is_weak(&hashed(number)), "{number}");
    }
    let zeros = digest(&SHA256, &[0; 32]);
    assert!(is_weak(zeros.as_ref().try_into().unwrap()));
    for published in [
        "603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4",
        "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308",
        "808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f",
        "2b7e151628aed2a6abf7158809cf4f3c2b7e151628aed2a6abf7158809cf4f3c",
        "0123456789abcdef0123456789abcdeffedcba9876543210fedcba9876543210",
        "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff",
    ] {
        let key = made(|at| {
            let at = usize::from(at) * 2;
            u8::from_str_radix(&published[at..at + 2], 16).unwrap()
        });
        assert!(is_weak(&key), "{published}");
    }
}

/// Anyone who copies a key from a document or a test must not start production with it.
#[test]
fn keys_in_our_own_documents_are_weak() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let crates = ["apikey-cache", "keyring", "pii-crypto", "versioned-secrets"];
    let readmes = crates.map(|name| format!("crates/{name}/README.md"));
    let others = [
        "README.md",
        "SECURITY.md",
        "examples/ingest-server/README.md",
        "examples/ingest-server/tests/e2e/harness.rs",
        "examples/ingest-server/src/config/tests.rs",
        "crates/versioned-secrets/examples/rotate.rs",
        "crates/keyring/examples/retire_kek.rs",
        "crates/keyring/examples/data_key_rotation.rs",
        "crates/pii-crypto/examples/blind_index.rs",
    ];
    let mut found = 0;
    for file in readmes.iter().map(String::as_str).chain(others) {
        let text = fs::read_to_string(root.join(file)).unwrap();
        let is_other = |char: char| !char.is_ascii_alphanumeric() && !"+/=".contains(char);
        for word in text.split(is_other) {
            if let Ok(bytes) = STANDARD.decode(word)
                && let Ok(key) = Key::try_from(bytes)
            {
                assert!(is_weak(&key), "{file}: {word}");
                found += 1;
            }
        }
    }
    assert!(found > 5, "{found}");
}

#[test]
fn a_key_that_follows_from_another_is_found() {
    let other = random(1);
    let reversed: Key = std::array::from_fn(|at| other[31 - at]);
    let rotated: Key = std::array::from_fn(|at| other[(at + 5) % 32]);
    let apart = random(2);
    for (name, key) in [
        ("equal", other),
        ("reversed", reversed),
        ("rotated", rotated),
        ("inverted", other.map(|byte| !byte)),
        ("masked", other.map(|byte| byte ^ 0x5a)),
        ("one more", other.map(|byte| byte.wrapping_add(1))),
        ("backwards and inverted", reversed.map(|byte| !byte)),
        (
            "half of it",
            std::array::from_fn(|at| if at < 16 { other[at] } else { apart[at] }),
        ),
        (
            "hashed",
            digest(&SHA256, &other).as_ref().try_into().unwrap(),
        ),
        ("its hexadecimal hashed", hashed(&hex(&other))),
        ("its base64 hashed", hashed(&STANDARD.encode(other))),
    ] {
        assert!(related::relation(&key, &other).is_some(), "{name}");
    }
    assert_eq!(related::relation(&apart, &other), None);
}

#[test]
fn a_key_in_a_token_is_found_in_every_spelling() {
    let key = random(1);
    let reversed: Key = std::array::from_fn(|at| key[31 - at]);
    let colons: Vec<String> = key.iter().map(|byte| format!("{byte:02X}")).collect();
    let prefixed: Vec<String> = key.iter().map(|byte| format!("0x{byte:02x}")).collect();
    let decimals: Vec<String> = key.iter().map(ToString::to_string).collect();
    let text_reversed: String = STANDARD.encode(key).chars().rev().collect();
    let mut inner = b"ab".to_vec();
    inner.extend(key);
    for (name, token) in [
        ("base64", STANDARD.encode(key)),
        ("base64 without padding", STANDARD_NO_PAD.encode(key)),
        ("base64 for URLs", URL_SAFE_NO_PAD.encode(key)),
        ("with its version", format!("1:{}", STANDARD.encode(key))),
        ("with a prefix", format!("token-{}", STANDARD.encode(key))),
        ("the middle of base64", STANDARD.encode(inner)),
        ("hexadecimal", hex(&key)),
        ("hexadecimal in capitals", hex(&key).to_ascii_uppercase()),
        ("hexadecimal after a digit", format!("a{}", hex(&key))),
        ("with colons", colons.join(":")),
        ("with prefixes", prefixed.join(",")),
        ("decimal", decimals.join(",")),
        ("bytes reversed, base64", STANDARD.encode(reversed)),
        ("bytes reversed, hexadecimal", hex(&reversed)),
        ("text reversed", text_reversed),
        ("base64 of base64", STANDARD.encode(STANDARD.encode(key))),
        ("base64 of hexadecimal", STANDARD.encode(hex(&key))),
        (
            "hexadecimal of base64",
            hex(STANDARD.encode(key).as_bytes()),
        ),
        (
            "percent",
            STANDARD
                .encode(key)
                .replace('+', "%2B")
                .replace('/', "%2F")
                .replace('=', "%3D"),
        ),
        ("half of it", hex(&key[..16])),
    ] {
        assert!(encoded::holds(&token, &key), "{name}");
        assert!(!encoded::holds(&token, &random(2)), "{name}");
    }
}

#[test]
fn made_up_tokens_are_weak() {
    let known = Known::tables();
    for token in [
        "short",
        "0123456789abcdef0123456789abcdef",
        "0123456789abcdefghijklmnopqrstuvwxyz",
        "abcdefghabcdefghabcdefghabcdefgh",
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        "test-admin-token-0123456789-abcdefghij",
        "changeme-changeme-changeme-changeme-1",
        "please-change-this-secret-admin-token!",
        "this-is-a-very-long-admin-token-for-dev",
        "PASSWORDpasswordPasswordpasswordP4ss",
        "d41d8cd98f00b204e9800998ecf8427e",
        "5e884898da28047151d0e56f8dc6292773603d0d6aabbdd62a11ef721d1542d8",
        "da39a3ee5e6b4b0d3255bfef95601890afd80709",
        "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
        "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
    ] {
        let found = token::weaknesses(token, std::iter::empty(), known);
        assert!(
            found.len() == 1 && found[0].starts_with("is weak"),
            "{token}: {found:?}"
        );
    }
}
