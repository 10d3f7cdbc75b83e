//! Which lead is meant: [`Fingerprinted`] → [`Resolved`]. Sealing needs the lead's id.

use std::collections::HashSet;

use super::{
    authenticate::Caller,
    batch::{Batch, Item, Rejected},
    fingerprint::{Fingerprinted, LeadData},
    rejection::Rejection,
    services::Services,
    validate::LeadIntent,
};
use crate::{
    lead::{LeadColumn, LeadId},
    quality::Reason,
    store::{KnownLeads, LeadChange, Owner},
};

/// An item whose lead, if it has one, is known.
#[derive(Debug)]
pub(crate) struct Resolved {
    pub(crate) item: Fingerprinted,
    pub(crate) lead: Option<Target>,
}

/// The lead that an item writes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) id: LeadId,
    pub(crate) change: LeadChange,
    /// Under which of [`LeadData::identities`] it was found; what is written is under the first.
    pub(crate) found_under: usize,
}

/// Finds each item's lead in the store, or among the items before it.
#[tracing::instrument(skip_all)]
pub(crate) async fn resolve(
    services: &Services,
    batch: Batch<Fingerprinted>,
) -> Result<Batch<Resolved>, Rejection> {
    let (mut head, items) = batch.split();
    let KnownLeads {
        mut owners,
        existing,
    } = known_leads(services, &head.caller, &items).await?;
    let mut resolved = Vec::with_capacity(items.len());
    for Item {
        origin,
        value: item,
    } in items
    {
        let lead = match &item.lead {
            None => Ok(None),
            Some(lead) => {
                let identities = lead.identities();
                // Two leads that earlier versions took for different people: the first is meant.
                let mut owned = identities.iter().enumerate();
                let owned = owned.find_map(|(at, identity)| Some((at, *owners.get(identity)?)));
                let found = find(services, &head.caller, lead.intent, owned, &existing);
                if let (Ok(target), Some(identity)) = (&found, identities.first()) {
                    owners.insert(identity.clone(), Owner::Lead(target.id));
                }
                found.map(Some)
            }
        };
        match lead {
            Ok(lead) => resolved.push(Item {
                origin,
                value: Resolved { item, lead },
            }),
            Err(rejection) => head.rejected.push(Rejected { origin, rejection }),
        }
    }
    Ok(head.with_items(resolved))
}

/// What has to be known of the leads of all items, asked for at once.
async fn known_leads(
    services: &Services,
    caller: &Caller,
    items: &[Item<Fingerprinted>],
) -> Result<KnownLeads, Rejection> {
    let leads = || items.iter().filter_map(|item| item.value.lead.as_ref());
    let identities = leads().flat_map(LeadData::identities);
    let identities: Vec<&[u8]> = identities.map(Vec::as_slice).collect();
    let updated = leads().filter_map(|lead| match lead.intent {
        LeadIntent::Update(id) => Some(id),
        LeadIntent::Upsert => None,
    });
    let updated: Vec<LeadId> = updated.collect();
    if identities.is_empty() && updated.is_empty() {
        return Ok(KnownLeads::default());
    }
    let column = LeadColumn::identity();
    let known = services
        .store
        .known_leads(&caller.tenant, column, &identities, &updated);
    Ok(known.await?)
}

/// The lead of one item, whose identity in that place `owned` says who has, where ids are those of
/// existing leads.
fn find(
    services: &Services,
    caller: &Caller,
    intent: LeadIntent,
    owned: Option<(usize, Owner)>,
    existing: &HashSet<LeadId>,
) -> Result<Target, Rejection> {
    let found_under = owned.map_or(0, |(at, _)| at);
    let target = |id, change| {
        Ok(Target {
            id,
            change,
            found_under,
        })
    };
    let owner = match owned {
        Some((_, Owner::Lead(id))) => Some(id),
        Some((_, Owner::Nowhere)) => return Err(leads_nowhere(services, caller)),
        None => None,
    };
    match (intent, owner) {
        (LeadIntent::Upsert, Some(id)) => target(id, LeadChange::Merge),
        (LeadIntent::Upsert, None) => {
            let id = LeadId::make(services.clock.wall(), &*services.entropy);
            let id = id.map_err(|error| {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "no lead id was made"
                );
                Rejection::plain(Reason::Internal)
            })?;
            target(id, LeadChange::Create)
        }
        (LeadIntent::Update(id), Some(owner)) if owner != id => {
            let detail = "the e-mail belongs to another lead";
            Err(Rejection::new(Reason::SemanticReference, detail))
        }
        (LeadIntent::Update(id), _) if existing.contains(&id) => target(id, LeadChange::Update),
        (LeadIntent::Update(_), _) => {
            let detail = "`lead` is not the id of a lead";
            Err(Rejection::new(Reason::SemanticReference, detail))
        }
    }
}

/// An entry of the index without its lead: neither can the lead be updated, nor another have its e-mail.
fn leads_nowhere(services: &Services, caller: &Caller) -> Rejection {
    let column = LeadColumn::identity();
    services.pii.index_leads_nowhere(&caller.tenant, column);
    let detail = "the index of this e-mail leads to no lead: it is not what was written";
    Rejection::new(Reason::IntegrityUnreadable, detail)
}
