//! Indexing rows that lack a version.

use std::collections::{BTreeMap, BTreeSet};

use portcullis_keyring::{
    KeyId, Keyring, PreparedKeys, TenantId,
    clock::Clock,
    sweep::{Pace, Progress},
};

use super::driver::{RotationError, RowPlace, Stopped};
use crate::{
    Cipher, IndexVersion, PiiKinds,
    reencrypt::{
        FieldValue, IndexWrite, RowChange, RowField, RowOutcome, Scope, SealedRow, SealedRows,
    },
};

pub(super) struct Backfill<'a> {
    pub(super) keyring: &'a Keyring,
    pub(super) kinds: &'a PiiKinds,
    pub(super) pace: Pace,
    pub(super) clock: &'a dyn Clock,
}

impl Backfill<'_> {
    /// Goes over the rows that lack `version`, and once more over those that others changed meanwhile.
    pub(super) async fn index(
        &self,
        rows: &dyn SealedRows,
        version: IndexVersion,
        stopped: &mut Stopped,
        report: &mut (dyn FnMut(&Progress) + Send),
    ) -> Result<(), RotationError> {
        let scope = Scope::NotIndexed(version);
        let began = self.clock.monotonic();
        let mut progress = Progress::default();
        progress.total = rows.count(&scope).await?;
        let mut after = None;
        loop {
            let page = rows.page(&scope, after.as_ref(), self.pace.batch()).await?;
            let Some(last) = page.last() else {
                return Ok(());
            };
            after = Some(last.at.clone());
            progress.done += page.len() as u64;
            let keys = self.keys(&page).await?;
            let mut changes = Vec::new();
            for row in page {
                let at = place(rows, &row);
                match keys.get(&row.tenant).map_or_else(
                    || Ok(Vec::new()),
                    |cipher| self.values(rows, cipher, &row, version),
                ) {
                    Ok(indexed) => changes.push(RowChange::new(row, Vec::new(), indexed)),
                    Err(Unopened) => {
                        progress.failed += 1;
                        stopped.failures.push(at);
                    }
                }
            }
            for (change, outcome) in changes.iter().zip(rows.apply(&changes).await?) {
                match outcome {
                    RowOutcome::Written => progress.changed += 1,
                    RowOutcome::Changed => progress.skipped += 1,
                    RowOutcome::Duplicate => {
                        progress.failed += 1;
                        stopped.duplicates.push(place(rows, &change.row));
                    }
                }
            }
            progress.elapsed = self.clock.monotonic().saturating_sub(began);
            report(&progress);
            let ahead = self.pace.not_before(progress.done);
            tokio::time::sleep(ahead.saturating_sub(progress.elapsed)).await;
        }
    }

    async fn keys(&self, page: &[SealedRow]) -> Result<BTreeMap<TenantId, Cipher>, RotationError> {
        let mut needed: BTreeMap<&TenantId, BTreeSet<KeyId>> = BTreeMap::new();
        for row in page {
            for field in &row.fields {
                if let FieldValue::Sealed(sealed) = &field.value {
                    needed
                        .entry(&row.tenant)
                        .or_default()
                        .insert(sealed.key_id());
                }
            }
        }
        let mut ciphers = BTreeMap::new();
        for (tenant, ids) in needed {
            let ids: Vec<_> = ids.into_iter().collect();
            let keys: PreparedKeys = self.keyring.prepare_ids(tenant, &ids).await?;
            ciphers.insert(tenant.clone(), Cipher::new(keys));
        }
        Ok(ciphers)
    }

    fn values(
        &self,
        rows: &dyn SealedRows,
        cipher: &Cipher,
        row: &SealedRow,
        version: IndexVersion,
    ) -> Result<Vec<(usize, IndexWrite)>, Unopened> {
        let mut indexed = Vec::new();
        for (at, field) in row.fields.iter().enumerate() {
            let writes = self.of_field(rows, cipher, row, field)?.into_iter();
            let writes = writes.filter(|write| write.value.version() == version);
            indexed.extend(writes.map(|write| (at, write)));
        }
        Ok(indexed)
    }

    fn of_field(
        &self,
        rows: &dyn SealedRows,
        cipher: &Cipher,
        row: &SealedRow,
        field: &RowField,
    ) -> Result<Vec<IndexWrite>, Unopened> {
        let Some(kind) = field
            .kind
            .filter(|kind| self.kinds.find(kind.name()).is_some())
        else {
            return Ok(Vec::new());
        };
        match &field.value {
            FieldValue::Malformed => Err(Unopened),
            FieldValue::Plain(value) => Ok(rows.index(&row.tenant, &field.field, value)),
            FieldValue::Sealed(sealed) => {
                let opened = kind.open(cipher, &field.field, &field.record, sealed);
                let opened = opened.map_err(|_| Unopened)?;
                Ok(rows.index(&row.tenant, &field.field, &opened))
            }
        }
    }
}

struct Unopened;

fn place(rows: &dyn SealedRows, row: &SealedRow) -> RowPlace {
    RowPlace {
        table: rows.table().to_owned(),
        tenant: row.tenant.clone(),
        at: row.at.clone(),
    }
}
