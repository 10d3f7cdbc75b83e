//! How what a route or a command does is recorded.

use super::AuditAction;

/// How what is asked for is recorded. There is no route and no command without one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Audited {
    /// Nothing is shown or changed before that is durable.
    Must(&'static AuditAction),
    /// The same where personal data is shown in the clear. What is masked shows nobody, and is not recorded.
    InTheClear(&'static AuditAction),
    /// When there is room in the log, and nobody waits for it.
    Noted(&'static AuditAction),
    /// In one entry for each API key and minute.
    Summed(&'static AuditAction),
    /// Not at all, for this reason.
    Never(&'static str),
}
