//! What the sender is told of every item: [`Stored`] → [`Acknowledged`].

use portcullis_dq_metrics::Duplicate;
use portcullis_ratelimit::Decision;

use super::{
    batch::{Batch, Origin, Rejected},
    fingerprint::Fingerprinted,
    rejection::Rejection,
    store::{Accepted, Stored},
};
use crate::quality::Reason;

/// What became of every item of a request.
#[derive(Debug)]
pub(crate) struct Acknowledged {
    pub(crate) accepted: Vec<Accepted>,
    pub(crate) duplicates: Vec<(Origin, Duplicate)>,
    /// The events that came before with other content, as far as their sender may be told, in the order
    /// of the request: what they hold now is not stored.
    pub(crate) conflicts: Vec<Origin>,
    pub(crate) rejected: Vec<Rejected>,
    /// The state of the tenant's limits.
    pub(crate) limits: Decision,
}

/// Collects what became of items over the attempts to store them.
#[derive(Debug)]
pub(super) struct Attempts {
    acknowledged: Acknowledged,
    begun: usize,
    /// The items of the present attempt, if it is a repeated one.
    repeated: Vec<Origin>,
}

impl Attempts {
    /// The first attempt, and how often a lost race is tried again: the second attempt finds the
    /// winner, a third is lost only to its removal in between.
    const MOST: usize = 3;

    pub(super) fn new(batch: &Batch<Fingerprinted>) -> Self {
        Self {
            acknowledged: Acknowledged {
                accepted: Vec::new(),
                duplicates: Vec::new(),
                conflicts: Vec::new(),
                rejected: Vec::new(),
                limits: batch.admission.limits.clone(),
            },
            begun: 0,
            repeated: Vec::new(),
        }
    }

    /// The items to try once more, or none when everything is decided.
    pub(super) fn next(
        &mut self,
        mut pending: Batch<Fingerprinted>,
    ) -> Option<Batch<Fingerprinted>> {
        self.acknowledged.rejected.append(&mut pending.rejected);
        if pending.items.is_empty() {
            return None;
        }
        let origins = pending.items.iter().map(|item| item.origin.clone());
        if self.begun == Self::MOST {
            self.repeated = origins.collect();
            let detail = "others keep changing the same lead";
            self.reject_rest(&Rejection::new(Reason::CapacityOverloaded, detail));
            return None;
        }
        if self.begun > 0 {
            self.repeated = origins.collect();
        }
        self.begun += 1;
        Some(pending)
    }

    /// Takes the outcome of an attempt, and gives back the items that lost a race. Once something
    /// may be durable, a failure concerns only what is not.
    ///
    /// # Errors
    /// The first attempt failed, and with it the request.
    pub(super) fn settle(
        &mut self,
        outcome: Result<Stored, Rejection>,
    ) -> Result<Option<Batch<Fingerprinted>>, Rejection> {
        match outcome {
            Ok(mut stored) => {
                self.acknowledged.accepted.append(&mut stored.accepted);
                self.acknowledged.duplicates.append(&mut stored.duplicates);
                self.acknowledged.conflicts.append(&mut stored.conflicts);
                Ok(Some(stored.lost))
            }
            Err(rejection) if self.begun > 1 => {
                self.reject_rest(&rejection);
                Ok(None)
            }
            Err(rejection) => Err(rejection),
        }
    }

    /// Everything that was rejected or known, in the order of the request.
    pub(super) fn finish(mut self) -> Acknowledged {
        self.acknowledged
            .duplicates
            .sort_by_key(|(origin, _)| origin.index);
        self.acknowledged
            .conflicts
            .sort_by_key(|origin| origin.index);
        self.acknowledged
            .rejected
            .sort_by_key(|rejected| rejected.origin.index);
        self.acknowledged
    }

    fn reject_rest(&mut self, why: &Rejection) {
        let rejected = self.repeated.drain(..).map(|origin| Rejected {
            origin,
            rejection: why.clone(),
        });
        self.acknowledged.rejected.extend(rejected);
    }
}
