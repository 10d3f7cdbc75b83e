//! Durable or not at all: [`Sealed`] → [`Stored`].

use portcullis_dq_metrics::Duplicate;

use super::{
    batch::{Batch, Item, Origin, Rejected},
    fingerprint::Fingerprinted,
    rejection::Rejection,
    resolve::Target,
    seal::{LeadAttempt, Sealed, StoredForm},
    services::Services,
};
use crate::{quality::Reason, store::Receipt};

/// What became of the items of one attempt.
#[derive(Debug)]
pub(crate) struct Stored {
    pub(crate) accepted: Vec<Accepted>,
    pub(crate) duplicates: Vec<(Origin, Duplicate)>,
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
    let (writes, items): (Vec<_>, Vec<_>) = items
        .into_iter()
        .map(|Item { origin, value }| (value.write, (origin, value.form, value.lead)))
        .unzip();
    let receipts = if writes.is_empty() {
        Vec::new()
    } else {
        services.writer.write(writes).await?
    };
    let mut accepted = Vec::with_capacity(items.len());
    let mut duplicates = Vec::new();
    let mut lost = Vec::new();
    for ((origin, form, lead), receipt) in items.into_iter().zip(receipts) {
        match (receipt, lead) {
            (Receipt::Stored, lead) => accepted.push(Accepted {
                origin,
                form,
                lead: lead.map(|attempt| attempt.target),
            }),
            (Receipt::DuplicateNatural, _) => duplicates.push((origin, Duplicate::Natural)),
            (Receipt::DuplicateConflicting, _) => duplicates.push((origin, Duplicate::Conflicting)),
            (Receipt::LostRace, Some(LeadAttempt { item, .. })) => lost.push(Item {
                origin,
                value: item,
            }),
            (Receipt::LostRace, None) => {
                tracing::error!("the store lost an item without a lead");
                let rejection = Rejection::plain(Reason::Internal);
                head.rejected.push(Rejected { origin, rejection });
            }
        }
    }
    Ok(Stored {
        accepted,
        duplicates,
        lost: head.with_items(lost),
    })
}
