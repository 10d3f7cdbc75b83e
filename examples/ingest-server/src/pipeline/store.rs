//! Durable or not at all: [`Valid`] → [`Stored`], sealing again where a race was lost.

use portcullis_dq_metrics::Duplicate;
use portcullis_ratelimit::Decision;

use super::{
    batch::{Batch, Item, Origin, Rejected},
    resolve, seal,
    validate::Valid,
};
use crate::{
    lead::personal::LeadIndexes,
    pipeline::rejection::Rejection,
    pipeline::services::Services,
    quality::Reason,
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

/// Resolves, seals and writes every item. Once something is durable, a failure concerns only what
/// is not.
#[tracing::instrument(skip_all)]
pub(crate) async fn store(services: &Services, batch: Batch<Valid>) -> Result<Stored, Rejection> {
    let mut stored = Stored {
        accepted: Vec::with_capacity(batch.items.len()),
        duplicates: Vec::new(),
        rejected: Vec::new(),
        limits: batch.admission.limits.clone(),
    };
    let indexes = LeadIndexes::derive(&services.index_roots, &batch.caller.tenant);
    let mut pending = attempt(services, &indexes, batch, &mut stored).await?;
    for _ in 1..ATTEMPTS {
        if pending.items.is_empty() {
            break;
        }
        let origins: Vec<Origin> = pending
            .items
            .iter()
            .map(|item| item.origin.clone())
            .collect();
        let rejected = std::mem::take(&mut pending.rejected);
        stored.rejected.extend(rejected);
        match attempt(services, &indexes, pending, &mut stored).await {
            Ok(rest) => pending = rest,
            Err(rejection) => return Ok(stored.with_rest(origins, &rejection)),
        }
    }
    let rest = pending.items.into_iter().map(|item| item.origin);
    let contended = Rejection::new(
        Reason::CapacityOverloaded,
        "others keep changing the same lead",
    );
    stored.rejected.extend(pending.rejected);
    Ok(stored.with_rest(rest, &contended))
}

impl Stored {
    /// What is left is rejected, and everything that is, is told in the order of the request.
    fn with_rest(mut self, rest: impl IntoIterator<Item = Origin>, why: &Rejection) -> Self {
        let rejected = |origin| Rejected {
            origin,
            rejection: why.clone(),
        };
        self.rejected.extend(rest.into_iter().map(rejected));
        self.rejected.sort_by_key(|rejected| rejected.origin.index);
        self
    }
}

/// Takes every item through once; what lost a race comes back.
async fn attempt(
    services: &Services,
    indexes: &LeadIndexes,
    batch: Batch<Valid>,
    stored: &mut Stored,
) -> Result<Batch<Valid>, Rejection> {
    let unique = resolve::resolve(services, indexes, batch).await?;
    let sealed = seal::seal(services, indexes, unique).await?;
    write(services, sealed, stored).await
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
