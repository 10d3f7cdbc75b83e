//! Reading leads: the use cases of a tenant's callers. Personal data is masked unless the caller may
//! see it and says why.

use http::{Extensions, HeaderMap};
use portcullis_pii_crypto::AnyPii;
use portcullis_ratelimit::{Category, Decision};
use serde::Serialize;

use super::{
    authenticate::{Caller, authenticate},
    limit_address::limit_address,
    limits,
    rejection::{Rejection, RequestRejection},
    services::Services,
};
use crate::{
    lead::{
        ColumnFault, LeadColumn, LeadId, LeadIndexes, LeadOpener, LeadRecord, LeadView, OpenedLead,
        View,
    },
    permission::Permission,
    quality::Reason,
    store::IndexedLead,
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
#[derive(Default, Serialize)]
pub(crate) struct LeadPage {
    leads: Vec<LeadView>,
    next: Option<String>,
}

/// One lead more than a page has tells whether there are any.
const FETCHED: u32 = 101;

/// The most leads of one page.
const MAX_FOUND: usize = FETCHED as usize - 1;

/// The caller of a request that reads leads, and how the limits of reading stand. Before anything
/// is said about what is asked for.
pub(crate) async fn admit_reader(
    services: &Services,
    extensions: &Extensions,
    headers: &HeaderMap,
) -> Result<(Caller, Decision), RequestRejection> {
    let address = limit_address(services, extensions).await?;
    let caller = authenticate(services, headers, address, Permission::LeadsRead).await?;
    let limits = limits::check(services, &caller, Category::READ, 1).await?;
    Ok((caller, limits))
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
            Some(lead) => {
                let (roots, tenant) = (&self.services.index_roots, &self.caller.tenant);
                let indexes = LeadIndexes::derive(roots, tenant);
                let lead = self.open(&indexes, lead, None).await?;
                check_whole(&lead)?;
                Ok(Some(LeadView::new(lead, self.view)))
            }
            None => Ok(None),
        }
    }

    /// The leads that have a value, a page at a time.
    pub(crate) async fn find(&self, query: &LeadQuery) -> Result<LeadPage, Rejection> {
        let (services, tenant) = (self.services, &self.caller.tenant);
        let LeadQuery {
            column,
            value,
            after,
        } = query;
        let indexes = LeadIndexes::derive(&services.index_roots, tenant);
        let index = indexes.values(column, value);
        let Some(enforced) = index.first() else {
            return Ok(LeadPage::default());
        };
        services.pii.looked_up(column);
        let value = enforced.as_bytes();
        let store = &services.store;
        let found = store.leads_by_index(tenant, column, value, *after, FETCHED);
        let found = found.await?;
        let has_more = found.len() > MAX_FOUND;
        let mut leads = Vec::with_capacity(found.len());
        for entry in found.into_iter().take(MAX_FOUND) {
            match entry {
                IndexedLead::Found(lead) => {
                    leads.push(self.open(&indexes, lead, Some((*column, value))).await?);
                }
                IndexedLead::Nowhere => services.pii.index_leads_nowhere(tenant, column),
            }
        }
        // One lead that does not open leaves the others as they are; where none does for want of keys,
        // it is the service that fails.
        if !leads.is_empty() && leads.iter().all(is_without_keys) {
            return Err(Rejection::plain(Reason::CapacityKeysUnavailable));
        }
        let last = leads.last().map(|lead| lead.id.to_string());
        let leads = leads.into_iter();
        Ok(LeadPage {
            leads: leads.map(|lead| LeadView::new(lead, self.view)).collect(),
            next: last.filter(|_| has_more),
        })
    }

    /// The only way to what a lead says.
    async fn open(
        &self,
        indexes: &LeadIndexes,
        lead: LeadRecord,
        found_by: Option<(&'static LeadColumn, &[u8])>,
    ) -> Result<OpenedLead, Rejection> {
        if self.view == View::Open {
            self.record_plaintext_read(lead.id);
        }
        let (services, tenant) = (self.services, &self.caller.tenant);
        let opener = LeadOpener {
            keyring: &services.keyring,
            tenant,
            indexes,
            found_by,
        };
        let opened = opener.open(lead).await.map_err(|error| {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "a lead was not opened"
            );
            Rejection::plain(Reason::CapacityKeysUnavailable)
        })?;
        services.pii.opened(tenant, &opened);
        Ok(opened)
    }

    /// Every read of a lead's personal data in the clear is recorded here, before it is opened.
    fn record_plaintext_read(&self, lead: LeadId) {
        tracing::info!(kid = %self.caller.principal.kid(), %lead, "personal data was read");
    }
}

/// A lead that is asked for alone is shown whole or not at all.
fn check_whole(lead: &OpenedLead) -> Result<(), Rejection> {
    let mut faults = lead.faults();
    if let Some((column, _)) = faults.find(|(_, fault)| *fault == ColumnFault::NotIntact) {
        let name = column.name();
        let detail =
            format!("the stored `{name}` is not what was written, so that it is not shown");
        return Err(Rejection::new(Reason::IntegrityUnreadable, detail));
    }
    match lead.faults().next() {
        Some((column, _)) => {
            let detail = format!("the key of `{}` may not be used or is gone", column.name());
            Err(Rejection::new(Reason::CapacityKeysUnavailable, detail))
        }
        None => Ok(()),
    }
}

/// Whether nothing of it was opened, and for no other reason than its keys.
fn is_without_keys(lead: &OpenedLead) -> bool {
    let for_keys = lead
        .faults()
        .filter(|(_, fault)| *fault != ColumnFault::NotIntact);
    !lead.columns.is_empty() && for_keys.count() == lead.columns.len()
}
