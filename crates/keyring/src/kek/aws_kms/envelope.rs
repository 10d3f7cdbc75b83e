//! How a data key that KMS wrapped is stored.
//!
//! ```text
//! FA ‖ 02 ‖ lp16(ARN of the KMS key) ‖ check 16 ‖ ciphertext of KMS
//!
//! check = the first 16 bytes of SHA-256("portcullis/dek/aws-kms/v1" ‖ 00 ‖ lp32(tenant) ‖ lp32(purpose)
//!                                       ‖ key id u32 ‖ lp16(ARN) ‖ ciphertext)
//! ```
//!
//! The check is no proof against somebody who writes to the database: that is what KMS authenticates. It tells
//! damage, and a row in the wrong place, from an outage: where KMS cannot read which key a ciphertext belongs
//! to, it answers `AccessDeniedException`, as it does when a policy is wrong.

use ring::digest::{Context, SHA256};

use super::KeyArn;
use crate::kek::{KekContext, WrappedKey};

/// A wrapped key in parts.
#[derive(Debug)]
pub(crate) struct Envelope<'a> {
    pub(crate) key: KeyArn,
    check: [u8; CHECK_BYTES],
    pub(crate) blob: &'a [u8],
}

impl<'a> Envelope<'a> {
    pub(crate) fn parse(wrapped: &'a WrappedKey) -> Option<Self> {
        let rest = wrapped.as_bytes().strip_prefix(&[MAGIC, FORMAT])?;
        let (length, rest) = rest.split_first_chunk()?;
        let (key, rest) = rest.split_at_checked(u16::from_be_bytes(*length).into())?;
        let (check, blob) = rest.split_first_chunk()?;
        let key = KeyArn::parse(str::from_utf8(key).ok()?)?;
        is_ciphertext(blob).then_some(Self {
            key,
            check: *check,
            blob,
        })
    }

    /// Whether it is as it was made for this context.
    pub(crate) fn is_intact(&self, context: &KekContext) -> bool {
        self.check == check(context, &self.key, self.blob)
    }
}

/// What is stored; nothing for a ciphertext of a length that KMS does not make.
pub(crate) fn make(context: &KekContext, key: &KeyArn, blob: &[u8]) -> Option<WrappedKey> {
    if !is_ciphertext(blob) {
        return None;
    }
    let arn = lp16(key);
    let mut bytes = Vec::with_capacity(2 + arn.len() + CHECK_BYTES + blob.len());
    bytes.extend_from_slice(&[MAGIC, FORMAT]);
    bytes.extend_from_slice(&arn);
    bytes.extend_from_slice(&check(context, key, blob));
    bytes.extend_from_slice(blob);
    Some(WrappedKey::from_bytes(bytes))
}

const MAGIC: u8 = 0xFA;
const FORMAT: u8 = 2;
const LABEL: &[u8] = b"portcullis/dek/aws-kms/v1\0";
const CHECK_BYTES: usize = 16;

/// The longest ciphertext that KMS takes, in bytes.
const MAX_BLOB_BYTES: usize = 6144;

const fn is_ciphertext(blob: &[u8]) -> bool {
    !blob.is_empty() && blob.len() <= MAX_BLOB_BYTES
}

fn lp16(key: &KeyArn) -> Vec<u8> {
    let arn = key.as_str().as_bytes();
    let length = u16::try_from(arn.len()).expect("the parts of an ARN have at most 64 bytes each");
    [length.to_be_bytes().as_slice(), arn].concat()
}

