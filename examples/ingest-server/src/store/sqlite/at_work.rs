//! Who is at work that one process does at a time: beside the places that sweeps have reached.

use portcullis_keyring::sweep::Cursor;
use rusqlite::Connection;

use super::{failure::Failure, sealed_rows::cursors};

/// No table is called so.
const TABLE: &str = "at work";

pub(super) fn find(connection: &Connection, work: &str) -> Result<Option<String>, Failure> {
    let found = cursors::find(connection, TABLE, work)?;
    Ok(found.map(|words| words.as_str().to_owned()))
}

pub(super) fn replace(
    connection: &Connection,
    work: &str,
    expected: Option<&str>,
    new: Option<&str>,
) -> Result<bool, Failure> {
    let is_expected = find(connection, work)?.as_deref() == expected;
    if is_expected {
        let new = new.map(|words| Cursor::new(words.to_owned()));
        cursors::set(connection, TABLE, work, new.as_ref())?;
    }
    Ok(is_expected)
}
