//! What SQLite said, before it is told in the store's words.

use std::error::Error;

use crate::store::StoreError;

/// Why something was not read or written. The store of another database has its own, so that no code
/// of one is read as the other's.
#[derive(Debug)]
pub(super) enum Failure {
    /// On a connection of this store's own threads.
    Direct(rusqlite::Error),
    /// On one of a pool.
    Pooled(sqlx::Error),
    Store(StoreError),
}

impl Failure {
    /// Whether SQLite refused one statement and the transaction goes on: a constraint, a trigger, a
    /// table that is not there.
    pub(super) fn is_refusal(&self) -> bool {
        const ERROR: i32 = 1;
        const CONSTRAINT: i32 = 19;
        matches!(self.code(), Some(ERROR | CONSTRAINT))
    }

    /// Whether another connection has the lock.
    pub(super) fn is_busy(&self) -> bool {
        self.code() == Some(BUSY)
    }

    /// The result code of SQLite, without what extended codes add to it.
    fn code(&self) -> Option<i32> {
        match self {
            Self::Direct(error) => Some(error.sqlite_error()?.extended_code & 0xff),
            Self::Pooled(error) => code(error),
            Self::Store(_) => None,
        }
    }
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        Self::Direct(error)
    }
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        Self::Pooled(error)
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
        let code = failure.code();
        let source: Box<dyn Error + Send + Sync> = match failure {
            Failure::Store(error) => return error,
            Failure::Direct(error) => error.into(),
            Failure::Pooled(error) => error.into(),
        };
        match code {
            Some(FULL) => Self::Full,
            Some(BUSY) => Self::Busy,
            Some(CORRUPT | NOT_A_DATABASE) => Self::Corrupt(source),
            _ => Self::Unavailable(source),
        }
    }
}

/// `SQLITE_BUSY`.
pub(super) const BUSY: i32 = 5;

/// The same of an error of a pool's.
pub(super) fn code(error: &sqlx::Error) -> Option<i32> {
    let code = error.as_database_error()?.code()?;
    Some(code.parse::<i32>().ok()? & 0xff)
}
