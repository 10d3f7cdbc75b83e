//! What SQLite said, before it is told in the store's words.

use crate::store::StoreError;

/// Why something was not read or written. The store of another database has its own, so that no code
/// of one is read as the other's.
#[derive(Debug)]
pub(super) enum Failure {
    Sqlite(sqlx::Error),
    Store(StoreError),
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        Self::Sqlite(error)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<Failure> for StoreError {
    fn from(failure: Failure) -> Self {
        const FULL: i32 = 13;
        const CORRUPT: i32 = 11;
        const NOT_A_DATABASE: i32 = 26;
        match failure {
            Failure::Store(error) => error,
            Failure::Sqlite(error) => match code(&error) {
                Some(FULL) => Self::Full,
                Some(BUSY) => Self::Busy,
                Some(CORRUPT | NOT_A_DATABASE) => Self::Corrupt(error.into()),
                _ => Self::Unavailable(error.into()),
            },
        }
    }
}

/// `SQLITE_BUSY`.
pub(super) const BUSY: i32 = 5;

/// The result code of SQLite, without what extended codes add to it.
pub(super) fn code(error: &sqlx::Error) -> Option<i32> {
    let code = error.as_database_error()?.code()?;
    Some(code.parse::<i32>().ok()? & 0xff)
}
