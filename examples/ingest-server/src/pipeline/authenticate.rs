//! Who sends this, and may they: headers → [`Caller`].

use std::net::IpAddr;

use http::HeaderMap;
use portcullis_apikey_cache::{ApiKey, CredentialError, Denied, Principal};
use portcullis_keyring::TenantId;
use time::OffsetDateTime;

use super::{
    failed_attempts::AttemptFault,
    rejection::{Rejection, RequestRejection},
    services::Services,
};
use crate::{permission::Permission, quality::Reason};

/// The authenticated sender of a request that has just come in.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    pub(crate) principal: Principal,
    pub(crate) tenant: TenantId,
    pub(crate) address: IpAddr,
    pub(crate) received_at: OffsetDateTime,
}

impl Caller {
    /// Whether the caller's key grants `permission`.
    pub(crate) fn may(&self, permission: Permission) -> bool {
        self.principal.has_scope(permission.scope())
    }

    /// Refuses a caller whose key does not grant `permission`.
    pub(crate) fn require(&self, permission: Permission) -> Result<(), Rejection> {
        if self.may(permission) {
            return Ok(());
        }
        let detail = format!("the API key lacks the scope `{}`", permission.scope());
        Err(Rejection::new(Reason::AuthScope, detail))
    }
}

/// The caller, at `address`, who may do what is `needed`.
#[tracing::instrument(skip_all)]
pub(crate) async fn authenticate(
    services: &Services,
    headers: &HeaderMap,
    address: IpAddr,
    needed: Permission,
) -> Result<Caller, RequestRejection> {
    let caller = identify(services, headers, address, needed).await?;
    caller.require(needed)?;
    Ok(caller)
}

/// The caller, at `address`, whatever the key grants of what is `needed`.
pub(crate) async fn identify(
    services: &Services,
    headers: &HeaderMap,
    address: IpAddr,
    needed: Permission,
) -> Result<Caller, RequestRejection> {
    let failed = async |fault, rejection: Rejection| {
        let slowed = services.failed_keys.note(fault, address, needed.scope());
        slowed.await.map_or_else(
            || rejection.into(),
            |decision| RequestRejection::Limited(Box::new(decision)),
        )
    };
    let key = match ApiKey::from_headers(headers) {
        Ok(key) => key,
        Err(CredentialError::Missing) => {
            let detail = "send an API key as `Authorization: Bearer …` or `X-API-Key: …`";
            let rejection = Rejection::new(Reason::AuthMissing, detail);
            return Err(failed(AttemptFault::Missing, rejection).await);
        }
        Err(_) => return Err(failed(AttemptFault::Malformed, invalid()).await),
    };
    let principal = match services.key_checks.validate(&key).await {
        Ok(principal) => principal,
        Err(Denied::Unavailable { .. }) => {
            return Err(Rejection::plain(Reason::AuthUnavailable).into());
        }
        Err(_) => return Err(failed(AttemptFault::Wrong, invalid()).await),
    };
    let tenant = TenantId::new(principal.tenant().as_str())
        .expect("a tenant id of a key, 1 to 128 bytes, is one of a data key, 1 to 1,024 bytes");
    Ok(Caller {
        principal,
        tenant,
        address,
        received_at: services.clock.wall(),
    })
}

/// One answer for malformed, unknown, wrong, expired and revoked keys.
fn invalid() -> Rejection {
    Rejection::new(Reason::AuthInvalid, "the API key is not valid")
}
