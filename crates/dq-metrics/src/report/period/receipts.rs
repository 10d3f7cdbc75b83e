//! What was received against what is accounted for, in words.

use std::fmt;

use super::PeriodReport;

/// In one or two sentences, without markup.
pub(super) struct Receipts<'a>(pub(super) &'a PeriodReport);

impl fmt::Display for Receipts<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(both) = self.0.conservation else {
            return f.write_str("What was received in these days is not in the history.");
        };
        let (received, outcomes) = (both.received, both.outcomes);
        write!(f, "Received {received}, accounted for {outcomes}")?;
        match both.unaccounted() {
            0 => f.write_str(".")?,
            some @ 1.. => write!(
                f,
                ": {some} in flight still, or in a process that was killed."
            )?,
            some => write!(
                f,
                ": {} outcomes too many, of events that were received before these days, or counted twice.",
                some.unsigned_abs()
            )?,
        }
        match self.0.events_without_receipt() {
            0 => Ok(()),
            more => write!(
                f,
                " Of {more} more events the history has no receipt: an earlier version counted them."
            ),
        }
    }
}
