//! Where a log is kept.

mod batch;
mod by_time;
mod cursor;
#[cfg(unix)]
mod file;
mod group;
mod memory;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
mod sql;
#[cfg(feature = "sqlite")]
mod sqlite;
mod state;
mod store_error;

use std::{fmt, num::NonZeroUsize, ops::Range};

use async_trait::async_trait;

use crate::{
    event::Id,
    note::SignedNote,
    search::{Page, Query},
    tile::TilePath,
};

pub(crate) use self::by_time::time_of;
#[cfg(unix)]
pub use self::file::{
    FileEvent, FileGenerations, FileObserver, FileStore, FileStoreBuilder, FileStoreError,
    StoredIndex,
};
#[cfg(feature = "postgres")]
pub use self::postgres::PostgresStore;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
pub use self::sql::IndexRows;
#[cfg(feature = "sqlite")]
pub use self::sqlite::SqliteStore;
pub use self::{
    batch::EntryBatch,
    by_time::first_since,
    cursor::{CursorBeyond, cursor_in_log},
    group::{Group, GroupEntry, GroupFull, MAX_GROUP_BYTES, MAX_GROUP_EVENTS},
    memory::MemoryStore,
    state::LogState,
    store_error::StoreError,
};

/// Where the leaves of a log are, what is published of them, and what lies beside them.
///
/// # Contract
/// * What [`Appending::commit`] returned for is kept, whatever happens to the process, and is what every later call
///   sees. What it did not return for is there whole or not at all.
/// * One group at a time is appended: [`lock`](Self::lock) waits for the one before.
/// * Leaves, tiles and checkpoints are never changed. [`prune`](Self::prune) takes leaves away, from the oldest, and
///   no tile of hashes; [`erase`](Self::erase) takes personal parts away.
/// * A call whose caller stops to wait for it leaves nothing half done.
/// * After a failure the store may be used again: it finds out by itself what it has.
///
/// [`conformance::store`](crate::conformance) checks an implementation against it.
#[async_trait]
pub trait Store: fmt::Debug + Send + Sync {
    /// Takes the log, to append one group with events of these tenants.
    ///
    /// # Errors
    /// [`StoreError`]; nothing was taken.
    async fn lock(&self, tenants: &[Id]) -> Result<Box<dyn Appending>, StoreError>;

    /// Whether other processes may append to the same log. What one of them has left begun is looked for then.
    fn is_shared(&self) -> bool {
        true
    }

    /// How many leaves the log has.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn size(&self) -> Result<u64, StoreError>;

    /// Leaves in their order from `from`: at least one if there is one, and no more than have `most` bytes behind that.
    ///
    /// # Errors
    /// [`StoreError::Pruned`] if `from` is before the first leaf that is left.
    async fn entries(&self, from: u64, most: NonZeroUsize) -> Result<EntryBatch, StoreError>;

    /// The bytes of a tile or bundle, if it belongs to the published tree and is not pruned. A full one may be there
    /// before a checkpoint has it.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn tile(&self, path: TilePath) -> Result<Option<Vec<u8>>, StoreError>;

    /// The checkpoint that is published.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn checkpoint(&self) -> Result<Option<SignedNote>, StoreError>;

    /// Publishes a checkpoint, with the tiles of its tree. The published one may be given again with other signatures.
    ///
    /// # Errors
    /// [`StoreError::OtherTree`] if the log never had that tree or has published a larger one; nothing is changed.
    async fn publish(&self, checkpoint: &SignedNote) -> Result<(), StoreError>;

    /// A page of events, the newest first. It reads at most [`Page::MAX_READ_BYTES`], for at most
    /// [`Page::MAX_TIME`], and is then not complete.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn search(&self, query: &Query) -> Result<Page, StoreError>;

    /// The sealed personal part of a leaf, if it has one that is not erased.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn personal(&self, n: u64) -> Result<Option<Vec<u8>>, StoreError>;

    /// Erases the personal parts of some leaves: when it returns, nothing that the store keeps has them. Gives how many
    /// there were.
    ///
    /// # Errors
    /// [`StoreError`]; some may be erased.
    async fn erase(&self, leaves: &[u64]) -> Result<u64, StoreError>;

    /// Takes away the leaves before `before` with their personal parts, by whole bundles. Gives how many leaves went by
    /// this call: what others take away meanwhile is counted where they do.
    ///
    /// # Errors
    /// [`StoreError`]; some may be taken away.
    async fn prune(&self, before: u64) -> Result<u64, StoreError>;

    /// The first leaf that is left: 0 before anything was [pruned](Self::prune).
    ///
    /// # Errors
    /// [`StoreError`].
    async fn first(&self) -> Result<u64, StoreError>;

    /// Reads the journal, of a store that has one: what is durable before it is in bundles. It is held against what was
    /// committed, and repaired, if somebody else has damaged it: nothing that was committed is lost by that. Gives the
    /// leaves that each journal had which was damaged, for as long as the damage is on record.
    ///
    /// # Errors
    /// [`StoreError`]; what could not be repaired is tried again.
    async fn check_journal(&self) -> Result<Vec<Range<u64>>, StoreError> {
        Ok(Vec::new())
    }

    /// How many damages to its journal are on record, as far as they were found by now. It waits for nothing.
    fn damages(&self) -> u64 {
        0
    }

    /// How far somebody has come who follows the log: the leaf that is next.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn cursor(&self, name: &Id) -> Result<Option<u64>, StoreError>;

    /// Keeps how far somebody has come.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn move_cursor(&self, name: &Id, next: u64) -> Result<(), StoreError>;
}

/// A log that is taken, for one group. Dropped, it is given back as it was.
#[async_trait]
pub trait Appending: fmt::Debug + Send {
    /// The tree, and the numbers of the tenants that it was taken for.
    fn state(&self) -> LogState;

    /// Appends a group that was begun with [`state`](Self::state), and gives the log back. It returns when the group is
    /// durable. To stop waiting for it does not stop it.
    ///
    /// # Errors
    /// [`StoreError`]; whether the group is in the log, the next [`Store::lock`] finds out.
    async fn commit(self: Box<Self>, group: &Group) -> Result<(), StoreError>;
}

#[cfg(test)]
mod tests;
