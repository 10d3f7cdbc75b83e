//! Issuing, listing, describing and revoking API keys.

use std::{num::NonZeroU16, sync::Arc, time::SystemTime};

use portcullis_apikey_cache::{
    ApiKey, ApiKeyCache, KeyInfo, Kid, MalformedKid, ManageError, NewKey, Revocation, Scope,
    Scopes, TenantId, Tier,
    store::{KeyQuery, StoreError},
};
use serde::{Deserialize, Serialize};

use super::{Action, ActionResult, Actor, AdminEvent, AdminObserver};
use crate::{limits, permission::Permission, timestamp};

/// The use cases on API keys.
#[derive(Debug, Clone)]
pub(crate) struct ApiKeys {
    keys: ApiKeyCache,
    observer: Arc<dyn AdminObserver>,
}

/// A key that is asked for, as text.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ApiKeyRequest {
    pub(crate) tenant: String,
    pub(crate) tier: String,
    pub(crate) scopes: Vec<String>,
    pub(crate) expires_at: Option<String>,
}

/// Which keys to list.
#[derive(Debug, Clone, Default)]
pub(crate) struct PageRequest {
    pub(crate) tenant: Option<String>,
    pub(crate) after: Option<String>,
    pub(crate) limit: Option<NonZeroU16>,
}

/// A new key. Its text is known nowhere else.
#[derive(Debug)]
pub(crate) struct IssuedApiKey {
    pub(crate) kid: Kid,
    pub(crate) key: ApiKey,
}

/// What may be shown of a key.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct ApiKeyDescription {
    pub(crate) kid: String,
    pub(crate) tenant: String,
    pub(crate) tier: String,
    pub(crate) scopes: Vec<String>,
    pub(crate) status: &'static str,
    pub(crate) created_at: String,
    pub(crate) expires_at: Option<String>,
    pub(crate) last_used: Option<String>,
}

/// Some keys, and after which one to go on.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct ApiKeyPage {
    pub(crate) keys: Vec<ApiKeyDescription>,
    pub(crate) next: Option<String>,
}

/// A key that is revoked, now or before.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct RevokedApiKey {
    pub(crate) kid: String,
    pub(crate) was_active: bool,
}

