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
        ("cubes", made(|at| at.wrapping_pow(3))),
        ("powers of 5", made(|at| 5_u8.wrapping_pow(at.into()))),
        (
            "sums of the two before",
            made(|at| {
                (0..at)
                    .fold((1_u8, 1_u8), |(one, two), _| (two, one.wrapping_add(two)))
                    .0
            }),
        ),
        (
            "a simple generator",
            made(|at| (0..at).fold(7_u8, |value, _| value.wrapping_mul(109).wrapping_add(57))),
        ),
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
            "short words in base64",
            base64("LetMeInLetMeInPleaseIWantToGoInsideNow12340"),
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
        "c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721",
        "120fb6cffcf8b32c43e7225256c4f837a86548c92ccc35480805987cb70be17b",
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
        assert_eq!(encoded::held(&token, &[&random(2), &key]), [1], "{name}");
    }
}

/// Each text is what another program makes of the same key, but for the last ones.
#[test]
fn a_key_in_a_token_is_found_in_rare_spellings() {
    let key: Key = made(|at| at.wrapping_mul(37).wrapping_add(11) ^ (at << 3));
    let join = |separator: &str, text: &dyn Fn(&u8) -> String| {
        let texts: Vec<String> = key.iter().map(text).collect();
        texts.join(separator)
    };
    let words = |width: usize| {
        let mut swapped = key;
        swapped.chunks_mut(width).for_each(<[u8]>::reverse);
        hex(&swapped)
    };
    let wide: Vec<u8> = hex(&key).bytes().flat_map(|byte| [byte, 0]).collect();
    let numbers: Vec<String> = key
        .chunks(4)
        .map(|word| u32::from_be_bytes(word.try_into().unwrap()).to_string())
        .collect();
    let swap_case = |text: String| -> String {
        let swapped = text.chars().map(|char| match char {
            'a'..='z' => char.to_ascii_uppercase(),
            char => char.to_ascii_lowercase(),
        });
        swapped.collect()
    };
    let mut tokens = vec![
        ("octal", join("", &|byte| format!("\\{byte:03o}"))),
        ("an octal list", join(",", &|byte| format!("{byte:o}"))),
        ("binary", join("", &|byte| format!("{byte:08b}"))),
        ("three digits each", join("", &|byte| format!("{byte:03}"))),
        (
            "signed",
            join(",", &|byte| i8::from_le_bytes([*byte]).to_string()),
        ),
        ("escaped", join("", &|byte| format!("\\u{byte:04x}"))),
        (
            "prefixed in capitals",
            join(",", &|byte| format!("0X{byte:02X}")),
        ),
        ("words of 32 bits", numbers.join("-")),
        ("shorts swapped", words(2)),
        ("words swapped", words(4)),
        ("long words swapped", words(8)),
        ("inverted", hex(&key.map(|byte| !byte))),
        ("base64 of UTF-16", STANDARD.encode(wide)),
        (
            "base64 with cases exchanged",
            swap_case(STANDARD.encode(key)),
        ),
    ];
    tokens.extend(PYTHON.map(|(name, token)| (name, token.to_owned())));
    for (name, token) in tokens {
        let token = format!("admin-{token}");
        assert_eq!(encoded::held(&token, &[&random(2), &key]), [1], "{name}");
    }
    // Keys that are small numbers stand in no token because of it.
    let small = made(|at| at / 31);
    let held = encoded::held("a-token-with-1-digit", &[&[0; 32], &small]);
    assert!(held.is_empty(), "{held:?}");
}

