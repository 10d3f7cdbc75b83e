//! How others know a log.

use portcullis_audit_log::note::{KeyName, VerifyingKey};

/// What a log is called, and what its checkpoints are verified with.
#[derive(Debug)]
pub(crate) struct AuditIdentity {
    pub(crate) origin: KeyName,
    pub(crate) keys: Vec<VerifyingKey>,
}
