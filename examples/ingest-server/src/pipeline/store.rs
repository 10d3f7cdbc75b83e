//! Durable or not at all: [`Sealed`] → [`Stored`].

use portcullis_dq_metrics::Duplicate;

use super::{
    batch::{Batch, Item, Origin, Rejected},
    conflicts::{self, Conflict},
    fingerprint::Fingerprinted,
    rejection::Rejection,
    resolve::Target,
    seal::{Sealed, StoredForm},
    services::Services,
};
use crate::{
    quality::Reason,
    store::{Receipt, StoredContent, Write},
};

/// What became of the items of one attempt.
#[derive(Debug)]
pub(crate) struct Stored {
    pub(crate) accepted: Vec<Accepted>,
    pub(crate) duplicates: Vec<(Origin, Duplicate)>,
    /// The conflicting ones that their sender is told of.
    pub(crate) conflicts: Vec<Origin>,
    /// Those that lost a race, as they were before they were resolved; and those rejected so far.
    pub(crate) lost: Batch<Fingerprinted>,
}

/// A durable item.
#[derive(Debug)]
pub(crate) struct Accepted {
    pub(crate) origin: Origin,
    pub(crate) form: StoredForm,
    /// The lead that it wrote to.
    pub(crate) lead: Option<Target>,
}

/// Writes every item, and returns when what is accepted is durable.
#[tracing::instrument(skip_all)]
pub(crate) async fn store(services: &Services, batch: Batch<Sealed>) -> Result<Stored, Rejection> {
    let (mut head, items) = batch.split();
    // `unzip` would make room for four of each, of which most requests bring one.
    let mut writes = Vec::with_capacity(items.len());
    let mut waiting = Vec::with_capacity(items.len());
    for Item { origin, value } in items {
        let Sealed {
            write,
            form,
            lead,
            is_personal,
            refused,
        } = value;
        writes.push(write);
        waiting.push((origin, form, lead, is_personal, refused));
    }
    let lead = |write: &Write| {
        write
            .lead
            .as_ref()
            .is_some_and(|lead| !lead.cleared.is_empty())
    };
    let clears = writes.iter().any(lead);
    let receipts = if writes.is_empty() {
        Vec::new()
    } else {
        services.writer.write(writes).await?
    };
    if clears {
        services.shredder.wake();
    }
    // Of one tenant each. For good: nothing is to be sent again.
    if receipts.contains(&Receipt::TenantErased) {
        return Err(Rejection::plain(Reason::AuthTenantErased));
    }
    let mut accepted = Vec::with_capacity(waiting.len());
    let mut duplicates = Vec::new();
    let mut conflicts = Vec::new();
    let mut lost = Vec::new();
    for ((origin, form, lead, is_personal, refused), receipt) in waiting.into_iter().zip(receipts) {
        match (receipt, lead) {
            (Receipt::Stored, lead) => accepted.push(Accepted {
                origin,
                form,
                lead: lead.map(|attempt| attempt.target),
            }),
            (Receipt::DuplicateNatural, _) => duplicates.push((origin, Duplicate::Natural)),
            (Receipt::DuplicateConflicting(stored), _) => {
                duplicates.push((origin.clone(), Duplicate::Conflicting));
                conflicts.push(Conflict {
                    origin,
                    is_personal: is_personal || stored == StoredContent::Sealed,
                });
            }
            (Receipt::LostRace, Some(attempt)) => lost.push(Item {
                origin,
                value: attempt.item,
            }),
            (Receipt::Unknown | Receipt::LostRace | Receipt::Late | Receipt::TenantErased, _) => {
                let rejection = refused.unwrap_or_else(|| {
                    tracing::error!("the store lost an item without a lead");
                    Rejection::plain(Reason::Internal)
                });
                head.rejected.push(Rejected { origin, rejection });
            }
        }
    }
    let conflicts = conflicts::told(services, &head.caller, conflicts).await;
    Ok(Stored {
        accepted,
        duplicates,
        conflicts,
        lost: head.with_items(lost),
    })
}
