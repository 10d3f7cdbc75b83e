//! What all commands begin and end with.

use portcullis_audit_log::{
    checkpoint::SignedCheckpoint,
    verify::{Outcome, Report},
};

use super::{Failure, arguments::Log, kept_file::KeptFile, told};

/// The checkpoint that was kept, if somebody keeps one.
pub(super) fn kept(log: &Log) -> Result<Option<KeptFile<'_>>, Failure> {
    let Some(path) = &log.since else {
        return Ok(None);
    };
    let file = KeptFile::read(path, &log.log_keys()?)?;
    if file.checkpoint().is_none() {
        let path = path.display();
        told::notice(&format!(
            "{path} is not there: nothing earlier is compared, and the checkpoint of today is kept"
        ));
    }
    Ok(Some(file))
}

/// Keeps the checkpoint of a log that was found sound, and no other.
pub(super) fn keep(
    kept: Option<&KeptFile<'_>>,
    signed: Option<&SignedCheckpoint>,
    outcome: Outcome,
) -> Result<(), Failure> {
    if let (Some(kept), Some(signed), Outcome::Sound) = (kept, signed, outcome) {
        kept.replace(signed)?;
    }
    Ok(())
}

/// The checkpoint of a log, if nothing is wrong with it.
pub(super) fn sound(report: Report) -> Result<SignedCheckpoint, Outcome> {
    let outcome = report.outcome();
    told::findings(&report);
    match report.signed {
        Some(signed) if outcome == Outcome::Sound => Ok(signed),
        _ => Err(outcome),
    }
}
