//! Where sweeps were when they stopped.

use portcullis_keyring::sweep::Cursor;
use rusqlite::{Connection, OptionalExtension as _, params};

use crate::store::sqlite::failure::Failure;

pub(in crate::store::sqlite) fn find(
    connection: &Connection,
    table: &str,
    sweep: &str,
) -> Result<Option<Cursor>, Failure> {
    let select = r#"SELECT cursor FROM sweep_cursor WHERE "table" = ? AND sweep = ?"#;
    let found = connection.query_row(select, [table, sweep], |row| row.get(0));
    Ok(found.optional()?.map(Cursor::new))
}

pub(in crate::store::sqlite) fn set(
    connection: &Connection,
    table: &str,
    sweep: &str,
    cursor: Option<&Cursor>,
) -> Result<(), Failure> {
    match cursor {
        Some(cursor) => {
            let set = r#"INSERT INTO sweep_cursor ("table", sweep, cursor) VALUES (?, ?, ?)
                ON CONFLICT DO UPDATE SET cursor = excluded.cursor"#;
            connection.execute(set, params![table, sweep, cursor.as_str()])?;
        }
        None => {
            let forget = r#"DELETE FROM sweep_cursor WHERE "table" = ? AND sweep = ?"#;
            connection.execute(forget, [table, sweep])?;
        }
    }
    Ok(())
}
