//! What is put on record of a read: who, which leads, which of their fields, and what for. Never what
//! was looked for, and never a value.

use portcullis_audit_log::event::{Code, Outcome};

use crate::{
    audit::{
        AuditDraft, StatedReason,
        actions::{LEAD_READ, LEAD_SEARCH, LEAD_SEARCH_MASKED},
    },
    lead::{LeadColumn, LeadId, LeadView},
    pipeline::{authenticate::Caller, rejection::Rejection, services::Services},
    quality::Reason,
    store::IndexedLead,
};

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
    reason: &StatedReason,
    read: &Read<'_>,
) -> Result<(), Rejection> {
    let (action, leads, asked) = match read {
        Read::ById(id, lead) => (LEAD_READ, lead.as_slice(), Some(id.to_string())),
        Read::Search(leads) => (LEAD_SEARCH, &leads.iter().collect::<Vec<_>>()[..], None),
    };
    let mut fields: Vec<_> = leads.iter().flat_map(|lead| lead.fields()).collect();
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
        reason: Some(reason.clone()),
        outcome: if is_missing {
            Outcome::Failure
        } else {
            Outcome::Success
        },
        detail: is_missing.then_some(Code::new("not_found")),
        ..caller.draft(action)
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
        fields: vec![column.audit_field()],
        ..caller.draft(LEAD_SEARCH_MASKED)
    };
    append(services, draft).await
}

/// Notes that a caller who sees masks has made as many searches as its limits allow.
pub(super) fn note_limited(services: &Services, caller: &Caller) {
    let draft = caller.draft(LEAD_SEARCH_MASKED);
    services.audit.note(draft.denied(Code::new("limited")));
}

async fn append(services: &Services, draft: AuditDraft) -> Result<(), Rejection> {
    services.audit.record(draft).await.map_err(|error| {
        tracing::error!(
            error = &error as &dyn std::error::Error,
            "a read was refused"
        );
        Rejection::plain(Reason::CapacityAuditUnavailable)
    })
}

/// Notes that a caller may not see what was asked for.
pub(super) fn note_refusal(services: &Services, caller: &Caller) {
    let draft = caller.draft(LEAD_READ);
    services.audit.note(draft.denied(Reason::AuthScope.code()));
}
