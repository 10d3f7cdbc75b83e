//! Reading leads: the use cases of a tenant's callers. Personal data is masked unless the caller may
//! see it and says why; then the read is on record before the answer leaves.

mod record;

use http::{Extensions, HeaderMap};
use portcullis_pii_crypto::AnyPii;
use portcullis_ratelimit::{Admitted, Category};
use serde::Serialize;

use super::{
    access_reason::AccessReason,
    authenticate::{Caller, identify},
    in_flight::InFlight,
    limit_address::limit_address,
    limits::{self, Charge},
    rejection::{Rejection, RequestRejection},
    services::Services,
};
use crate::{
    lead::{LeadColumn, LeadId, LeadIndexes, LeadRecord, LeadView, OpenLeadError, View},
    permission::Permission,
    quality::Reason,
};

/// The leads of a caller's tenant, as the caller may see them.
#[derive(Debug)]
pub(crate) struct LeadReads<'a> {
    services: &'a Services,
    caller: &'a Caller,
    view: View,
    /// What the caller says personal data is read for.
    reason: Option<AccessReason>,
}

/// Which leads are looked for.
#[derive(Debug)]
pub(crate) struct LeadQuery {
    /// A column that leads are found by, and its value.
    pub(crate) column: &'static LeadColumn,
    pub(crate) value: AnyPii,
    /// Where an earlier page ended.
    pub(crate) after: Option<LeadId>,
}

/// Some leads, oldest first, and after which one to go on.
#[derive(Serialize)]
pub(crate) struct LeadPage {
    leads: Vec<LeadView>,
    next: Option<String>,
}

/// One lead more than a page has tells whether there are any.
const FETCHED: u32 = 101;

/// The most leads of one page.
const MAX_FOUND: usize = FETCHED as usize - 1;

/// The caller of a request that reads leads, charged one token, and how the limits of reading
/// stand. Before anything is said about what is asked for. [`LeadReads::find`], if it follows,
/// charges for what it finds.
pub(crate) async fn admit_reader(
    services: &Services,
    extensions: &Extensions,
    headers: &HeaderMap,
    finds: bool,
) -> Result<(Caller, Admitted), RequestRejection> {
    let address = limit_address(services, extensions).await?;
    let caller = identify(services, headers, address).await?;
    if let Err(rejection) = caller.require(Permission::LeadsRead) {
        record::note_refusal(services, &caller);
        return Err(rejection.into());
    }
    InFlight::pass_to_tenant(extensions, &caller.tenant)?;
    let charge = if finds { Charge::More } else { Charge::Last };
    let admitted = limits::charge_first(services, &caller, Category::READ, charge).await?;
    Ok((caller, admitted))
}

impl<'a> LeadReads<'a> {
    /// For a caller who says why personal data is read, or does not.
    pub(crate) fn new(
        services: &'a Services,
        caller: &'a Caller,
        reason: Option<AccessReason>,
    ) -> Self {
        let view = match (&reason, caller.may(Permission::PiiRead)) {
            (Some(_), true) => View::Open,
            (Some(_), false) => {
                record::note_refusal(services, caller);
                View::Masked
            }
            (None, _) => View::Masked,
        };
        Self {
            services,
            caller,
            view,
            reason,
        }
    }

    /// The lead of that id, if the tenant has it.
    pub(crate) async fn read(&self, id: LeadId) -> Result<Option<LeadView>, Rejection> {
        let lead = self.services.store.lead(&self.caller.tenant, id).await?;
        let shown = match lead {
            Some(lead) => Some(self.show(lead).await?),
            None => None,
        };
        let read = record::Read::ById(id, shown.as_ref());
        self.record(&read).await?;
        Ok(shown)
    }

    /// The leads that have a value, a page at a time. A page costs a token for each of its leads,
    /// as reading each of them would, and is opened once they are charged.
    pub(crate) async fn find(
        &self,
        query: &LeadQuery,
        admitted: &mut Admitted,
    ) -> Result<LeadPage, RequestRejection> {
        let found = self.records(query).await;
        let leads = found.as_ref().map_or(0, |(leads, _)| leads.len());
        let cost = u32::try_from(leads).unwrap_or(u32::MAX);
        let (services, caller) = (self.services, self.caller);
        let (category, last) = (Category::READ, Charge::Last);
        *admitted = limits::charge_rest(services, caller, admitted, category, cost, last).await?;
        let (found, next) = found?;
        let mut leads = Vec::with_capacity(found.len());
        for lead in found {
            leads.push(self.show(lead).await?);
        }
        self.record(&record::Read::Search(&leads)).await?;
        Ok(LeadPage { leads, next })
    }

    /// A page of leads, sealed, and after which to go on.
    async fn records(
        &self,
        query: &LeadQuery,
    ) -> Result<(Vec<LeadRecord>, Option<String>), Rejection> {
        let (services, tenant) = (self.services, &self.caller.tenant);
        let LeadQuery {
            column,
            value,
            after,
        } = query;
        let indexes = LeadIndexes::derive(&services.index_roots, tenant);
        let index = indexes.values(column, value);
        let mut found = match index.first() {
            Some(enforced) => {
                let value = enforced.as_bytes();
                let store = &services.store;
                let found = store.leads_by_index(tenant, column, value, *after, FETCHED);
                found.await?
            }
            None => Vec::new(),
        };
        let mut next = None;
        if found.len() > MAX_FOUND {
            found.truncate(MAX_FOUND);
            next = found.last().map(|lead| lead.id.to_string());
        }
        Ok((found, next))
    }

    /// The only way to what a lead says. What it gives leaves this file after [`Self::record`].
    async fn show(&self, lead: LeadRecord) -> Result<LeadView, Rejection> {
        let (keyring, tenant) = (&self.services.keyring, &self.caller.tenant);
        let shown = LeadView::open(keyring, tenant, lead, self.view).await;
        shown.map_err(|error| not_shown(&error))
    }

    /// Puts on record what is about to be shown in the clear.
    async fn record(&self, read: &record::Read<'_>) -> Result<(), Rejection> {
        match &self.reason {
            Some(reason) if self.view == View::Open => {
                record::record(self.services, self.caller, reason, read).await
            }
            _ => Ok(()),
        }
    }
}

fn not_shown(error: &OpenLeadError) -> Rejection {
    let (reason, what) = match error {
        OpenLeadError::Keys(_) => (Reason::CapacityKeysUnavailable, "a lead was not opened"),
        OpenLeadError::Rejected { .. } => (Reason::Internal, "a stored value is not intact"),
    };
    tracing::error!(error = error as &dyn std::error::Error, "{what}");
    Rejection::plain(reason)
}
