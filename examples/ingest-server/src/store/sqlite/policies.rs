//! What an operator set while the service ran: limits, and what is done with personal data that is
//! found. Each is one row, or none where nothing was set.

use rusqlite::{Connection, OptionalExtension as _};

use super::failure::Failure;
use crate::store::PolicyKind;

/// The policy that was set last, if one was.
pub(super) fn find(connection: &Connection, kind: PolicyKind) -> Result<Option<String>, Failure> {
    let mut select = connection.prepare_cached(finding(kind))?;
    Ok(select.query_row([], |row| row.get(0)).optional()?)
}

/// Finds the policy of a kind.
pub(super) const fn finding(kind: PolicyKind) -> &'static str {
    match kind {
        PolicyKind::Limits => "SELECT policies FROM limit_policies WHERE one = 1",
        PolicyKind::Detection => "SELECT policy FROM detection_policy WHERE one = 1",
    }
}

/// Puts a policy in the place of the one of its kind.
pub(super) const fn replacing(kind: PolicyKind) -> &'static str {
    match kind {
        PolicyKind::Limits => {
            "INSERT INTO limit_policies VALUES (1, ?)
             ON CONFLICT DO UPDATE SET policies = excluded.policies"
        }
        PolicyKind::Detection => {
            "INSERT INTO detection_policy VALUES (1, ?)
             ON CONFLICT DO UPDATE SET policy = excluded.policy"
        }
    }
}

/// The table of a kind.
pub(super) const fn table(kind: PolicyKind) -> &'static str {
    match kind {
        PolicyKind::Limits => "limit_policies",
        PolicyKind::Detection => "detection_policy",
    }
}
