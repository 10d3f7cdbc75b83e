//! What the audit log is called, and signed and verified with.

use portcullis_audit_log::note::{InvalidKeyName, InvalidSeed, KeyName, SigningKey, VerifyingKey};
use portcullis_versioned_secrets::VersionedSecrets;

use super::AuditOpenError;
use crate::audit::{AuditIdentity, CurrentLog};

/// What the log of that name is called by others: two logs of one name would look like one that says two things, also
/// if one is kept in files and the other was in a database.
pub(super) fn origin_of(configured: &KeyName, log: &str) -> Result<KeyName, InvalidKeyName> {
    match log {
        "server" => Ok(configured.clone()),
        log => format!("{configured}/{log}").parse(),
    }
}

/// How others know the log that is written: one that follows a rollback has an origin of its own, and the keys too.
pub(super) fn identity(
    base: &KeyName,
    current: &CurrentLog,
    secrets: &VersionedSecrets,
) -> Result<AuditIdentity, AuditOpenError> {
    let origin = current.generation().origin(base)?;
    let keys = verifying_keys(&origin, secrets)?;
    Ok(AuditIdentity { origin, keys })
}

/// What the log of that origin is verified with.
pub(super) fn verifying_keys(
    origin: &KeyName,
    secrets: &VersionedSecrets,
) -> Result<Vec<VerifyingKey>, InvalidSeed> {
    let keys = signing_keys(origin, secrets)?;
    Ok(keys.iter().map(|key| key.verifying_key().clone()).collect())
}

/// Every version signs: while one replaces another, who knows either can verify. The signature of the primary one stands
/// first, and so does its key wherever the keys of a log are listed.
pub(super) fn signing_keys(
    origin: &KeyName,
    secrets: &VersionedSecrets,
) -> Result<Vec<SigningKey>, InvalidSeed> {
    // EXPOSE: a signing key is made of it, which is wiped like it.
    let keys = secrets
        .primary_first()
        .map(|(_, seed)| SigningKey::from_seed(origin.clone(), seed));
    keys.collect()
}
