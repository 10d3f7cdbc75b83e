//! Why a store did not do what it was asked for.

use std::error::Error;

/// What went wrong with a store.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// It cannot be asked now. It may be tried again.
    #[error("the store of the audit log is unavailable")]
    Unavailable(#[source] Box<dyn Error + Send + Sync>),
    /// What it has is not what was put in. It refuses until somebody has looked at it.
    #[error("the store of the audit log is damaged: keep a copy of it, and put back what is sound")]
    Damaged(#[source] Box<dyn Error + Send + Sync>),
    /// Its tables cannot be made or brought up to date, or its connections do not keep what a log must keep.
    #[error("the tables of the audit log cannot be used")]
    Migration(#[source] Box<dyn Error + Send + Sync>),
    /// The leaves are there no more.
    #[error("the log begins with entry {first}; those before it are pruned")]
    Pruned {
        /// The first that is left.
        first: u64,
    },
    /// A checkpoint is not of a tree that the log has had, or older than the one that is published.
    #[error("the checkpoint is of another tree than the log")]
    OtherTree,
    /// A group was begun with another state.
    #[error("the group must begin with entry {expected}")]
    OtherGroup {
        /// Which entry is next.
        expected: u64,
    },
}

impl StoreError {
    /// For `map_err`.
    pub fn unavailable(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Unavailable(source.into())
    }

    /// For `map_err`.
    pub fn damaged(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Damaged(source.into())
    }

    /// For `map_err`.
    pub fn migration(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Migration(source.into())
    }
}
