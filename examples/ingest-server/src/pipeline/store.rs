//! Durable or not at all: [`Valid`] → [`Stored`], sealing again where a race was lost.

use portcullis_dq_metrics::{Duplicate, Reason};

use super::{
    batch::{Batch, Item, Rejected},
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
    pub(crate) duplicates: Vec<Duplicate>,
    pub(crate) rejected: Vec<Rejected>,
}

/// A durable item.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Accepted {
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
pub(crate) async fn store(services: &Services, batch: Batch<Valid>) -> Result<Stored, Rejection> {
    let mut stored = Stored {
        accepted: Vec::with_capacity(batch.items.len()),
        duplicates: Vec::new(),
        rejected: Vec::new(),
    };
    let mut pending = batch;
    for _ in 0..ATTEMPTS {
        let unique = resolve::resolve(services, pending).await?;
        let sealed = seal::seal(services, unique).await?;
        pending = write(services, sealed, &mut stored).await?;
        if pending.items.is_empty() {
            stored.rejected = pending.rejected;
            stored.rejected.sort_by_key(|rejected| rejected.index);
            return Ok(stored);
        }
    }
    Err(Rejection::new(
        Reason::CapacityOverloaded,
        "others keep changing the same lead",
    ))
}

/// Writes once; what lost a race comes back.
async fn write(
    services: &Services,
    batch: Batch<seal::Sealed>,
    stored: &mut Stored,
) -> Result<Batch<Valid>, Rejection> {
    let Batch {
        caller,
        slots,
        items,
        rejected,
    } = batch;
    let mut writes = Vec::with_capacity(items.len());
    let mut origins = Vec::with_capacity(items.len());
    for Item { index, id, value } in items {
        writes.push(value.write);
        origins.push(Item {
            index,
            id,
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
            index,
            id,
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
                stored.accepted.push(Accepted { lead });
            }
            Receipt::DuplicateNatural => stored.duplicates.push(Duplicate::Natural),
            Receipt::DuplicateConflicting => stored.duplicates.push(Duplicate::Conflicting),
            Receipt::LostRace => lost.push(Item {
                index,
                id,
                value: unique.valid,
            }),
        }
    }
    Ok(Batch {
        caller,
        slots,
        items: lost,
        rejected,
    })
}
