//! Which lead is meant: [`Valid`] → [`Resolved`]. Sealing needs the lead's id.

use std::collections::HashMap;

use super::{
    authenticate::Caller,
    batch::{Batch, Item, Rejected},
    rejection::Rejection,
    services::Services,
    validate::{LeadIntent, Valid},
};
use crate::{
    lead::{LeadColumn, LeadId, LeadIndexes},
    quality::Reason,
    store::{IndexRow, LeadChange},
};

/// A valid item whose lead, if it has one, is known.
#[derive(Debug)]
pub(crate) struct Resolved {
    pub(crate) valid: Valid,
    pub(crate) lead: Option<Target>,
}

/// The lead an item writes to.
#[derive(Debug)]
pub(crate) struct Target {
    pub(crate) id: LeadId,
    pub(crate) change: LeadChange,
    /// The index rows of each of the item's lead values, in their order.
    pub(crate) index: Vec<Vec<IndexRow>>,
}

/// Finds each item's lead in the store, or among the items before it.
#[tracing::instrument(skip_all)]
pub(crate) async fn resolve(
    services: &Services,
    batch: Batch<Valid>,
) -> Result<Batch<Resolved>, Rejection> {
    let Batch {
        caller,
        admission,
        items,
        mut rejected,
    } = batch;
    let candidates = candidates(services, &caller, items);
    let mut owners = owners(services, &caller, &candidates).await?;
    let mut resolved = Vec::with_capacity(candidates.len());
    for Candidate { item, index } in candidates {
        let Item {
            origin,
            value: valid,
        } = item;
        let lead = match valid.intent {
            None => Ok(None),
            Some(intent) => {
                let identity = enforced_identity(&valid, &index);
                let owner = identity.and_then(|identity| owners.get(identity)).copied();
                let found = find(services, &caller, intent, owner).await?;
                if let (Ok((id, _)), Some(identity)) = (&found, identity) {
                    owners.insert(identity.to_vec(), *id);
                }
                found.map(|(id, change)| Some(Target { id, change, index }))
            }
        };
        match lead {
            Ok(lead) => resolved.push(Item {
                origin,
                value: Resolved { valid, lead },
            }),
            Err(rejection) => rejected.push(Rejected { origin, rejection }),
        }
    }
    Ok(Batch {
        caller,
        admission,
        items: resolved,
        rejected,
    })
}

/// An item with the index rows of its lead values, computed once for the look-up and the write.
struct Candidate {
    item: Item<Valid>,
    index: Vec<Vec<IndexRow>>,
}

fn candidates(services: &Services, caller: &Caller, items: Vec<Item<Valid>>) -> Vec<Candidate> {
    let any_lead = items.iter().any(|item| item.value.intent.is_some());
    let indexes = any_lead.then(|| LeadIndexes::derive(&services.index_roots, &caller.tenant));
    let index = |item: &Item<Valid>| match &indexes {
        Some(indexes) if item.value.intent.is_some() => {
            let values = item.value.lead_values();
            let rows = values.map(|(column, value)| {
                let values = indexes.values(column, value).into_iter();
                values.map(IndexRow::from).collect()
            });
            rows.collect()
        }
        _ => Vec::new(),
    };
    let candidate = |item| Candidate {
        index: index(&item),
        item,
    };
    items.into_iter().map(candidate).collect()
}

/// The enforced fingerprint of the item's identity, its e-mail.
fn enforced_identity<'a>(valid: &Valid, index: &'a [Vec<IndexRow>]) -> Option<&'a [u8]> {
    let (_, rows) = valid
        .lead_values()
        .zip(index)
        .find(|((column, _), _)| column.is_identity())?;
    rows.first().map(|enforced| enforced.value.as_slice())
}

async fn owners(
    services: &Services,
    caller: &Caller,
    candidates: &[Candidate],
) -> Result<HashMap<Vec<u8>, LeadId>, Rejection> {
    let identities = candidates
        .iter()
        .filter_map(|candidate| enforced_identity(&candidate.item.value, &candidate.index));
    let identities: Vec<&[u8]> = identities.collect();
    if identities.is_empty() {
        return Ok(HashMap::new());
    }
    let column = LeadColumn::identity();
    Ok(services
        .store
        .owners(&caller.tenant, column, &identities)
        .await?)
}

/// The lead of one item, whose identity `owner` has. The outer error is the request's, the inner one
/// the item's.
async fn find(
    services: &Services,
    caller: &Caller,
    intent: LeadIntent,
    owner: Option<LeadId>,
) -> Result<Result<(LeadId, LeadChange), Rejection>, Rejection> {
    match (intent, owner) {
        (LeadIntent::Upsert, Some(id)) => Ok(Ok((id, LeadChange::Merge))),
        (LeadIntent::Upsert, None) => {
            let id = LeadId::make(services.clock.wall(), &*services.entropy);
            let id = id.map_err(|error| {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "no lead id was made"
                );
                Rejection::plain(Reason::Internal)
            })?;
            Ok(Ok((id, LeadChange::Create)))
        }
        (LeadIntent::Update(id), Some(owner)) if owner != id => {
            let detail = "the e-mail belongs to another lead";
            Ok(Err(Rejection::new(Reason::SemanticReference, detail)))
        }
        (LeadIntent::Update(id), _) => match services.store.lead(&caller.tenant, id).await? {
            Some(_) => Ok(Ok((id, LeadChange::Update))),
            None => {
                let detail = "`lead` is not the id of a lead";
                Ok(Err(Rejection::new(Reason::SemanticReference, detail)))
            }
        },
    }
}
