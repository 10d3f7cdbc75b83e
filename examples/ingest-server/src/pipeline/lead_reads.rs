//! Reading leads: the use cases of a tenant's callers. Personal data is masked unless the caller may
//! see it and says why.

use http::{Extensions, HeaderMap};
use portcullis_pii_crypto::AnyPii;
use portcullis_ratelimit::{Admitted, Category};
use serde::Serialize;

use super::{
    authenticate::{Caller, authenticate},
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
    let caller = authenticate(services, headers, address, Permission::LeadsRead).await?;
    InFlight::pass_to_tenant(extensions, &caller.tenant)?;
    let charge = if finds { Charge::More } else { Charge::Last };
    let admitted = limits::charge_first(services, &caller, Category::READ, charge).await?;
    Ok((caller, admitted))
}

impl<'a> LeadReads<'a> {
    /// For a caller who says why personal data is read, or does not.
    pub(crate) fn new(services: &'a Services, caller: &'a Caller, gives_reason: bool) -> Self {
        let view = if gives_reason && caller.may(Permission::PiiRead) {
            View::Open
        } else {
            View::Masked
        };
        Self {
            services,
            caller,
            view,
        }
    }

    /// The lead of that id, if the tenant has it.
    pub(crate) async fn read(&self, id: LeadId) -> Result<Option<LeadView>, Rejection> {
        let lead = self.services.store.lead(&self.caller.tenant, id).await?;
        match lead {
            Some(lead) => self.show(lead).await.map(Some),
            None => Ok(None),
        }
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

    /// The only way to what a lead says.
    async fn show(&self, lead: LeadRecord) -> Result<LeadView, Rejection> {
        if self.view == View::Open {
            self.record_plaintext_read(lead.id);
        }
        let (keyring, tenant) = (&self.services.keyring, &self.caller.tenant);
        let shown = LeadView::open(keyring, tenant, lead, self.view).await;
        shown.map_err(|error| not_shown(&error))
    }

    /// Every read of a lead's personal data in the clear is recorded here, before it is opened.
    fn record_plaintext_read(&self, lead: LeadId) {
        tracing::info!(kid = %self.caller.principal.kid(), %lead, "personal data was read");
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
