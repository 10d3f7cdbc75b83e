//! Why a store or a feed did not do what it was asked.

use std::error::Error as StdError;

use thiserror::Error;

/// Why a store or a feed did not do what it was asked.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StoreError {
    /// It could not be reached, or did not answer in time.
    #[error("the key store is unavailable; check the database and try again")]
    Unavailable(#[source] Option<Box<dyn StdError + Send + Sync>>),
    /// The database itself is damaged; asking again does not help.
    #[error("the database of API keys is damaged; restore it from a backup")]
    Corrupt(#[source] Box<dyn StdError + Send + Sync>),
    /// A column holds what this crate never wrote.
    #[error("the column {column} of a key record cannot be read; repair or remove the row")]
    Unreadable {
        /// The name of the column.
        column: &'static str,
    },
    /// There is a record of that kid.
    #[error("a record of that kid exists; make another kid")]
    KidTaken,
    /// The tables could not be made or brought up to date.
    #[error("the tables of API keys cannot be migrated; check the database and this release's age")]
    Migration(#[source] Box<dyn StdError + Send + Sync>),
}

impl StoreError {
    /// The backend could not be reached, for this reason.
    #[must_use]
    pub fn unavailable(cause: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self::Unavailable(Some(cause.into()))
    }

    /// The column of this name holds what this crate never wrote.
    #[must_use]
    pub const fn unreadable(column: &'static str) -> Self {
        Self::Unreadable { column }
    }
}