/// Why a use case on keys did not succeed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ApiKeyError {
    /// Something about the request; the text says what it must be.
    #[error("{0}")]
    Invalid(String),
    #[error(transparent)]
    MalformedKid(#[from] MalformedKid),
    #[error("there is no API key of that id; list the keys to find it")]
    NotFound,
    #[error("the API keys' store failed")]
    Store(#[source] StoreError),
    #[error(transparent)]
    Other(ManageError),
}

impl ApiKeys {
    /// The keys on a page, default and most.
    const DEFAULT_PAGE: NonZeroU16 = NonZeroU16::new(100).expect("100 is not zero");
    const MAX_PAGE: NonZeroU16 = NonZeroU16::new(1_000).expect("1,000 is not zero");

    pub(crate) const fn new(keys: ApiKeyCache, observer: Arc<dyn AdminObserver>) -> Self {
        Self { keys, observer }
    }

    /// Issues a key; its text is shown only this once.
    pub(crate) async fn issue(
        &self,
        actor: &Actor,
        request: &ApiKeyRequest,
    ) -> Result<IssuedApiKey, ApiKeyError> {
        let issued = async {
            let issued = self.keys.issue(new_key(request)?).await?;
            Ok(IssuedApiKey {
                kid: *issued.kid(),
                key: issued.into_key(),
            })
        };
        let issued = issued.await;
        let action = Action::IssueApiKey {
            tenant: &request.tenant,
            tier: &request.tier,
            scopes: &request.scopes,
            kid: issued.as_ref().ok().map(|issued| &issued.kid),
        };
        self.report(actor, action, issued.as_ref().err());
        issued
    }

    /// Lists keys by kid, a page at a time.
    pub(crate) async fn list(
        &self,
        actor: &Actor,
        request: &PageRequest,
    ) -> Result<ApiKeyPage, ApiKeyError> {
        let page = async {
            let limit = request.limit.unwrap_or(Self::DEFAULT_PAGE);
            let mut query = KeyQuery::first(limit.min(Self::MAX_PAGE));
            if let Some(tenant) = &request.tenant {
                let tenant = TenantId::new(tenant).map_err(|error| invalid("tenant", &error))?;
                query = query.of_tenant(tenant);
            }
            if let Some(kid) = &request.after {
                query = query.after(kid.parse()?);
            }
            let page = self.keys.list(&query).await?;
            Ok(ApiKeyPage {
                keys: page.keys.iter().map(ApiKeyDescription::from).collect(),
                next: page.next.map(|kid| kid.to_string()),
            })
        };
        let page = page.await;
        let tenant = request.tenant.as_deref();
        self.report(actor, Action::ListApiKeys { tenant }, page.as_ref().err());
        page
    }

    /// Describes a key.
    pub(crate) async fn read(
        &self,
        actor: &Actor,
        kid: &str,
    ) -> Result<ApiKeyDescription, ApiKeyError> {
        let kid: Result<Kid, _> = kid.parse();
        let key = match &kid {
            Ok(kid) => self.keys.record(kid).await.map_err(ApiKeyError::from),
            Err(malformed) => Err((*malformed).into()),
        };
        let action = Action::ReadApiKey {
            kid: kid.as_ref().ok(),
        };
        self.report(actor, action, key.as_ref().err());
        Ok(ApiKeyDescription::from(&key?))
    }

    /// Revokes a key for good. Returns when that is durable; this process refuses the key from
    /// then on.
    pub(crate) async fn revoke(
        &self,
        actor: &Actor,
        kid: &str,
    ) -> Result<RevokedApiKey, ApiKeyError> {
        let kid: Result<Kid, _> = kid.parse();
        let revocation = match &kid {
            Ok(kid) => self.keys.revoke(kid).await.map_err(ApiKeyError::from),
            Err(malformed) => Err((*malformed).into()),
        };
        let action = Action::RevokeApiKey {
            kid: kid.as_ref().ok(),
        };
        self.report(actor, action, revocation.as_ref().err());
        Ok(RevokedApiKey {
            was_active: revocation? == Revocation::Revoked,
            kid: kid?.to_string(),
        })
    }

    fn report(&self, actor: &Actor, action: Action<'_>, error: Option<&ApiKeyError>) {
        let result = match error {
            None => ActionResult::Done,
            Some(
                ApiKeyError::Invalid(_) | ApiKeyError::MalformedKid(_) | ApiKeyError::NotFound,
            ) => ActionResult::Rejected,
            Some(ApiKeyError::Store(_) | ApiKeyError::Other(_)) => ActionResult::Failed,
        };
        self.observer.observe(&AdminEvent {
            actor,
            action,
            result,
        });
    }
}

impl From<ManageError> for ApiKeyError {
    fn from(error: ManageError) -> Self {
        match error {
            ManageError::NotFound => Self::NotFound,
            ManageError::NeverValid => Self::Invalid("`expires_at` has passed".to_owned()),
            ManageError::Store(error) => Self::Store(error),
            error => Self::Other(error),
        }
    }
}

impl From<&KeyInfo> for ApiKeyDescription {
    fn from(key: &KeyInfo) -> Self {
        let time = |at: SystemTime| timestamp::format(timestamp::from_system(at));
        Self {
            kid: key.kid().to_string(),
            tenant: key.tenant().to_string(),
            tier: key.tier().to_string(),
            scopes: key.scopes().iter().map(str::to_owned).collect(),
            status: key.status().as_str(),
            created_at: time(key.created_at()),
            expires_at: key.expires_at().map(time),
            last_used: key.last_used().map(time),
        }
    }
}

fn new_key(request: &ApiKeyRequest) -> Result<NewKey, ApiKeyError> {
    let tenant = TenantId::new(&request.tenant).map_err(|error| invalid("tenant", &error))?;
    let key = NewKey::new(tenant, tier(&request.tier)?, scopes(&request.scopes)?);
    match &request.expires_at {
        None => Ok(key),
        Some(text) => match timestamp::parse(text) {
            Some(at) => Ok(key.expires_at(at.into())),
            None => {
                let message = "`expires_at`: must be an RFC 3339 timestamp".to_owned();
                Err(ApiKeyError::Invalid(message))
            }
        },
    }
}

fn tier(name: &str) -> Result<Tier, ApiKeyError> {
    if !limits::TIERS.iter().any(|tier| tier.as_str() == name) {
        let known: Vec<_> = limits::TIERS.iter().map(|tier| tier.as_str()).collect();
        let message = format!("`tier`: a tier is one of {}", known.join(", "));
        return Err(ApiKeyError::Invalid(message));
    }
    name.parse().map_err(|error| invalid("tier", &error))
}

fn scopes(names: &[String]) -> Result<Scopes, ApiKeyError> {
    let mut scopes = Vec::with_capacity(names.len());
    for name in names {
        if !Permission::ALL
            .iter()
            .any(|permission| permission.scope() == name)
        {
            let known = Permission::ALL.map(Permission::scope).join(", ");
            return Err(ApiKeyError::Invalid(format!("`scopes`: known are {known}")));
        }
        scopes.push(Scope::new(name).map_err(|error| invalid("scopes", &error))?);
    }
    if scopes.is_empty() {
        let message = "`scopes`: name at least one".to_owned();
        return Err(ApiKeyError::Invalid(message));
    }
    Scopes::new(scopes).map_err(|error| invalid("scopes", &error))
}

fn invalid(name: &str, error: &dyn std::error::Error) -> ApiKeyError {
    ApiKeyError::Invalid(format!("`{name}`: {error}"))
}
