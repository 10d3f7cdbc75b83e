//! What was found by opening every row.

use std::{
    collections::BTreeMap,
    time::{Duration, SystemTime},
};

use portcullis_keyring::{KeyId, KeyState, store::StoredKey, sweep::Progress};

use super::{RowFailure, UnusableKey, report};
use crate::IndexVersion;

/// What every row of one or several tables needs, as it was found by opening each.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Verified {
    /// When it began: what counts for a key is what was found after its demotion was known everywhere.
    pub began: SystemTime,
    /// How many rows were looked at, and how many have a field that does not open.
    pub progress: Progress,
    /// Rows that need a key, by what stands in their sealed values, whether they open or not.
    pub rows_per_key: BTreeMap<KeyId, u64>,
    /// Rows for which a key is noted, of the keys that were asked for and those that were found.
    pub noted_per_key: BTreeMap<KeyId, u64>,
    /// Rows that hold plaintext.
    pub plaintext: u64,
    /// Index values of the rows whose table reads them, by version.
    pub indexes: BTreeMap<IndexVersion, IndexCounts>,
    /// Fields that do not open, the first [`MAX_LISTED`](super::Report::MAX_LISTED) of them; of those that do not for
    /// their key, the first [`EXAMPLES`](UnusableKey::EXAMPLES) for each key and table.
    pub failures: Vec<RowFailure>,
    /// Keys that open nothing, with how many rows need them.
    pub unusable: BTreeMap<KeyId, UnusableKey>,
}

/// Index values of a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct IndexCounts {
    /// Those that are there and belong there.
    pub present: u64,
    /// Those that are not there.
    pub missing: u64,
    /// Those that are there and are not what the value gives.
    pub wrong: u64,
}

/// Why a key cannot be disabled, or destroyed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StillNeeded {
    /// Rows need it.
    #[error("{0} rows need the key: re-encrypt them first")]
    Rows(u64),
    /// It seals, or may yet.
    #[error("the key is {0}: demote it first")]
    InUse(KeyState),
    /// The verification did not ask for it.
    #[error("the key was not among those that were verified: verify it")]
    NotAsked,
    /// The verification began less than 60 s after the key was demoted, or before its last step: what
    /// other processes were still sealing with it was perhaps not there yet.
    #[error("verified too early: verify again")]
    TooEarly,
}

impl Verified {
    /// Rows that need a key, by their sealed values or by what is noted, whichever are more; `None` for a
    /// key that was not asked for.
    #[must_use]
    pub fn rows_of(&self, key: KeyId) -> Option<u64> {
        let noted = *self.noted_per_key.get(&key)?;
        let found = self.rows_per_key.get(&key).copied().unwrap_or_default();
        Some(noted.max(found))
    }

    /// Whether nothing stands in the way of the key's next step to its destruction: to `Disabled`,
    /// `DestroyScheduled` or `Destroyed`. Each step takes a verification of its own, of every table.
    ///
    /// # Errors
    /// [`StillNeeded`].
    pub fn frees(&self, key: &StoredKey) -> Result<(), StillNeeded> {
        let settled_after = match key.state() {
            KeyState::Pending | KeyState::Primary => return Err(StillNeeded::InUse(key.state())),
            KeyState::DecryptOnly => SETTLED_AFTER,
            KeyState::Disabled | KeyState::DestroyScheduled | KeyState::Destroyed => Duration::ZERO,
        };
        if self.began < key.state_since() + settled_after {
            return Err(StillNeeded::TooEarly);
        }
        match self.rows_of(key.id()) {
            None => Err(StillNeeded::NotAsked),
            Some(0) => Ok(()),
            Some(rows) => Err(StillNeeded::Rows(rows)),
        }
    }

    /// Keys for which the rows that need them are not those for which they are noted. Of keys that are
    /// in use that can be rows that were written meanwhile.
    pub fn differing(&self) -> impl Iterator<Item = (KeyId, u64, u64)> {
        self.noted_per_key.iter().filter_map(|(key, noted)| {
            let found = self.rows_per_key.get(key).copied().unwrap_or_default();
            (found != *noted).then_some((*key, found, *noted))
        })
    }

    /// What was found in this table and in another.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.began = self.began.min(other.began);
        self.progress.done += other.progress.done;
        self.progress.total += other.progress.total;
        self.progress.failed += other.progress.failed;
        self.progress.elapsed = self.progress.elapsed.max(other.progress.elapsed);
        self.plaintext += other.plaintext;
        for (key, rows) in other.rows_per_key {
            *self.rows_per_key.entry(key).or_default() += rows;
        }
        for (key, rows) in other.noted_per_key {
            *self.noted_per_key.entry(key).or_default() += rows;
        }
        for (version, counts) in other.indexes {
            self.indexes.entry(version).or_default().add(counts);
        }
        report::list(&mut self.failures, other.failures);
        report::add_unusable(&mut self.unusable, other.unusable);
        self
    }
}

impl IndexCounts {
    /// Whether the index has what it should, and nothing else.
    #[must_use]
    pub const fn agrees(&self) -> bool {
        self.missing == 0 && self.wrong == 0
    }

    pub(super) const fn add(&mut self, other: Self) {
        self.present += other.present;
        self.missing += other.missing;
        self.wrong += other.wrong;
    }
}

/// Every process knows of a demotion by then, and what it was sealing before is stored.
const SETTLED_AFTER: Duration = Duration::from_secs(60);
