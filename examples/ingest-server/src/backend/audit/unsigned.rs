//! Logs that do not open for their name or their keys, so that it is told before a start is refused.

use super::{
    AuditOpenError,
    keys::{identity, origin_of},
    named::names_in,
};
use crate::{
    audit::{CurrentLog, DATABASE, PublishedError, PublishedLog},
    config::Config,
};

/// Why the logs in files do not open that none of the keys has signed, by their folders. What else is wrong with a log
/// is told by who opens it.
pub(crate) fn unsigned_logs(config: &Config) -> Vec<AuditOpenError> {
    let names = names_in(&config.audit.folder);
    let in_files = names.iter().filter(|name| *name != DATABASE);
    in_files.filter_map(|name| unsigned(config, name)).collect()
}

fn unsigned(config: &Config, name: &str) -> Option<AuditOpenError> {
    let current = CurrentLog::of(&config.audit.folder.join(name)).ok()?;
    let folder = current.folder();
    let base = origin_of(&config.audit.origin, name).ok()?;
    let identity = identity(&base, &current, &config.secrets.audit_keys).ok()?;
    let Err(PublishedError::Checkpoint(_)) = PublishedLog::open(&folder, identity.keys) else {
        return None;
    };
    let found = PublishedLog::origin(&folder)?;
    if found == identity.origin {
        let signed_by = PublishedLog::signed_by(&folder)?;
        return Some(AuditOpenError::UnknownKey {
            folder,
            node: name.to_owned(),
            signed_by,
        });
    }
    Some(AuditOpenError::OtherName {
        folder,
        configured: identity.origin,
        found,
    })
}
