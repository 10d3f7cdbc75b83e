//! `proof` and `show`: one entry.

use std::io::{self, Write as _};

use portcullis_audit_log::{
    proof::TlogProof,
    verify::{Outcome, Verification},
};

use super::{Failure, arguments::One, kept_file::KeptFile, look};

pub(super) fn proof(asked: &One) -> Result<Outcome, Failure> {
    with_proof(asked, |_, proof| write!(io::stdout().lock(), "{proof}"))
}

pub(super) fn show(asked: &One) -> Result<Outcome, Failure> {
    with_proof(asked, |entry, _| {
        let mut out = io::stdout().lock();
        out.write_all(entry)?;
        writeln!(out)
    })
}

/// Nothing is printed that was not shown to be in the log.
fn with_proof(
    asked: &One,
    print: impl FnOnce(&[u8], &TlogProof) -> io::Result<()>,
) -> Result<Outcome, Failure> {
    let (policy, kept) = (asked.log.policy()?, look::kept(&asked.log)?);
    let source = asked.log.location.source()?;
    // Of the entries none: checkpoint, witnesses, and what was kept.
    let mut verification = Verification::new(&*source, &policy).range(0..0);
    if let Some(earlier) = kept.as_ref().and_then(KeptFile::checkpoint) {
        verification = verification.since(earlier);
    }
    let signed = match look::sound(verification.run()) {
        Ok(signed) => signed,
        Err(outcome) => return Ok(outcome),
    };
    let (entry, proof) = TlogProof::from_source(&*source, &signed, asked.n)?;
    print(&entry, &proof)?;
    look::keep(kept.as_ref(), Some(&signed), Outcome::Sound)?;
    Ok(Outcome::Sound)
}
