//! What of a note is to be believed.

use super::{SignatureType, SignedNote, VerifyingKey};

/// A signature that a known key made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct VerifiedSignature<'a> {
    /// The key.
    pub key: &'a VerifyingKey,
    /// When a witness signed, in seconds since 1970; `None` of a key that signs no time.
    pub seconds: Option<u64>,
}

/// Why nothing in a note is to be believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UnverifiedNote {
    /// No known key is said to have signed it.
    #[error("no known key has signed the note")]
    NoKnownKey,
    /// A known key is said to have signed it, and has not.
    #[error("signature {line} of the note is not by the key that it names")]
    WrongSignature {
        /// The line below the text, from 1.
        line: usize,
    },
}

/// A signature and its time, of which a cosignature begins with the latter.
const ED25519_BYTES: usize = 64;

impl SignedNote {
    /// The text, and which of these keys have signed it, in the order of the lines; one at least has. Lines of other
    /// keys are ignored.
    ///
    /// # Errors
    /// [`UnverifiedNote::NoKnownKey`], and [`UnverifiedNote::WrongSignature`] if one line of a known key is wrong:
    /// then the note was changed, or somebody pretends.
    pub fn verify<'a>(
        &self,
        keys: &'a [VerifyingKey],
    ) -> Result<(&str, Vec<VerifiedSignature<'a>>), UnverifiedNote> {
        let text = self.unverified_text();
        let mut verified = Vec::new();
        for (index, signature) in self.signatures().iter().enumerate() {
            let mut known = keys
                .iter()
                .filter(|key| key.name() == signature.name() && key.id() == signature.id())
                .peekable();
            if known.peek().is_none() {
                continue;
            }
            let by_one = known.find_map(|key| check(key, text, signature.as_bytes()));
            let line = index + 1;
            verified.push(by_one.ok_or(UnverifiedNote::WrongSignature { line })?);
        }
        if verified.is_empty() {
            return Err(UnverifiedNote::NoKnownKey);
        }
        Ok((text, verified))
    }
}

fn check<'a>(key: &'a VerifyingKey, text: &str, signature: &[u8]) -> Option<VerifiedSignature<'a>> {
    match key.kind() {
        SignatureType::Ed25519 => {
            let is_signed = key.is_signed(text.as_bytes(), signature);
            let seconds = None;
            is_signed.then_some(VerifiedSignature { key, seconds })
        }
        SignatureType::CosignatureV1 => {
            let (time, signature) = signature.split_first_chunk()?;
            let time = u64::from_be_bytes(*time);
            let is_possible = i64::try_from(time).is_ok() && signature.len() == ED25519_BYTES;
            let seconds = Some(time);
            (is_possible && key.is_signed(cosigned(time, text).as_bytes(), signature))
                .then_some(VerifiedSignature { key, seconds })
        }
    }
}

/// What a witness signs: C2SP tlog-cosignature, "Ed25519 signed message".
pub(super) fn cosigned(seconds: u64, text: &str) -> String {
    format!("cosignature/v1\ntime {seconds}\n{text}")
}
