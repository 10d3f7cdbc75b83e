//! Keys that sign.

use std::fmt;

use ring::signature::{Ed25519KeyPair, KeyPair as _};
use secrecy::{ExposeSecret as _, SecretBox};

use super::{KeyName, NoteSignature, SignatureType, VerifyingKey, verify::cosigned};
use crate::{checkpoint::Checkpoint, event::Timestamp};

/// The key of a log: signs its notes, type 01.
pub struct SigningKey {
    pair: Ed25519KeyPair,
    verifying: VerifyingKey,
}

/// The key of a witness: signs that it saw a checkpoint at a time, type 04.
pub struct CosigningKey {
    pair: Ed25519KeyPair,
    verifying: VerifyingKey,
}

/// A seed from which no key can be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no key can be made from the seed; give 32 random bytes")]
#[non_exhaustive]
pub struct InvalidSeed;

impl SigningKey {
    /// The key of that name from a seed of 32 random bytes.
    ///
    /// # Errors
    /// [`InvalidSeed`] if the cryptographic library refuses it.
    pub fn from_seed(name: KeyName, seed: &SecretBox<[u8; 32]>) -> Result<Self, InvalidSeed> {
        let (pair, verifying) = pair(name, SignatureType::Ed25519, seed)?;
        Ok(Self { pair, verifying })
    }

    /// The same key under another name: for the notes of another log.
    #[must_use]
    pub fn with_name(self, name: KeyName) -> Self {
        let verifying = self.verifying.with_name(name);
        Self { verifying, ..self }
    }

    /// What others verify its notes with.
    #[must_use]
    pub const fn verifying_key(&self) -> &VerifyingKey {
        &self.verifying
    }

    /// Signs the text of a note.
    #[must_use]
    pub fn sign(&self, text: &str) -> NoteSignature {
        let signature = self.pair.sign(text.as_bytes());
        NoteSignature::new(&self.verifying, signature.as_ref())
    }
}

impl CosigningKey {
    /// The key of that name from a seed of 32 random bytes.
    ///
    /// # Errors
    /// [`InvalidSeed`] if the cryptographic library refuses it.
    pub fn from_seed(name: KeyName, seed: &SecretBox<[u8; 32]>) -> Result<Self, InvalidSeed> {
        let (pair, verifying) = pair(name, SignatureType::CosignatureV1, seed)?;
        Ok(Self { pair, verifying })
    }

    /// What others verify its cosignatures with.
    #[must_use]
    pub const fn verifying_key(&self) -> &VerifyingKey {
        &self.verifying
    }

    /// Signs that at a time, to the second, this was the largest consistent tree. That it is, the witness has to have
    /// shown before.
    #[must_use]
    pub fn cosign(&self, checkpoint: &Checkpoint, at: Timestamp) -> NoteSignature {
        let time = at.unix_seconds();
        let signature = self
            .pair
            .sign(cosigned(time, &checkpoint.to_string()).as_bytes());
        let mut bytes = time.to_be_bytes().to_vec();
        bytes.extend_from_slice(signature.as_ref());
        NoteSignature::new(&self.verifying, &bytes)
    }
}

fn pair(
    name: KeyName,
    kind: SignatureType,
    seed: &SecretBox<[u8; 32]>,
) -> Result<(Ed25519KeyPair, VerifyingKey), InvalidSeed> {
    // EXPOSE: the key pair is made from it.
    let pair = Ed25519KeyPair::from_seed_unchecked(seed.expose_secret());
    let pair = pair.map_err(|_| InvalidSeed)?;
    let key = pair.public_key().as_ref().try_into();
    let verifying = VerifyingKey::new(name, kind, key.map_err(|_| InvalidSeed)?);
    Ok((pair, verifying))
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey")
            .field("verifying", &self.verifying)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for CosigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CosigningKey")
            .field("verifying", &self.verifying)
            .finish_non_exhaustive()
    }
}
