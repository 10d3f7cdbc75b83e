//! Which lead is meant: [`Valid`] → [`Unique`]. Sealing needs the lead's id.

use std::collections::HashMap;

use portcullis_dq_metrics::Reason;

use super::{
    authenticate::Caller,
    batch::{Batch, Item, Rejected},
    validate::{LeadIntent, Valid},
};
use crate::{
    clock::make_lead_id,
    rejection::Rejection,
    services::Services,
    store::{IndexRow, LeadChange, LeadColumn, LeadId},
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
    batch: Batch<Valid>,
) -> Result<Batch<Unique>, Rejection> {
    let Batch {
        caller,
        admission,
        items,
        mut rejected,
    } = batch;
    let mut unique = Vec::with_capacity(items.len());
    let mut announced = HashMap::new();
    for Item {
        origin,
        value: valid,
    } in items
    {
        let found = match valid.intent {
            None => Ok(None),
            Some(intent) => target(services, &caller, &valid, intent, &mut announced).await?,
        };
        match found {
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

/// The lead of one item. The outer error is the request's, the inner one the item's.
async fn target(
    services: &Services,
    caller: &Caller,
    valid: &Valid,
    intent: LeadIntent,
    announced: &mut HashMap<Vec<u8>, LeadId>,
) -> Result<Result<Option<Target>, Rejection>, Rejection> {
    let email = email_fingerprint(services, caller, valid);
    let owner = match &email {
        Some(value) => match announced.get(value) {
            Some(id) => Some(*id),
            None => owner(services, caller, value).await?,
        },
        None => None,
    };
    let target = match (intent, owner) {
        (LeadIntent::Upsert, Some(id)) => Target {
            id,
            change: LeadChange::Update,
        },
        (LeadIntent::Upsert, None) => {
            let id = make_lead_id(services.clock.now()).map_err(|error| {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "no lead id was made"
                );
                Rejection::plain(Reason::Internal)
            })?;
            Target {
                id,
                change: LeadChange::Create,
            }
        }
        (LeadIntent::Update(id), Some(owner)) if owner != id => {
            let detail = "the e-mail belongs to another lead";
            return Ok(Err(Rejection::new(Reason::SemanticReference, detail)));
        }
        (LeadIntent::Update(id), _) => {
            if services.store.lead(&caller.tenant, id).await?.is_none() {
                let detail = "`lead` is not the id of a lead";
                return Ok(Err(Rejection::new(Reason::SemanticReference, detail)));
            }
            Target {
                id,
                change: LeadChange::Update,
            }
        }
    };
    if let Some(value) = email {
        announced.insert(value, target.id);
    }
    Ok(Ok(Some(target)))
}

/// The enforced fingerprint of the item's e-mail.
fn email_fingerprint(services: &Services, caller: &Caller, valid: &Valid) -> Option<Vec<u8>> {
    let (_, email) = valid
        .lead_values()
        .find(|(column, _)| *column == LeadColumn::Email)?;
    let index = email.index(
        &services.index_roots,
        &caller.tenant,
        LeadColumn::Email.field(),
    );
    index.into_iter().next().map(|IndexRow { value, .. }| value)
}

async fn owner(
    services: &Services,
    caller: &Caller,
    value: &[u8],
) -> Result<Option<LeadId>, Rejection> {
    let column = LeadColumn::Email;
    let leads = services
        .store
        .leads_by_index(&caller.tenant, column, value, 1)
        .await?;
    Ok(leads.first().map(|lead| lead.id))
}
