//! A log as it is published, for commands: nothing is locked, and processes may write it. What was appended in the last
//! minute may be missing.

mod source;

use std::{ops::Range, path::Path, sync::Arc};

use portcullis_audit_log::{
    checkpoint::{CheckpointError, InvalidPolicy, Policy, SignedCheckpoint},
    event::{Leaf, Timestamp},
    note::{KeyName, SignedNote, VerifyingKey},
    proof::{ProveError, TlogProof},
    search::Bisection,
    source::{
        CHECKPOINT_PATH, LogSource as _, MAX_CHECKPOINT_BYTES, SourceError, TreeFileError,
        TreeFiles,
    },
    verify::{Report, Verification},
};

use self::source::Source;
use super::{DatabaseLog, KeptLeaf};

/// A published log at its checkpoint.
#[derive(Debug)]
pub(crate) struct PublishedLog {
    source: Source,
    policy: Policy,
    signed: SignedCheckpoint,
    /// The first bundle that is not pruned.
    first: u64,
}

/// Where it is on record that the beginning of a log was taken away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pruning {
    /// In the log itself: who writes it takes it away.
    OnRecord,
    /// In the log of who has followed it, since it ended.
    Elsewhere,
}

/// Why a published log is not read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PublishedError {
    #[error(
        "there is no such log, or nothing of it is published yet: wait up to a minute, the first checkpoint comes then"
    )]
    Unpublished,
    #[error("the keys of the audit log cannot verify it")]
    Keys(#[from] InvalidPolicy),
    #[error("its checkpoint is not signed by the keys that are configured")]
    Checkpoint(#[from] CheckpointError),
    #[error("its files cannot be read")]
    Source(#[from] SourceError),
    #[error("its files are not what was published")]
    Files(#[from] TreeFileError),
    #[error("it has no entry {0}, or does not have it any more")]
    NoEntry(u64),
    #[error("there is no proof of the entry")]
    Proof(#[source] ProveError),
    #[error("an entry cannot be read")]
    Damaged,
}

const BUNDLE: u64 = 256;

impl PublishedLog {
    /// The log in the folder of a process.
    pub(crate) fn open(folder: &Path, keys: Vec<VerifyingKey>) -> Result<Self, PublishedError> {
        Self::at(Source::of_folder(folder), Policy::new(keys)?)
    }

    /// The log that all processes share. It is to be used on a runtime of several threads.
    pub(crate) fn of_database(
        log: Arc<DatabaseLog>,
        keys: Vec<VerifyingKey>,
    ) -> Result<Self, PublishedError> {
        Self::at(Source::of_database(log), Policy::new(keys)?)
    }

    /// The same log as it is published by now.
    pub(crate) fn again(self) -> Result<Self, PublishedError> {
        Self::at(self.source, self.policy)
    }

    fn at(source: Source, policy: Policy) -> Result<Self, PublishedError> {
        let checkpoint = source.read(CHECKPOINT_PATH, MAX_CHECKPOINT_BYTES)?;
        let checkpoint = checkpoint.ok_or(PublishedError::Unpublished)?;
        let signed = policy.open(&checkpoint)?;
        let mut log = Self {
            source,
            policy,
            signed,
            first: 0,
        };
        log.first = log.first_bundle()?;
        Ok(log)
    }

    /// What the log in the folder of a process calls itself, for who then asks whether it is so.
    pub(crate) fn origin(folder: &Path) -> Option<KeyName> {
        let source = Source::of_folder(folder);
        let checkpoint = source.read(CHECKPOINT_PATH, MAX_CHECKPOINT_BYTES).ok()??;
        let first = checkpoint.split(|byte| *byte == b'\n').next()?;
        str::from_utf8(first).ok()?.parse().ok()
    }

    /// Which keys are said to have signed the checkpoint in such a folder: the name of the log and an id for each.
    pub(crate) fn signed_by(folder: &Path) -> Option<String> {
        let source = Source::of_folder(folder);
        let checkpoint = source.read(CHECKPOINT_PATH, MAX_CHECKPOINT_BYTES).ok()??;
        let note = SignedNote::parse(&checkpoint).ok()?;
        // Witnesses sign it too.
        let origin = Self::origin(folder)?;
        let keys = note.signatures().iter();
        let keys: Vec<_> = keys
            .filter(|signature| *signature.name() == origin)
            .map(|signature| format!("{}+{}", signature.name(), signature.id()))
            .collect();
        (!keys.is_empty()).then(|| keys.join(", "))
    }

    /// How many entries it has had.
    pub(crate) const fn size(&self) -> u64 {
        self.signed.checkpoint().size()
    }

    pub(crate) const fn signed(&self) -> &SignedCheckpoint {
        &self.signed
    }

    /// The bundles that are left.
    pub(crate) const fn bundles(&self) -> Range<u64> {
        self.first..self.size().div_ceil(BUNDLE)
    }

    /// The bundle that has an entry.
    pub(crate) const fn bundle_of(n: u64) -> u64 {
        n / BUNDLE
    }

    /// The entries of a bundle.
    pub(crate) fn bundle(&self, index: u64) -> Result<Vec<KeptLeaf>, PublishedError> {
        let files = TreeFiles::new(&self.source, self.size());
        let bundle = files.bundle(index)?;
        let bundle = bundle.ok_or(PublishedError::NoEntry(index * BUNDLE))?;
        let entries = (index * BUNDLE..).zip(bundle.entries());
        let kept = entries.map(|(n, bytes)| KeptLeaf {
            n,
            bytes: bytes.to_vec(),
        });
        Ok(kept.collect())
    }

    /// The first bundle that may have entries of that time or later.
    pub(crate) fn bundle_since(&self, time: Timestamp) -> Result<u64, PublishedError> {
        let mut bisection = Bisection::of(self.bundles());
        while let Some(bundle) = bisection.asks() {
            bisection.is_before(self.last_time(bundle)? < time);
        }
        Ok(bisection.first())
    }

    /// The proof of an entry, with the entry beside it.
    pub(crate) fn proof(&self, n: u64) -> Result<TlogProof, PublishedError> {
        match TlogProof::from_source(&self.source, &self.signed, n) {
            Ok((entry, proof)) => Ok(proof.with_extra(entry)),
            Err(ProveError::NoSuchEntry { .. } | ProveError::NoBundle { .. }) => {
                Err(PublishedError::NoEntry(n))
            }
            Err(error) => Err(PublishedError::Proof(error)),
        }
    }

    /// Holds some of its entries against what it has signed, and the rows by which a database finds them.
    ///
    /// # Errors
    /// [`PublishedError::Source`] if the index cannot be read.
    pub(crate) fn verify(
        &self,
        range: Range<u64>,
        pruning: Pruning,
    ) -> Result<Report, PublishedError> {
        let mut index = self.source.index()?;
        Ok(self.source.waiting(|| {
            let verification = Verification::new(&self.source, &self.policy).asked_range(range);
            let verification = match pruning {
                Pruning::OnRecord => verification.pruning_on_record(),
                Pruning::Elsewhere => verification,
            };
            verification.companions(&mut *index).run()
        }))
    }

    fn last_time(&self, bundle: u64) -> Result<Timestamp, PublishedError> {
        let entries = self.bundle(bundle)?;
        let last = entries.last().ok_or(PublishedError::Damaged)?;
        let leaf = Leaf::parse(&last.bytes).map_err(|_| PublishedError::Damaged)?;
        Ok(leaf.time())
    }

    /// Bundles go from the first on.
    fn first_bundle(&self) -> Result<u64, PublishedError> {
        let files = TreeFiles::new(&self.source, self.size());
        let (mut start, mut end) = (0, self.size().div_ceil(BUNDLE));
        while start < end {
            let middle = start + (end - start) / 2;
            if files.bundle(middle)?.is_some() {
                end = middle;
            } else {
                start = middle + 1;
            }
        }
        Ok(start)
    }
}
