//! A store in memory.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Bound,
    sync::{Mutex, MutexGuard, PoisonError},
    time::SystemTime,
};

use async_trait::async_trait;

use super::{ChangeError, DekStore, InsertError, KeyQuery, StoreError, StoredKey};
use crate::{KeyId, KeyState, TenantId, Transition, kek::WrappedKey};

/// A store in memory: for tests, and for data that dies with the process.
#[derive(Debug, Default)]
pub struct MemoryDekStore {
    tables: Mutex<Tables>,
}

impl MemoryDekStore {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn tables(&self) -> MutexGuard<'_, Tables> {
        // Every change is made after the last thing that can fail.
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl DekStore for MemoryDekStore {
    async fn insert(&self, key: &StoredKey) -> Result<(), InsertError> {
        let mut tables = self.tables();
        if tables.erased.contains(key.tenant()) {
            return Err(InsertError::TenantErased);
        }
        if tables.keys.contains_key(&key.id()) {
            return Err(InsertError::IdTaken);
        }
        let one_only = matches!(key.state(), KeyState::Primary | KeyState::Pending);
        if one_only && tables.keys.values().any(|other| has_same_role(other, key)) {
            return Err(InsertError::StateTaken);
        }
        tables.keys.insert(key.id(), key.clone());
        if key.state() != KeyState::Primary {
            tables.changes += 1;
        }
        Ok(())
    }

    async fn load(&self, id: KeyId) -> Result<Option<StoredKey>, StoreError> {
        Ok(self.tables().keys.get(&id).cloned())
    }

    async fn load_tenant(&self, tenant: &TenantId) -> Result<Vec<StoredKey>, StoreError> {
        let tables = self.tables();
        Ok(tables
            .keys
            .values()
            .filter(|key| key.tenant() == tenant)
            .cloned()
            .collect())
    }

    async fn list(&self, query: &KeyQuery) -> Result<Vec<StoredKey>, StoreError> {
        let from = query.begins_after();
        let from = from.map_or(Bound::Unbounded, Bound::Excluded);
        let limit = usize::try_from(query.limit().get()).unwrap_or(usize::MAX);
        let tables = self.tables();
        let keys = tables.keys.range((from, Bound::Unbounded));
        let asked_for = keys.filter(|(_, key)| query.matches(key)).take(limit);
        Ok(asked_for.map(|(_, key)| key.clone()).collect())
    }

    async fn changes(&self) -> Result<Option<u64>, StoreError> {
        Ok(Some(self.tables().changes))
    }

    async fn promote(&self, old: KeyId, new: KeyId, at: SystemTime) -> Result<(), ChangeError> {
        let mut tables = self.tables();
        let (Some(from), Some(to)) = (tables.keys.get(&old), tables.keys.get(&new)) else {
            return Err(ChangeError::Conflict);
        };
        let same_owner = from.tenant() == to.tenant() && from.purpose() == to.purpose();
        let legal = from.state() == KeyState::Primary && to.state().can_become(KeyState::Primary);
        if !same_owner || !legal {
            return Err(ChangeError::Conflict);
        }
        tables.set_state(old, KeyState::DecryptOnly, at);
        tables.set_state(new, KeyState::Primary, at);
        Ok(())
    }

    async fn change(&self, id: KeyId, step: Transition, at: SystemTime) -> Result<(), ChangeError> {
        let mut tables = self.tables();
        if tables.keys.get(&id).map(StoredKey::state) != Some(step.from()) {
            return Err(ChangeError::Conflict);
        }
        tables.set_state(id, step.to(), at);
        Ok(())
    }

    async fn rewrap(
        &self,
        id: KeyId,
        old: &WrappedKey,
        new: &WrappedKey,
    ) -> Result<(), ChangeError> {
        let mut tables = self.tables();
        match tables.keys.get_mut(&id) {
            Some(key) if key.wrapped() == Some(old) => key.set_wrapped(new.clone()),
            _ => return Err(ChangeError::Conflict),
        }
        tables.changes += 1;
        Ok(())
    }

    async fn erase_tenant(&self, tenant: &TenantId, at: SystemTime) -> Result<(), StoreError> {
        let mut tables = self.tables();
        tables.erased.insert(tenant.clone());
        tables.changes += 1;
        for key in tables
            .keys
            .values_mut()
            .filter(|key| key.tenant() == tenant && key.state() != KeyState::Destroyed)
        {
            key.set_state(KeyState::Destroyed, at);
        }
        Ok(())
    }
}

#[derive(Debug, Default)]
struct Tables {
    keys: BTreeMap<KeyId, StoredKey>,
    erased: BTreeSet<TenantId>,
    changes: u64,
}

impl Tables {
    fn set_state(&mut self, id: KeyId, state: KeyState, at: SystemTime) {
        if let Some(key) = self.keys.get_mut(&id) {
            key.set_state(state, at);
            self.changes += 1;
        }
    }
}

fn has_same_role(one: &StoredKey, other: &StoredKey) -> bool {
    one.tenant() == other.tenant()
        && one.purpose() == other.purpose()
        && one.state() == other.state()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::conformance;

    #[tokio::test]
    async fn it_is_a_dek_store() {
        conformance::dek_store(async || Arc::new(MemoryDekStore::new()) as _).await;
    }
}
