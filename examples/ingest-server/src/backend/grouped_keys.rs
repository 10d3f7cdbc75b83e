//! Data keys that are added at the same moment are added together: when many tenants send for the first
//! time, as after a campaign, each of them gets its keys, and a commit for each would be a queue that grows.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::SystemTime,
};

use async_trait::async_trait;
use portcullis_keyring::{
    KeyId, TenantId, Transition,
    kek::WrappedKey,
    store::{
        ChangeError, DekStore, InsertError, KeyQuery, LoadedKeys, SqliteDekStore, StoreError,
        StoredKey,
    },
};
use tokio::sync::oneshot;

use crate::store::sqlite::{WriteTurn, WriteTurns};

/// How many keys one transaction adds at most: others of the process wait for it to end. Those that are left
/// are added in the turn of somebody who waits for one of them.
const MOST_TOGETHER: usize = 256;

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

    /// The keys of those who have waited longest, but for those who have gone away.
    fn next_together(&self) -> Vec<Waiting> {
        let mut waiting = self.waiting();
        waiting.retain(|one| !one.reply.is_closed());
        let together = waiting.len().min(MOST_TOGETHER);
        waiting.drain(..together).collect()
    }

    /// Whether a key with this id is still to be taken up by somebody.
    fn is_waiting(&self, id: KeyId) -> bool {
        self.waiting().iter().any(|one| one.key.id() == id)
    }

    /// Adds the keys of all who wait, or of as many as go together.
    async fn add_waiting(&self, turn: WriteTurn) {
        let waiting = self.next_together();
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

    /// Waits for somebody to add the key, or does so for all. There is no answer if the task that was adding
    /// it went away: it was added or not, and the next attempt tells.
    async fn insert_together(&self, key: &StoredKey) -> Option<Result<(), InsertError>> {
        let (reply, mut answer) = oneshot::channel();
        let (id, key) = (key.id(), key.clone());
        self.waiting().push(Waiting { key, reply });
        loop {
            tokio::select! {
                biased;
                answer = &mut answer => return answer.ok(),
                turn = self.turns.take() => self.add_waiting(turn).await,
            }
            if !self.is_waiting(id) {
                return answer.await.ok();
            }
        }
    }

    /// Whether this very key is there, which an attempt without an answer may have added. What is wrapped is
    /// random, so that nobody else's is the same.
    async fn has(&self, key: &StoredKey) -> Result<bool, StoreError> {
        let there = self.store.load(key.id()).await?;
        Ok(there.is_some_and(|there| {
            there.context() == key.context() && there.wrapped() == key.wrapped()
        }))
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
        if let Some(answer) = self.insert_together(key).await {
            return answer;
        }
        loop {
            match self.insert_together(key).await {
                Some(Err(InsertError::IdTaken | InsertError::StateTaken))
                    if self.has(key).await? =>
                {
                    return Ok(());
                }
                Some(answer) => return answer,
                None => {}
            }
        }
    }

    async fn load(&self, id: KeyId) -> Result<Option<StoredKey>, StoreError> {
        self.store.load(id).await
    }

    async fn load_tenant(&self, tenant: &TenantId) -> Result<LoadedKeys, StoreError> {
        self.store.load_tenant(tenant).await
    }

    async fn load_many(&self, ids: &[KeyId]) -> Result<LoadedKeys, StoreError> {
        self.store.load_many(ids).await
    }

    async fn list(&self, query: &KeyQuery) -> Result<LoadedKeys, StoreError> {
        self.store.list(query).await
    }

    async fn check(&self) -> Result<(), StoreError> {
        self.turns.write(|| self.store.check()).await
    }

    async fn changes(&self) -> Result<Option<u64>, StoreError> {
        self.store.changes().await
    }

    async fn promote(&self, old: KeyId, new: KeyId, at: SystemTime) -> Result<(), ChangeError> {
        self.turns.write(|| self.store.promote(old, new, at)).await
    }

    async fn change(&self, id: KeyId, step: Transition, at: SystemTime) -> Result<(), ChangeError> {
        self.turns.write(|| self.store.change(id, step, at)).await
    }

    async fn rewrap(
        &self,
        id: KeyId,
        old: &WrappedKey,
        new: &WrappedKey,
    ) -> Result<(), ChangeError> {
        self.turns.write(|| self.store.rewrap(id, old, new)).await
    }

    async fn erase_tenant(&self, tenant: &TenantId, at: SystemTime) -> Result<(), StoreError> {
        self.turns
            .write(|| self.store.erase_tenant(tenant, at))
            .await
    }
}

#[cfg(test)]
mod tests;
