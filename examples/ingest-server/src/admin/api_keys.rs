//! Issuing, listing, describing, rotating and revoking API keys.

#[cfg(test)]
mod lost_outcomes;
mod peppers;
mod request;
mod revoke;
mod rotate;

use std::{num::NonZeroU16, sync::Arc, time::SystemTime};

use portcullis_apikey_cache::{
    ApiKey, ApiKeyCache, KeyInfo, Kid, MalformedKid, ManageError, NewKey, PepperVersion, TenantId,
    store::{KeyQuery, StoreError},
};
use portcullis_audit_log::event::{Code, Outcome};
use serde::Serialize;

use super::{Action, ActionResult, Actor, AdminEvent, AdminObserver, names, record};
use crate::{
    audit::{AuditLog, Pending, Unrecorded},
    store::{self, Store},
    timestamp,
};

pub(crate) use self::{
    peppers::PepperDescription,
    request::ApiKeyRequest,
    revoke::{Effect, RevokedApiKey},
    rotate::{RotatedApiKey, RotationRequest},
};

/// The use cases on API keys.
#[derive(Debug, Clone)]
pub(crate) struct ApiKeys {
    keys: ApiKeyCache,
    store: Arc<dyn Store>,
    audit: AuditLog,
    observer: Arc<dyn AdminObserver>,
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
    /// The version of the pepper that it is hashed under; none if it was revoked.
    pub(crate) pepper_version: Option<u16>,
    pub(crate) created_at: String,
    pub(crate) not_before: Option<String>,
    pub(crate) expires_at: Option<String>,
    pub(crate) last_used: Option<String>,
}

/// Some keys, and after which one to go on.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct ApiKeyPage {
    pub(crate) keys: Vec<ApiKeyDescription>,
    pub(crate) next: Option<String>,
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
    /// The key is not one that can be replaced.
    #[error(transparent)]
    NotRotated(ManageError),
    #[error(transparent)]
    Unrecorded(#[from] Unrecorded),
    /// Done, and on record as begun alone.
    #[error(
        "the API key was rotated, and that could not be put on record: nobody has seen the new key, and the \
         old one is refused from {old_ends_at} on; issue another one"
    )]
    RotatedUnrecorded { old_ends_at: String },
    #[error("whether the tenant was erased is not known")]
    Erasures(#[from] store::StoreError),
    #[error("the API keys' store failed")]
    Store(#[source] StoreError),
    #[error(transparent)]
    Other(ManageError),
}

impl ApiKeys {
    /// The keys on a page, default and most.
    const DEFAULT_PAGE: NonZeroU16 = NonZeroU16::new(100).expect("100 is not zero");
    const MAX_PAGE: NonZeroU16 = NonZeroU16::new(1_000).expect("1,000 is not zero");

    pub(crate) const fn new(
        keys: ApiKeyCache,
        store: Arc<dyn Store>,
        audit: AuditLog,
        observer: Arc<dyn AdminObserver>,
    ) -> Self {
        Self {
            keys,
            store,
            audit,
            observer,
        }
    }

    /// Issues a key; its text is shown only this once. That it was asked for is on record before,
    /// and which key it became before this returns.
    pub(crate) async fn issue(
        &self,
        actor: &Actor,
        request: &ApiKeyRequest,
    ) -> Result<IssuedApiKey, ApiKeyError> {
        let asked = Action::IssueApiKey {
            tenant: &request.tenant,
            tier: &request.tier,
            scopes: &request.scopes,
            kid: None,
        };
        let new_key = async {
            self.check_tenant(&request.tenant).await?;
            request.to_key().map_err(ApiKeyError::Invalid)
        };
        let issued = match new_key.await {
            Ok(key) => {
                self.issue_recorded(actor, asked, &request.tenant, key)
                    .await
            }
            Err(error) => {
                if let ApiKeyError::Invalid(_) = error {
                    self.audit.note(record::rejected(actor, &asked));
                }
                Err(error)
            }
        };
        let action = Action::IssueApiKey {
            tenant: &request.tenant,
            tier: &request.tier,
            scopes: &request.scopes,
            kid: issued.as_ref().ok().map(|issued| &issued.kid),
        };
        self.report(actor, action, issued.as_ref().err());
        issued
    }

    /// A tenant that has a key already keeps its name, unless it was erased; that of a new one must be told
    /// from all others.
    async fn check_tenant(&self, name: &str) -> Result<(), ApiKeyError> {
        let refused = |why| ApiKeyError::Invalid(format!("`tenant`: {why}"));
        if let Ok(tenant) = portcullis_keyring::TenantId::new(name)
            && self.store.is_erased(&tenant).await?
        {
            return Err(refused(
                "the tenant was erased, and its name is nobody's any more; name another",
            ));
        }
        let alike = match TenantId::new(name) {
            Ok(tenant) => self.keys.tenant_alike(&tenant).await?,
            Err(_) => None,
        };
        let has_keys = alike.as_ref().is_some_and(|alike| alike.as_str() == name);
        if has_keys {
            return Ok(());
        }
        names::check(name).map_err(refused)?;
        match alike {
            Some(_) => Err(refused("another tenant's name differs in case alone")),
            None => Ok(()),
        }
    }

    async fn issue_recorded(
        &self,
        actor: &Actor,
        action: Action<'_>,
        tenant: &str,
        key: NewKey,
    ) -> Result<IssuedApiKey, ApiKeyError> {
        let draft = record::draft(actor, &action, Some(tenant));
        let change = self.audit.begin(draft).await?;
        let issued = match self.keys.issue(key).await {
            Ok(issued) => issued,
            Err(error) => return Err(failed(change, error.into()).await),
        };
        let kid = *issued.kid();
        let change = change.with_resource(kid.as_str());
        if let Err(unrecorded) = change.finish(Outcome::Success, None).await {
            // Nobody has seen the key. If this fails too, nobody ever can use it.
            drop(self.keys.revoke(&kid).await);
            return Err(unrecorded.into());
        }
        Ok(IssuedApiKey {
            kid,
            key: issued.into_key(),
        })
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
                let tenant = TenantId::new(tenant)
                    .map_err(|error| ApiKeyError::Invalid(request::invalid("tenant", &error)))?;
                query = query.of_tenant(tenant);
            }
            if let Some(kid) = &request.after {
                let kid = kid.parse().map_err(|error: MalformedKid| {
                    ApiKeyError::Invalid(request::invalid("after", &error))
                })?;
                query = query.after(kid);
            }
            let page = self.keys.list(&query).await?;
            let tenant = request.tenant.as_deref();
            let action = Action::ListApiKeys { tenant };
            let draft = record::draft(actor, &action, names::recorded(tenant));
            self.audit.record(draft).await?;
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
            Ok(kid) => self.read_recorded(actor, kid).await,
            Err(malformed) => Err((*malformed).into()),
        };
        let action = Action::ReadApiKey {
            kid: kid.as_ref().ok(),
        };
        self.report(actor, action, key.as_ref().err());
        Ok(ApiKeyDescription::from(&key?))
    }

    async fn read_recorded(&self, actor: &Actor, kid: &Kid) -> Result<KeyInfo, ApiKeyError> {
        let key = self.keys.record(kid).await?;
        let action = Action::ReadApiKey { kid: Some(kid) };
        let draft = record::draft(actor, &action, names::recorded(Some(key.tenant().as_str())));
        self.audit.record(draft).await?;
        Ok(key)
    }

    fn report(&self, actor: &Actor, action: Action<'_>, error: Option<&ApiKeyError>) {
        self.observer.observe(&AdminEvent {
            actor,
            action,
            result: result(error),
        });
    }
}

