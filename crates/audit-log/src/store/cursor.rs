//! A cursor, held against the tree.

use super::{Store, StoreError};
use crate::event::Id;

/// A cursor that is behind the end of the log, where nobody can have come: it was damaged or changed, or the log was put
/// back without it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a cursor is at entry {next} of a log of {size}")]
#[non_exhaustive]
pub struct CursorBeyond {
    /// Where it is.
    pub next: u64,
    /// How many leaves the log has.
    pub size: u64,
}

/// A [cursor](Store::cursor), as far as it can be one: what is behind the end of the log is none, and is told. Who took it
/// as it is would wait for leaves that never come.
///
/// # Errors
/// [`StoreError`].
pub async fn cursor_in_log(
    store: &dyn Store,
    name: &Id,
) -> Result<(Option<u64>, Option<CursorBeyond>), StoreError> {
    let Some(next) = store.cursor(name).await? else {
        return Ok((None, None));
    };
    // Read later than the cursor, it is no smaller than it was then.
    let size = store.size().await?;
    if next <= size {
        return Ok((Some(next), None));
    }
    Ok((None, Some(CursorBeyond { next, size })))
}
