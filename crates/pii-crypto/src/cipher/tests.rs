//! Known answers of sealed fields, and what is refused.

mod context;
mod keys;

use portcullis_keyring::{Purpose, entropy::EntropyError};

use super::*;
use crate::{
    Email, FreeText, ParseError,
    known_keys::{ToldEntropy, World},
};

const FIELD: &str = "lead.email";
const RECORD: &str = "0198c0de-0000-7000-8000-000000000001";
const TEXT: &str = "john.smith+a1@example.com";

/// Source: `docs/formats.md`; computed with the Python package `cryptography`. They must never
/// break.
const KNOWN_01: &str = "f90101020304000102030405060708090a0b0c0d0e0f3d3564b81a69da7d666d0bf3b75cb924\
                        0000000773ab966764528ccf4313ed9c92642cf47b2a84b6e4d09c5624da1f49265649e4fee8\
                        18329d78ca01f1";
const KNOWN_02: &str = "f90201020304000102030405060708090a0b0c0d0e0fff9f45419d62831d2ed3eb267335d224\
                        00000007\
                        47901bc8fe4cf2b042ea8a12ada4f671f40fd21fced6f8018b80eb8612afd3c751450a95f3d9\
                        ffc730e0f33105eee4c8";
const KNOWN_01_TEXT: &str = "pc1.-QEBAgMEAAECAwQFBgcICQoLDA0ODz01ZLgaadp9Zm0L87dcuSQAAAAHc6uWZ2RSjM\
                             9DE-2ckmQs9HsqhLbk0JxWJNofSSZWSeT-6BgynXjKAfE";

/// An e-mail address under suite 02, to have both suites under the key of the known answers.
#[derive(Debug)]
struct PaddedEmail(Email);

impl PiiType for PaddedEmail {
    const NAME: &'static str = "padded-email";
    const EXPECTED: &'static str = "an e-mail address";
    const PURPOSE: &'static str = "email";
    const SUITE: Suite = Suite::Padded;

    fn parse(text: &str) -> Result<Self, ParseError> {
        Email::parse(text).map(Self)
    }

    fn restore(text: Zeroizing<String>) -> Self {
        Self(Email::restore(text))
    }

    fn text(&self) -> &str {
        self.0.text()
    }

    fn masked(&self) -> String {
        self.0.masked()
    }
}

async fn cipher(world: &World) -> Cipher {
    Cipher::new(world.keys(&["email"]).await)
}

/// Every library that the crate was built with.
const LIBRARIES: &[Aead] = &[
    Aead::Ring,
    #[cfg(feature = "aws-lc-rs")]
    Aead::AwsLc,
];

/// The eighth message of an epoch, which has counter 7.
async fn eighth<T: PiiType>() -> Sealed<T> {
    eighth_by(Aead::Ring).await
}

async fn eighth_by<T: PiiType>(aead: Aead) -> Sealed<T> {
    let cipher = cipher(&World::with_known_salt().await).await;
    let cipher = cipher.with_aead(aead);
    let value = Pii::<T>::parse(TEXT).expect("an address");
    let mut sealed = (0..8).map(|_| cipher.seal(FIELD, RECORD, &value).expect("it seals"));
    sealed.nth(7).expect("eight messages")
}

#[tokio::test]
async fn sealing_gives_the_known_answers() {
    for aead in LIBRARIES {
        let sealed = eighth_by::<Email>(*aead).await;
        assert_eq!(hex::encode(sealed.as_bytes()), KNOWN_01);
        assert_eq!(sealed.to_string(), KNOWN_01_TEXT);
        let padded = eighth_by::<PaddedEmail>(*aead).await;
        assert_eq!(hex::encode(padded.as_bytes()), KNOWN_02);
    }
}

#[tokio::test]
async fn the_known_answers_open() {
    let cipher = cipher(&World::new().await).await;
    for aead in LIBRARIES {
        let cipher = cipher.clone().with_aead(*aead);
        // Which suite a value has stands in it, whatever its kind is sealed with today.
        for known in [KNOWN_01, KNOWN_02] {
            let bytes = hex::decode(known).expect("hexadecimal");
            let sealed = Sealed::<Email>::from_bytes(bytes).expect("the shape of a sealed value");
            let opened = cipher.open(FIELD, RECORD, &sealed).expect("it opens");
            assert_eq!(opened.expose().as_str(), TEXT);
        }
    }
}

