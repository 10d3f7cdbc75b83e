//! `verify`: all of a log.

use std::io::{self, Write as _};

use portcullis_audit_log::{
    checkpoint::{Checkpoint, Cosigned, SignedCheckpoint},
    event::Timestamp,
    verify::{Outcome, Report, Verification},
};

use super::{Failure, arguments::Verify, kept_file::KeptFile, look, told};

pub(super) fn run(asked: &Verify) -> Result<Outcome, Failure> {
    let (policy, kept) = (asked.log.policy()?, look::kept(&asked.log)?);
    let source = asked.log.location.source()?;
    let mut verification = Verification::new(&*source, &policy);
    verification = verification.asked_range(asked.from..asked.to.unwrap_or(u64::MAX));
    if let Some(minimum) = asked.pruned_below {
        verification = verification.pruned_below(minimum);
    }
    if asked.pruning_on_record {
        verification = verification.pruning_on_record();
    }
    if let Some(earlier) = kept.as_ref().and_then(KeptFile::checkpoint) {
        verification = verification.since(earlier);
    }
    #[cfg(unix)]
    let mut index = asked.log.location.index()?;
    #[cfg(unix)]
    if let Some(index) = &mut index {
        verification = verification.companions(index);
    }
    let report = verification.run();
    let outcome = report.outcome();
    told::findings(&report);
    look::keep(kept.as_ref(), report.signed.as_ref(), outcome)?;
    print(&report, kept.as_ref().and_then(KeptFile::checkpoint))?;
    #[cfg(unix)]
    if let Some(index) = index {
        writeln!(io::stdout(), "index       {} rows agree", index.rows())?;
    }
    writeln!(io::stdout(), "result      {outcome}")?;
    Ok(outcome)
}

fn print(report: &Report, kept: Option<&Checkpoint>) -> io::Result<()> {
    let mut out = io::stdout().lock();
    if let Some(signed) = &report.signed {
        let checkpoint = signed.checkpoint();
        let (size, root) = (checkpoint.size(), checkpoint.root());
        writeln!(out, "log         {}", checkpoint.origin())?;
        writeln!(out, "checkpoint  {size} entries, root {root}")?;
        witnesses(&mut out, signed)?;
        if let Some(kept) = kept {
            writeln!(out, "since       {} entries", kept.size())?;
        }
        let read = report.entries;
        writeln!(out, "entries     {read} read, {} pruned", report.pruned)?;
    }
    Ok(())
}

fn witnesses(out: &mut impl io::Write, signed: &SignedCheckpoint) -> io::Result<()> {
    for Cosigned {
        witness, seconds, ..
    } in signed.witnesses()
    {
        let micros = seconds.checked_mul(1_000_000);
        match micros.and_then(Timestamp::from_unix_micros) {
            Some(time) => writeln!(out, "witness     {witness} at {time}")?,
            None => writeln!(out, "witness     {witness} at {seconds} s after 1970")?,
        }
    }
    Ok(())
}
