//! The one place where a stored lead is opened, column by column: one that does not open leaves the
//! others as they are.

use std::{collections::BTreeSet, sync::Arc};

use portcullis_keyring::{KeyId, Keyring, PrepareError, TenantId};
use portcullis_pii_crypto::{AnyPii, Cipher, IndexValue, OpenError, Sealed, observer::Observer};

use super::{LeadColumn, LeadId, LeadIndexes, LeadRecord, StoredColumn, StoredValue};

/// What leads of one tenant are opened with.
#[derive(Debug)]
pub(crate) struct LeadOpener<'a> {
    pub(crate) keyring: &'a Keyring,
    pub(crate) observer: &'a Arc<dyn Observer>,
    pub(crate) tenant: &'a TenantId,
    pub(crate) indexes: &'a LeadIndexes,
    /// By which column and fingerprints the leads were found, if they were.
    pub(crate) found_by: Option<(&'static LeadColumn, &'a [IndexValue])>,
}

/// A lead whose columns were opened, or not. It has no `Debug`.
pub(crate) struct OpenedLead {
    pub(crate) id: LeadId,
    pub(crate) columns: Vec<(&'static LeadColumn, Result<AnyPii, ColumnFault>)>,
    pub(crate) created_at: Option<String>,
    pub(crate) updated_at: Option<String>,
}

/// Why a column has no value to show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ColumnFault {
    /// It was changed, cut or moved, or belongs to another database; or what stands beside it was.
    #[error("the stored value, or what stands beside it, is not what was written")]
    NotIntact,
    /// Its data key is disabled or waits for its destruction.
    #[error("the data key is disabled: take it back into use, or find who still needs it")]
    KeyUnavailable,
    /// Its data key was destroyed.
    #[error("the data key was destroyed: the value is gone")]
    KeyDestroyed,
    /// The key-encryption key does not open its data key.
    #[error("the data key does not open: its row was changed, or a version of the KEK is missing")]
    KeyNotOpened,
}

impl OpenedLead {
    /// The columns that were not opened.
    pub(crate) fn faults(&self) -> impl Iterator<Item = (&'static LeadColumn, ColumnFault)> {
        let fault = |(column, value): &(&'static LeadColumn, Result<_, ColumnFault>)| {
            Some((*column, *value.as_ref().err()?))
        };
        self.columns.iter().filter_map(fault)
    }
}

impl LeadOpener<'_> {
    /// What opens some leads: the keys that any of them needs, asked for once.
    ///
    /// # Errors
    /// The keys are unavailable altogether.
    pub(crate) async fn cipher<'l>(
        &self,
        leads: impl IntoIterator<Item = &'l LeadRecord>,
    ) -> Result<Cipher, PrepareError> {
        let columns = leads.into_iter().flat_map(|lead| &lead.sealed);
        let values = columns.filter_map(|column| column.value.as_ref());
        let keys: BTreeSet<KeyId> = values.map(|value| KeyId::new(value.key_id)).collect();
        let keys: Vec<KeyId> = keys.into_iter().collect();
        let keys = self.keyring.prepare_ids(self.tenant, &keys).await?;
        let cipher = Cipher::new(keys);
        Ok(cipher.with_observer(Arc::clone(self.observer)))
    }

    /// Opens what can be opened.
    pub(crate) fn open(&self, cipher: &Cipher, lead: LeadRecord) -> OpenedLead {
        let LeadRecord {
            id,
            sealed,
            created_at,
            updated_at,
        } = lead;
        let record = id.to_string();
        let columns = sealed.into_iter().map(check_form).map(|(column, value)| {
            let opened = value.and_then(|(sealed, fingerprint)| {
                let value = column.kind().open(cipher, column.field(), &record, &sealed);
                let value = value.map_err(fault)?;
                self.check_fingerprint(column, &value, fingerprint.as_deref())?;
                Ok(value)
            });
            (column, opened)
        });
        OpenedLead {
            id,
            columns: columns.collect(),
            created_at,
            updated_at,
        }
    }

    /// A fingerprint that is not the value's, nor was by an earlier version, finds people who are not
    /// meant.
    fn check_fingerprint(
        &self,
        column: &'static LeadColumn,
        value: &AnyPii,
        stored: Option<&[u8]>,
    ) -> Result<(), ColumnFault> {
        if !column.is_indexed() {
            return Ok(());
        }
        let mut values = self.indexes.values(column, value);
        values.extend(self.indexes.former_values(column, value));
        let is_of_value = |bytes: &[u8]| values.iter().any(|value| value.as_bytes() == bytes);
        let found_by = self.found_by.filter(|(searched, _)| *searched == column);
        let is_found = found_by.is_none_or(|(_, looked_up)| {
            looked_up.iter().any(|value| is_of_value(value.as_bytes()))
        });
        if stored.is_some_and(is_of_value) && is_found {
            Ok(())
        } else {
            Err(ColumnFault::NotIntact)
        }
    }
}

type Sealable = (Sealed<AnyPii>, Option<Vec<u8>>);

/// A column whose row has the form that is written.
fn check_form(stored: StoredColumn) -> (&'static LeadColumn, Result<Sealable, ColumnFault>) {
    let StoredColumn { column, value } = stored;
    let value = value.and_then(|value| {
        let StoredValue {
            sealed,
            key_id,
            fingerprint,
        } = value;
        let sealed = Sealed::from_bytes(sealed).ok()?;
        (sealed.key_id().value() == key_id).then_some((sealed, fingerprint))
    });
    (column, value.ok_or(ColumnFault::NotIntact))
}

fn fault(error: OpenError) -> ColumnFault {
    match error {
        OpenError::KeyUnavailable => ColumnFault::KeyUnavailable,
        OpenError::KeyDestroyed => ColumnFault::KeyDestroyed,
        OpenError::KeyNotOpened => ColumnFault::KeyNotOpened,
        _ => ColumnFault::NotIntact,
    }
}
