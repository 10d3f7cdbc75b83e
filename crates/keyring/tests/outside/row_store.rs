//! A store as a database would have it: rows of numbers, text and bytes, made into keys when read.

use std::{
    sync::{Mutex, MutexGuard},
    time::{Duration, SystemTime},
};

use async_trait::async_trait;
use portcullis_keyring::{
    KeyId, KeyState, TenantId, Transition,
    kek::{KekContext, WrappedKey},
    store::{
        ChangeError, DamagedKey, DekStore, InsertError, KeyQuery, LoadedKeys, StoreError, StoredKey,
    },
};

#[derive(Debug, Default)]
pub(crate) struct RowStore {
    tables: Mutex<Tables>,
    fault: Option<Fault>,
}

/// What a store does that breaks a clause.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// A tenant and purpose may have two primaries.
    TwoPrimaries,
    /// A change keeps the time of the state before.
    KeepsTime,
    /// A query for a state lists those in any.
    AnyState,
    /// Of many keys the last is not loaded.
    LosesLast,
}

#[derive(Debug, Default)]
struct Tables {
    keys: Vec<Row>,
    erased: Vec<String>,
}

#[derive(Debug, Clone)]
struct Row {
    id: u32,
    tenant: String,
    purpose: String,
    state: &'static str,
    wrapped: Option<Vec<u8>>,
    created_at_ms: u64,
    state_since_ms: u64,
}

impl RowStore {
    /// One that breaks a clause.
    pub(crate) fn with(fault: Fault) -> Self {
        Self {
            fault: Some(fault),
            ..Self::default()
        }
    }

    fn has(&self, fault: Fault) -> bool {
        self.fault == Some(fault)
    }

    fn tables(&self) -> MutexGuard<'_, Tables> {
        self.tables.lock().expect("no panic")
    }
}

impl Row {
    fn of(key: &StoredKey) -> Self {
        Self {
            id: key.id().value(),
            tenant: key.tenant().as_str().to_owned(),
            purpose: key.purpose().as_str().to_owned(),
            state: key.state().as_str(),
            wrapped: key.wrapped().map(|wrapped| wrapped.as_bytes().to_vec()),
            created_at_ms: milliseconds(key.created_at()),
            state_since_ms: milliseconds(key.state_since()),
        }
    }

    fn load(&self) -> Result<StoredKey, DamagedKey> {
        self.read()
            .map_err(|_| DamagedKey::new(KeyId::new(self.id)))
    }

    fn read(&self) -> Result<StoredKey, StoreError> {
        let damaged = || StoreError::Damaged(self.id.into());
        let context = KekContext::new(
            self.tenant.parse().map_err(|_| damaged())?,
            self.purpose.parse().map_err(|_| damaged())?,
            KeyId::new(self.id),
        );
        let state: KeyState = self.state.parse().map_err(|_| damaged())?;
        let created_at = SystemTime::UNIX_EPOCH + Duration::from_millis(self.created_at_ms);
        let key = match &self.wrapped {
            Some(bytes) => {
                let wrapped = WrappedKey::from_bytes(bytes.clone());
                StoredKey::new(context, state, wrapped, created_at)
            }
            None => StoredKey::tombstone(context, created_at),
        };
        Ok(key.since(SystemTime::UNIX_EPOCH + Duration::from_millis(self.state_since_ms)))
    }

    fn owner(&self) -> (&str, &str) {
        (&self.tenant, &self.purpose)
    }

    fn set_state(&mut self, state: KeyState, at: SystemTime) {
        self.state = state.as_str();
        self.state_since_ms = milliseconds(at);
        if state == KeyState::Destroyed {
            self.wrapped = None;
        }
    }
}

fn milliseconds(time: SystemTime) -> u64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH);
    let milliseconds = since.unwrap_or_default().as_millis();
    milliseconds.try_into().expect("a time of this age")
}

impl Tables {
    fn find(&self, id: KeyId) -> Result<usize, ChangeError> {
        let found = self.keys.iter().position(|row| row.id == id.value());
        found.ok_or(ChangeError::Conflict)
    }
}

