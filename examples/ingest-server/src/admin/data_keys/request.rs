//! What operators say of the keys and the speed that they mean.

use std::num::{NonZeroU16, NonZeroU32};

use portcullis_keyring::{KeyId, KeyState, Purpose, TenantId, store::KeyQuery, sweep::Pace};
use serde::Deserialize;

use super::DataKeyError;

/// Whose keys, and what for; all of them unless something is said.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DataKeySelection {
    pub(crate) tenant: Option<String>,
    pub(crate) purpose: Option<String>,
}

/// Which keys to list.
#[derive(Debug, Clone, Default)]
pub(crate) struct DataKeyRequest {
    pub(crate) selection: DataKeySelection,
    pub(crate) state: Option<String>,
    pub(crate) after: Option<String>,
    pub(crate) limit: Option<NonZeroU16>,
}

/// How fast rows are gone over.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SweepPace {
    /// As many as the database takes, unless it is said.
    pub(crate) rows_per_second: Option<NonZeroU32>,
}

impl DataKeySelection {
    /// The same as a query, in pages of `limit`.
    pub(super) fn query(&self, limit: NonZeroU32) -> Result<KeyQuery, DataKeyError> {
        let mut query = KeyQuery::all(limit);
        if let Some(tenant) = &self.tenant {
            query = query.of_tenant(parse_tenant(tenant)?);
        }
        if let Some(purpose) = &self.purpose {
            let purpose = Purpose::new(purpose);
            query = query.of_purpose(purpose.map_err(|error| invalid("purpose", &error))?);
        }
        Ok(query)
    }
}

impl DataKeyRequest {
    pub(super) fn query(
        &self,
        default: NonZeroU16,
        most: NonZeroU16,
    ) -> Result<KeyQuery, DataKeyError> {
        let limit = self.limit.unwrap_or(default).min(most);
        let mut query = self.selection.query(limit.into())?;
        if let Some(state) = &self.state {
            let state: Result<KeyState, _> = state.parse();
            query = query.in_states([state.map_err(|error| invalid("state", &error))?]);
        }
        if let Some(after) = &self.after {
            query = query.after(parse_key(after)?);
        }
        Ok(query)
    }
}

impl From<SweepPace> for Pace {
    fn from(pace: SweepPace) -> Self {
        let every = Self::default();
        pace.rows_per_second
            .map_or(every, |rate| every.at_most(rate))
    }
}

/// The tenant of that name.
pub(crate) fn parse_tenant(name: &str) -> Result<TenantId, DataKeyError> {
    TenantId::new(name).map_err(|error| invalid("tenant", &error))
}

/// The key of that id, eight hexadecimal digits.
pub(super) fn parse_key(id: &str) -> Result<KeyId, DataKeyError> {
    let is_id = id.len() == 8 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    let number = u32::from_str_radix(id, 16).ok().filter(|_| is_id);
    let number = number.ok_or_else(|| {
        DataKeyError::Invalid("`key`: the id of a data key has eight hexadecimal digits".to_owned())
    });
    Ok(KeyId::new(number?))
}

fn invalid(name: &str, error: &dyn std::error::Error) -> DataKeyError {
    DataKeyError::Invalid(format!("`{name}`: {error}"))
}
