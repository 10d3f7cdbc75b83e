//! Reading leads: the use cases of a tenant's callers. Personal data is masked unless the caller may
//! see it and says why; then the read is on record before the answer leaves.

mod record;
mod search_admission;

use http::{Extensions, HeaderMap};
use portcullis_pii_crypto::{AnyPii, IndexValue, TrigramQuery};
use portcullis_ratelimit::Admitted;
use serde::Serialize;

use super::{
    access_reason::AccessReason,
    authenticate::{Caller, identify},
    in_flight::InFlight,
    limit_address::limit_address,
    limits::{self, Charge},
    open::open,
    rejection::{Rejection, RequestRejection},
    services::Services,
    stages::Stage,
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

pub(crate) use self::search_admission::SearchAdmission;

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
    /// A column that leads are found by.
    pub(crate) column: &'static LeadColumn,
    pub(crate) wanted: Wanted,
    /// Where an earlier page ended.
    pub(crate) after: Option<LeadId>,
}

/// What is looked for in a column.
#[derive(Debug)]
pub(crate) enum Wanted {
    /// This value, in whichever spelling.
    Value(AnyPii),
    /// A value that has this part.
    Substring(TrigramQuery),
}

/// Some leads, oldest first, and after which one to go on.
#[derive(Default, Serialize)]
pub(crate) struct LeadPage {
    leads: Vec<LeadView>,
    next: Option<String>,
}

/// One lead more than a page has tells whether there are any.
const FETCHED: u32 = 101;

/// Of a part of a value, so many threes of letters are looked up: who opens what they find sees the rest.
const MAX_WANTED: usize = 32;

