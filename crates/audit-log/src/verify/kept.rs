//! Whether a log has only grown since somebody kept a checkpoint of it.

use super::{Finding, Report};
use crate::{
    checkpoint::Checkpoint,
    source::{TreeFileError, TreeFiles},
    tree::{ConsistencyProof, ProofError, TreeHash},
};

/// Compares two checkpoints of one log. `known` is the root at the earlier size, if the entries told it.
pub(super) fn compare(
    kept: &Checkpoint,
    now: &Checkpoint,
    known: Option<TreeHash>,
    files: &TreeFiles<'_>,
    report: &mut Report,
) {
    if kept.origin() != now.origin() {
        report.find(Finding::OtherLog);
        return;
    }
    if kept.size() > now.size() {
        let (kept, found) = (kept.size(), now.size());
        report.find(Finding::RolledBack { kept, found });
        return;
    }
    let has_grown = match known {
        Some(root) => Ok(root == kept.root()),
        None => grown(kept, now, files),
    };
    match has_grown {
        Ok(true) => {}
        Ok(false) => report.find(Finding::Forked {
            kept: kept.size(),
            size: now.size(),
        }),
        Err(error) => report.find(error.into()),
    }
}

/// By the tiles alone.
pub(super) fn grown(
    earlier: &Checkpoint,
    now: &Checkpoint,
    files: &TreeFiles<'_>,
) -> Result<bool, TreeFileError> {
    let proof =
        ConsistencyProof::build(earlier.size(), now.size(), |subtree| files.subtree(subtree))?;
    match proof.verify(&earlier.root(), &now.root()) {
        Ok(()) => Ok(true),
        Err(ProofError::WrongOldRoot | ProofError::WrongRoot) => Ok(false),
        Err(other) => Err(other.into()),
    }
}
