//! What a store has found, and what of it cannot be read.

use super::{StoreError, StoredKey};
use crate::{KeyId, KeyState, Purpose, TenantId};

/// The keys that a store has found. A row that is damaged stands beside them: it concerns nobody but those who
/// need that very key.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct LoadedKeys {
    /// Those that can be read.
    pub keys: Vec<StoredKey>,
    /// Those whose rows are damaged.
    pub damaged: Vec<DamagedKey>,
}

/// A key whose row is not what this version of the crate writes: it neither seals nor opens, and is not lost
/// before the row is restored from a backup.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct DamagedKey {
    /// Its id.
    pub id: KeyId,
    /// Whose it is, if that can be read.
    pub tenant: Option<TenantId>,
    /// What it is for, if that can be read.
    pub purpose: Option<Purpose>,
    /// Its state, if that can be read.
    pub state: Option<KeyState>,
}

impl LoadedKeys {
    /// How many there are, readable or not: of a page, whether it is full.
    #[must_use]
    pub const fn rows(&self) -> usize {
        self.keys.len() + self.damaged.len()
    }

    /// The greatest id of a page, readable or not, after which the next one begins; none of an empty page.
    #[must_use]
    pub fn last_id(&self) -> Option<KeyId> {
        let keys = self.keys.iter().map(StoredKey::id);
        let damaged = self.damaged.iter().map(|key| key.id);
        keys.chain(damaged).max()
    }

    /// Puts one row to the others.
    pub fn add(&mut self, row: Result<StoredKey, DamagedKey>) {
        match row {
            Ok(key) => self.keys.push(key),
            Err(damaged) => self.damaged.push(damaged),
        }
    }
}

impl DamagedKey {
    /// One of which nothing but the id can be read.
    #[must_use]
    pub const fn new(id: KeyId) -> Self {
        Self {
            id,
            tenant: None,
            purpose: None,
            state: None,
        }
    }

    /// What is said to those who need this very key.
    #[must_use]
    pub fn error(&self) -> StoreError {
        StoreError::Damaged(self.id.value().into())
    }
}

impl From<Vec<StoredKey>> for LoadedKeys {
    fn from(keys: Vec<StoredKey>) -> Self {
        Self {
            keys,
            damaged: Vec::new(),
        }
    }
}

impl FromIterator<Result<StoredKey, DamagedKey>> for LoadedKeys {
    fn from_iter<T: IntoIterator<Item = Result<StoredKey, DamagedKey>>>(rows: T) -> Self {
        let mut loaded = Self::default();
        for row in rows {
            loaded.add(row);
        }
        loaded
    }
}
