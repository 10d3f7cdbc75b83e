//! Phases and values in memory.

use std::{
    collections::{BTreeMap, BTreeSet},
    num::NonZeroU32,
    sync::{Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use portcullis_keyring::TenantId;

use super::{IndexStates, IndexStatesError, Replaced};
use crate::{IndexState, IndexValue, IndexVersion, reencrypt::IndexWrite};

/// What an application stores of its blind indexes, in memory: for tests, and to see what a table has to do.
#[derive(Debug, Default)]
pub struct MemoryIndex(Mutex<Tables>);

/// Another record has a value of the index `identity`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("another record has this value")]
#[non_exhaustive]
pub struct ValueTaken;

#[derive(Debug, Default)]
struct Tables {
    state: IndexState,
    /// As `lead_index`: field, and in it value and record.
    values: BTreeMap<Field, BTreeSet<(IndexValue, String)>>,
}

type Field = (TenantId, String, &'static str);

impl MemoryIndex {
    /// Without phases and values.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Puts values in the place of all that the fields of a record have, of whatever version.
    ///
    /// # Errors
    /// [`ValueTaken`]: nothing was written.
    pub fn set(
        &self,
        tenant: &TenantId,
        record: &str,
        values: &[(&str, IndexWrite)],
    ) -> Result<(), ValueTaken> {
        let mut tables = self.tables();
        tables.check(tenant, record, values)?;
        tables.remove(tenant, record);
        tables.add(tenant, record, values);
        Ok(())
    }

    /// Adds values to those that the fields of a record have.
    ///
    /// # Errors
    /// [`ValueTaken`]: nothing was written.
    pub fn add(
        &self,
        tenant: &TenantId,
        record: &str,
        values: &[(&str, IndexWrite)],
    ) -> Result<(), ValueTaken> {
        let mut tables = self.tables();
        tables.check(tenant, record, values)?;
        tables.add(tenant, record, values);
        Ok(())
    }

    /// The records that have a value in an index of a field.
    #[must_use]
    pub fn find(
        &self,
        tenant: &TenantId,
        field: &str,
        index: &'static str,
        value: &IndexValue,
    ) -> Vec<String> {
        let of_field = (tenant.clone(), field.to_owned(), index);
        let tables = self.tables();
        let values = tables.values.get(&of_field).into_iter().flatten();
        let records = values.filter(|(found, _)| found == value);
        records.map(|(_, record)| record.clone()).collect()
    }

    /// The values that the fields of a record have, of whatever version, each with its field.
    #[must_use]
    pub fn of(&self, tenant: &TenantId, record: &str) -> Vec<(String, IndexWrite)> {
        let tables = self.tables();
        let fields = tables.values.iter().filter(|((of, ..), _)| of == tenant);
        let values = fields.flat_map(|((_, field, index), values)| {
            let values = values.iter().filter(|(_, of)| of == record);
            values.map(|(value, _)| (field.clone(), IndexWrite::new(index, value.clone())))
        });
        values.collect()
    }

    /// The versions that a record has values of.
    #[must_use]
    pub fn versions(&self, tenant: &TenantId, record: &str) -> BTreeSet<IndexVersion> {
        let tables = self.tables();
        let fields = tables.values.iter().filter(|((of, ..), _)| of == tenant);
        let values = fields.flat_map(|(_, values)| values);
        values
            .filter(|(_, of)| of == record)
            .map(|(value, _)| value.version())
            .collect()
    }

    fn tables(&self) -> MutexGuard<'_, Tables> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Tables {
    fn check(
        &self,
        tenant: &TenantId,
        record: &str,
        values: &[(&str, IndexWrite)],
    ) -> Result<(), ValueTaken> {
        let is_taken = |(field, write): &(&str, IndexWrite)| {
            let field = (tenant.clone(), (*field).to_owned(), write.index);
            let mut there = self.values.get(&field).into_iter().flatten();
            write.index == UNIQUE && there.any(|(value, of)| *value == write.value && of != record)
        };
        if values.iter().any(is_taken) {
            return Err(ValueTaken);
        }
        Ok(())
    }

    fn add(&mut self, tenant: &TenantId, record: &str, values: &[(&str, IndexWrite)]) {
        for (field, write) in values {
            let field = (tenant.clone(), (*field).to_owned(), write.index);
            let of_field = self.values.entry(field).or_default();
            of_field.insert((write.value.clone(), record.to_owned()));
        }
    }

    fn remove(&mut self, tenant: &TenantId, record: &str) {
        for ((of, ..), values) in &mut self.values {
            if of == tenant {
                values.retain(|(_, it)| it != record);
            }
        }
    }
}

#[async_trait]
impl IndexStates for MemoryIndex {
    async fn read(&self) -> Result<IndexState, IndexStatesError> {
        Ok(self.tables().state.clone())
    }

    async fn replace(
        &self,
        expected: &IndexState,
        new: &IndexState,
    ) -> Result<Replaced, IndexStatesError> {
        let mut tables = self.tables();
        if tables.state != *expected {
            return Ok(Replaced::Changed);
        }
        tables.state = new.clone();
        Ok(Replaced::Done)
    }

    async fn differences(
        &self,
        enforced: IndexVersion,
        written: IndexVersion,
    ) -> Result<u64, IndexStatesError> {
        let tables = self.tables();
        let different = |values: &BTreeSet<(IndexValue, String)>| {
            let with = |version| -> BTreeSet<&str> {
                let values = values.iter().filter(|(it, _)| it.version() == version);
                values.map(|(_, record)| record.as_str()).collect()
            };
            with(enforced).symmetric_difference(&with(written)).count()
        };
        let different: usize = tables.values.values().map(different).sum();
        Ok(u64::try_from(different).unwrap_or(u64::MAX))
    }

    /// There are no such columns here.
    async fn copy_columns(&self, _: IndexVersion, _: NonZeroU32) -> Result<u64, IndexStatesError> {
        Ok(0)
    }

    async fn delete_others(
        &self,
        live: &[IndexVersion],
        limit: NonZeroU32,
    ) -> Result<u64, IndexStatesError> {
        let mut tables = self.tables();
        let mut keep = tables.state.live();
        keep.extend(live);
        let mut deleted = 0;
        for values in tables.values.values_mut() {
            values.retain(|(value, _)| {
                let is_kept = keep.contains(&value.version()) || deleted == limit.get();
                deleted += u32::from(!is_kept);
                is_kept
            });
        }
        Ok(deleted.into())
    }
}

/// The index whose values only one record may have.
const UNIQUE: &str = "identity";

#[cfg(test)]
mod tests;
