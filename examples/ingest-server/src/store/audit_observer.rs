//! What becomes of events of the audit log, and who is told.

use std::fmt::Debug;

/// Is told what became of events.
pub(crate) trait AuditObserver: Debug + Send + Sync {
    /// Called once for each event, and at once.
    fn observe(&self, event: AuditLogEvent);
}

/// What became of one event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AuditLogEvent {
    /// Durable, and in time.
    Recorded,
    /// It must be on record and is not, or is too late: what it tells of was not done or not shown.
    Unrecorded,
    /// It may be left out and was.
    Dropped,
}

impl AuditLogEvent {
    pub(crate) const ALL: [Self; 3] = [Self::Recorded, Self::Unrecorded, Self::Dropped];

    /// As a label.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Recorded => "recorded",
            Self::Unrecorded => "unrecorded",
            Self::Dropped => "dropped",
        }
    }
}
