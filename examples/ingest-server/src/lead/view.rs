//! Leads on their way out: opened, and masked for those who may not see personal data.

use portcullis_keyring::{KeyId, Keyring, PrepareError, TenantId};
use portcullis_pii_crypto::{AnyPii, Cipher, OpenError, Sealed};
use serde::{Serialize, Serializer};

use super::{COLUMNS, LeadColumn, LeadId, LeadRecord};

/// How much of the personal data is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum View {
    /// As it was given.
    Open,
    /// Recognisable to who knows it, useless to who does not.
    Masked,
}

/// A lead as it is shown. It has no `Debug`: its texts may be personal data in the clear.
#[derive(Serialize)]
pub(crate) struct LeadView {
    id: String,
    /// The columns that the lead has, each under its name.
    #[serde(flatten, serialize_with = "serialize_columns")]
    columns: Vec<(&'static str, String)>,
    created_at: String,
    updated_at: String,
    masked: bool,
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

impl LeadView {
    /// Whose it is.
    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    /// The fields that it shows, such as `lead.email`.
    pub(crate) fn fields(&self) -> impl Iterator<Item = &'static str> + '_ {
        let shows = |name| self.columns.iter().any(|(shown, _)| *shown == name);
        let columns = COLUMNS.iter().filter(move |column| shows(column.name()));
        columns.map(|column| column.field())
    }

    /// Opens a lead of `tenant`, as much of it as `view` shows.
    pub(crate) async fn open(
        keyring: &Keyring,
        tenant: &TenantId,
        lead: LeadRecord,
        view: View,
    ) -> Result<Self, OpenLeadError> {
        let LeadRecord {
            id,
            sealed,
            created_at,
            updated_at,
        } = lead;
        let rejected = |column, source| OpenLeadError::Rejected {
            lead: id,
            column,
            source,
        };
        let sealed = sealed.into_iter().map(|(column, bytes)| {
            let sealed = Sealed::<AnyPii>::from_bytes(bytes);
            let sealed = sealed.map_err(|_| rejected(column, OpenError::Rejected))?;
            Ok((column, sealed))
        });
        let sealed: Vec<_> = sealed.collect::<Result<_, OpenLeadError>>()?;
        let keys: Vec<KeyId> = sealed.iter().map(|(_, sealed)| sealed.key_id()).collect();
        let cipher = Cipher::new(keyring.prepare_ids(tenant, &keys).await?);
        let record = id.to_string();
        let columns = sealed.iter().map(|(column, sealed)| {
            let value = column.kind().open(&cipher, column.field(), &record, sealed);
            let value = value.map_err(|source| rejected(column, source))?;
            Ok((column.name(), text(&value, view)))
        });
        Ok(Self {
            columns: columns.collect::<Result<_, OpenLeadError>>()?,
            id: record,
            created_at,
            updated_at,
            masked: view == View::Masked,
        })
    }
}

fn text(value: &AnyPii, view: View) -> String {
    match view {
        // EXPOSE: the caller may read personal data and gave a reason.
        View::Open => value.expose().to_owned(),
        View::Masked => value.masked(),
    }
}

fn serialize_columns<S: Serializer>(
    columns: &[(&'static str, String)],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_map(columns.iter().map(|(name, text)| (name, text)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lead_is_one_object_of_its_columns_in_their_order_without_those_it_has_not() {
        let view = LeadView {
            id: "1".to_owned(),
            columns: vec![
                ("phone", "+44***58".to_owned()),
                ("name", "A***".to_owned()),
            ],
            created_at: "then".to_owned(),
            updated_at: "now".to_owned(),
            masked: true,
        };
        let expected = r#"{"id":"1","phone":"+44***58","name":"A***","created_at":"then","updated_at":"now","masked":true}"#;
        assert_eq!(serde_json::to_string(&view).unwrap(), expected);
    }
}
