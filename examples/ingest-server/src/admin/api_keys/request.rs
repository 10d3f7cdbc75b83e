//! What an API key is asked for with, and what is wrong with it.

use std::time::SystemTime;

use portcullis_apikey_cache::{NewKey, Scope, Scopes, TenantId, Tier};
use serde::Deserialize;

use crate::{limits, permission::Permission, timestamp};

/// A key that is asked for, as text.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ApiKeyRequest {
    pub(crate) tenant: String,
    pub(crate) tier: String,
    pub(crate) scopes: Vec<String>,
    pub(crate) not_before: Option<String>,
    pub(crate) expires_at: Option<String>,
}

impl ApiKeyRequest {
    /// # Errors
    /// What is wrong, with the member's name.
    pub(super) fn to_key(&self) -> Result<NewKey, String> {
        let tenant = TenantId::new(&self.tenant).map_err(|error| invalid("tenant", &error))?;
        let mut key = NewKey::new(tenant, tier(&self.tier)?, scopes(&self.scopes)?);
        if let Some(at) = date("not_before", self.not_before.as_deref())? {
            key = key.not_before(at);
        }
        if let Some(at) = date("expires_at", self.expires_at.as_deref())? {
            key = key.expires_at(at);
        }
        Ok(key)
    }
}

/// The date in the member of that name, if it is there.
pub(super) fn date(name: &str, text: Option<&str>) -> Result<Option<SystemTime>, String> {
    let at = text.map(|text| {
        let at = timestamp::parse(text).map(SystemTime::from);
        at.ok_or_else(|| format!("`{name}`: must be an RFC 3339 timestamp"))
    });
    at.transpose()
}

fn tier(name: &str) -> Result<Tier, String> {
    if !limits::TIERS.iter().any(|tier| tier.as_str() == name) {
        let known: Vec<_> = limits::TIERS.iter().map(|tier| tier.as_str()).collect();
        let message = format!("`tier`: a tier is one of {}", known.join(", "));
        return Err(message);
    }
    name.parse().map_err(|error| invalid("tier", &error))
}

fn scopes(names: &[String]) -> Result<Scopes, String> {
    let mut scopes = Vec::with_capacity(names.len());
    for name in names {
        if !Permission::ALL
            .iter()
            .any(|permission| permission.scope() == name)
        {
            let known = Permission::ALL.map(Permission::scope).join(", ");
            return Err(format!("`scopes`: known are {known}"));
        }
        scopes.push(Scope::new(name).map_err(|error| invalid("scopes", &error))?);
    }
    if scopes.is_empty() {
        let message = "`scopes`: name at least one".to_owned();
        return Err(message);
    }
    Scopes::new(scopes).map_err(|error| invalid("scopes", &error))
}

/// What is wrong with the member of that name.
pub(super) fn invalid(name: &str, error: &dyn std::error::Error) -> String {
    format!("`{name}`: {error}")
}
