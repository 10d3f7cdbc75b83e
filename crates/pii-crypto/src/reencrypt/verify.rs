//! Opening every row, and counting which keys they need.

use std::{
    collections::{BTreeMap, BTreeSet},
    slice,
    time::{Duration, SystemTime},
};

use portcullis_keyring::{
    KeyId, KeyState, TenantId,
    store::StoredKey,
    sweep::{Cursor, Progress},
};

use super::{
    FailureReason, FieldValue, Reencryptor, RowFailure, Scope, SealedRow, SealedRows, SweepError,
    attempts::PatientRows,
    keys::{TenantKeys, Use},
    plan::{Opened, StaleKeys, open},
    report::list,
};
use crate::{IndexVersion, OpenError};

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
    /// Fields that do not open, the first [`MAX_LISTED`](super::Report::MAX_LISTED) of them.
    pub failures: Vec<RowFailure>,
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
        list(&mut self.failures, other.failures);
        self
    }
}

impl IndexCounts {
    /// Whether the index has what it should, and nothing else.
    #[must_use]
    pub const fn agrees(&self) -> bool {
        self.missing == 0 && self.wrong == 0
    }

    const fn add(&mut self, other: Self) {
        self.present += other.present;
        self.missing += other.missing;
        self.wrong += other.wrong;
    }
}

impl Reencryptor {
    /// Opens every field of every row of a table, and counts the rows that need each key; for `keys`,
    /// those that somebody wants to retire, it is counted too for how many rows they are noted. It writes
    /// nothing.
    ///
    /// # Errors
    /// [`SweepError`].
    pub async fn verify(
        &self,
        rows: &dyn SealedRows,
        keys: &BTreeSet<KeyId>,
        progress: &mut (dyn FnMut(&Progress) + Send),
    ) -> Result<Verified, SweepError> {
        let started = self.timer.monotonic();
        let mut verified = Verified {
            began: self.timer.wall(),
            progress: Progress::default(),
            rows_per_key: BTreeMap::new(),
            noted_per_key: BTreeMap::new(),
            plaintext: 0,
            indexes: BTreeMap::new(),
            failures: Vec::new(),
        };
        let patient = PatientRows::new(rows, self);
        verified.progress.total = patient.count(&Scope::All).await?;
        let mut after = None::<Cursor>;
        loop {
            let page = patient.page(&Scope::All, after.as_ref()).await?;
            let Some(last) = page.last().map(|row| row.at.clone()) else {
                break;
            };
            after = Some(last);
            let mut prepared = self.keys_for(&page, Use::Open, |_| true).await?;
            for row in &page {
                self.verify_row(rows, row, &mut prepared, &mut verified)
                    .await?;
            }
            let elapsed = self.timer.monotonic().saturating_sub(started);
            verified.progress.elapsed = elapsed;
            progress(&verified.progress);
            let not_before = self.pace.not_before(verified.progress.done);
            self.timer.wait(not_before.saturating_sub(elapsed)).await;
        }
        let found = verified.rows_per_key.keys();
        let found = BTreeSet::from_iter(found.copied());
        for key in keys.union(&found) {
            let scope = Scope::Keys([*key].into());
            let noted = patient.count(&scope).await?;
            verified.noted_per_key.insert(*key, noted);
        }
        Ok(verified)
    }

    async fn verify_row(
        &self,
        rows: &dyn SealedRows,
        row: &SealedRow,
        keys: &mut BTreeMap<TenantId, TenantKeys>,
        verified: &mut Verified,
    ) -> Result<(), SweepError> {
        for _ in 0..PREPARE_ATTEMPTS {
            if let Some(keys) = keys.get(&row.tenant)
                && let Ok(found) = self.look_at(rows, row, keys)
            {
                found.count(rows.table(), row, verified);
                return Ok(());
            }
            let again = slice::from_ref(row);
            keys.extend(self.keys_for(again, Use::Open, |_| true).await?);
        }
        let mut found = FoundInRow::default();
        let key = FailureReason::from(OpenError::KeyUnavailable);
        found.failures.push((None, key));
        found.count(rows.table(), row, verified);
        Ok(())
    }

    fn look_at(
        &self,
        rows: &dyn SealedRows,
        row: &SealedRow,
        keys: &TenantKeys,
    ) -> Result<FoundInRow, StaleKeys> {
        let mut found = FoundInRow::default();
        for (at, field) in row.fields.iter().enumerate() {
            let sealed = match &field.value {
                FieldValue::Sealed(sealed) => sealed,
                FieldValue::Malformed => {
                    found.failures.push((Some(at), FailureReason::Malformed));
                    continue;
                }
                FieldValue::Plain(_) | FieldValue::Invalid(_) => {
                    found.plaintext = true;
                    continue;
                }
            };
            match open(keys, self, field, sealed)? {
                Opened::Foreign => continue,
                Opened::Lost(reason) => found.failures.push((Some(at), reason)),
                Opened::Value(value) => {
                    if let Some(stored) = &row.indexed {
                        let stored = stored.iter().filter(|(of, _)| *of == at);
                        let stored = stored.map(|(_, write)| (write.index, &write.value));
                        let due = rows.index(&row.tenant, &field.field, &value);
                        let due = due.iter().map(|write| (write.index, &write.value));
                        found.compare(&due.collect(), &stored.collect());
                    }
                }
            }
            found.keys.insert(sealed.key_id());
        }
        Ok(found)
    }
}

#[derive(Debug, Default)]
struct FoundInRow {
    keys: BTreeSet<KeyId>,
    plaintext: bool,
    indexes: BTreeMap<IndexVersion, IndexCounts>,
    failures: Vec<(Option<usize>, FailureReason)>,
}

type IndexValues<'a> = BTreeSet<(&'static str, &'a crate::IndexValue)>;

impl FoundInRow {
    fn compare(&mut self, due: &IndexValues<'_>, stored: &IndexValues<'_>) {
        let mut of = |(_, value): &(&str, &crate::IndexValue), counts| {
            self.indexes.entry(value.version()).or_default().add(counts);
        };
        for value in due {
            let is_there = u64::from(stored.contains(value));
            of(
                value,
                IndexCounts {
                    present: is_there,
                    missing: 1 - is_there,
                    wrong: 0,
                },
            );
        }
        for value in stored.difference(due) {
            of(
                value,
                IndexCounts {
                    wrong: 1,
                    ..IndexCounts::default()
                },
            );
        }
    }

    fn count(self, table: &str, row: &SealedRow, verified: &mut Verified) {
        verified.progress.done += 1;
        verified.progress.failed += u64::from(!self.failures.is_empty());
        verified.plaintext += u64::from(self.plaintext);
        for key in self.keys {
            *verified.rows_per_key.entry(key).or_default() += 1;
        }
        for (version, counts) in self.indexes {
            verified.indexes.entry(version).or_default().add(counts);
        }
        let failed = self.failures.into_iter();
        let failed = failed.map(|(field, why)| RowFailure::new(table, row, field, why));
        list(&mut verified.failures, failed);
    }
}

/// Every process knows of a demotion by then, and what it was sealing before is stored.
const SETTLED_AFTER: Duration = Duration::from_secs(60);

/// How often the keys of one row are prepared.
const PREPARE_ATTEMPTS: u32 = 4;
