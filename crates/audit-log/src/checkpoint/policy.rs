//! Who must have signed a checkpoint before it is believed.

use std::collections::BTreeMap;

use super::{Checkpoint, CheckpointError};
use crate::note::{KeyName, SignatureType, SignedNote, VerifyingKey};

/// The keys of one log, any of which may have signed, and how many of which witnesses must have.
#[derive(Debug, Clone)]
pub struct Policy {
    origin: KeyName,
    /// Those of the log, and behind them those of witnesses.
    keys: Vec<VerifyingKey>,
    required: usize,
}

/// A checkpoint that was signed as a [`Policy`] asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedCheckpoint {
    note: SignedNote,
    checkpoint: Checkpoint,
    witnesses: Vec<Cosigned>,
}

/// That a witness saw a checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Cosigned {
    /// The name of the witness.
    pub witness: KeyName,
    /// When it signed, in seconds since 1970.
    pub seconds: u64,
}

/// Why keys are no policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidPolicy {
    /// There is no key of the log.
    #[error("at least one key of the log must be given")]
    NoKey,
    /// Keys of one log have one name, its origin.
    #[error("all keys of the log must have one name")]
    OtherName,
    /// A key of a log is of type 01, that of a witness of type 04.
    #[error("a key of the log must be of type 01, and one of a witness of type 04")]
    OtherType,
    /// More witnesses must sign than there are.
    #[error("{required} witnesses must sign, and {given} are known")]
    TooFewWitnesses {
        /// How many must sign.
        required: usize,
        /// How many names the keys have.
        given: usize,
    },
}

impl Policy {
    /// What one of these keys has signed is believed: several, while one replaces another.
    ///
    /// # Errors
    /// [`InvalidPolicy::NoKey`], [`InvalidPolicy::OtherName`], [`InvalidPolicy::OtherType`].
    pub fn new(keys: Vec<VerifyingKey>) -> Result<Self, InvalidPolicy> {
        let origin = keys.first().ok_or(InvalidPolicy::NoKey)?.name().clone();
        if keys.iter().any(|key| *key.name() != origin) {
            return Err(InvalidPolicy::OtherName);
        }
        all_are(&keys, SignatureType::Ed25519)?;
        let required = 0;
        Ok(Self {
            origin,
            keys,
            required,
        })
    }

    /// Of these witnesses, `required` must have signed too. A witness is a name, whatever keys it has.
    ///
    /// # Errors
    /// [`InvalidPolicy::OtherType`], [`InvalidPolicy::TooFewWitnesses`].
    pub fn with_witnesses(
        mut self,
        required: usize,
        keys: Vec<VerifyingKey>,
    ) -> Result<Self, InvalidPolicy> {
        all_are(&keys, SignatureType::CosignatureV1)?;
        let mut names: Vec<_> = keys.iter().map(VerifyingKey::name).collect();
        names.sort_unstable();
        names.dedup();
        let given = names.len();
        if required > given {
            return Err(InvalidPolicy::TooFewWitnesses { required, given });
        }
        self.keys.extend(keys);
        self.required = required;
        Ok(self)
    }

    /// The log that it is about.
    #[must_use]
    pub const fn origin(&self) -> &KeyName {
        &self.origin
    }

    /// Reads a checkpoint that was signed as this asks for.
    ///
    /// # Errors
    /// [`CheckpointError`] names what is missing.
    pub fn open(&self, bytes: &[u8]) -> Result<SignedCheckpoint, CheckpointError> {
        let note = SignedNote::parse(bytes)?;
        let (checkpoint, signatures) = Checkpoint::verify(&note, &self.origin, &self.keys)?;
        let mut witnesses = BTreeMap::new();
        for signature in &signatures {
            if let Some(seconds) = signature.seconds {
                // The latest, of a witness that signed more than once.
                let latest = witnesses.entry(signature.key.name()).or_insert(seconds);
                *latest = seconds.max(*latest);
            }
        }
        let (required, found) = (self.required, witnesses.len());
        if found < required {
            return Err(CheckpointError::TooFewWitnesses { required, found });
        }
        let witnesses = witnesses
            .into_iter()
            .map(|(witness, seconds)| Cosigned {
                witness: witness.clone(),
                seconds,
            })
            .collect();
        Ok(SignedCheckpoint {
            note,
            checkpoint,
            witnesses,
        })
    }
}

impl SignedCheckpoint {
    /// What was signed.
    #[must_use]
    pub const fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// The note, with all signatures: what is kept, and what a proof ends with.
    #[must_use]
    pub const fn note(&self) -> &SignedNote {
        &self.note
    }

    /// The known witnesses that signed it, by name.
    #[must_use]
    pub fn witnesses(&self) -> &[Cosigned] {
        &self.witnesses
    }
}

fn all_are(keys: &[VerifyingKey], kind: SignatureType) -> Result<(), InvalidPolicy> {
    if keys.iter().any(|key| key.kind() != kind) {
        return Err(InvalidPolicy::OtherType);
    }
    Ok(())
}

#[cfg(test)]
mod tests;
