//! Which lead is meant: [`Fingerprinted`] → [`Resolved`]. Sealing needs the lead's id.

mod owners;
mod patch;

use std::collections::HashSet;

use self::owners::Owners;
use super::{
    OnConflict,
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
    store::{ExpectedValue, LeadChange},
};

/// An item whose lead, if it has one, is known.
#[derive(Debug)]
pub(crate) struct Resolved {
    pub(crate) item: Fingerprinted,
    pub(crate) lead: Option<Target>,
    /// Why the item is rejected unless its event came before. It did where its lead was erased meanwhile, or
    /// what was its lead's is another's: what was acknowledged once is not refused when it is sent again.
    pub(crate) refused: Option<Rejection>,
}

/// The lead that an item writes to.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    pub(crate) id: LeadId,
    pub(crate) change: LeadChange,
    /// What it was found under, where the write is meant for the lead that has that.
    pub(crate) expected: Option<ExpectedValue>,
    /// The columns whose values the lead has already.
    pub(crate) unchanged: Vec<&'static LeadColumn>,
}

impl Target {
    const fn of(id: LeadId, change: LeadChange) -> Self {
        Self {
            id,
            change,
            expected: None,
            unchanged: Vec::new(),
        }
    }
}

/// Finds each item's lead in the store, or among the items before it.
#[tracing::instrument(skip_all)]
pub(crate) async fn resolve(
    services: &Services,
    batch: Batch<Fingerprinted>,
) -> Result<Batch<Resolved>, Rejection> {
    let (mut head, items) = batch.split();
    let (mut owners, existing) = owners::known(services, &head.caller, &items).await?;
    let mut resolved = Vec::with_capacity(items.len());
    for Item {
        origin,
        value: item,
    } in items
    {
        let lead = match &item.lead {
            None => Ok(None),
            Some(lead) => {
                let found = find(services, &head.caller, lead, &owners, &existing);
                let found = match (found, lead.intent) {
                    (Ok(target), LeadIntent::Patch(_)) => {
                        patch::compare(services, &head.caller, lead, &item.personal, target).await?
                    }
                    (found, _) => found,
                };
                if let Ok(target) = &found {
                    owners.add(lead, target.id);
                }
                found.map(Some)
            }
        };
        let (lead, refused) = match lead {
            Ok(lead) => (lead, None),
            Err(rejection) if item.event.is_some() => (None, Some(rejection)),
            Err(rejection) => {
                head.rejected.push(Rejected { origin, rejection });
                continue;
            }
        };
        let value = Resolved {
            item,
            lead,
            refused,
        };
        resolved.push(Item { origin, value });
    }
    Ok(head.with_items(resolved))
}

/// The lead of one item, where ids are those of existing leads.
fn find(
    services: &Services,
    caller: &Caller,
    lead: &LeadData,
    owners: &Owners,
    existing: &HashSet<LeadId>,
) -> Result<Target, Rejection> {
    let owned = owners.of(services, caller, lead)?;
    match lead.intent {
        LeadIntent::Upsert(on_conflict) => {
            let Some(first) = owned.first() else {
                return Ok(Target::of(make_id(services)?, LeadChange::Create));
            };
            if let Some(other) = owned.iter().find(|other| other.lead != first.lead) {
                return Err(taken(other.expected.column));
            }
            // By its identity a lead comes again; another unique value may be a mistake.
            if !first.expected.column.is_identity() && on_conflict == OnConflict::Refuse {
                return Err(taken(first.expected.column));
            }
            Ok(Target {
                expected: Some(first.expected.clone()),
                ..Target::of(first.lead, LeadChange::Merge)
            })
        }
        LeadIntent::Update(id) | LeadIntent::Patch(id) if !existing.contains(&id) => {
            let detail = "`lead` is not the id of a lead";
            Err(Rejection::new(Reason::SemanticReference, detail))
        }
        LeadIntent::Update(id) | LeadIntent::Patch(id) => {
            let other = owned.iter().find(|owned| owned.lead != id);
            match other.map(|other| other.expected.column) {
                None => Ok(Target::of(id, LeadChange::Update)),
                // What an event was always told.
                Some(column) if column.is_identity() && lead.intent == LeadIntent::Update(id) => {
                    let detail = "the e-mail belongs to another lead";
                    Err(Rejection::new(Reason::SemanticReference, detail))
                }
                Some(column) => Err(taken(column)),
            }
        }
    }
}

fn make_id(services: &Services) -> Result<LeadId, Rejection> {
    let id = LeadId::make(services.clock.wall(), &*services.entropy);
    id.map_err(|error| {
        tracing::error!(
            error = &error as &dyn std::error::Error,
            "no lead id was made"
        );
        Rejection::plain(Reason::Internal)
    })
}

/// What only one lead may have is another's.
fn taken(column: &LeadColumn) -> Rejection {
    let detail = format!("the `{}` belongs to another lead", column.name());
    Rejection::new(Reason::SemanticTaken, detail)
}
