//! Opening every row, and counting which keys they need.

use std::{
    collections::{BTreeMap, BTreeSet},
    slice,
};

use portcullis_keyring::{
    KeyId, TenantId,
    sweep::{Cursor, Progress},
};

use super::{
    FailureReason, FieldValue, IndexCounts, Reencryptor, RowFailure, Scope, SealedRow, SealedRows,
    SweepError, Verified,
    attempts::PatientRows,
    keys::{TenantKeys, Use},
    plan::{Opened, StaleKeys, open},
    report,
};
use crate::{IndexValue, IndexVersion};

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
            unusable: BTreeMap::new(),
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
        // Whatever it names it may need: a row that was not read frees no key.
        let sealed = row.fields.iter().filter_map(|field| match &field.value {
            FieldValue::Sealed(sealed) => Some(sealed.key_id()),
            _ => None,
        });
        let found = FoundInRow {
            keys: sealed.collect(),
            failures: vec![(None, FailureReason::StaleKeys)],
            ..FoundInRow::default()
        };
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

type IndexValues<'a> = BTreeSet<(&'static str, &'a IndexValue)>;

impl FoundInRow {
    fn compare(&mut self, due: &IndexValues<'_>, stored: &IndexValues<'_>) {
        let mut of = |(_, value): &(&str, &IndexValue), counts| {
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
        report::note(&mut verified.failures, &mut verified.unusable, failed);
    }
}

/// How often the keys of one row are prepared.
const PREPARE_ATTEMPTS: u32 = 4;
