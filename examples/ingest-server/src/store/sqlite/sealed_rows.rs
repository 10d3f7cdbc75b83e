//! Leads and events as something that goes over all personal data sees them.

pub(super) mod cursors;
mod events;
mod leads;
mod payload;

use std::{collections::BTreeSet, sync::Arc};

use portcullis_keyring::{KeyId, TenantId};
use portcullis_pii_crypto::{
    IndexRoots,
    reencrypt::{RowError, SealedRows},
};

use self::{events::EventRows, leads::LeadRows};
use super::{failure::Failure, sweeps::Sweeps};
use crate::store::StoreError;

pub(super) use self::payload::sealed_texts;

/// Every table with personal data.
pub(super) fn all(sweeps: &Sweeps, roots: &IndexRoots) -> Vec<Arc<dyn SealedRows>> {
    vec![
        Arc::new(LeadRows::new(sweeps.clone(), roots.clone())),
        Arc::new(EventRows::new(sweeps.clone())),
    ]
}

/// Key ids as one parameter: `IN (SELECT value FROM json_each(?))`.
fn list(keys: &BTreeSet<KeyId>) -> String {
    let keys: Vec<String> = keys.iter().map(|key| key.value().to_string()).collect();
    format!("[{}]", keys.join(","))
}

fn tenant(text: String) -> Result<TenantId, Failure> {
    let tenant = TenantId::new(&text);
    tenant.map_err(|_| StoreError::Malformed("tenant").into())
}

fn row_error(table: &'static str) -> impl Fn(StoreError) -> RowError {
    move |error| RowError::new(table, error)
}
