//! Where wrapped data keys and their states are stored.

pub(crate) mod file;
mod loaded;
mod memory;
#[cfg(feature = "postgres")]
mod postgres;
mod query;
mod record;
mod row;
#[cfg(feature = "sqlite")]
mod sqlite;
mod tables;

use std::{error::Error, fmt, num::NonZeroU32, time::SystemTime};

use async_trait::async_trait;

use crate::{KeyId, TenantId, Transition, kek::WrappedKey};

#[cfg(feature = "postgres")]
pub use self::postgres::PostgresDekStore;
#[cfg(feature = "sqlite")]
pub use self::sqlite::SqliteDekStore;
pub use self::{
    file::FileDekStore,
    loaded::{DamagedKey, LoadedKeys},
    memory::MemoryDekStore,
    query::KeyQuery,
    record::StoredKey,
};

/// Where wrapped data keys and their states live, shared by every process of a service.
///
/// # Contract
/// * Each method is one transaction: it happens whole or not at all, and every later call, in any
///   process, sees it.
/// * A key id is never used twice; destroyed keys keep theirs.
/// * A tenant and purpose have at most one `Primary` and at most one `Pending` key.
/// * A destroyed key keeps no wrapped bytes.
/// * A refusal changes nothing.
/// * A key that cannot be read is named and takes no other with it: it is [`LoadedKeys::damaged`] where others
///   are asked for too.
/// * `created_at` and `state_since` are kept to the millisecond.
///
/// [`conformance::dek_store`](crate::conformance) checks an implementation against it.
#[async_trait]
pub trait DekStore: fmt::Debug + Send + Sync {
    /// Adds a key.
    ///
    /// # Errors
    /// [`InsertError`] when its id is in use, when the tenant and purpose have a key in its state
    /// already (`Primary`, `Pending`), or when the tenant was erased.
    async fn insert(&self, key: &StoredKey) -> Result<(), InsertError>;

    /// One key.
    ///
    /// # Errors
    /// [`StoreError`]; [`StoreError::Damaged`] when its row cannot be read.
    async fn load(&self, id: KeyId) -> Result<Option<StoredKey>, StoreError>;

    /// Every key of a tenant in every state, by id.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn load_tenant(&self, tenant: &TenantId) -> Result<LoadedKeys, StoreError>;

    /// Those of some keys that are there, in any order.
    ///
    /// By default each is loaded by itself.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn load_many(&self, ids: &[KeyId]) -> Result<LoadedKeys, StoreError> {
        let mut loaded = LoadedKeys::default();
        for id in ids {
            match self.load(*id).await {
                Ok(key) => loaded.keys.extend(key),
                Err(StoreError::Damaged(_)) => loaded.damaged.push(DamagedKey::new(*id)),
                Err(error) => return Err(error),
            }
        }
        Ok(loaded)
    }

    /// A page of the keys that are asked for, by id; those that are damaged count as well.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn list(&self, query: &KeyQuery) -> Result<LoadedKeys, StoreError>;

    /// Whether the store can do what the other methods ask of it, found by trying: it reads and writes
    /// all that they do, and leaves nothing of it. That somebody else is writing is no failure.
    ///
    /// By default one key is read.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn check(&self) -> Result<(), StoreError> {
        let one = KeyQuery::all(NonZeroU32::MIN);
        self.list(&one).await.map(drop)
    }

    /// A number that grows with every change of a key that is there, and with every key that is added in
    /// another state than `Primary`; `None` if the store does not count.
    ///
    /// While it stays what it is, what was read of any tenant still stands, but for first keys: a
    /// keyring then reads this number every 5 s, and not the keys of each tenant.
    ///
    /// By default there is none.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn changes(&self) -> Result<Option<u64>, StoreError> {
        Ok(None)
    }

    /// Makes `new` (`Pending` or `DecryptOnly`) the primary and `old` (`Primary`) `DecryptOnly`, both
    /// since `at`.
    ///
    /// # Errors
    /// [`ChangeError::Conflict`] when either is not in that state, or when they are not of the
    /// same tenant and purpose.
    async fn promote(&self, old: KeyId, new: KeyId, at: SystemTime) -> Result<(), ChangeError>;

    /// Takes a key from one state to another, in which it is since `at`.
    ///
    /// # Errors
    /// [`ChangeError::Conflict`] when the key is not in the state the step starts from.
    async fn change(&self, id: KeyId, step: Transition, at: SystemTime) -> Result<(), ChangeError>;

    /// Replaces the wrapped bytes of a key, if they still are `old`.
    ///
    /// # Errors
    /// [`ChangeError::Conflict`] when they are not.
    async fn rewrap(
        &self,
        id: KeyId,
        old: &WrappedKey,
        new: &WrappedKey,
    ) -> Result<(), ChangeError>;

    /// Destroys every key of a tenant at `at`, whatever its state, and refuses new ones from then on.
    /// Doing it again changes nothing.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn erase_tenant(&self, tenant: &TenantId, at: SystemTime) -> Result<(), StoreError>;
}

/// Why a store did not answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The database did not do what it was asked; asking again can help.
    #[error("the store of data keys is unavailable: try again later")]
    Unavailable(#[source] Box<dyn Error + Send + Sync>),
    /// The database itself is damaged; asking again does not help.
    #[error("the database of data keys is damaged: restore it from a backup")]
    Corrupt(#[source] Box<dyn Error + Send + Sync>),
    /// The row of the one key that is needed is not what this version of the crate writes.
    #[error("data key {0:08x} cannot be read from the store: its row is damaged")]
    Damaged(i64),
    /// The table could not be made or brought up to date.
    #[error("the table of data keys could not be migrated")]
    Migration(#[source] Box<dyn Error + Send + Sync>),
}

/// Why a key was not added.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InsertError {
    /// Another key has the id, or had it.
    #[error("the key id is in use: make another")]
    IdTaken,
    /// The tenant and purpose have a primary, or a pending key, already.
    #[error("the tenant and purpose have a key in this state already: use it")]
    StateTaken,
    /// The tenant was erased.
    #[error("the tenant was erased: it gets no new keys")]
    TenantErased,
    /// The store did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why a key was not changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ChangeError {
    /// The key is not, or no longer, what the change starts from.
    #[error("the key has changed in the meantime: read its state again")]
    Conflict,
    /// The store did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}
