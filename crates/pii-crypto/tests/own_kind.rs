//! A kind of personal data of one's own, with nothing but what the crate makes public.

use std::sync::Arc;

use portcullis_keyring::{Keyring, TenantId, kek::MemoryKek, store::MemoryDekStore};
use portcullis_pii_crypto::{
    AnyPii, Cipher, IndexRoots, Indexed, Indexing, ParseError, Pii, PiiKind, PiiKinds, PiiType,
    Sealed, Suite, secrets::VersionedSecrets,
};
use secrecy::SecretBox;
use zeroize::Zeroizing;

/// Two letters and seven digits.
struct Passport(Zeroizing<String>);

impl PiiType for Passport {
    const NAME: &'static str = "passport";
    const EXPECTED: &'static str = "a passport number such as YA1234567";
    const SUITE: Suite = Suite::Exact;
    const INDEXING: Option<Indexing<Self>> = Some(Indexing::new());

    fn parse(text: &str) -> Result<Self, ParseError> {
        let text = text.trim();
        let letters = text.bytes().take(2).all(|byte| byte.is_ascii_alphabetic());
        let digits = text.bytes().skip(2).all(|byte| byte.is_ascii_digit());
        if text.len() != 9 || !letters || !digits {
            return Err(ParseError::Invalid {
                expected: Self::EXPECTED,
            });
        }
        Ok(Self(Zeroizing::new(text.to_owned())))
    }

    fn restore(text: Zeroizing<String>) -> Self {
        Self(text)
    }

    fn text(&self) -> &str {
        &self.0
    }

    fn masked(&self) -> String {
        format!("***{}", &self.0[7..])
    }
}

impl Indexed for Passport {
    const NORMALISERS: &'static [&'static str] = &["passport/1"];

    fn normaliser(&self) -> &'static str {
        "passport/1"
    }

    fn normalised(&self) -> Zeroizing<String> {
        Zeroizing::new(self.0.to_ascii_uppercase())
    }
}

const PASSPORT: PiiKind = PiiKind::of::<Passport>();

async fn cipher(tenant: &TenantId, kinds: &PiiKinds) -> Cipher {
    let kek = MemoryKek::new().expect("a KEK");
    let keyring = Keyring::builder(Arc::new(kek), Arc::new(MemoryDekStore::new())).build();
    let purposes: Vec<_> = kinds.iter().map(PiiKind::purpose).collect();
    Cipher::new(
        keyring
            .prepare(tenant, &purposes)
            .await
            .expect("it answers"),
    )
}

fn roots() -> IndexRoots {
    let root = SecretBox::new(Box::new([8; 32]));
    IndexRoots::new(VersionedSecrets::single(root)).expect("version 1 fits")
}

#[tokio::test]
async fn it_is_parsed_sealed_opened_masked_and_found_like_a_built_in_one() {
    let kinds = PiiKinds::built_in().with(PASSPORT).unwrap();
    let tenant = TenantId::new("tenant-7").unwrap();
    let cipher = cipher(&tenant, &kinds).await;

    let kind = kinds.find("passport").expect("it was added");
    let value = kind.parse(" ya1234567 ").unwrap();
    assert_eq!(value.masked(), "***67");
    assert_eq!(format!("{value:?}"), "AnyPii<passport>(…)");

    let sealed = value.seal(&cipher, "guest.passport", "guest-1").unwrap();
    let stored = sealed.into_bytes();
    let sealed = Sealed::<AnyPii>::from_bytes(stored).unwrap();
    let opened = kind
        .open(&cipher, "guest.passport", "guest-1", &sealed)
        .unwrap();
    assert_eq!(opened.expose(), "ya1234567");
    assert!(
        kind.open(&cipher, "guest.passport", "guest-2", &sealed)
            .is_err()
    );
    let email = kinds.find("email").expect("it is built in");
    assert!(
        email
            .open(&cipher, "guest.passport", "guest-1", &sealed)
            .is_err()
    );

    let index = roots().unique_index(&tenant, "guest.passport");
    let same = kind.parse("YA1234567").unwrap();
    assert_eq!(opened.index(&index), same.index(&index));
    let typed = Pii::<Passport>::parse("Ya1234567").unwrap();
    assert_eq!(opened.index(&index), Some(index.values(&typed)));
}

#[test]
fn what_is_no_value_of_it_is_refused_without_repeating_it() {
    let error = PASSPORT.parse("canary").expect_err("refused");
    assert_eq!(
        error.to_string(),
        "the value must be a passport number such as YA1234567"
    );
    assert_eq!(PASSPORT.expected(), "a passport number such as YA1234567");
}
