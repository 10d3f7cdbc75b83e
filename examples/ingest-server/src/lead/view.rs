//! Leads on their way out: opened, and masked for those who may not see personal data.

use portcullis_keyring::{KeyId, Keyring, PrepareError, TenantId};
use portcullis_pii_crypto::{AnyPii, Cipher, OpenError, Sealed};
use serde_json::{Map, Value, json};

use crate::lead::{LeadColumn, LeadId, LeadRecord};

/// How much of the personal data is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum View {
    /// As it was given.
    Open,
    /// Recognisable to who knows it, useless to who does not.
    Masked,
}

/// A stored lead that cannot be shown.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OpenLeadError {
    /// The value was moved or changed, or belongs to another database.
    #[error("{} of lead {lead} does not open", column.field())]
    Rejected {
        lead: LeadId,
        column: &'static LeadColumn,
        #[source]
        source: OpenError,
    },
    #[error("the data keys are unavailable")]
    Keys(#[from] PrepareError),
}

/// The lead as JSON.
pub(crate) async fn show(
    keyring: &Keyring,
    tenant: &TenantId,
    lead: &LeadRecord,
    view: View,
) -> Result<Value, OpenLeadError> {
    let ids = key_ids(lead)?;
    let cipher = Cipher::new(keyring.prepare_ids(tenant, &ids).await?);
    let mut members = Map::new();
    members.insert("id".to_owned(), json!(lead.id.to_string()));
    for (column, sealed) in &lead.sealed {
        let text = text(&cipher, lead.id, column, sealed, view).map_err(|source| {
            OpenLeadError::Rejected {
                lead: lead.id,
                column,
                source,
            }
        })?;
        members.insert(column.name().to_owned(), json!(text));
    }
    members.insert("created_at".to_owned(), json!(lead.created_at));
    members.insert("updated_at".to_owned(), json!(lead.updated_at));
    members.insert("masked".to_owned(), json!(view == View::Masked));
    Ok(Value::Object(members))
}

fn key_ids(lead: &LeadRecord) -> Result<Vec<KeyId>, OpenLeadError> {
    let id = |(column, sealed): &(&'static LeadColumn, Vec<u8>)| {
        Sealed::<AnyPii>::from_bytes(sealed.clone())
            .map(|sealed| sealed.key_id())
            .map_err(|_| OpenLeadError::Rejected {
                lead: lead.id,
                column,
                source: OpenError::Rejected,
            })
    };
    lead.sealed.iter().map(id).collect()
}

fn text(
    cipher: &Cipher,
    lead: LeadId,
    column: &LeadColumn,
    sealed: &[u8],
    view: View,
) -> Result<String, OpenError> {
    let sealed = Sealed::from_bytes(sealed.to_vec()).map_err(|_| OpenError::Rejected)?;
    let (kind, record) = (column.kind(), lead.to_string());
    let value = kind.open(cipher, column.field(), &record, &sealed)?;
    Ok(match view {
        // EXPOSE: the caller may read personal data and gave a reason.
        View::Open => value.expose().to_owned(),
        View::Masked => value.masked(),
    })
}
