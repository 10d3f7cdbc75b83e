//! What is on record of who did what: the actions, and the way into the log.

pub(crate) mod actions;
mod anchor_times;
mod archive_gauge;
mod audited;
mod concerned;
mod current;
mod database_log;
mod draft;
mod earlier_logs;
mod ended_logs;
mod ended_verifications;
mod file_warnings;
mod findings;
mod folder;
mod identity;
mod kept_log;
mod leadership;
mod lock_file;
mod log;
mod ocsf;
mod peer;
mod periods;
mod present;
mod proofs;
mod published;
mod reads;
mod reason_codes;
mod refusals;
mod reporting;
mod retention;
mod screen;
mod sealer;
mod stated_reason;
mod suspicions;
mod tail;
mod told_cursors;
mod verifying;
mod watch;
mod write_records;
mod write_sums;

pub(crate) use self::{
    actions::AuditAction,
    anchor_times::AnchorTimes,
    archive_gauge::{ArchiveGauge, ArchiveState},
    audited::Audited,
    concerned::concerns_any,
    current::CurrentLog,
    database_log::{DATABASE, DatabaseLog, DatabaseLogError, FILE as DATABASE_FILE},
    draft::{AuditActor, AuditDraft},
    earlier_logs::{EarlierLog, EarlierLogError, OpenEarlierLogs},
    ended_logs::NotReached,
    ended_verifications::{EndedVerifications, EndedVerified},
    findings::{FoundBefore, finding},
    folder::{AuditFolder, OtherLogError, is_name as is_log_name},
    identity::AuditIdentity,
    kept_log::KeptLog,
    leadership::{Leader, Leadership},
    lock_file::LockFile,
    log::{AuditLog, Held, Pending, Unrecorded},
    ocsf::ocsf,
    peer::{Peer, UserAgent},
    proofs::ProofError,
    published::{Pruning, PublishedError, PublishedLog},
    reads::{AuditReads, KeptLeaf, SearchError},
    reason_codes::ReasonCodes,
    reporting::{Reporting, WHOLE},
    retention::{retain, retention},
    screen::{issued as log_name, issued_id},
    sealer::{KeyringSealer, PURPOSE as AUDIT_PURPOSE},
    stated_reason::StatedReason,
    suspicions::Suspicions,
    tail::AuditTail,
    told_cursors::cursor_beyond,
    verifying::{Pace, VerifyError, Verifying},
    watch::{WatchEnd, watch, watch_ended},
    write_records::WriteRecords,
    write_sums::Written,
};
