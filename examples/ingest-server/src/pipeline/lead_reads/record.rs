//! What is put on record of a read: who, which leads, which of their fields, and what for. Never what
//! was looked for, and never a value.

use portcullis_telemetry::current_trace_id;

use crate::{
    audit::actions as on_record,
    lead::{LeadColumn, LeadId, LeadView},
    pipeline::{
        access_reason::AccessReason, authenticate::Caller, rejection::Rejection, services::Services,
    },
    quality::Reason,
    store::{Activity, AuditActor, AuditDraft, AuditOutcome, IndexedLead},
};

/// A search whose answer is masked.
const GUESS: &str = on_record::LEAD_SEARCH_MASKED.action.as_str();

/// What a caller got to see in the clear.
pub(super) enum Read<'a> {
    /// The lead of that id, if there is one.
    ById(LeadId, Option<&'a LeadView>),
    /// Those that have a value, if any.
    Search(&'a [LeadView]),
}

/// Puts a read in the clear on record. One that found nothing tells its caller something too.
///
/// # Errors
/// It is not on record: what was opened must not be shown.
pub(super) async fn record(
    services: &Services,
    caller: &Caller,
    reason: &AccessReason,
    read: &Read<'_>,
) -> Result<(), Rejection> {
    let (action, leads, asked) = match read {
        Read::ById(id, lead) => (
            on_record::LEAD_READ.action.as_str(),
            lead.as_slice(),
            Some(id.to_string()),
        ),
        Read::Search(leads) => (
            on_record::LEAD_SEARCH.action.as_str(),
            &leads.iter().collect::<Vec<_>>()[..],
            None,
        ),
    };
    let mut fields: Vec<&'static str> = leads.iter().flat_map(|lead| lead.fields()).collect();
    fields.sort_unstable();
    fields.dedup();
    let is_missing = matches!(read, Read::ById(_, None));
    let resources: Vec<String> = match asked {
        Some(id) => vec![id],
        None => leads.iter().map(|lead| lead.id().to_owned()).collect(),
    };
    let draft = AuditDraft {
        count: u64::try_from(leads.len()).unwrap_or(u64::MAX),
        resources,
        fields,
        reason: Some(reason.as_str().to_owned()),
        outcome: if is_missing {
            AuditOutcome::Failure
        } else {
            AuditOutcome::Success
        },
        detail: is_missing.then_some("not_found"),
        ..draft(caller, action)
    };
    append(services, draft).await?;
    tracing::info!(kid = %caller.principal.kid(), "personal data was read");
    Ok(())
}

/// Puts on record that a caller who sees masks has tested a guess: of which column, and which leads
/// have the value.
///
/// # Errors
/// It is not on record: nothing must be told of what was found.
pub(super) async fn record_guess(
    services: &Services,
    caller: &Caller,
    column: &LeadColumn,
    found: &[IndexedLead],
) -> Result<(), Rejection> {
    let ids = found.iter().filter_map(|entry| match entry {
        IndexedLead::Found(lead) => Some(lead.id.to_string()),
        IndexedLead::Nowhere => None,
    });
    let resources: Vec<String> = ids.collect();
    let draft = AuditDraft {
        count: u64::try_from(resources.len()).unwrap_or(u64::MAX),
        resources,
        fields: vec![column.field()],
        ..draft(caller, GUESS)
    };
    append(services, draft).await
}

/// Notes that a caller who sees masks has made as many searches as its limits allow.
pub(super) fn note_limited(services: &Services, caller: &Caller) {
    services.audit.note(AuditDraft {
        count: 1,
        outcome: AuditOutcome::Denied,
        detail: Some("limited"),
        ..draft(caller, GUESS)
    });
}

async fn append(services: &Services, draft: AuditDraft) -> Result<(), Rejection> {
    let recorded = services.audit.record(draft).await;
    recorded.map(drop).map_err(|error| {
        tracing::error!(
            error = &error as &dyn std::error::Error,
            "a read was refused"
        );
        Rejection::plain(Reason::CapacityAuditUnavailable)
    })
}

/// Notes that a caller may not see what was asked for.
pub(super) fn note_refusal(services: &Services, caller: &Caller) {
    services.audit.note(AuditDraft {
        count: 1,
        outcome: AuditOutcome::Denied,
        detail: Some(Reason::AuthScope.as_str()),
        ..draft(caller, on_record::LEAD_READ.action.as_str())
    });
}

fn draft(caller: &Caller, action: &'static str) -> AuditDraft {
    AuditDraft {
        tenant: caller.tenant.as_str().to_owned(),
        action,
        activity: Activity::Read,
        actor: AuditActor::ApiKey(caller.principal.kid().to_string()),
        resource_type: "lead",
        resources: Vec::new(),
        count: 0,
        fields: Vec::new(),
        reason: None,
        outcome: AuditOutcome::Success,
        detail: None,
        refs: None,
        peer: Some(caller.address),
        trace: current_trace_id().map(|trace| trace.to_string()),
    }
}