/// What Python makes of the key of the test above.
const PYTHON: [(&str, &str); 21] = [
    (
        "decimal number",
        "5074863652828303249144076518780404349178916961661492550823690390810727321982",
    ),
    (
        "octal number",
        "547021261277731544663461005576523604302473330203252223736211714415400722536765110576",
    ),
    (
        "base36",
        "a2eykmz2jytm2kyimjd07rzsad51dp79cl04lk7xivcsxy8ou",
    ),
    (
        "base36 in capitals",
        "A2EYKMZ2JYTM2KYIMJD07RZSAD51DP79CL04LK7XIVCSXY8OU",
    ),
    ("base58", "koFZb896X48tVhZq4xRyZreKVGrQneqaHJeG3oERb7B"),
    (
        "base58 of Flickr",
        "KNfyA896w48TuGyQ4XqYyRDjugRpMDQzhiDg3NeqA7b",
    ),
    ("base62", "2exCTHvDMujDbzYFE6FbRwbuCbP7BdLMuH68I6K88J4"),
    (
        "base62, small first",
        "2EXcthVdmUJdBZyfe6fBrWBUcBp7bDlmUh68i6k88j4",
    ),
    (
        "base62, letters first",
        "Co7MdR5NW4tNl9iPOGPlb6l4MlZHLnVW4RGISGUIITE",
    ),
    ("Ascii85", "$TLRa^[0W3EtBr\"VhAJRgB]Z7:V;PH6XUoapXG=S"),
    (
        "base85 of RFC 1924",
        "3phn$zwFsIa}X{1r-Wfn+XyvMPrQldLtq^$_tcSo",
    ),
    ("Z85", "3PHN:ZWfSiA$x@1R?wFN*xYVmpRqLDlTQ]:{TCsO"),
    ("half of it in Z85", "*xYVmpRqLDlTQ]:{TCsO"),
    (
        "base32hex",
        "1CS4AOLVTJCJCSOG5NTAF1319RDGGDAI9UU8JPI3C0EILTUKI5V0",
    ),
    (
        "base32 of Crockford",
        "1CW4ARNZXKCKCWRG5QXAF1319VDGGDAJ9YY8KSJ3C0EJNXYMJ5Z0",
    ),
    (
        "z-base-32",
        "bchrkai97ucuchaofz7kxbdbj5poopk1j66eu31dcyq1i76w1f9y",
    ),
    (
        "base64 of crypt",
        "0nV3MfzgqHNn20rudsFVHhg6BJ7Dj6baEq.R8jTIYLs=",
    ),
    (
        "base64 of bcrypt",
        "AxfDWp9q0RXxCA14n2PfRrqGLTHNtGlkO0.bItdSiV2=",
    ),
    (
        "ROT13 of base64",
        "PmuSLe/f2GMmRP36c4EuGgfVAIWCiVazD2NqXisHxK4=",
    ),
    (
        "uuencode",
        "@\"SA%8K_LV39S$\"WZIX1A3ML(-5)/O(GF0V`=*O?4D7X`",
    ),
    (
        "base58 of bytes reversed",
        "9X5LyWvJJR4xdEbihvrmVB1wyoMCR2oyEM3PcLS1maCi",
    ),
];

#[test]
fn no_more_of_a_token_is_looked_through_than_a_head_can_carry() {
    let token = hex(&random(1)).repeat(17);
    let found = token::weaknesses(&token, std::iter::empty(), Known::tables());
    assert!(
        found.iter().any(|it| it == "has more than 1024 characters"),
        "{found:?}"
    );
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
        "AAECAwQFBgcICQoLDA0ODxAREhMUFRYX",
        "000102030405060708090a0b0c0d0e0f",
        "1q2w3e4r5t6y7u8i9o0p1q2w3e4r5t6y",
        "a1b2c3d4e5f6g7h8i9j0k1l2m3n4o5p6",
        "31415926535897932384626433832795",
        "27182818284590452353602874713526",
        "sk_test_4eC39HqLyjWDarjtT1zdp7dc",
        "thequickbrownfoxjumpsoverthelazydog",
        "correct-horse-battery-staple-is-long",
        "Sup3rS3cr3tP4ssw0rdF0rTh3Adm1n!!",
        "MyCompanyAdminPassword2026!Secure",
        "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        "deadbeef-cafe-babe-feed-facebaadf00d",
        "januaryfebruarymarchaprilmayjune",
        "bXkgc3VwZXIgc2VjcmV0IGFkbWluIHRva2Vu",
        "636f727265637420686f727365206261747465727920737461706c65",
        "38b060a751ac96384cd9327eb1b1e36a21fdb71114be07434c0cc7bf63f6e1da274edebfe76f65fbd51ad2f14898b95b",
    ] {
        let found = token::weaknesses(token, std::iter::empty(), known);
        assert!(
            found.len() == 1 && found[0].starts_with("is weak"),
            "{token}: {found:?}"
        );
    }
}
