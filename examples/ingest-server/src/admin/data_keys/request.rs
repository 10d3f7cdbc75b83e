//! What operators say of the keys and the speed that they mean.

use std::num::{NonZeroU16, NonZeroU32};

use portcullis_keyring::{KeyId, KeyState, Purpose, TenantId, store::KeyQuery, sweep::Pace};
use portcullis_pii_crypto::PiiKinds;
use serde::Deserialize;

use super::DataKeyError;

/// Whose keys, and what for; all of them unless something is said.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DataKeySelection {
    pub(crate) tenant: Option<String>,
    pub(crate) purpose: Option<String>,
}

/// Which keys to rotate.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DataKeyRotation {
    pub(crate) tenant: Option<String>,
    pub(crate) purpose: Option<String>,
    /// Only those that were made longer ago than this.
    pub(crate) older_than_seconds: Option<u64>,
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
            query = query.of_purpose(parse_purpose(purpose)?);
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
            let state = state.parse().map_err(|_| one_of("state", state, &STATES));
            query = query.in_states([state?]);
        }
        if let Some(after) = &self.after {
            query = query.after(parse_key("after", after)?);
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

const STATES: [&str; KeyState::ALL.len()] = {
    let mut names = [""; KeyState::ALL.len()];
    let mut at = 0;
    while at < names.len() {
        names[at] = KeyState::ALL[at].as_str();
        at += 1;
    }
    names
};

/// The tenant of that name.
pub(crate) fn parse_tenant(name: &str) -> Result<TenantId, DataKeyError> {
    TenantId::new(name).map_err(|error| invalid("tenant", &error))
}

/// The purpose of that name, if it is that of some kind of personal data.
fn parse_purpose(name: &str) -> Result<Purpose, DataKeyError> {
    let purposes = PiiKinds::built_in();
    let mut purposes = purposes.iter().map(|kind| kind.purpose());
    purposes
        .find(|purpose| purpose.as_str() == name)
        .ok_or_else(|| {
            let known = PiiKinds::built_in();
            let known: Vec<Purpose> = known.iter().map(|kind| kind.purpose()).collect();
            let known: Vec<&str> = known.iter().map(Purpose::as_str).collect();
            one_of("purpose", name, &known)
        })
}

/// What is said of a word that is none of those which are known. It is repeated where it cannot be mistaken for
/// anything else.
fn one_of(field: &str, given: &str, known: &[&str]) -> DataKeyError {
    let is_word = (1..=32).contains(&given.len())
        && given
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte == b'-');
    let given = if is_word { given } else { "what was given" };
    DataKeyError::Invalid(format!(
        "`{field}`: {given} is unknown; known are {}",
        known.join(", ")
    ))
}

/// The key of that id, eight hexadecimal digits, which `field` gives.
pub(super) fn parse_key(field: &str, id: &str) -> Result<KeyId, DataKeyError> {
    let is_id = id.len() == 8 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    let number = u32::from_str_radix(id, 16).ok().filter(|_| is_id);
    let number = number.ok_or_else(|| {
        DataKeyError::Invalid(format!(
            "`{field}`: the id of a data key has eight hexadecimal digits, as the list of keys shows it"
        ))
    });
    Ok(KeyId::new(number?))
}

fn invalid(name: &str, error: &dyn std::error::Error) -> DataKeyError {
    DataKeyError::Invalid(format!("`{name}`: {error}"))
}
