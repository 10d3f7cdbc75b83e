//! What an operator set while the service ran: limits, and what is done with personal data that is
//! found. Each is one row, or none where nothing was set.

use rusqlite::{Connection, OptionalExtension as _};

use super::failure::Failure;

/// The limits that were set last, if any were.
pub(super) fn limits(connection: &Connection) -> Result<Option<String>, Failure> {
    only(
        connection,
        "SELECT policies FROM limit_policies WHERE one = 1",
    )
}

/// Replaces the limits that were set before.
pub(super) const REPLACE_LIMITS: &str = "INSERT INTO limit_policies VALUES (1, ?)
    ON CONFLICT DO UPDATE SET policies = excluded.policies";

/// The detection policy that was set last, if one was.
pub(super) fn detection(connection: &Connection) -> Result<Option<String>, Failure> {
    only(
        connection,
        "SELECT policy FROM detection_policy WHERE one = 1",
    )
}

/// Replaces the detection policy that was set before.
pub(super) const REPLACE_DETECTION: &str = "INSERT INTO detection_policy VALUES (1, ?)
    ON CONFLICT DO UPDATE SET policy = excluded.policy";

fn only(connection: &Connection, statement: &str) -> Result<Option<String>, Failure> {
    let mut select = connection.prepare_cached(statement)?;
    Ok(select.query_row([], |row| row.get(0)).optional()?)
}
