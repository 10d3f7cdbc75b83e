//! What an application stores of its blind indexes.

use std::{error::Error, fmt, num::NonZeroU32};

use async_trait::async_trait;

use crate::{IndexState, IndexVersion};

/// The tables of an application that have to do with blind indexes: the phases of the versions
/// (`index_state`), and the values of all fields (such as `lead_index`).
///
/// # Contract
/// * [`replace`](Self::replace) compares and sets in one step: of two that expect the same, one is done. It
///   commits within 15 s of the call, or not at all: the phases are dated by the caller.
/// * What was answered is durable, and every process reads it.
/// * Whatever writes a field replaces its values of every version, also of those that it does not know.
/// * Times are kept to the millisecond.
#[async_trait]
pub trait IndexStates: fmt::Debug + Send + Sync {
    /// The phases as they are stored; the empty state before the first start.
    ///
    /// # Errors
    /// [`IndexStatesError`].
    async fn read(&self) -> Result<IndexState, IndexStatesError>;

    /// Puts `new` in the place of the phases, if those are still `expected`.
    ///
    /// # Errors
    /// [`IndexStatesError`]: nothing was written, or it is not known whether.
    async fn replace(
        &self,
        expected: &IndexState,
        new: &IndexState,
    ) -> Result<Replaced, IndexStatesError>;

    /// How many times a field of a row has values in an index under one of the two versions and none under
    /// the other. Before `written` is enforced it has to be 0.
    ///
    /// Rows that have values of the enforced version and none of `written` are what
    /// [`Scope::NotIndexed`](crate::reencrypt::Scope::NotIndexed) means: not those whose fields give no
    /// values at all, as a name of two letters does.
    ///
    /// # Errors
    /// [`IndexStatesError`].
    async fn differences(
        &self,
        enforced: IndexVersion,
        written: IndexVersion,
    ) -> Result<u64, IndexStatesError>;

    /// Columns that copy the value of the enforced version (`email_fp`) get that of `version`, in at most
    /// `limit` rows: how many were written. It is called until that is 0; where there is no such column it
    /// always is.
    ///
    /// # Errors
    /// [`IndexStatesError`].
    async fn copy_columns(
        &self,
        version: IndexVersion,
        limit: NonZeroU32,
    ) -> Result<u64, IndexStatesError>;

    /// Deletes at most `limit` values of versions that are neither among `live` nor live as the phases are
    /// stored when it deletes, in the same transaction: how many were deleted. It is called until that is 0.
    ///
    /// # Errors
    /// [`IndexStatesError`].
    async fn delete_others(
        &self,
        live: &[IndexVersion],
        limit: NonZeroU32,
    ) -> Result<u64, IndexStatesError>;
}

/// Whether the phases were replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "a comparison ends in one of two ways"
)]
pub enum Replaced {
    /// They are the new ones.
    Done,
    /// They were not those that were expected: somebody else has changed them.
    Changed,
}

/// The tables could not be read or written.
#[derive(Debug, thiserror::Error)]
#[error("the phases or the values of the blind indexes cannot be read or written")]
pub struct IndexStatesError(#[source] Box<dyn Error + Send + Sync>);

impl IndexStatesError {
    /// The tables did not do what they were asked.
    #[must_use]
    pub fn new(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self(source.into())
    }
}