#[async_trait]
impl DekStore for RowStore {
    async fn insert(&self, key: &StoredKey) -> Result<(), InsertError> {
        let (new, mut tables) = (Row::of(key), self.tables());
        if tables.erased.contains(&new.tenant) {
            return Err(InsertError::TenantErased);
        }
        if tables.keys.iter().any(|row| row.id == new.id) {
            return Err(InsertError::IdTaken);
        }
        let one_only = matches!(key.state(), KeyState::Primary | KeyState::Pending);
        let taken = |row: &Row| row.owner() == new.owner() && row.state == new.state;
        if one_only && !self.has(Fault::TwoPrimaries) && tables.keys.iter().any(taken) {
            return Err(InsertError::StateTaken);
        }
        tables.keys.push(new);
        tables.keys.sort_by_key(|row| row.id);
        Ok(())
    }

    async fn load(&self, id: KeyId) -> Result<Option<StoredKey>, StoreError> {
        let tables = self.tables();
        let row = tables.keys.iter().find(|row| row.id == id.value());
        row.map(Row::read).transpose()
    }

    async fn load_tenant(&self, tenant: &TenantId) -> Result<LoadedKeys, StoreError> {
        let tables = self.tables();
        let rows = tables.keys.iter();
        let rows = rows.filter(|row| row.tenant == tenant.as_str());
        Ok(rows.map(Row::load).collect())
    }

    async fn load_many(&self, ids: &[KeyId]) -> Result<LoadedKeys, StoreError> {
        let tables = self.tables();
        let rows = tables.keys.iter();
        let asked_for = rows.filter(|row| ids.contains(&KeyId::new(row.id)));
        let mut loaded: LoadedKeys = asked_for.map(Row::load).collect();
        if self.has(Fault::LosesLast) {
            loaded.keys.pop();
        }
        Ok(loaded)
    }

    async fn list(&self, query: &KeyQuery) -> Result<LoadedKeys, StoreError> {
        let tables = self.tables();
        let after = query.begins_after();
        let later = |row: &&Row| after.is_none_or(|after| row.id > after.value());
        let mut loaded: LoadedKeys = tables.keys.iter().filter(later).map(Row::load).collect();
        let query = match self.has(Fault::AnyState) {
            true => query.clone().in_states([]),
            false => query.clone(),
        };
        let keys = &mut loaded.keys;
        keys.retain(|key| query.matches(key));
        keys.truncate(query.limit().get().try_into().unwrap_or(usize::MAX));
        Ok(loaded)
    }

    async fn promote(&self, old: KeyId, new: KeyId, at: SystemTime) -> Result<(), ChangeError> {
        let mut tables = self.tables();
        let (old, new) = (tables.find(old)?, tables.find(new)?);
        let (from, to) = (&tables.keys[old], &tables.keys[new]);
        let legal = to.read()?.state().can_become(KeyState::Primary);
        if from.owner() != to.owner() || from.state != KeyState::Primary.as_str() || !legal {
            return Err(ChangeError::Conflict);
        }
        tables.keys[old].set_state(KeyState::DecryptOnly, at);
        tables.keys[new].set_state(KeyState::Primary, at);
        Ok(())
    }

    async fn change(&self, id: KeyId, step: Transition, at: SystemTime) -> Result<(), ChangeError> {
        let mut tables = self.tables();
        let index = tables.find(id)?;
        if tables.keys[index].state != step.from().as_str() {
            return Err(ChangeError::Conflict);
        }
        let at = match self.has(Fault::KeepsTime) {
            true => tables.keys[index].read()?.state_since(),
            false => at,
        };
        tables.keys[index].set_state(step.to(), at);
        Ok(())
    }

    async fn rewrap(
        &self,
        id: KeyId,
        old: &WrappedKey,
        new: &WrappedKey,
    ) -> Result<(), ChangeError> {
        let mut tables = self.tables();
        let at = tables.find(id)?;
        if tables.keys[at].wrapped.as_deref() != Some(old.as_bytes()) {
            return Err(ChangeError::Conflict);
        }
        tables.keys[at].wrapped = Some(new.as_bytes().to_vec());
        Ok(())
    }

    async fn erase_tenant(&self, tenant: &TenantId, at: SystemTime) -> Result<(), StoreError> {
        let mut tables = self.tables();
        if !tables.erased.iter().any(|erased| erased == tenant.as_str()) {
            tables.erased.push(tenant.as_str().to_owned());
        }
        for row in tables.keys.iter_mut().filter(|row| {
            row.tenant == tenant.as_str() && row.state != KeyState::Destroyed.as_str()
        }) {
            row.set_state(KeyState::Destroyed, at);
        }
        Ok(())
    }
}
