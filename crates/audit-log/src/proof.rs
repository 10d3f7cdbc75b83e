//! That one entry is in a log, in a file that needs nothing else: C2SP tlog-proof.

mod making;

use std::fmt;

use base64::{Engine as _, display::Base64Display, engine::general_purpose::STANDARD};

use crate::{
    checkpoint::{Checkpoint, CheckpointError, decimal},
    note::{KeyName, NoteError, SignedNote, VerifiedSignature, VerifyingKey},
    tree::{InclusionProof, ProofError, TreeHash},
};

pub use self::making::ProveError;

/// A `.tlog-proof`: the index of an entry, the hashes that lead to the root, and the checkpoint with that root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlogProof {
    extra: Vec<u8>,
    index: u64,
    hashes: Vec<TreeHash>,
    checkpoint: SignedNote,
}

/// Why a file proves nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TlogProofError {
    /// A line is not what stands there in a proof.
    #[error("line {line} of the proof must be {expected}")]
    Malformed {
        /// The line, from 1.
        line: usize,
        /// What must stand there.
        expected: &'static str,
    },
    /// What follows the empty line is no signed note.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// The checkpoint is not to be believed.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// The hashes do not lead to the root of the checkpoint.
    #[error(transparent)]
    Proof(#[from] ProofError),
}

const HEAD: &str = "c2sp.org/tlog-proof@v1";

/// No tree has longer proofs.
const MAX_HASHES: usize = 63;

impl TlogProof {
    /// A proof for a file, from the proof for the tree of a signed checkpoint.
    #[must_use]
    pub fn new(proof: &InclusionProof, checkpoint: SignedNote) -> Self {
        Self {
            extra: Vec::new(),
            index: proof.index(),
            hashes: proof.hashes().to_vec(),
            checkpoint,
        }
    }

    /// The same proof with data beside it, which nothing authenticates.
    #[must_use]
    pub fn with_extra(self, extra: Vec<u8>) -> Self {
        Self { extra, ..self }
    }

    /// Reads the file of a proof.
    ///
    /// # Errors
    /// [`TlogProofError::Malformed`] names the line; [`TlogProofError::Note`] says what is wrong below the empty line.
    pub fn parse(bytes: &[u8]) -> Result<Self, TlogProofError> {
        let malformed = |line, expected| TlogProofError::Malformed { line, expected };
        let mut lines = Lines {
            rest: bytes,
            line: 0,
        };
        if lines.next() != Some(HEAD) {
            return Err(malformed(1, "c2sp.org/tlog-proof@v1"));
        }
        let mut line = lines.next().unwrap_or_default();
        let mut extra = Vec::new();
        if let Some(text) = line.strip_prefix("extra ") {
            let decoded = STANDARD.decode(text).ok().filter(|extra| !extra.is_empty());
            extra = decoded.ok_or_else(|| malformed(2, "extra data in base64"))?;
            line = lines.next().unwrap_or_default();
        }
        let index = line.strip_prefix("index ").and_then(decimal);
        let index = index.ok_or_else(|| malformed(lines.line, "the index"))?;
        let mut hashes = Vec::new();
        loop {
            let text = lines.next();
            match text {
                Some("") => break,
                Some(text) if hashes.len() < MAX_HASHES => {
                    let hash = text
                        .parse()
                        .map_err(|_| malformed(lines.line, "a hash in base64"))?;
                    hashes.push(hash);
                }
                _ => {
                    return Err(malformed(
                        lines.line,
                        "the empty line before the checkpoint",
                    ));
                }
            }
        }
        let checkpoint = SignedNote::parse(lines.rest)?;
        Ok(Self {
            extra,
            index,
            hashes,
            checkpoint,
        })
    }

    /// Shows that an entry is in the log of that origin: that the log, by one of `keys`, has signed the checkpoint, and
    /// that the entry leads to its root. Gives the checkpoint and the keys that signed it, witnesses among them. How
    /// many witnesses are enough is for the caller to decide.
    ///
    /// # Errors
    /// [`TlogProofError::Checkpoint`] and [`TlogProofError::Proof`].
    pub fn verify<'a>(
        &self,
        entry: &[u8],
        origin: &KeyName,
        keys: &'a [VerifyingKey],
    ) -> Result<(Checkpoint, Vec<VerifiedSignature<'a>>), TlogProofError> {
        let (checkpoint, signatures) = Checkpoint::verify(&self.checkpoint, origin, keys)?;
        let hashes = self.hashes.clone();
        let proof = InclusionProof::from_hashes(self.index, checkpoint.size(), hashes)?;
        proof.verify(&TreeHash::of_leaf(entry), &checkpoint.root())?;
        Ok((checkpoint, signatures))
    }

    /// The index that the entry has in the log, if the proof is verified.
    #[must_use]
    pub const fn index(&self) -> u64 {
        self.index
    }

    /// Data beside the proof, which nothing authenticates.
    #[must_use]
    pub fn extra(&self) -> &[u8] {
        &self.extra
    }

    /// The checkpoint, as the log and its witnesses signed it.
    #[must_use]
    pub const fn checkpoint(&self) -> &SignedNote {
        &self.checkpoint
    }
}

impl fmt::Display for TlogProof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{HEAD}")?;
        if !self.extra.is_empty() {
            writeln!(f, "extra {}", Base64Display::new(&self.extra, &STANDARD))?;
        }
        writeln!(f, "index {}", self.index)?;
        self.hashes
            .iter()
            .try_for_each(|hash| writeln!(f, "{hash}"))?;
        write!(f, "\n{}", self.checkpoint)
    }
}

/// Lines of text, and the bytes behind the last that was taken.
struct Lines<'a> {
    rest: &'a [u8],
    line: usize,
}

impl<'a> Lines<'a> {
    fn next(&mut self) -> Option<&'a str> {
        self.line += 1;
        let end = self.rest.iter().position(|byte| *byte == b'\n')?;
        let (line, rest) = (&self.rest[..end], &self.rest[end + 1..]);
        self.rest = rest;
        str::from_utf8(line).ok()
    }
}

#[cfg(test)]
mod tests;
