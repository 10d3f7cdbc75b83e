//! Data keys that are added at the same moment are added together: when many tenants send for the first
//! time, as after a campaign, each of them gets its keys, and a commit for each would be a queue that grows.

use std::{
    mem,
    num::NonZeroU32,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use portcullis_keyring::{
    KeyId, TenantId, Transition,
    kek::WrappedKey,
    store::{ChangeError, DekStore, InsertError, SqliteDekStore, StoreError, StoredKey},
};
use tokio::sync::oneshot;

use crate::store::sqlite::{WriteTurn, WriteTurns};

/// The store of data keys, in which who has the turn to write adds the keys of all who wait for one.
#[derive(Debug)]
pub(super) struct GroupedKeys {
    store: SqliteDekStore,
    turns: WriteTurns,
    waiting: Mutex<Vec<Waiting>>,
}

#[derive(Debug)]
struct Waiting {
    key: StoredKey,
    reply: oneshot::Sender<Result<(), InsertError>>,
}

impl GroupedKeys {
    pub(super) fn new(store: SqliteDekStore, turns: WriteTurns) -> Self {
        Self {
            store,
            turns,
            waiting: Mutex::default(),
        }
    }

    fn waiting(&self) -> MutexGuard<'_, Vec<Waiting>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds the keys of all who wait, but for those who have gone away.
    async fn add_waiting(&self, turn: WriteTurn) {
        let mut waiting = mem::take(&mut *self.waiting());
        waiting.retain(|one| !one.reply.is_closed());
        if waiting.is_empty() {
            return;
        }
        let pairs = waiting
            .into_iter()
            .map(|Waiting { key, reply }| (key, reply));
        let (keys, replies): (Vec<_>, Vec<_>) = pairs.unzip();
        match turn.write(|| self.store.insert_all(&keys)).await {
            Ok(outcomes) => {
                for (reply, outcome) in replies.into_iter().zip(outcomes) {
                    drop(reply.send(outcome));
                }
            }
            Err(error) => {
                let error = Arc::new(error);
                for reply in replies {
                    drop(reply.send(Err(shared(&error).into())));
                }
            }
        }
    }
}

/// An error for one of those whom it concerns.
fn shared(error: &Arc<StoreError>) -> StoreError {
    let cause = Arc::clone(error).into();
    match **error {
        StoreError::Corrupt(_) => StoreError::Corrupt(cause),
        _ => StoreError::Unavailable(cause),
    }
}

#[async_trait]
impl DekStore for GroupedKeys {
    async fn insert(&self, key: &StoredKey) -> Result<(), InsertError> {
        loop {
            let (reply, mut answer) = oneshot::channel();
            let key = key.clone();
            self.waiting().push(Waiting { key, reply });
            tokio::select! {
                biased;
                answer = &mut answer => match answer {
                    Ok(answer) => return answer,
                    // The task that was adding it went away, and it was added or not: the next attempt tells.
                    Err(_) => continue,
                },
                turn = self.turns.take() => self.add_waiting(turn).await,
            }
            if let Ok(answer) = answer.await {
                return answer;
            }
        }
    }

    async fn load(&self, id: KeyId) -> Result<Option<StoredKey>, StoreError> {
        self.store.load(id).await
    }

    async fn load_tenant(&self, tenant: &TenantId) -> Result<Vec<StoredKey>, StoreError> {
        self.store.load_tenant(tenant).await
    }

    async fn list(
        &self,
        after: Option<KeyId>,
        limit: NonZeroU32,
    ) -> Result<Vec<StoredKey>, StoreError> {
        self.store.list(after, limit).await
    }

    async fn check(&self) -> Result<(), StoreError> {
        self.turns.write(|| self.store.check()).await
    }

    async fn changes(&self) -> Result<Option<u64>, StoreError> {
        self.store.changes().await
    }

    async fn promote(&self, old: KeyId, new: KeyId) -> Result<(), ChangeError> {
        self.turns.write(|| self.store.promote(old, new)).await
    }

    async fn change(&self, id: KeyId, step: Transition) -> Result<(), ChangeError> {
        self.turns.write(|| self.store.change(id, step)).await
    }

    async fn rewrap(
        &self,
        id: KeyId,
        old: &WrappedKey,
        new: &WrappedKey,
    ) -> Result<(), ChangeError> {
        self.turns.write(|| self.store.rewrap(id, old, new)).await
    }

    async fn erase_tenant(&self, tenant: &TenantId) -> Result<(), StoreError> {
        self.turns.write(|| self.store.erase_tenant(tenant)).await
    }
}

#[cfg(test)]
mod tests;
