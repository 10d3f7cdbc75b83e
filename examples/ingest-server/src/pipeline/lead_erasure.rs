//! Erasing a lead, at the request of a tenant's caller: first what stands outside the database and survives
//! the restoring of a backup, then the rows, then what the files still have of them.

use std::time::Duration;

use http::{Extensions, HeaderMap};
use portcullis_ratelimit::Admitted;
use portcullis_telemetry::current_trace_id;

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
    audit::actions as on_record,
    lead::LeadId,
    permission::Permission,
    quality::Reason,
    shares::Exceeded,
    store::{
        Activity, Asked, AuditActor, AuditDraft, AuditOutcome, ErasureNoteError, LeadChange,
        LeadWrite, Receipt, Tombstone, Write,
    },
};

/// How long a request waits until nothing is left in the files either: less than that, while the database is
/// small.
const SHREDDED_WITHIN: Duration = Duration::from_millis(500);

/// The caller of a request that erases a lead, charged one token, and how the limits stand.
pub(crate) async fn admit_eraser(
    services: &Services,
    extensions: &Extensions,
    headers: &HeaderMap,
) -> Result<(Caller, Admitted), RequestRejection> {
    let mut laps = services.stages.begin();
    let address = limit_address(services, extensions).await;
    let address = laps.end(Stage::LimitAddress, address)?;
    let caller = authenticate(services, headers, address, Permission::LeadsWrite).await;
    let caller = laps.end(Stage::Authenticate, caller)?;
    InFlight::pass_to_tenant(extensions, &caller.tenant)?;
    let admitted = limits::charge_first(services, &caller, Charge::ERASURE).await;
    let admitted = laps.end(Stage::ChargeRequest, admitted)?;
    Ok((caller, admitted))
}

/// Erases a lead; false if the tenant has none of that id. Once it is noted that the lead is to be erased, it
/// will be: at the latest by the next start.
pub(crate) async fn erase_lead(
    services: &Services,
    caller: &Caller,
    id: LeadId,
) -> Result<bool, Rejection> {
    let mut laps = services.stages.begin();
    let erased = erase_on_record(services, caller, id).await;
    laps.end(Stage::Erase, erased)
}

async fn erase_on_record(
    services: &Services,
    caller: &Caller,
    id: LeadId,
) -> Result<bool, Rejection> {
    let known = services.store.lead(&caller.tenant, id).await?;
    if known.is_none() {
        return Ok(false);
    }
    let slots = services.writer.reserve(&caller.tenant, 1, 0);
    let _slots = slots.map_err(|exceeded| {
        Rejection::plain(match exceeded {
            Exceeded::Own => Reason::CapacityTenantQueue,
            Exceeded::Total => Reason::CapacityQueueFull,
        })
    })?;
    let begun = services.audit.begin(draft(caller, id)).await;
    let begun = begun.map_err(|_| Rejection::plain(Reason::CapacityAuditUnavailable))?;
    let erased = erase(services, caller, id).await;
    let (outcome, detail) = match &erased {
        Ok(true) => (AuditOutcome::Success, None),
        Ok(false) => (AuditOutcome::Failure, Some("not_found")),
        Err(_) => (AuditOutcome::Failure, Some("unavailable")),
    };
    // That it was begun is on record in any case.
    drop(begun.finish(outcome, detail).await);
    erased
}

async fn erase(services: &Services, caller: &Caller, id: LeadId) -> Result<bool, Rejection> {
    let tombstone = Tombstone {
        tenant: caller.tenant.clone(),
        lead: Some(id),
        at: services.clock.wall(),
    };
    let noted = services.tombstones.note(&*services.store, tombstone).await;
    noted.map_err(|error| match error {
        ErasureNoteError::File(error) => {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "an erasure was not noted, so nothing was erased"
            );
            Rejection::plain(Reason::CapacityErasuresUnavailable)
        }
        ErasureNoteError::Store(error) => error.into(),
    })?;
    let write = Write {
        tenant: caller.tenant.clone(),
        event: None,
        lead: Some(Box::new(LeadWrite {
            id,
            change: LeadChange::Erase,
            expected: None,
            columns: Vec::new(),
            cleared: Vec::new(),
            at: caller.received_at,
        })),
        asked: Asked::Store,
        decided_at: None,
    };
    let receipts = services.writer.write(vec![write]).await?;
    let is_erased = receipts.first() == Some(&Receipt::Stored);
    if is_erased {
        services.shredder.wait(SHREDDED_WITHIN).await;
    }
    Ok(is_erased)
}

fn draft(caller: &Caller, id: LeadId) -> AuditDraft {
    AuditDraft {
        tenant: caller.tenant.as_str().to_owned(),
        action: on_record::LEAD_ERASE.action.as_str(),
        activity: Activity::Delete,
        actor: AuditActor::ApiKey(caller.principal.kid().to_string()),
        resource_type: "lead",
        resources: vec![id.to_string()],
        count: 1,
        fields: Vec::new(),
        reason: None,
        outcome: AuditOutcome::Unknown,
        detail: None,
        refs: None,
        peer: Some(caller.address),
        trace: current_trace_id().map(|trace| trace.to_string()),
    }
}
