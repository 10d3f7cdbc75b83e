//! What a command leaves undone in its audit log is told on standard error: it has no log of another kind.

use portcullis_audit_log::observer::{Event, Observer};

use super::warn;
use crate::backend::NotInPlace;

/// Tells how much is not written when the log ends. What cannot be put on record before, the command itself fails of.
#[derive(Debug)]
pub(super) struct LogEnd;

impl Observer for LogEnd {
    fn observe(&self, event: &Event<'_>) {
        match event {
            Event::LeftUnwritten { events } => warn(&format!(
                "the audit log has ended, and nobody knows whether its last events are written: {events}"
            )),
            Event::AnchorFailed { anchor, error } => warn(&format!(
                "the checkpoint of the log that the command writes is not with the anchor {anchor} ({error}): what was \
                 done here could be taken back unseen until the next command"
            )),
            _ => {}
        }
    }
}

/// Tells what became of a log that was closed.
pub(super) fn tell(error: &NotInPlace) {
    warn(&format!(
        "the audit log was not put in place ({error}); the next start does it"
    ));
}
