//! Erasing a lead, at the request of a tenant's caller: first what stands outside the database and survives
//! the restoring of a backup, then the rows, then what the files still have of them.

use std::time::Duration;

use http::{Extensions, HeaderMap};
use portcullis_audit_log::event::{Code, Outcome};
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
    audit::{AuditDraft, actions::LEAD_ERASE},
    lead::LeadId,
    permission::Permission,
    quality::Reason,
    shares::Exceeded,
    store::{Asked, ErasureNoteError, LeadChange, LeadWrite, Receipt, Tombstone, Write},
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
    let address = limit_address(services, extensions, headers).await;
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
        Ok(true) => (Outcome::Success, None),
        Ok(false) => (Outcome::Failure, Some(Code::new("not_found"))),
        Err(_) => (Outcome::Failure, Some(Code::new("unavailable"))),
    };
    // That it was begun is on record in any case.
    drop(begun.finish(outcome, detail).await);
    erased
}

async fn erase(services: &Services, caller: &Caller, id: LeadId) -> Result<bool, Rejection> {
    if services.probe.is(&caller.tenant) {
        return discard(services, caller, id).await;
    }
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
    let is_erased = write(services, caller, id, LeadChange::Erase).await?;
    if is_erased {
        services.shredder.wait(SHREDDED_WITHIN).await;
    }
    Ok(is_erased)
}

/// Deletes a lead of the probe, which is nobody's. It could be erased as all others are, and it is not noted and
/// nothing is shredded for it: it comes thousands of times a day, each start goes through all that is noted, and
/// each pass of the shredder through the whole file.
async fn discard(services: &Services, caller: &Caller, id: LeadId) -> Result<bool, Rejection> {
    if !services.tombstones.is_usable(&*services.store).await {
        return Err(Rejection::plain(Reason::CapacityErasuresUnavailable));
    }
    write(services, caller, id, LeadChange::Discard).await
}

/// Whether there was a lead to delete.
async fn write(
    services: &Services,
    caller: &Caller,
    id: LeadId,
    change: LeadChange,
) -> Result<bool, Rejection> {
    let write = Write {
        tenant: caller.tenant.clone(),
        event: None,
        lead: Some(Box::new(LeadWrite {
            id,
            change,
            expected: None,
            columns: Vec::new(),
            cleared: Vec::new(),
            at: caller.received_at,
        })),
        asked: Asked::Store,
        decided_at: None,
    };
    let receipts = services.writer.write(vec![write]).await?;
    Ok(receipts.first() == Some(&Receipt::Stored))
}

fn draft(caller: &Caller, id: LeadId) -> AuditDraft {
    AuditDraft {
        resources: vec![id.to_string()],
        ..caller.draft(LEAD_ERASE)
    }
}
