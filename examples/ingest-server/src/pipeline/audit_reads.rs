//! Reading what is on record of a tenant: the use case of the tenant's own callers.

use http::{Extensions, HeaderMap};
use portcullis_audit_log::{
    event::Leaf,
    proof::TlogProof,
    search::{Page, Query},
};
use portcullis_ratelimit::Admitted;

use super::{
    authenticate::{Caller, authenticate},
    in_flight::InFlight,
    limit_address::limit_address,
    limits::{self, Charge},
    rejection::{Rejection, RequestRejection},
    services::Services,
    stages::Stage,
};
use crate::{
    audit::{AuditDraft, actions::AUDIT_READ},
    permission::Permission,
    quality::Reason,
};

/// The caller of a request that reads what is on record, charged one token, and how the limits stand.
pub(crate) async fn admit_auditor(
    services: &Services,
    extensions: &Extensions,
    headers: &HeaderMap,
) -> Result<(Caller, Admitted), RequestRejection> {
    let mut laps = services.stages.begin();
    let address = limit_address(services, extensions, headers).await;
    let address = laps.end(Stage::LimitAddress, address)?;
    let caller = authenticate(services, headers, address, Permission::AuditRead).await;
    let caller = laps.end(Stage::Authenticate, caller)?;
    InFlight::pass_to_tenant(extensions, &caller.tenant)?;
    let admitted = limits::charge_first(services, &caller, Charge::READ).await;
    let admitted = laps.end(Stage::ChargeRead, admitted)?;
    Ok((caller, admitted))
}

/// A page of events, which is shown once it is on record that it is. The query is of the caller's tenant.
///
/// # Errors
/// The log cannot be read, or it cannot be put on record that it is.
pub(crate) async fn audit_page(
    services: &Services,
    caller: &Caller,
    query: &Query,
) -> Result<Page, Rejection> {
    let page = services.audit.reading().search(None, query).await;
    let page = page.map_err(|error| unavailable(&error))?;
    let draft = AuditDraft {
        count: u64::try_from(page.events.len()).unwrap_or(u64::MAX),
        ..caller.draft(AUDIT_READ)
    };
    let recorded = services.audit.record(draft).await;
    recorded.map_err(|error| unavailable(&error))?;
    Ok(page)
}

/// The proof that an entry of the caller's tenant is in the log; none of one that is not there, or is another tenant's.
///
/// # Errors
/// The log cannot be read, or it cannot be put on record that it is.
pub(crate) async fn audit_proof(
    services: &Services,
    caller: &Caller,
    n: u64,
) -> Result<Option<TlogProof>, Rejection> {
    let reads = services.audit.reading();
    let leaf = reads.leaf(n).await.map_err(|error| unavailable(&error))?;
    let is_own = |bytes: &[u8]| {
        let leaf = Leaf::parse(bytes);
        leaf.is_ok_and(|leaf| leaf.tenant() == caller.tenant.as_str())
    };
    if !leaf.is_some_and(|leaf| is_own(&leaf.bytes)) {
        return Ok(None);
    }
    let proof = reads.proof(n).await.map_err(|error| unavailable(&error))?;
    let draft = AuditDraft {
        count: 1,
        ..caller.draft(AUDIT_READ)
    };
    let recorded = services.audit.record(draft).await;
    recorded.map_err(|error| unavailable(&error))?;
    Ok(proof)
}

fn unavailable(error: &dyn std::error::Error) -> Rejection {
    tracing::error!(error = %error, "the audit log was not shown");
    Rejection::plain(Reason::CapacityAuditUnavailable)
}
