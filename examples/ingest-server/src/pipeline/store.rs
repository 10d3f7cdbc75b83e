//! Durable or not at all: [`Sealed`] → [`Stored`].

use portcullis_dq_metrics::Duplicate;

use super::{
    batch::{Batch, Item, Origin},
    rejection::Rejection,
    resolve::{Resolved, Target},
    seal::Sealed,
    services::Services,
    validate::Valid,
};
use crate::{
    lead::LeadId,
    store::{LeadChange, Receipt},
};

/// What became of the items of one attempt.
#[derive(Debug)]
pub(crate) struct Stored {
    pub(crate) accepted: Vec<Accepted>,
    pub(crate) duplicates: Vec<(Origin, Duplicate)>,
    /// Those that lost a race, as they were before they were resolved; and those rejected so far.
    pub(crate) lost: Batch<Valid>,
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

/// Writes every item, and returns when what is accepted is durable.
#[tracing::instrument(skip_all)]
pub(crate) async fn store(services: &Services, batch: Batch<Sealed>) -> Result<Stored, Rejection> {
    let Batch {
        caller,
        admission,
        items,
        rejected,
    } = batch;
    let (writes, items): (Vec<_>, Vec<_>) = items
        .into_iter()
        .map(|Item { origin, value }| (value.write, (origin, value.resolved)))
        .unzip();
    let receipts = if writes.is_empty() {
        Vec::new()
    } else {
        services.writer.write(writes).await?
    };
    let mut accepted = Vec::with_capacity(items.len());
    let mut duplicates = Vec::new();
    let mut lost = Vec::new();
    for ((origin, Resolved { valid, lead }), receipt) in items.into_iter().zip(receipts) {
        match receipt {
            Receipt::Stored => accepted.push(Accepted {
                origin,
                lead: lead.as_ref().map(LeadOutcome::from),
            }),
            Receipt::DuplicateNatural => duplicates.push((origin, Duplicate::Natural)),
            Receipt::DuplicateConflicting => duplicates.push((origin, Duplicate::Conflicting)),
            Receipt::LostRace => lost.push(Item {
                origin,
                value: valid,
            }),
        }
    }
    let lost = Batch {
        caller,
        admission,
        items: lost,
        rejected,
    };
    Ok(Stored {
        accepted,
        duplicates,
        lost,
    })
}

impl From<&Target> for LeadOutcome {
    fn from(target: &Target) -> Self {
        Self {
            id: target.id,
            change: target.change,
        }
    }
}
