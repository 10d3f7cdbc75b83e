//! Who sends this, and may they: headers → [`Caller`].

use std::net::IpAddr;

use http::{HeaderMap, HeaderValue, header::USER_AGENT};
use portcullis_apikey_cache::{ApiKey, CredentialError, Denied, Principal};
use portcullis_keyring::TenantId;
use time::OffsetDateTime;
use tracing::{Span, field::Empty, record_all};

use super::{
    failed_attempts::AttemptFault,
    key_checks::KeyCheck,
    rejection::{Rejection, RequestRejection},
    services::Services,
};
use crate::{
    audit::{AuditAction, AuditActor, AuditDraft, Peer, UserAgent, actions::REQUEST},
    permission::Permission,
    quality::Reason,
};

/// The authenticated sender of a request that has just come in.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    pub(crate) principal: Principal,
    pub(crate) tenant: TenantId,
    pub(crate) address: IpAddr,
    /// What it says it is, as it was sent.
    pub(crate) user_agent: Option<HeaderValue>,
    pub(crate) received_at: OffsetDateTime,
}

impl Caller {
    /// What is put on record of something the caller does.
    pub(crate) fn draft(&self, action: &'static AuditAction) -> AuditDraft {
        let actor = AuditActor::ApiKey(self.principal.kid().to_string());
        let user_agent = self.user_agent.as_ref().and_then(UserAgent::read);
        let address = self.address;
        AuditDraft {
            peer: Some(Peer {
                address,
                user_agent,
            }),
            ..AuditDraft::new(Some(self.tenant.as_str()), action, actor)
        }
    }

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
pub(crate) async fn authenticate(
    services: &Services,
    headers: &HeaderMap,
    address: IpAddr,
    needed: Permission,
) -> Result<Caller, RequestRejection> {
    let caller = identify(services, headers, address, needed).await?;
    if let Err(rejection) = caller.require(needed) {
        let draft = caller.draft(REQUEST);
        services.audit.note(draft.denied(rejection.reason.code()));
        return Err(rejection.into());
    }
    Ok(caller)
}

/// The caller, at `address`, whatever the key grants of what is `needed`. The span says how that was decided,
/// and nothing of the key.
#[tracing::instrument(
    name = "authenticate",
    skip_all,
    fields(apikey.outcome = Empty, apikey.source = Empty)
)]
pub(crate) async fn identify(
    services: &Services,
    headers: &HeaderMap,
    address: IpAddr,
    needed: Permission,
) -> Result<Caller, RequestRejection> {
    let failed = async |fault, rejection: Rejection| {
        let peer = Peer::of_request(address, headers);
        let slowed = services.failed_keys.note(fault, peer, needed.scope());
        slowed.await.map_or_else(
            || rejection.into(),
            |decision| RequestRejection::Limited(Box::new(decision)),
        )
    };
    let key = match ApiKey::from_headers(headers) {
        Ok(key) => key,
        Err(CredentialError::Missing) => {
            tell("missing", None);
            let detail = "send an API key as `Authorization: Bearer …` or `X-API-Key: …`";
            let rejection = Rejection::new(Reason::AuthMissing, detail);
            return Err(failed(AttemptFault::Missing, rejection).await);
        }
        Err(_) => {
            tell("malformed", None);
            return Err(failed(AttemptFault::Malformed, invalid()).await);
        }
    };
    let (answer, KeyCheck { source, refusal }) = services.key_checks.validate(&key).await;
    let principal = match answer {
        Ok(principal) => principal,
        Err(Denied::Unavailable { .. }) => {
            tell("unavailable", source);
            return Err(Rejection::plain(Reason::AuthUnavailable).into());
        }
        Err(_) => {
            tell(refusal.unwrap_or("refused"), source);
            return Err(failed(AttemptFault::Wrong, invalid()).await);
        }
    };
    if principal.has_scope(needed.scope()) {
        tell("accepted", source);
    } else {
        tell("scope_missing", source);
    }
    let tenant = TenantId::new(principal.tenant().as_str())
        .expect("a tenant id of a key, 1 to 128 bytes, is one of a data key, 1 to 1,024 bytes");
    Ok(Caller {
        principal,
        tenant,
        address,
        user_agent: headers.get(USER_AGENT).cloned(),
        received_at: services.clock.wall(),
    })
}

fn tell(outcome: &'static str, source: Option<&'static str>) {
    let span = Span::current();
    record_all!(span, apikey.outcome = outcome, apikey.source = source);
}

/// One answer for malformed, unknown, wrong, expired and revoked keys.
fn invalid() -> Rejection {
    Rejection::new(Reason::AuthInvalid, "the API key is not valid")
}
