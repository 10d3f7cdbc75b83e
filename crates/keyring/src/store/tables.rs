//! Keys in memory, and what may become of them: what a store without a database of its own is made of.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Bound,
    time::SystemTime,
};

use super::{ChangeError, InsertError, KeyQuery, StoredKey};
use crate::{KeyId, KeyState, TenantId, Transition, kek::WrappedKey};

/// Keys by id and by tenant. Every change is made after the last thing that can fail.
#[derive(Debug, Clone, Default)]
pub(super) struct Tables {
    keys: BTreeMap<KeyId, StoredKey>,
    by_tenant: BTreeMap<TenantId, BTreeSet<KeyId>>,
    erased: BTreeSet<TenantId>,
    changes: u64,
}

impl Tables {
    pub(super) fn insert(&mut self, key: &StoredKey) -> Result<(), InsertError> {
        if self.erased.contains(key.tenant()) {
            return Err(InsertError::TenantErased);
        }
        if self.keys.contains_key(&key.id()) {
            return Err(InsertError::IdTaken);
        }
        let one_only = matches!(key.state(), KeyState::Primary | KeyState::Pending);
        let has_same_role =
            |other: &StoredKey| other.purpose() == key.purpose() && other.state() == key.state();
        if one_only && self.of_tenant(key.tenant()).any(has_same_role) {
            return Err(InsertError::StateTaken);
        }
        self.keys.insert(key.id(), key.clone());
        let ids = self.by_tenant.entry(key.tenant().clone()).or_default();
        ids.insert(key.id());
        if key.state() != KeyState::Primary {
            self.changes += 1;
        }
        Ok(())
    }

    pub(super) fn find(&self, id: KeyId) -> Option<&StoredKey> {
        self.keys.get(&id)
    }

    pub(super) fn all(&self) -> impl ExactSizeIterator<Item = &StoredKey> {
        self.keys.values()
    }

    pub(super) fn of_tenant(&self, tenant: &TenantId) -> impl Iterator<Item = &StoredKey> {
        self.of_tenant_after(tenant, Bound::Unbounded)
    }

    pub(super) fn list(&self, query: &KeyQuery) -> Vec<StoredKey> {
        let from = query.begins_after();
        let from = from.map_or(Bound::Unbounded, Bound::Excluded);
        let limit = usize::try_from(query.limit().get()).unwrap_or(usize::MAX);
        let asked_for = |key: &&StoredKey| query.matches(key);
        match query.tenant() {
            Some(tenant) => {
                let keys = self.of_tenant_after(tenant, from);
                keys.filter(asked_for).take(limit).cloned().collect()
            }
            None => {
                let keys = self.keys.range((from, Bound::Unbounded));
                let keys = keys.map(|(_, key)| key);
                keys.filter(asked_for).take(limit).cloned().collect()
            }
        }
    }

    pub(super) const fn changes(&self) -> u64 {
        self.changes
    }

    pub(super) const fn erased(&self) -> &BTreeSet<TenantId> {
        &self.erased
    }

    pub(super) fn promote(
        &mut self,
        old: KeyId,
        new: KeyId,
        at: SystemTime,
    ) -> Result<(), ChangeError> {
        let (Some(from), Some(to)) = (self.keys.get(&old), self.keys.get(&new)) else {
            return Err(ChangeError::Conflict);
        };
        let same_owner = from.tenant() == to.tenant() && from.purpose() == to.purpose();
        let legal = from.state() == KeyState::Primary && to.state().can_become(KeyState::Primary);
        if !same_owner || !legal {
            return Err(ChangeError::Conflict);
        }
        self.set_state(old, KeyState::DecryptOnly, at);
        self.set_state(new, KeyState::Primary, at);
        Ok(())
    }

    pub(super) fn change(
        &mut self,
        id: KeyId,
        step: Transition,
        at: SystemTime,
    ) -> Result<(), ChangeError> {
        if self.keys.get(&id).map(StoredKey::state) != Some(step.from()) {
            return Err(ChangeError::Conflict);
        }
        self.set_state(id, step.to(), at);
        Ok(())
    }

    pub(super) fn rewrap(
        &mut self,
        id: KeyId,
        old: &WrappedKey,
        new: &WrappedKey,
    ) -> Result<(), ChangeError> {
        match self.keys.get_mut(&id) {
            Some(key) if key.wrapped() == Some(old) => key.set_wrapped(new.clone()),
            _ => return Err(ChangeError::Conflict),
        }
        self.changes += 1;
        Ok(())
    }

    pub(super) fn erase_tenant(&mut self, tenant: &TenantId, at: SystemTime) {
        self.erased.insert(tenant.clone());
        self.changes += 1;
        for id in self.by_tenant.get(tenant).into_iter().flatten() {
            if let Some(key) = self.keys.get_mut(id)
                && key.state() != KeyState::Destroyed
            {
                key.set_state(KeyState::Destroyed, at);
            }
        }
    }

    /// Of tables that were read from somewhere: who was erased, and how much had changed.
    pub(super) fn restore(&mut self, erased: BTreeSet<TenantId>, changes: u64) {
        self.erased = erased;
        self.changes = changes;
    }

    fn of_tenant_after(
        &self,
        tenant: &TenantId,
        from: Bound<KeyId>,
    ) -> impl Iterator<Item = &StoredKey> {
        let ids = self.by_tenant.get(tenant).into_iter();
        let ids = ids.flat_map(move |ids| ids.range((from, Bound::Unbounded)));
        ids.filter_map(|id| self.keys.get(id))
    }

    fn set_state(&mut self, id: KeyId, state: KeyState, at: SystemTime) {
        if let Some(key) = self.keys.get_mut(&id) {
            key.set_state(state, at);
            self.changes += 1;
        }
    }
}
