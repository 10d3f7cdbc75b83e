//! Issuing and describing API keys, for the admin listener and the command line alike.

use std::time::SystemTime;

use portcullis_apikey_cache::{
    ApiKeyCache, Issued, KeyInfo, ManageError, NewKey, Scope, Scopes, TenantId, Tier,
};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{pipeline::Permission, timestamp};

/// The tiers that have limits.
const TIERS: [Tier; 3] = [Tier::FREE, Tier::STANDARD, Tier::ENTERPRISE];

/// A key that is asked for, as text.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct KeyRequest {
    pub(crate) tenant: String,
    pub(crate) tier: String,
    pub(crate) scopes: Vec<String>,
    pub(crate) expires_at: Option<String>,
}

/// Why a key was not issued.
#[derive(Debug, thiserror::Error)]
pub(crate) enum IssueError {
    /// Something about the request; the text says what it must be.
    #[error("{0}")]
    Invalid(String),
    #[error(transparent)]
    Failed(ManageError),
}

impl KeyRequest {
    /// Checks every part and issues the key.
    pub(crate) async fn issue(&self, keys: &ApiKeyCache) -> Result<Issued, IssueError> {
        keys.issue(self.check()?)
            .await
            .map_err(|error| match error {
                ManageError::NeverValid => {
                    IssueError::Invalid("`expires_at` has passed".to_owned())
                }
                error => IssueError::Failed(error),
            })
    }

    fn check(&self) -> Result<NewKey, IssueError> {
        let invalid = |name: &str, error: &dyn std::error::Error| {
            IssueError::Invalid(format!("`{name}`: {error}"))
        };
        let tenant = TenantId::new(&self.tenant).map_err(|error| invalid("tenant", &error))?;
        let Some(tier) = TIERS.into_iter().find(|tier| tier.as_str() == self.tier) else {
            let message = "`tier`: a tier is one of free, standard, enterprise".to_owned();
            return Err(IssueError::Invalid(message));
        };
        let mut scopes = Vec::with_capacity(self.scopes.len());
        for name in &self.scopes {
            if !Permission::ALL
                .iter()
                .any(|permission| permission.scope() == name)
            {
                let known = Permission::ALL.map(Permission::scope).join(", ");
                return Err(IssueError::Invalid(format!("`scopes`: known are {known}")));
            }
            scopes.push(Scope::new(name).map_err(|error| invalid("scopes", &error))?);
        }
        if scopes.is_empty() {
            return Err(IssueError::Invalid(
                "`scopes`: name at least one".to_owned(),
            ));
        }
        let scopes = Scopes::new(scopes).map_err(|error| invalid("scopes", &error))?;
        let key = NewKey::new(tenant, tier, scopes);
        match &self.expires_at {
            None => Ok(key),
            Some(text) => match timestamp::parse(text) {
                Some(at) => Ok(key.expires_at(at.into())),
                None => {
                    let message = "`expires_at`: must be an RFC 3339 timestamp".to_owned();
                    Err(IssueError::Invalid(message))
                }
            },
        }
    }
}

/// What may be shown of a key.
pub(crate) fn describe(key: &KeyInfo) -> Value {
    let time = |at: SystemTime| timestamp::format(timestamp::from_system(at));
    json!({
        "kid": key.kid().as_str(),
        "tenant": key.tenant(),
        "tier": key.tier().as_str(),
        "scopes": key.scopes().iter().collect::<Vec<_>>(),
        "status": key.status().as_str(),
        "created_at": time(key.created_at()),
        "expires_at": key.expires_at().map(time),
        "last_used": key.last_used().map(time),
    })
}