/// The most leads of one page, and the most that are opened for it.
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
    let mut laps = services.stages.begin();
    let address = limit_address(services, extensions, headers).await;
    let address = laps.end(Stage::LimitAddress, address)?;
    let caller = identify(services, headers, address, Permission::LeadsRead).await;
    let caller = laps.end(Stage::Authenticate, caller)?;
    if let Err(rejection) = caller.require(Permission::LeadsRead) {
        laps.failed(Stage::Authenticate, &rejection);
        record::note_refusal(services, &caller);
        return Err(rejection.into());
    }
    InFlight::pass_to_tenant(extensions, &caller.tenant)?;
    let charge = if finds { Charge::LOOK_UP } else { Charge::READ };
    let admitted = limits::charge_first(services, &caller, charge).await;
    let admitted = laps.end(Stage::ChargeRead, admitted)?;
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
        let mut laps = self.services.stages.begin();
        let lead = self.services.store.lead(&self.caller.tenant, id).await;
        let lead = laps.end(Stage::ReadLead, lead.map_err(Rejection::from))?;
        let shown = match lead {
            Some(lead) => {
                let roots = self.services.index_roots.present();
                let roots = roots.map_err(Rejection::from)?;
                let indexes = LeadIndexes::of(&roots, &self.caller.tenant);
                let opener = self.opener(&indexes, None);
                let opened = self.open(&opener, vec![lead]).await;
                let opened = opened.and_then(|opened| {
                    opened.iter().try_for_each(check_whole)?;
                    Ok(opened)
                });
                let mut opened = laps.end(Stage::Open, opened)?;
                opened.pop().map(|lead| LeadView::new(lead, self.view))
            }
            None => None,
        };
        let read = record::Read::ById(id, shown.as_ref());
        let recorded = self.record(&read).await;
        laps.end(Stage::RecordRead, recorded)?;
        Ok(shown)
    }

    /// The leads that have a value, a page at a time. A page costs a token for each of its leads,
    /// as reading each of them would, and is opened once they are charged. A guess is on record before
    /// that: a refusal for what a page costs tells what was found, too.
    pub(crate) async fn find(
        &self,
        query: &LeadQuery,
        search: &SearchAdmission,
        admitted: &mut Admitted,
    ) -> Result<LeadPage, RequestRejection> {
        let (services, caller) = (self.services, self.caller);
        let mut laps = services.stages.begin();
        let roots = services.index_roots.present().map_err(Rejection::from);
        let roots = roots.inspect_err(|error| laps.failed(Stage::LookUp, error))?;
        let indexes = LeadIndexes::of(&roots, &caller.tenant);
        let looked_up = looked_up(&indexes, query);
        let found = self.entries(query, &looked_up).await;
        let found = laps.end(Stage::LookUp, found);
        if search.is_guess()
            && let Ok(found) = &found
        {
            let found = &found[..found.len().min(MAX_FOUND)];
            let recorded = record::record_guess(services, caller, query.column, found).await;
            laps.end(Stage::RecordRead, recorded)?;
        }
        let entries = found.as_ref().map_or(0, |found| found.len().min(MAX_FOUND));
        let cost = u32::try_from(entries).unwrap_or(u32::MAX);
        let charged = limits::charge_rest(services, caller, admitted, cost, Charge::FOUND).await;
        *admitted = laps.end(Stage::ChargeFound, charged)?;
        let found = found?;
        let has_more = found.len() > MAX_FOUND;
        let found_by = Some((query.column, looked_up.as_slice()));
        let mut records = Vec::with_capacity(entries);
        for entry in found.into_iter().take(MAX_FOUND) {
            match entry {
                IndexedLead::Found(lead) => records.push(lead),
                IndexedLead::Nowhere => {
                    services
                        .pii
                        .index_leads_nowhere(&caller.tenant, query.column);
                }
            }
        }
        let opener = self.opener(&indexes, found_by);
        let opened = self.open(&opener, records).await;
        // One lead that does not open leaves the others as they are; where none does for want of keys,
        // it is the service that fails.
        let opened = opened.and_then(|leads| {
            if !leads.is_empty() && leads.iter().all(is_without_keys) {
                return Err(Rejection::plain(Reason::CapacityKeysUnavailable));
            }
            Ok(leads)
        });
        let mut leads = laps.end(Stage::Open, opened)?;
        let last = leads.last().map(|lead| lead.id.to_string());
        // Leads that have the letters elsewhere, or others with the same index values.
        leads.retain(|lead| query.wanted.is_in(query.column, lead));
        let leads = leads.into_iter();
        let leads: Vec<_> = leads.map(|lead| LeadView::new(lead, self.view)).collect();
        let recorded = self.record(&record::Read::Search(&leads)).await;
        laps.end(Stage::RecordRead, recorded)?;
        Ok(LeadPage {
            leads,
            next: last.filter(|_| has_more),
        })
    }

    /// What stands in the index under what is looked up, one more than a page has.
    async fn entries(
        &self,
        query: &LeadQuery,
        looked_up: &[IndexValue],
    ) -> Result<Vec<IndexedLead>, Rejection> {
        let (services, tenant) = (self.services, &self.caller.tenant);
        services.pii.looked_up(query.column);
        let values: Vec<&[u8]> = looked_up.iter().map(IndexValue::as_bytes).collect();
        let (store, column, after) = (&services.store, query.column, query.after);
        Ok(match query.wanted {
            Wanted::Value(_) => {
                let found = store.leads_by_index(tenant, column, &values, after, FETCHED);
                found.await?
            }
            Wanted::Substring(_) => {
                let found = store.leads_by_parts(tenant, column, &values, after, FETCHED);
                found.await?
            }
        })
    }

    fn opener<'o>(
        &'o self,
        indexes: &'o LeadIndexes,
        found_by: Option<(&'static LeadColumn, &'o [IndexValue])>,
    ) -> LeadOpener<'o> {
        LeadOpener {
            keyring: &self.services.keyring,
            observer: &self.services.cipher_observer,
            tenant: &self.caller.tenant,
            indexes,
            found_by,
        }
    }

    /// The only way to what leads say. What it gives leaves this file after [`Self::record`].
    async fn open(
        &self,
        opener: &LeadOpener<'_>,
        leads: Vec<LeadRecord>,
    ) -> Result<Vec<OpenedLead>, Rejection> {
        let report = |lead: &OpenedLead| self.services.pii.opened(&self.caller.tenant, lead);
        open(opener, leads, report).await.map_err(|error| {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "leads were not opened"
            );
            Rejection::plain(Reason::CapacityKeysUnavailable)
        })
    }

    /// Puts on record what is about to be shown in the clear.
    async fn record(&self, read: &record::Read<'_>) -> Result<(), Rejection> {
        match &self.reason {
            Some(reason) if self.view == View::Open => {
                record::record(self.services, self.caller, reason.stated(), read).await
            }
            _ => Ok(()),
        }
    }
}

impl Wanted {
    /// Whether a lead that was opened is one that is looked for. That a whole value is the one that was
    /// looked for is seen when it is opened.
    fn is_in(&self, column: &LeadColumn, lead: &OpenedLead) -> bool {
        match self {
            Self::Value(_) => true,
            Self::Substring(part) => {
                let mut columns = lead.columns.iter();
                let opened = columns.find(|(opened, _)| *opened == column);
                opened.is_some_and(|(_, value)| {
                    value.as_ref().is_ok_and(|value| part.matches_any(value))
                })
            }
        }
    }
}

/// The index values that are looked for: any of them for a whole value, all of them for a part.
fn looked_up(indexes: &LeadIndexes, query: &LeadQuery) -> Vec<IndexValue> {
    match &query.wanted {
        Wanted::Value(value) => {
            let values = indexes.values(query.column, value);
            indexes.looked_up(query.column, value, &values)
        }
        Wanted::Substring(part) => {
            let mut values = indexes.wanted(query.column, part);
            values.truncate(MAX_WANTED);
            values
        }
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
