//! Where the records of keys live, and what somebody who keeps them elsewhere needs.
//!
//! A [`KeyStore`] keeps the records; a [`ChangeFeed`](crate::feed::ChangeFeed) tells what happened
//! to them. The stores of this crate are both at once.

mod error;
mod memory;
mod pepper_rows;
#[cfg(feature = "postgres")]
mod postgres;
mod record;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
mod sql;
#[cfg(feature = "sqlite")]
mod sqlite;
mod unix_millis;

use std::{collections::BTreeMap, fmt::Debug, num::NonZeroU16};

use async_trait::async_trait;

use crate::{feed::Change, kid::Kid, pepper::PepperVersion, tenant::TenantId};

#[cfg(feature = "postgres")]
pub use self::postgres::PostgresKeyStore;
pub(crate) use self::record::Validity;
#[cfg(feature = "sqlite")]
pub use self::sqlite::SqliteKeyStore;
pub use self::{
    error::StoreError,
    memory::MemoryKeyStore,
    pepper_rows::PepperRows,
    record::{KeyRecord, RecordState, RecordVersion},
    unix_millis::UnixMillis,
};
pub use crate::verifier::{KeyHash, RowMac, Verifier};

/// Keeps the records of keys.
///
/// # Contract
///
/// - What is inserted is loaded: every field as it was, whatever its bytes.
/// - A revocation is permanent, drops the verifier, and raises the version by 1. Revoking again
///   changes nothing and answers with the same version.
/// - A rotation changes the old record and adds the new one together, or does neither.
/// - [`load`](Self::load) reads what was committed before it was called, by whichever process: a replica that
///   lags is no store for a cache. A cache that has just started knows of no revocation, and would keep the
///   record of a revoked key from such a replica for the time to live.
/// - If the store has a [`ChangeFeed`](crate::feed::ChangeFeed), [`insert`](Self::insert),
///   [`revoke`](Self::revoke) and [`rotate`](Self::rotate) append each kid and its new version to it
///   in the same transaction as the change: no reader sees one without the other. Nothing else of
///   the store appends. They answer with what they appended; without a feed, with the number 0.
/// - Dropping a future never leaves half a change.
///
/// `conformance::key_store` checks an implementation (feature `conformance`).
#[async_trait]
pub trait KeyStore: Debug + Send + Sync {
    /// The record of a kid.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`], [`StoreError::Corrupt`], [`StoreError::Unreadable`].
    async fn load(&self, kid: &Kid) -> Result<Option<KeyRecord>, StoreError>;

    /// Adds a record; the change is dated by its `created_at`.
    ///
    /// # Errors
    ///
    /// [`StoreError::KidTaken`] if there is a record of that kid, [`StoreError::Unavailable`],
    /// [`StoreError::Corrupt`].
    async fn insert(&self, record: &KeyRecord) -> Result<Change, StoreError>;

    /// Revokes a record and raises its version; `None` if there is no record of that kid.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`], [`StoreError::Corrupt`].
    async fn revoke(&self, kid: &Kid, at: UnixMillis) -> Result<Option<Revoked>, StoreError>;

    /// Replaces the record of `old.kid` by `old`, except for the dates when it was issued and last used,
    /// and adds `new`; the changes are dated by the `created_at` of `new`, that of the old record first.
    /// `None`, and nothing changed, if the record is not active, if its version is not the one before that
    /// of `old`, or if `old` is active and the record is verified under another pepper: a
    /// [`rehash`](Self::rehash) that came between is not undone.
    ///
    /// # Errors
    ///
    /// [`StoreError::KidTaken`] if there is a record of the new kid, [`StoreError::Unavailable`],
    /// [`StoreError::Corrupt`].
    async fn rotate(
        &self,
        old: &KeyRecord,
        new: &KeyRecord,
    ) -> Result<Option<[Change; 2]>, StoreError>;

    /// Replaces the verifier of a record that is active, has this version, and is still verified
    /// under this pepper; otherwise changes nothing. The version stays as it is, and so does the
    /// feed, since what the key is allowed stays.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`], [`StoreError::Corrupt`].
    async fn rehash(
        &self,
        kid: &Kid,
        version: RecordVersion,
        under: PepperVersion,
        verifier: &Verifier,
    ) -> Result<(), StoreError>;

    /// Stores when keys were last used; unknown kids and earlier dates are ignored.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`], [`StoreError::Corrupt`].
    async fn update_last_used(&self, uses: &[(Kid, UnixMillis)]) -> Result<(), StoreError>;

    /// Records in the order of their kids.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`], [`StoreError::Corrupt`], [`StoreError::Unreadable`].
    async fn list(&self, query: &KeyQuery) -> Result<Vec<KeyRecord>, StoreError>;

    /// The kids of active records that were used at this date or later, those used last first, at most
    /// `limit`.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`], [`StoreError::Corrupt`], [`StoreError::Unreadable`].
    async fn recently_used(
        &self,
        since: UnixMillis,
        limit: NonZeroU16,
    ) -> Result<Vec<Kid>, StoreError>;

    /// How many active records, that do not expire up to this date, need each version of the pepper.
    /// Versions that none needs are left out.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`], [`StoreError::Corrupt`], [`StoreError::Unreadable`].
    async fn rows_by_pepper(
        &self,
        at: UnixMillis,
    ) -> Result<BTreeMap<PepperVersion, PepperRows>, StoreError>;

    /// A tenant that has keys, whatever their state, and whose name is this one but for the case of
    /// letters: the tenant of this very name if it has keys, or else any other; `None` if there is none.
    ///
    /// For who names tenants so that people tell them apart. A name is visible ASCII, so that case is that
    /// of `A` to `Z`, and no rules of a language have a part in it. The store looks the name up by an index:
    /// what it takes does not grow with the number of keys.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`], [`StoreError::Corrupt`], [`StoreError::Unreadable`].
    async fn tenant_alike(&self, tenant: &TenantId) -> Result<Option<TenantId>, StoreError>;

    /// Whether the store can do what the other methods ask of it, found by trying: it reads and writes
    /// all that they do, and leaves nothing of it. That somebody else is writing is no failure.
    ///
    /// By default one record is read.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`], [`StoreError::Corrupt`], [`StoreError::Unreadable`].
    async fn check(&self) -> Result<(), StoreError> {
        let one = KeyQuery::first(NonZeroU16::MIN);
        self.list(&one).await.map(drop)
    }
}

/// The answer to a revocation.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "a store gives one of these answers"
)]
pub enum Revoked {
    /// The key was good until now; this was appended to the feed, with the version of its record.
    Now(Change),
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
    /// Only those after this kid.
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

    /// Only those after this kid: the last one of the page before.
    #[must_use]
    pub fn after(self, kid: Kid) -> Self {
        Self {
            after: Some(kid),
            ..self
        }
    }
}
