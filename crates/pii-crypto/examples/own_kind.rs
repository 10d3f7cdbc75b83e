//! A kind of personal data of one's own: parsed, sealed, opened, masked and found by its name, like
//! those of the crate.

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::sync::Arc;

use portcullis_keyring::{Keyring, TenantId, kek::MemoryKek, store::MemoryDekStore};
use portcullis_pii_crypto::{
    AnyPii, Cipher, IndexRoots, Indexed, Indexing, ParseError, PiiKind, PiiKinds, PiiType, Sealed,
    Suite, secrets::VersionedSecrets,
};
use secrecy::SecretBox;
use zeroize::Zeroizing;

const INVALID: ParseError = ParseError::Invalid {
    expected: Passport::EXPECTED,
};

/// Two letters and seven digits; wiped when it is dropped.
struct Passport(Zeroizing<String>);

impl PiiType for Passport {
    const NAME: &'static str = "passport";
    const EXPECTED: &'static str = "a passport number such as YA1234567";
    const SUITE: Suite = Suite::Exact;
    const INDEXING: Option<Indexing<Self>> = Some(Indexing::new());

    fn parse(text: &str) -> Result<Self, ParseError> {
        let (letters, digits) = text.as_bytes().split_at_checked(2).ok_or(INVALID)?;
        let good = letters.iter().all(u8::is_ascii_uppercase)
            && digits.len() == 7
            && digits.iter().all(u8::is_ascii_digit);
        good.then(|| Self(Zeroizing::new(text.to_owned())))
            .ok_or(INVALID)
    }

    fn restore(text: Zeroizing<String>) -> Self {
        Self(text)
    }

    fn text(&self) -> &str {
        &self.0
    }

    fn masked(&self) -> String {
        "***".to_owned()
    }
}

/// `passport/1`: as it is.
impl Indexed for Passport {
    const NORMALISERS: &'static [&'static str] = &["passport/1"];

    fn normaliser(&self) -> &'static str {
        "passport/1"
    }

    fn normalised(&self) -> Zeroizing<String> {
        self.0.clone()
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let kinds = PiiKinds::built_in().with(PiiKind::of::<Passport>())?;
    let kind = kinds.find("passport").ok_or("it was added")?;
    println!("{}", kind.parse("secret").expect_err("it is no number"));
    let keyring = Keyring::builder(Arc::new(MemoryKek::new()?), Arc::new(MemoryDekStore::new()));
    let tenant = TenantId::new("tenant-7")?;
    let cipher = Cipher::new(keyring.build().prepare(&tenant, &[kind.purpose()]).await?);
    let value = kind.parse("YA1234567")?;
    let stored = value.seal(&cipher, "guest.passport", "guest-1")?;
    let sealed = Sealed::<AnyPii>::from_bytes(stored.into_bytes())?;
    let opened = kind.open(&cipher, "guest.passport", "guest-1", &sealed)?;
    println!("{opened:?}, shown as {}", opened.masked());
    let root = VersionedSecrets::single(SecretBox::new(Box::new([8; 32])));
    let index = IndexRoots::new(root)?.unique_index(&tenant, "guest.passport");
    assert_eq!(opened.index(&index), value.index(&index));
    Ok(())
}
