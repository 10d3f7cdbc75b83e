//! What a log signs of itself: how large it is, and its root.

mod policy;

use std::fmt;

use crate::{
    note::{
        KeyName, NoteError, SignedNote, SigningKey, UnverifiedNote, VerifiedSignature, VerifyingKey,
    },
    tree::{MAX_SIZE, TreeHash},
};

pub use self::policy::{Cosigned, InvalidPolicy, Policy, SignedCheckpoint};

/// The state of a log at one size: C2SP tlog-checkpoint. As text it is what is signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    origin: KeyName,
    size: u64,
    root: TreeHash,
}

/// Why there is no checkpoint to believe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CheckpointError {
    /// The text is no checkpoint.
    #[error("line {line} of the checkpoint must be {expected}")]
    Malformed {
        /// The line, from 1.
        line: usize,
        /// What must stand there.
        expected: &'static str,
    },
    /// It is of another log.
    #[error("the checkpoint is of another log")]
    OtherOrigin,
    /// The log has not signed it: its witnesses alone do not speak for it.
    #[error("the log has not signed the checkpoint")]
    NotByTheLog,
    /// No signature makes it believable.
    #[error(transparent)]
    Unverified(#[from] UnverifiedNote),
    /// It is no note, or cannot be written as one.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// Fewer witnesses have signed it than a [`Policy`] asks for.
    #[error("{found} of the known witnesses have signed the checkpoint, and {required} must have")]
    TooFewWitnesses {
        /// How many must have.
        required: usize,
        /// How many have.
        found: usize,
    },
}

impl Checkpoint {
    /// The state of the log of that origin.
    #[must_use]
    pub const fn new(origin: KeyName, size: u64, root: TreeHash) -> Self {
        Self { origin, size, root }
    }

    /// Signs the checkpoint, with two keys while one replaces the other.
    ///
    /// # Errors
    /// [`CheckpointError::NotByTheLog`] without a key that is named as the origin; [`CheckpointError::Note`] with more
    /// keys than a note has room for.
    pub fn sign(&self, keys: &[SigningKey]) -> Result<SignedNote, CheckpointError> {
        let is_ours = |key: &SigningKey| *key.verifying_key().name() == self.origin;
        if !keys.iter().any(is_ours) {
            return Err(CheckpointError::NotByTheLog);
        }
        let text = self.to_string();
        let signatures = keys.iter().map(|key| key.sign(&text)).collect();
        Ok(SignedNote::new(&text, signatures)?)
    }

    /// The checkpoint in a note that the log of that origin has signed by one of `keys`, and by which of them it is
    /// signed, witnesses among them. How many witnesses are enough is for the caller to decide.
    ///
    /// # Errors
    /// [`CheckpointError`] names what is missing.
    pub fn verify<'a>(
        note: &SignedNote,
        origin: &KeyName,
        keys: &'a [VerifyingKey],
    ) -> Result<(Self, Vec<VerifiedSignature<'a>>), CheckpointError> {
        let (text, signatures) = note.verify(keys)?;
        let checkpoint = Self::parse(text)?;
        if checkpoint.origin != *origin {
            return Err(CheckpointError::OtherOrigin);
        }
        // A witness may have the log's name, but has a time.
        let by_log = |by: &VerifiedSignature<'_>| by.key.name() == origin && by.seconds.is_none();
        if !signatures.iter().any(by_log) {
            return Err(CheckpointError::NotByTheLog);
        }
        Ok((checkpoint, signatures))
    }

    /// Reads the text of a checkpoint without extension lines: a log of this crate writes none.
    ///
    /// # Errors
    /// [`CheckpointError::Malformed`] names the line.
    pub fn parse(text: &str) -> Result<Self, CheckpointError> {
        let malformed = |line, expected| CheckpointError::Malformed { line, expected };
        let mut lines = text.split('\n');
        let mut next = || lines.next().unwrap_or_default();
        let origin = next().parse().map_err(|_| malformed(1, "the origin"))?;
        let size = size(next()).ok_or_else(|| malformed(2, "the size, at most 2^63 - 1"))?;
        let root = next()
            .parse()
            .map_err(|_| malformed(3, "the root in base64"))?;
        let (end, after) = (lines.next(), lines.next());
        if end != Some("") || after.is_some() {
            return Err(malformed(4, "the end"));
        }
        Ok(Self { origin, size, root })
    }

    /// Which log it is.
    #[must_use]
    pub const fn origin(&self) -> &KeyName {
        &self.origin
    }

    /// How many leaves the log has.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// The root of its tree.
    #[must_use]
    pub const fn root(&self) -> TreeHash {
        self.root
    }
}

impl fmt::Display for Checkpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\n{}\n{}\n", self.origin, self.size, self.root)
    }
}

/// A decimal number without leading zeros.
pub(crate) fn decimal(text: &str) -> Option<u64> {
    let is_written_so =
        text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    is_written_so.then(|| text.parse().ok())?
}

fn size(text: &str) -> Option<u64> {
    decimal(text).filter(|size| *size <= MAX_SIZE)
}

#[cfg(test)]
mod tests;
