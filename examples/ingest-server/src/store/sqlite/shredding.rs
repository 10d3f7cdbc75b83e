//! What the files still have of rows that were deleted is overwritten: copies that SQLite leaves where it moves
//! rows, and its log.

use std::{ops::Range, time::Duration};

use rusqlite::Connection;
use tokio::time::sleep;

use super::{
    connection::{counted, run},
    failure::Failure,
    log,
    notes::Note,
    page::Layout,
    sweeps::Sweeps,
};
use crate::store::StoreError;

/// Pages that are looked at in one reading, and that are written in one transaction.
const LOOKED_AT: u32 = 2_000;
const WRITTEN: usize = 200;

/// How often the log is tried to be emptied while others read it, and how far apart.
const TRIES: u32 = 5;
const TRIED_EVERY: Duration = Duration::from_millis(100);

/// Goes over all pages, and empties the log after that; `false` if somebody reads the log for longer than that
/// is waited for.
pub(super) async fn shred(sweeps: &Sweeps) -> Result<bool, StoreError> {
    let owed = sweeps.read(|connection| counted_in(connection, Note::ToShred));
    let owed = owed.await?;
    let mut from = 1;
    while let Some(looked) = sweeps
        .read(move |connection| look(connection, from))
        .await?
    {
        for some in looked.to_clear.chunks(WRITTEN) {
            let some = some.to_vec();
            let clear = move |connection: &Connection| clear(connection, &some);
            sweeps.write(clear).await?;
        }
        from = looked.pages.end;
    }
    if !empty_log(sweeps).await? {
        return Ok(false);
    }
    let settle = move |connection: &Connection| settle(connection, owed);
    sweeps.write(settle).await?;
    Ok(true)
}

/// Notes that there is something to shred, in the transaction in which it is deleted.
pub(super) fn owe(connection: &Connection) -> Result<(), Failure> {
    let owed = counted_in(connection, Note::ToShred)?.saturating_add(1);
    Note::ToShred.set(connection, &owed.to_string())
}

/// Whether there is.
pub(super) fn is_owed(connection: &Connection) -> Result<bool, Failure> {
    Ok(counted_in(connection, Note::ToShred)? > counted_in(connection, Note::Shredded)?)
}

/// Notes that of what was owed before a pass nothing is left. What was deleted meanwhile may have been on pages that
/// had been looked at; another process may have begun later and be done already.
fn settle(connection: &Connection, owed: u64) -> Result<(), Failure> {
    if owed > counted_in(connection, Note::Shredded)? {
        Note::Shredded.set(connection, &owed.to_string())?;
    }
    Ok(())
}

fn counted_in(connection: &Connection, note: Note) -> Result<u64, Failure> {
    let text = note.find(connection)?;
    let count = text.map(|text| text.parse()).transpose();
    Ok(count
        .map_err(|_| StoreError::Malformed("note of what is to be shredded"))?
        .unwrap_or_default())
}

/// Pages that were looked at, and those of them that are to be written.
struct Looked {
    pages: Range<u32>,
    to_clear: Vec<u32>,
}

/// Looks at some pages; none at the end.
fn look(connection: &Connection, from: u32) -> Result<Option<Looked>, Failure> {
    run(connection, "BEGIN")?;
    let layout = layout(connection)?;
    let pages = layout.pages;
    let some = from..from.saturating_add(LOOKED_AT).min(pages.saturating_add(1));
    let mut to_clear = Vec::new();
    for number in some.clone() {
        if cleared(connection, number, layout)?.is_some() {
            to_clear.push(number);
        }
    }
    run(connection, "COMMIT")?;
    Ok((!some.is_empty()).then_some(Looked {
        pages: some,
        to_clear,
    }))
}

/// Writes those of some pages that still have something.
fn clear(connection: &Connection, numbers: &[u32]) -> Result<(), Failure> {
    let layout = layout(connection)?;
    let write = "UPDATE sqlite_dbpage SET data = ?2 WHERE pgno = ?1";
    let mut write = connection.prepare_cached(write)?;
    for number in numbers {
        if let Some(page) = cleared(connection, *number, layout)? {
            write.execute((number, page))?;
        }
    }
    Ok(())
}

/// A page without what nobody reads; none if it has nothing of that kind.
fn cleared(
    connection: &Connection,
    number: u32,
    layout: Layout,
) -> Result<Option<Vec<u8>>, Failure> {
    let read = "SELECT data FROM sqlite_dbpage WHERE pgno = ?";
    let mut read = connection.prepare_cached(read)?;
    let mut rows = read.query([number])?;
    // The file may have become shorter.
    let Some(row) = rows.next()? else {
        return Ok(None);
    };
    let mut page: Vec<u8> = row.get(0)?;
    Ok(layout.clear_unused(&mut page, number).then_some(page))
}

fn layout(connection: &Connection) -> Result<Layout, Failure> {
    let one = |pragma| connection.query_row(pragma, [], |row| counted(row, 0));
    // SQLite numbers pages in 32 bits.
    let pages = u32::try_from(one("PRAGMA page_count")?).unwrap_or(u32::MAX);
    Ok(Layout {
        pages,
        has_pointer_maps: one("PRAGMA auto_vacuum")? != 0,
    })
}

async fn empty_log(sweeps: &Sweeps) -> Result<bool, StoreError> {
    for _ in 1..TRIES {
        if sweeps.read(log::empty).await? {
            return Ok(true);
        }
        sleep(TRIED_EVERY).await;
    }
    sweeps.read(log::empty).await
}

#[cfg(test)]
mod tests;
