//! Where records live.

mod memory;
#[cfg(feature = "sqlx")]
mod sqlite;

use std::error::Error as StdError;
use std::fmt::Debug;
use std::num::NonZeroU16;
use std::time::Duration;

use async_trait::async_trait;
use thiserror::Error;

pub use self::memory::MemoryKeyStore;
#[cfg(feature = "sqlx")]
pub use self::sqlite::SqliteKeyStore;
use crate::clock::UnixMillis;
use crate::kid::Kid;
use crate::pepper::PepperVersion;
use crate::record::{KeyRecord, RecordVersion};
use crate::tenant::TenantId;
use crate::verifier::Verifier;

/// How long a change is kept in the outbox, at least.
pub const OUTBOX_RETENTION: Duration = Duration::from_secs(3_600);

/// Keeps records and an outbox of what happened to them.
///
/// # Contract
///
/// - [`insert`](Self::insert) and [`revoke`](Self::revoke) change the record and append its kid
///   and new version to the outbox in one transaction: no reader sees one without the other.
/// - Sequence numbers of the outbox begin at 1 and rise by 1. A reader that has seen `n` never
///   sees a number up to `n` appear later.
/// - A revocation is for ever, drops the verifier, and raises the version by 1. Revoking again
///   changes nothing and answers with the same version.
/// - Changes are kept for [`OUTBOX_RETENTION`]; older ones may be dropped, oldest first. The
///   head never goes back.
/// - [`load`](Self::load) may lag behind the last commit (a replica); versions never go back for
///   good.
/// - Dropping a future never leaves half a change.
#[async_trait]
pub trait KeyStore: Debug + Send + Sync {
    /// The record of a kid.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`], [`StoreError::Unreadable`].
    async fn load(&self, kid: &Kid) -> Result<Option<KeyRecord>, StoreError>;

    /// Adds a record and appends its kid and version to the outbox.
    ///
    /// # Errors
    ///
    /// [`StoreError::KidTaken`] if there is a record of that kid, [`StoreError::Unavailable`].
    async fn insert(&self, record: &KeyRecord) -> Result<(), StoreError>;

    /// Revokes a record, raises its version, and appends both to the outbox; `None` if there is
    /// no record of that kid.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`].
    async fn revoke(&self, kid: &Kid, at: UnixMillis) -> Result<Option<Revoked>, StoreError>;

    /// Replaces the verifier of a record that is active, has this version, and is still verified
    /// under this pepper; else changes nothing. Version and outbox stay as they are, since what
    /// the key is allowed does.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`].
    async fn rehash(
        &self,
        kid: &Kid,
        version: RecordVersion,
        under: PepperVersion,
        verifier: &Verifier,
    ) -> Result<(), StoreError>;

    /// Notes when keys were last used; unknown kids and earlier dates are ignored.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`].
    async fn touch(&self, uses: &[(Kid, UnixMillis)]) -> Result<(), StoreError>;

    /// Records in the order of their kids.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`], [`StoreError::Unreadable`].
    async fn list(&self, query: &KeyQuery) -> Result<Vec<KeyRecord>, StoreError>;

    /// What the outbox holds behind a sequence number, oldest first, at most `limit` changes.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`], [`StoreError::Unreadable`].
    async fn changes_after(
        &self,
        seq: OutboxSeq,
        limit: NonZeroU16,
    ) -> Result<OutboxPage, StoreError>;
}

/// The answer to a revocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "a store gives one of these answers"
)]
pub enum Revoked {
    /// The key was good until now; its record has this version.
    Now(RecordVersion),
    /// It had been revoked before; its record has this version.
    Before(RecordVersion),
}

/// Which records to list.
#[derive(Clone, Debug)]
#[expect(
    clippy::exhaustive_structs,
    reason = "a store has to honour every field"
)]
pub struct KeyQuery {
    /// Of this tenant only.
    pub tenant: Option<TenantId>,
    /// Only those behind this kid.
    pub after: Option<Kid>,
    /// At most so many.
    pub limit: NonZeroU16,
}

impl KeyQuery {
    /// The first records of all tenants, at most `limit`.
    #[must_use]
    pub fn first(limit: NonZeroU16) -> Self {
        Self {
            tenant: None,
            after: None,
            limit,
        }
    }

    /// Only those of this tenant.
    #[must_use]
    pub fn of_tenant(self, tenant: TenantId) -> Self {
        Self {
            tenant: Some(tenant),
            ..self
        }
    }

    /// Only those behind this kid: the last one of the page before.
    #[must_use]
    pub fn after(self, kid: Kid) -> Self {
        Self {
            after: Some(kid),
            ..self
        }
    }
}

/// The place of a change in the outbox; 0 is before the first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OutboxSeq(u64);

impl OutboxSeq {
    /// Behind every change: reading from here gives the head alone.
    pub const END: Self = Self(u64::MAX);

    /// The place with this number.
    #[must_use]
    pub fn new(number: u64) -> Self {
        Self(number)
    }

    /// The number.
    #[must_use]
    pub fn as_u64(self) -> u64 {
        self.0
    }

    /// The place behind.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

/// A record was added or revoked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_structs,
    reason = "a store builds it from its columns"
)]
pub struct Change {
    /// Its place in the outbox.
    pub seq: OutboxSeq,
    /// The record.
    pub kid: Kid,
    /// The version it has since.
    pub version: RecordVersion,
}

/// A part of the outbox.
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_structs, reason = "a store builds it from its rows")]
pub struct OutboxPage {
    /// The last sequence number given out, whether or not its change is kept.
    pub head: OutboxSeq,
    /// Changes, oldest first.
    pub changes: Vec<Change>,
}

/// Why a store did not do what it was asked.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StoreError {
    /// It could not be reached, or did not answer in time.
    #[error("the key store is unavailable; check the database and try again")]
    Unavailable(#[source] Option<Box<dyn StdError + Send + Sync>>),
    /// A column holds what this crate never wrote.
    #[error("the column {column} of a key record cannot be read; repair or remove the row")]
    Unreadable {
        /// The name of the column.
        column: &'static str,
    },
    /// There is a record of that kid.
    #[error("a record of that kid exists; make another kid")]
    KidTaken,
}