fn check(context: &KekContext, key: &KeyArn, blob: &[u8]) -> [u8; CHECK_BYTES] {
    let mut hash = Context::new(&SHA256);
    hash.update(LABEL);
    for part in [context.tenant().as_str(), context.purpose().as_str()] {
        let length = u32::try_from(part.len()).expect("a name has at most 1,024 bytes");
        hash.update(&length.to_be_bytes());
        hash.update(part.as_bytes());
    }
    hash.update(&context.key_id().value().to_be_bytes());
    hash.update(&lp16(key));
    hash.update(blob);
    let hash = hash.finish();
    let first = hash.as_ref().first_chunk();
    *first.expect("SHA-256 gives 32 bytes")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{KeyId, Purpose, TenantId};

    const ARN: &str = "arn:aws:kms:eu-west-1:123456789012:key/0b3a1c9e-0000-4000-8000-000000000001";

    fn context() -> KekContext {
        let tenant = TenantId::new("tenant-7").expect("a name");
        let purpose = Purpose::new("email").expect("a name");
        KekContext::new(tenant, purpose, KeyId::new(0x0102_0304))
    }

    fn arn() -> KeyArn {
        KeyArn::parse(ARN).expect("an ARN")
    }

    /// Must never be changed: what is stored has this form. The check was computed with Python's `hashlib`.
    #[test]
    fn the_known_answer_stays() {
        let blob: Vec<u8> = (0..32).collect();
        let made = make(&context(), &arn(), &blob).expect("a ciphertext");
        let expected = "fa02004b61726e3a6177733a6b6d733a65752d776573742d313a3132333435363738393031323a6b65792f30623361316339652d303030302d343030302d383030302d3030303030303030303030314be4b86419d5f3de586617083b4d949a000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
        assert_eq!(hex::encode(made.as_bytes()), expected);
        let parsed = Envelope::parse(&made).expect("an envelope");
        assert_eq!((parsed.key.as_str(), parsed.blob), (ARN, &*blob));
        assert!(parsed.is_intact(&context()));
    }

    #[test]
    fn what_is_no_envelope_is_refused() {
        let made = make(&context(), &arn(), &[7; 3]).expect("a ciphertext");
        let bytes = made.as_bytes();
        for len in 0..bytes.len() - 2 {
            let short = WrappedKey::from_bytes(bytes[..len].to_vec());
            assert!(Envelope::parse(&short).is_none(), "{len} bytes");
        }
        for (at, byte) in [(0, 0xF9), (1, 1), (2, 0xFF), (4, b'A')] {
            let mut altered = bytes.to_vec();
            altered[at] = byte;
            let altered = WrappedKey::from_bytes(altered);
            assert!(Envelope::parse(&altered).is_none(), "byte {at}");
        }
        let no_key = [&[MAGIC, FORMAT, 0, 0][..], &[0; 40]].concat();
        assert!(Envelope::parse(&WrappedKey::from_bytes(no_key)).is_none());
    }

    #[test]
    fn a_ciphertext_has_a_length_that_kms_takes() {
        let made = |length| make(&context(), &arn(), &vec![7; length]);
        assert!(made(0).is_none());
        assert!(made(MAX_BLOB_BYTES).is_some());
        assert!(made(MAX_BLOB_BYTES + 1).is_none());
    }

    fn made() -> WrappedKey {
        make(&context(), &arn(), &[7; 32]).expect("a ciphertext")
    }

    /// What a database may give: bytes of nobody, and edits of what was stored.
    fn garbage() -> impl Strategy<Value = Vec<u8>> {
        let change = (0..4_u8, any::<prop::sample::Index>(), any::<u8>());
        let edited = prop::collection::vec(change, 1..4).prop_map(|changes| {
            let mut bytes = made().as_bytes().to_vec();
            for (how, at, byte) in changes {
                let at = at.index(bytes.len());
                match how {
                    0 => bytes.truncate(at.max(1)),
                    1 => bytes.insert(at, byte),
                    2 => bytes.push(byte),
                    _ => bytes[at] = byte,
                }
            }
            bytes
        });
        prop_oneof![prop::collection::vec(any::<u8>(), 0..200), edited]
    }

    proptest! {
        #[test]
        fn garbage_is_no_envelope_or_comes_back_as_it_was(bytes in garbage()) {
            let wrapped = WrappedKey::from_bytes(bytes.clone());
            if let Some(envelope) = Envelope::parse(&wrapped) {
                let head = [&[MAGIC, FORMAT][..], &lp16(&envelope.key), &envelope.check].concat();
                prop_assert_eq!([&head[..], envelope.blob].concat(), bytes);
                prop_assert_eq!(envelope.is_intact(&context()), wrapped == made());
            }
        }
    }
}
