//! Which lead is meant: [`Valid`] → [`Unique`]. Sealing needs the lead's id.

use std::collections::HashMap;

use super::{
    authenticate::Caller,
    batch::{Batch, Item, Rejected},
    validate::{LeadIntent, Valid},
};
use crate::{
    clock::make_lead_id,
    lead::personal::LeadIndexes,
    pipeline::rejection::Rejection,
    pipeline::services::Services,
    quality::Reason,
    store::{LeadChange, LeadColumn, LeadId},
};

/// A valid item whose lead, if it has one, is known.
#[derive(Debug)]
pub(crate) struct Unique {
    pub(crate) valid: Valid,
    pub(crate) lead: Option<Target>,
}

/// The lead an item writes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) id: LeadId,
    pub(crate) change: LeadChange,
}

/// Finds each item's lead in the store, or among the items before it.
#[tracing::instrument(skip_all)]
pub(crate) async fn resolve(
    services: &Services,
    indexes: &LeadIndexes,
    batch: Batch<Valid>,
) -> Result<Batch<Unique>, Rejection> {
    let Batch {
        caller,
        admission,
        items,
        mut rejected,
    } = batch;
    let emails: Vec<Option<Vec<u8>>> = items
        .iter()
        .map(|item| email_fingerprint(indexes, &item.value))
        .collect();
    let mut owners = owners(services, &caller, &emails).await?;
    let mut unique = Vec::with_capacity(items.len());
    for (
        Item {
            origin,
            value: valid,
        },
        email,
    ) in items.into_iter().zip(emails)
    {
        let lead = match valid.intent {
            None => Ok(None),
            Some(intent) => {
                let owner = email.as_ref().and_then(|email| owners.get(email)).copied();
                target(services, &caller, intent, owner).await?.map(Some)
            }
        };
        if let (Ok(Some(target)), Some(email)) = (&lead, email) {
            owners.insert(email, target.id);
        }
        match lead {
            Ok(lead) => unique.push(Item {
                origin,
                value: Unique { valid, lead },
            }),
            Err(rejection) => rejected.push(Rejected { origin, rejection }),
        }
    }
    Ok(Batch {
        caller,
        admission,
        items: unique,
        rejected,
    })
}

/// The enforced fingerprint of the item's e-mail.
fn email_fingerprint(indexes: &LeadIndexes, valid: &Valid) -> Option<Vec<u8>> {
    let (_, email) = valid
        .lead_values()
        .find(|(column, _)| *column == LeadColumn::Email)?;
    indexes
        .rows(email)
        .into_iter()
        .next()
        .map(|enforced| enforced.value)
}

async fn owners(
    services: &Services,
    caller: &Caller,
    emails: &[Option<Vec<u8>>],
) -> Result<HashMap<Vec<u8>, LeadId>, Rejection> {
    let emails: Vec<&[u8]> = emails.iter().flatten().map(Vec::as_slice).collect();
    if emails.is_empty() {
        return Ok(HashMap::new());
    }
    Ok(services.store.owners(&caller.tenant, &emails).await?)
}

/// The lead of one item, whose e-mail `owner` has. The outer error is the request's, the inner one
/// the item's.
async fn target(
    services: &Services,
    caller: &Caller,
    intent: LeadIntent,
    owner: Option<LeadId>,
) -> Result<Result<Target, Rejection>, Rejection> {
    match (intent, owner) {
        (LeadIntent::Upsert, Some(id)) => Ok(Ok(Target {
            id,
            change: LeadChange::Merge,
        })),
        (LeadIntent::Upsert, None) => {
            let id = make_lead_id(services.clock.now(), &*services.entropy);
            let id = id.map_err(|error| {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "no lead id was made"
                );
                Rejection::plain(Reason::Internal)
            })?;
            Ok(Ok(Target {
                id,
                change: LeadChange::Create,
            }))
        }
        (LeadIntent::Update(id), Some(owner)) if owner != id => {
            let detail = "the e-mail belongs to another lead";
            Ok(Err(Rejection::new(Reason::SemanticReference, detail)))
        }
        (LeadIntent::Update(id), _) => match services.store.lead(&caller.tenant, id).await? {
            Some(_) => Ok(Ok(Target {
                id,
                change: LeadChange::Update,
            })),
            None => {
                let detail = "`lead` is not the id of a lead";
                Ok(Err(Rejection::new(Reason::SemanticReference, detail)))
            }
        },
    }
}
