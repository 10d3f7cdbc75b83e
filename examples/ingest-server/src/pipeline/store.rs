//! Durable or not at all: [`Valid`] → [`Stored`], sealing again where a race was lost.

use portcullis_dq_metrics::{Duplicate, Reason};
use portcullis_ratelimit::Decision;

use super::{
    batch::{Batch, Item, Origin, Rejected},
    resolve, seal,
    validate::Valid,
};
use crate::{
    rejection::Rejection,
    services::Services,
    store::{LeadChange, LeadId, Receipt},
};

/// What became of every item of a request.
#[derive(Debug)]
pub(crate) struct Stored {
    pub(crate) accepted: Vec<Accepted>,
    pub(crate) duplicates: Vec<(Origin, Duplicate)>,
    pub(crate) rejected: Vec<Rejected>,
    /// How the tenant's limits stand.
    pub(crate) limits: Decision,
}

/// A durable item.
#[derive(Debug)]
pub(crate) struct Accepted {
    pub(crate) origin: Origin,
    pub(crate) lead: Option<LeadOutcome>,
}

/// The lead that an accepted item wrote to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LeadOutcome {
    pub(crate) id: LeadId,
    pub(crate) change: LeadChange,
}

/// The first attempt, and how often a lost race is tried again: the second attempt finds the
/// winner, a third is lost only to its removal in between.
const ATTEMPTS: usize = 3;

/// Resolves, seals and writes every item.
#[tracing::instrument(skip_all)]
pub(crate) async fn store(services: &Services, batch: Batch<Valid>) -> Result<Stored, Rejection> {
    let mut stored = Stored {
        accepted: Vec::with_capacity(batch.items.len()),
        duplicates: Vec::new(),
        rejected: Vec::new(),
        limits: batch.admission.limits.clone(),
    };
    let mut pending = batch;
    for _ in 0..ATTEMPTS {
        let unique = resolve::resolve(services, pending).await?;
        let sealed = seal::seal(services, unique).await?;
        pending = write(services, sealed, &mut stored).await?;
        if pending.items.is_empty() {
            stored.rejected = pending.rejected;
            stored
                .rejected
                .sort_by_key(|rejected| rejected.origin.index);
            return Ok(stored);
        }
    }
    Err(Rejection::new(
        Reason::CapacityOverloaded,
        "others keep changing the same lead",
    ))
}

/// Writes once; what lost a race comes back.
#[tracing::instrument(skip_all)]
async fn write(
    services: &Services,
    batch: Batch<seal::Sealed>,
    stored: &mut Stored,
) -> Result<Batch<Valid>, Rejection> {
    let Batch {
        caller,
        admission,
        items,
        rejected,
    } = batch;
    let mut writes = Vec::with_capacity(items.len());
    let mut origins = Vec::with_capacity(items.len());
    for Item { origin, value } in items {
        writes.push(value.write);
        origins.push(Item {
            origin,
            value: value.unique,
        });
    }
    let receipts = if writes.is_empty() {
        Vec::new()
    } else {
        services.writer.write(writes).await?
    };
    let mut lost = Vec::new();
    for (
        Item {
            origin,
            value: unique,
        },
        receipt,
    ) in origins.into_iter().zip(receipts)
    {
        match receipt {
            Receipt::Stored => {
                let lead = unique.lead.map(|lead| LeadOutcome {
                    id: lead.id,
                    change: lead.change,
                });
                stored.accepted.push(Accepted { origin, lead });
            }
            Receipt::DuplicateNatural => stored.duplicates.push((origin, Duplicate::Natural)),
            Receipt::DuplicateConflicting => {
                stored.duplicates.push((origin, Duplicate::Conflicting))
            }
            Receipt::LostRace => lost.push(Item {
                origin,
                value: unique.valid,
            }),
        }
    }
    Ok(Batch {
        caller,
        admission,
        items: lost,
        rejected,
    })
}