/// Under one key, each from the nonces of its own epochs.
#[tokio::test]
async fn what_one_library_sealed_the_others_open_and_no_nonce_is_shared() {
    let cipher = cipher(&World::new().await).await;
    let value = Pii::<Email>::parse(TEXT).expect("an address");
    let mut nonces = std::collections::HashSet::new();
    for _ in 0..10 {
        for one in LIBRARIES {
            let sealing = cipher.clone().with_aead(*one);
            let sealed = sealing.seal(FIELD, RECORD, &value).expect("it seals");
            assert!(nonces.insert((sealed.prefix(), sealed.counter())));
            for other in LIBRARIES {
                let opening = cipher.clone().with_aead(*other);
                let opened = opening.open(FIELD, RECORD, &sealed).expect("it opens");
                assert_eq!(opened.expose().as_str(), TEXT);
            }
        }
    }
}

#[tokio::test]
async fn the_longest_value_has_64_kib() {
    let cipher = Cipher::new(World::new().await.keys(&["text"]).await);
    for len in [0, 1, 31, 32, 33, 65_536] {
        let value = Pii::<FreeText>::parse(&"x".repeat(len)).expect("a text");
        let sealed = cipher.seal(FIELD, RECORD, &value).expect("it seals");
        assert_eq!(sealed.as_bytes().len(), 58 + (len / 32 + 1) * 32);
        let read = Sealed::from_bytes(sealed.into_bytes()).expect("the shape of a sealed value");
        let opened: Pii<FreeText> = cipher.open(FIELD, RECORD, &read).expect("it opens");
        assert_eq!(opened.expose().as_str().len(), len);
    }
    let longer = Pii::new(FreeText::restore(Zeroizing::new("x".repeat(65_537))));
    assert_eq!(cipher.seal(FIELD, RECORD, &longer), Err(SealError::TooLong));
}

#[tokio::test]
async fn sealing_one_value_twice_gives_two_that_differ() {
    let world = World::new().await;
    for policy in [EpochPolicy::Shared, EpochPolicy::PerMessage] {
        let cipher = cipher(&world).await.with_epochs(policy);
        let value = Pii::<Email>::parse(TEXT).expect("an address");
        let seal = || cipher.seal(FIELD, RECORD, &value).expect("it seals");
        let (one, other) = (seal(), seal());
        assert_ne!(one, other);
        for sealed in [one, other] {
            let opened = cipher.open(FIELD, RECORD, &sealed).expect("it opens");
            assert_eq!(opened.expose().as_str(), TEXT);
        }
    }
}

#[tokio::test]
async fn without_random_bytes_a_new_epoch_is_refused_and_the_old_one_not_stretched() {
    let world = World::new().await;
    let cipher = cipher(&world).await;
    let value = Pii::<Email>::parse(TEXT).expect("an address");
    cipher.seal(FIELD, RECORD, &value).expect("it seals");
    world.entropy.run_dry();
    cipher
        .seal(FIELD, RECORD, &value)
        .expect("the epoch goes on");
    world.clock.advance(std::time::Duration::from_secs(1));
    let refused = cipher.seal(FIELD, RECORD, &value);
    assert_eq!(refused, Err(SealError::Entropy(EntropyError::new())));
}

#[tokio::test]
async fn nothing_that_is_printed_shows_a_value_or_a_key() {
    let world = World::new().await;
    let cipher = cipher(&world).await;
    let value = Pii::<Email>::parse(TEXT).expect("an address");
    let sealed = cipher.seal(FIELD, RECORD, &value).expect("it seals");
    let error = cipher
        .open(FIELD, "elsewhere", &sealed)
        .expect_err("it is of another record");
    let printed = format!("{cipher:?} {value:?} {sealed:?} {error:?} {error}");
    for secret in ["john", "example", "000102030405", "0, 1, 2, 3, 4, 5"] {
        assert!(!printed.contains(secret), "{printed}");
    }
}
