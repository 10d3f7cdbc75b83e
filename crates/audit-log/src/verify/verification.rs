//! What is verified, and the course of it.

use std::ops::Range;

use super::{
    Companions, Finding, Report, kept, tenants::Tenants, tree_so_far::TreeSoFar, walk::Walk,
};
use crate::{
    checkpoint::{Checkpoint, Policy, SignedCheckpoint},
    source::{CHECKPOINT_PATH, LogSource, MAX_CHECKPOINT_BYTES, TreeFiles},
    tile::WIDTH,
};

/// Verifies a log, or a part of it, at the checkpoint that it publishes.
#[derive(Debug)]
pub struct Verification<'a> {
    source: &'a dyn LogSource,
    policy: &'a Policy,
    range: Range<u64>,
    is_asked: bool,
    minimum: Option<u64>,
    kept: Option<&'a Checkpoint>,
    companions: Option<&'a mut dyn Companions>,
    pruning: Pruning,
}

/// Who says why the beginning of a log is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pruning {
    Believed,
    OnRecord,
}

impl<'a> Verification<'a> {
    /// All of the log. Bundles at its beginning may be missing, if the tiles of their hashes are there: they were
    /// pruned, and [`Report::pruned`] says how far.
    #[must_use]
    pub const fn new(source: &'a dyn LogSource, policy: &'a Policy) -> Self {
        Self {
            source,
            policy,
            range: 0..u64::MAX,
            is_asked: false,
            minimum: None,
            kept: None,
            companions: None,
            pruning: Pruning::Believed,
        }
    }

    /// These entries alone, and what is in one bundle with them: that they are in the tree of the checkpoint, follows
    /// from the tiles. A log that is too large for one run is verified in parts; what is withheld from a tenant between
    /// two of them, no part shows.
    #[must_use]
    pub fn range(self, range: Range<u64>) -> Self {
        Self { range, ..self }
    }

    /// The same of a range that somebody asks for: one that is empty, or begins behind the end of the log, is
    /// [`Finding::NoSuchRange`], since nothing would be verified.
    #[must_use]
    pub fn asked_range(self, range: Range<u64>) -> Self {
        Self {
            range,
            is_asked: true,
            ..self
        }
    }

    /// Says how far the log was pruned: bundles from this entry on must be there, and those before it need not.
    #[must_use]
    pub fn pruned_below(self, minimum: u64) -> Self {
        let minimum = Some(minimum);
        Self { minimum, ..self }
    }

    /// Demands that the log itself has on record, as `audit.pruned`, what is missing at its beginning: what
    /// [`Audit::retain`](crate::audit::Audit::retain) takes away is. Of a log that was read from its beginning to its
    /// end; one that another process took entries from, when nobody wrote it any more, has it not on record.
    #[must_use]
    pub fn pruning_on_record(self) -> Self {
        let pruning = Pruning::OnRecord;
        Self { pruning, ..self }
    }

    /// Shows that the log has only grown since that checkpoint, which somebody else kept.
    #[must_use]
    pub fn since(self, kept: &'a Checkpoint) -> Self {
        let kept = Some(kept);
        Self { kept, ..self }
    }

    /// Holds each leaf against what lies beside the log.
    #[must_use]
    pub fn companions(self, companions: &'a mut dyn Companions) -> Self {
        let companions = Some(companions);
        Self { companions, ..self }
    }

    /// Reads the log, and tells what is wrong with it.
    #[must_use]
    pub fn run(self) -> Report {
        let mut report = Report::default();
        match open(self.source, self.policy) {
            Ok(signed) => {
                self.look(&signed, &mut report);
                report.signed = Some(signed);
            }
            Err(finding) => report.find(finding),
        }
        report
    }

    const fn is_no_range(&self, size: u64) -> bool {
        let Range { start, end } = self.range;
        self.is_asked && (start >= end || (start > 0 && start >= size))
    }

    fn look(self, signed: &SignedCheckpoint, report: &mut Report) {
        let now = signed.checkpoint();
        if self.is_no_range(now.size()) {
            let (from, to, size) = (self.range.start, self.range.end, now.size());
            return report.find(Finding::NoSuchRange { from, to, size });
        }
        let files = TreeFiles::new(self.source, now.size());
        let width = u64::from(WIDTH);
        let start = self.range.start.min(now.size()) / width * width;
        let end = self.range.end.min(now.size());
        let tree = match TreeSoFar::before(start, &files) {
            Ok(tree) => tree,
            Err(error) => return report.find(error.into()),
        };
        let mut tenants = Tenants::default();
        tenants.skip(start);
        // Without one, nobody asks.
        let watched = self.kept.unwrap_or(now).size();
        let known = (tree.size() == watched).then(|| tree.root());
        let mut walk = Walk {
            files: &files,
            root: now.root(),
            range: self.range,
            tree,
            companions: self.companions,
            report,
            minimum: self.minimum,
            watched: (watched, known),
            tenants,
            absent: None,
            left: 0,
        };
        let bundles = start / width..end.div_ceil(width);
        let is_stopped = bundles
            .map(|index| walk.step(index))
            .any(|step| step.is_break());
        let leads_to_root = walk.finish(now, is_stopped);
        if self.pruning == Pruning::OnRecord && start == 0 && end == now.size() {
            walk.explain_beginning();
        }
        if let Some(companions) = walk.companions.as_deref_mut() {
            match companions.damages() {
                Ok(damages) => {
                    for Range { start, end } in damages {
                        walk.report.find(Finding::Journal {
                            from: start,
                            to: end,
                        });
                    }
                }
                Err(error) => walk.report.find(Finding::Source(error)),
            }
        }
        let known = walk.watched.1.filter(|_| leads_to_root);
        if let Some(kept) = self.kept {
            kept::compare(kept, now, known, &files, walk.report);
        }
    }
}

/// The checkpoint of a log, signed as it must be.
pub(super) fn open(source: &dyn LogSource, policy: &Policy) -> Result<SignedCheckpoint, Finding> {
    let bytes = source.read(CHECKPOINT_PATH, MAX_CHECKPOINT_BYTES);
    let bytes = bytes.map_err(Finding::Source)?;
    let bytes = bytes.ok_or(Finding::NoCheckpoint)?;
    policy.open(&bytes).map_err(Finding::Checkpoint)
}
