//! What is on record of who did what: the actions, and the way into the log.

pub(crate) mod actions;
mod audited;
mod draft;
mod folder;
mod log;
mod reads;
mod reason_codes;
mod refusals;
mod retention;
mod screen;
mod sealer;
mod stated_reason;
mod suspicions;
mod watch;
mod write_records;
mod write_sums;

pub(crate) use self::{
    actions::AuditAction,
    audited::Audited,
    draft::{AuditActor, AuditDraft},
    folder::{AuditFolder, OtherLogError},
    log::{AuditIdentity, AuditLog, Pending, Unrecorded},
    reads::{AuditReads, KeptLeaf, SearchError},
    reason_codes::ReasonCodes,
    retention::retain,
    screen::issued as log_name,
    sealer::{KeyringSealer, PURPOSE as AUDIT_PURPOSE},
    stated_reason::StatedReason,
    suspicions::Suspicions,
    watch::watch,
    write_records::WriteRecords,
    write_sums::Written,
};
