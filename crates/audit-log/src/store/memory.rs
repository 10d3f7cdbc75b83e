//! A log in memory.

mod kept;

use std::{
    num::NonZeroUsize,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard};

use self::kept::Kept;
use super::{Appending, EntryBatch, Group, LogState, Store, StoreError};
use crate::{
    event::Id,
    note::SignedNote,
    search::{Page, Query},
    tile::TilePath,
};

/// A log that ends with the process: for tests, and to try the crate out.
///
/// It has no index: a page of a search reads every leaf up to what it finds, within the bounds of a page.
#[derive(Debug, Clone, Default)]
pub struct MemoryStore {
    kept: Arc<Mutex<Kept>>,
    taken: Arc<AsyncMutex<()>>,
}

#[derive(Debug)]
struct Taken {
    kept: Arc<Mutex<Kept>>,
    state: LogState,
    _taken: OwnedMutexGuard<()>,
}

impl MemoryStore {
    /// A log without leaves.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        locked(&self.kept)
    }
}

fn locked(kept: &Mutex<Kept>) -> MutexGuard<'_, Kept> {
    kept.lock().unwrap_or_else(PoisonError::into_inner)
}

#[async_trait]
impl Store for MemoryStore {
    async fn lock(&self, tenants: &[Id]) -> Result<Box<dyn Appending>, StoreError> {
        let taken = Arc::clone(&self.taken).lock_owned().await;
        Ok(Box::new(Taken {
            state: self.kept().state_of(tenants),
            kept: Arc::clone(&self.kept),
            _taken: taken,
        }))
    }

    async fn size(&self) -> Result<u64, StoreError> {
        Ok(self.kept().size())
    }

    async fn entries(&self, from: u64, most: NonZeroUsize) -> Result<EntryBatch, StoreError> {
        self.kept().entries(from, most)
    }

    async fn tile(&self, path: TilePath) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.kept().tile(path))
    }

    async fn checkpoint(&self) -> Result<Option<SignedNote>, StoreError> {
        Ok(self.kept().checkpoint())
    }

    async fn publish(&self, checkpoint: &SignedNote) -> Result<(), StoreError> {
        self.kept().publish(checkpoint)
    }

    async fn search(&self, query: &Query) -> Result<Page, StoreError> {
        Ok(self.kept().search(query))
    }

    async fn personal(&self, n: u64) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.kept().personal(n))
    }

    async fn erase(&self, leaves: &[u64]) -> Result<u64, StoreError> {
        Ok(self.kept().erase(leaves))
    }

    async fn prune(&self, before: u64) -> Result<u64, StoreError> {
        Ok(self.kept().prune(before))
    }

    async fn first(&self) -> Result<u64, StoreError> {
        Ok(self.kept().first())
    }

    async fn cursor(&self, name: &Id) -> Result<Option<u64>, StoreError> {
        Ok(self.kept().cursor(name))
    }

    async fn move_cursor(&self, name: &Id, next: u64) -> Result<(), StoreError> {
        self.kept().move_cursor(name, next);
        Ok(())
    }
}

#[async_trait]
impl Appending for Taken {
    fn state(&self) -> LogState {
        self.state.clone()
    }

    async fn commit(self: Box<Self>, group: &Group) -> Result<(), StoreError> {
        locked(&self.kept).append(group)
    }
}