impl From<ManageError> for ApiKeyError {
    fn from(error: ManageError) -> Self {
        match error {
            ManageError::NotFound => Self::NotFound,
            ManageError::NeverValid => {
                let message = "`expires_at` has passed, or is not after `not_before`";
                Self::Invalid(message.to_owned())
            }
            ManageError::EndNeeded => {
                let message = "`expires_at`: the old key has an end, as each has that was replaced before; \
                               say when the new one is to end";
                Self::Invalid(message.to_owned())
            }
            ManageError::OverlapTooLong => {
                Self::Invalid("the overlap may be 90 days at most".to_owned())
            }
            ManageError::Revoked
            | ManageError::Expired
            | ManageError::Unverifiable(_)
            | ManageError::Overtaken => Self::NotRotated(error),
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
            pepper_version: key.pepper().map(PepperVersion::value),
            created_at: time(key.created_at()),
            not_before: key.not_before().map(time),
            expires_at: key.expires_at().map(time),
            last_used: key.last_used().map(time),
        }
    }
}

/// What came of it.
pub(super) const fn result(error: Option<&ApiKeyError>) -> ActionResult {
    match error {
        None => ActionResult::Done,
        Some(
            ApiKeyError::Invalid(_)
            | ApiKeyError::MalformedKid(_)
            | ApiKeyError::NotFound
            | ApiKeyError::NotRotated(_),
        ) => ActionResult::Rejected,
        Some(
            ApiKeyError::Unrecorded(_)
            | ApiKeyError::RotatedUnrecorded { .. }
            | ApiKeyError::Erasures(_)
            | ApiKeyError::Store(_)
            | ApiKeyError::Other(_),
        ) => ActionResult::Failed,
    }
}

/// What was begun failed: that is what is told, whether or not it can be put on record.
pub(super) async fn failed(change: Pending, error: ApiKeyError) -> ApiKeyError {
    let detail = match &error {
        ApiKeyError::NotFound => "not_found",
        ApiKeyError::NotRotated(_) => "conflict",
        ApiKeyError::Invalid(_) | ApiKeyError::MalformedKid(_) => "bad_request",
        ApiKeyError::Unrecorded(_) | ApiKeyError::RotatedUnrecorded { .. } => {
            "capacity.audit_unavailable"
        }
        ApiKeyError::Erasures(_) | ApiKeyError::Store(_) => "capacity.store_unavailable",
        ApiKeyError::Other(_) => "internal",
    };
    // The log has said so, and counted it.
    drop(
        change
            .finish(Outcome::Failure, Some(Code::new(detail)))
            .await,
    );
    error
}
