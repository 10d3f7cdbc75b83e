//! Which lead is meant: [`Fingerprinted`] → [`Resolved`]. Sealing needs the lead's id.

use std::collections::HashMap;

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
    store::{LeadChange, Owner},
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
    let mut owners = owners(services, &head.caller, &items).await?;
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
                let found = find(services, &head.caller, lead.intent, owned).await?;
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

async fn owners(
    services: &Services,
    caller: &Caller,
    items: &[Item<Fingerprinted>],
) -> Result<HashMap<Vec<u8>, Owner>, Rejection> {
    let leads = items.iter().filter_map(|item| item.value.lead.as_ref());
    let identities = leads.flat_map(LeadData::identities);
    let identities: Vec<&[u8]> = identities.map(Vec::as_slice).collect();
    if identities.is_empty() {
        return Ok(HashMap::new());
    }
    let column = LeadColumn::identity();
    Ok(services
        .store
        .owners(&caller.tenant, column, &identities)
        .await?)
}

/// The lead of one item, whose identity in that place `owned` says who has. The outer error is the
/// request's, the inner one the item's.
async fn find(
    services: &Services,
    caller: &Caller,
    intent: LeadIntent,
    owned: Option<(usize, Owner)>,
) -> Result<Result<Target, Rejection>, Rejection> {
    let found_under = owned.map_or(0, |(at, _)| at);
    let target = |id, change| {
        Ok(Ok(Target {
            id,
            change,
            found_under,
        }))
    };
    let owner = match owned {
        Some((_, Owner::Lead(id))) => Some(id),
        Some((_, Owner::Nowhere)) => return Ok(Err(leads_nowhere(services, caller))),
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
            Ok(Err(Rejection::new(Reason::SemanticReference, detail)))
        }
        (LeadIntent::Update(id), _) => match services.store.lead(&caller.tenant, id).await? {
            Some(_) => target(id, LeadChange::Update),
            None => {
                let detail = "`lead` is not the id of a lead";
                Ok(Err(Rejection::new(Reason::SemanticReference, detail)))
            }
        },
    }
}

/// An entry of the index without its lead: neither can the lead be updated, nor another have its e-mail.
fn leads_nowhere(services: &Services, caller: &Caller) -> Rejection {
    let column = LeadColumn::identity();
    services.pii.index_leads_nowhere(&caller.tenant, column);
    let detail = "the index of this e-mail leads to no lead: it is not what was written";
    Rejection::new(Reason::IntegrityUnreadable, detail)
}
