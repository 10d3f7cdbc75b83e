//! What came of a verification.

use std::fmt;

use super::Finding;
use crate::checkpoint::SignedCheckpoint;

/// The most findings that are listed; of the others, the number is.
const MAX_FINDINGS: usize = 64;

/// What is to be thought of a log. Of several findings, the last of these that there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(
    clippy::exhaustive_enums,
    reason = "exit codes, metrics and alerts map all of them"
)]
pub enum Outcome {
    /// All that is there is what was signed, and all is there but what was pruned.
    Sound,
    /// What is there is what was signed, and files are missing that pruning does not explain.
    Incomplete,
    /// It cannot be judged: a file cannot be read, the key is not the log's, or the form is another.
    Unusable,
    /// Something is not what was signed.
    Tampered,
}

/// What was looked at, and what was found.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Report {
    /// The checkpoint, if it was signed as it must be.
    pub signed: Option<SignedCheckpoint>,
    /// What is wrong, in the order of the log: the first 64.
    pub findings: Vec<Finding>,
    /// How many findings are not listed.
    pub more: u64,
    /// How many entries were read, whole bundles of them.
    pub entries: u64,
    /// How many of them are in the range that was to be verified.
    pub in_range: u64,
    /// The bytes of their bundles.
    pub bytes: u64,
    /// How many entries are known by their hashes alone, since they were pruned.
    pub pruned: u64,
    /// How many personal parts are what their leaves commit to.
    pub personal: u64,
    /// How many are not there: erased, or closed to who verifies.
    pub personal_absent: u64,
    worst: Option<Outcome>,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sound => "sound",
            Self::Incomplete => "incomplete",
            Self::Unusable => "unusable",
            Self::Tampered => "tampered",
        })
    }
}

impl Report {
    /// What is to be thought of the log.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        self.worst.unwrap_or(Outcome::Sound)
    }

    pub(super) fn find(&mut self, finding: Finding) {
        self.worst = self.worst.max(Some(finding.outcome()));
        if self.findings.len() < MAX_FINDINGS {
            self.findings.push(finding);
        } else {
            self.more += 1;
        }
    }
}
