//! A store of this process's memory that stands in for a shared one that does not answer.

mod builder;
mod ledger;
mod nodes;
mod reduced;
mod settlement;
mod stats;

use std::{
    collections::HashMap,
    fmt,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use portcullis_breaker::{Breaker, BreakerState, Permit};

use self::{ledger::Ledger, nodes::Weights, settlement::Settlement, stats::Totals};
use crate::{
    clock::Timestamp,
    name::Category,
    observer::{Event, Observer},
    store::{
        Charge, ChargeFuture, ChargeOutcome, MemoryStore, Source, Store, StoreError,
        fingerprint::{ChargeKeys, Fingerprints},
    },
};

pub use self::{
    builder::FallbackStoreBuilder,
    nodes::{Fraction, FractionError, NodeCount},
    stats::FallbackStats,
};

/// Asks a primary store, and stands in for it while it does not answer.
///
/// The primary is asked through a [`Breaker`]. While that is open, no request waits for the primary; a
/// request that finds out that the primary has failed is answered in its place too.
/// [`OnOutage`] says how, for each category.
///
/// It is the outermost store: a [`LeaseStore`](super::LeaseStore) and a [`DenialCache`](super::DenialCache)
/// belong between it and the shared store. For the breaker only those calls count for which the shared store
/// was asked: what these two answer by themselves is no success of it, and
/// [`StoreError::NotAsked`] is no failure, though it is answered in place of the primary all the same.
///
/// # Reduced limits
/// In place of the primary, a limit of rate `R` and burst `B` is held to `f · R / N` and `f · B / N` on
/// each of `N` nodes: of its bucket in memory, each token of a request takes `⌈N / f⌉`. A number of nodes
/// that rises counts at once; one that falls counts for a bucket once that has had the time to drain, as
/// the nodes that are gone have charged under the larger one until then. A node that starts brings a burst
/// of its own, `f · B / N`.
///
/// What is admitted meanwhile is remembered by bucket, and added to the primary's bucket with the first
/// call that asks for it again. What cannot be remembered is refused. A bucket that nobody asks for is
/// forgotten when the primary's would have drained in any case.
///
/// # Bounds
/// With debt, `B` stands for burst and debt.
/// - During an outage of length `D`: at most `f · (B + R · D)`, over all nodes together.
/// - In any window `W` with an outage of all nodes, all of which have settled before more is admitted:
///   at most `B + R · W + f · B`.
/// - In any window `W`, whatever fails for whom and for how long: at most `(1 + f) · (B + R · W)`.
///
/// They hold for [`OnOutage::Fallback`]. While there is room to remember a bucket, no tenant's load
/// changes what another is answered.
pub struct FallbackStore {
    primary: Arc<dyn Store>,
    memory: MemoryStore,
    breaker: Breaker,
    weights: Weights,
    fingerprints: Fingerprints,
    ledger: Mutex<Ledger>,
    /// The buckets in the ledger, so that a charge need not look while there are none.
    unsettled: AtomicUsize,
    totals: Totals,
    on_outage: HashMap<Category, OnOutage>,
    otherwise: OnOutage,
    observer: Option<Arc<dyn Observer>>,
}

/// What happens to requests while the primary does not answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OnOutage {
    /// They are admitted from memory, up to reduced limits.
    #[default]
    Fallback,
    /// None is admitted: the store fails, with [`StoreError::Unavailable`].
    FailClosed,
    /// All are admitted, and settled later as far as that can be remembered.
    FailOpen,
}

/// The primary was not asked.
#[derive(Debug, thiserror::Error)]
#[error("it was not asked, because too many of the last calls have failed")]
struct NotAsked;

impl FallbackStore {
    /// A builder of a fallback for `primary`.
    #[must_use]
    pub fn builder(primary: Arc<dyn Store>) -> FallbackStoreBuilder {
        FallbackStoreBuilder::new(primary)
    }

    /// What it does at present and has done.
    #[must_use]
    pub fn stats(&self) -> FallbackStats {
        let status = self.breaker.status();
        let (unsettled_buckets, unsettled_tokens) = self.with_ledger(|ledger| ledger.totals());
        let [admitted_tokens, settled_tokens, refused_for_room] = self.totals.read();
        FallbackStats {
            state: status.state,
            open_since: status.open_since.map(Timestamp::from),
            open_until: status.open_until.map(Timestamp::from),
            unsettled_buckets,
            unsettled_tokens,
            admitted_tokens,
            settled_tokens,
            refused_for_room,
        }
    }

    /// Asks the primary, and tells it what is unsettled of the charge's buckets.
    fn ask<'a>(&'a self, charge: &'a Charge<'a>, permit: Permit<'a>) -> ChargeFuture<'a> {
        self.tell(permit.changed());
        if let Some(settlement) = self.settlement(charge) {
            return ChargeFuture::boxed(async move {
                let corrections = settlement.corrections();
                let corrected = charge.with_corrections(&corrections);
                let answer = self.primary.charge(&corrected).await;
                if answer.is_ok() {
                    settlement.settled();
                } else {
                    drop(settlement);
                }
                self.answered(charge, permit, answer)
            });
        }
        match self.primary.charge(charge) {
            ChargeFuture::Decided(outcome) => {
                self.report_success(charge, permit, &outcome);
                outcome.into()
            }
            undecided @ ChargeFuture::Boxed(_) => ChargeFuture::boxed(async move {
                let answer = undecided.await;
                self.answered(charge, permit, answer)
            }),
        }
    }

    fn answered(
        &self,
        charge: &Charge<'_>,
        permit: Permit<'_>,
        answer: Result<ChargeOutcome, StoreError>,
    ) -> Result<ChargeOutcome, StoreError> {
        let now = since_origin(charge);
        match answer {
            Ok(outcome) => {
                self.report_success(charge, permit, &outcome);
                Ok(outcome)
            }
            Err(error) => {
                match error {
                    // A store that holds something else does answer, and does so for other buckets.
                    StoreError::Malformed(_) => self.tell(permit.succeeded(now)),
                    StoreError::Unavailable(_) => self.tell(permit.failed(now)),
                    // If another call asked in its place, that one reports how it ended.
                    StoreError::NotAsked(_) => drop(permit),
                }
                self.in_place_of_primary(charge, || error)
            }
        }
    }

    /// Reports that the shared store has answered, if it was asked: what a store in front of it knows by
    /// itself says nothing of whether the shared one is up.
    fn report_success(&self, charge: &Charge<'_>, permit: Permit<'_>, outcome: &ChargeOutcome) {
        let is_of_front = matches!(outcome.source(), Source::Lease | Source::DenialCache);
        if is_of_front || charge.targets().next().is_none() {
            drop(permit);
        } else {
            self.tell(permit.succeeded(since_origin(charge)));
        }
    }

    /// What the category of the charge is answered while the primary does not.
    fn in_place_of_primary(
        &self,
        charge: &Charge<'_>,
        error: impl FnOnce() -> StoreError,
    ) -> Result<ChargeOutcome, StoreError> {
        let category = charge.category();
        let chosen = category.and_then(|category| self.on_outage.get(category));
        match chosen.copied().unwrap_or(self.otherwise) {
            // What a store in front corrects stays with that store.
            _ if charge.has_corrections() => Err(error()),
            OnOutage::Fallback => Ok(self.fall_back(charge)),
            OnOutage::FailClosed => Err(error()),
            OnOutage::FailOpen => Ok(self.let_through(charge)),
        }
    }

    /// What is unsettled of the charge's buckets, to go with the call.
    fn settlement<'a>(&'a self, charge: &'a Charge<'a>) -> Option<Settlement<'a>> {
        if self.unsettled.load(Ordering::Acquire) == 0 {
            return None;
        }
        let keys = self.keys(charge);
        let amounts = self.with_ledger(|ledger| ledger.begin(charge, &keys))?;
        Some(Settlement::new(self, charge, keys, amounts))
    }

    fn keys(&self, charge: &Charge<'_>) -> ChargeKeys {
        let partition = self.fingerprints.of_partition(charge.partition());
        let mut keys = ChargeKeys::default();
        self.fingerprints.of_buckets(partition, charge, &mut keys);
        keys
    }

    /// No step panics, and the ledger is whole between any two.
    fn with_ledger<R>(&self, step: impl FnOnce(&mut Ledger) -> R) -> R {
        let mut ledger = self.ledger.lock().unwrap_or_else(PoisonError::into_inner);
        let result = step(&mut ledger);
        self.unsettled.store(ledger.totals().0, Ordering::Release);
        result
    }

    fn tell_admitted(&self, charge: &Charge<'_>) {
        let limits = charge.targets().count() as u64;
        self.totals.admit(u64::from(charge.cost()) * limits);
        let tokens = charge.cost();
        self.observe(&Event::FallbackAdmitted { tokens });
    }

    fn tell(&self, changed: Option<BreakerState>) {
        if let Some(state) = changed {
            self.observe(&Event::BreakerChanged { state });
        }
    }

    fn observe(&self, event: &Event<'_>) {
        if let Some(observer) = &self.observer {
            observer.observe(event);
        }
    }
}

impl Store for FallbackStore {
    fn charge<'a>(&'a self, charge: &'a Charge<'a>) -> ChargeFuture<'a> {
        self.weights.note(charge.now());
        match self.breaker.try_acquire(since_origin(charge)) {
            Ok(permit) => self.ask(charge, permit),
            Err(_) => ChargeFuture::ready(
                self.in_place_of_primary(charge, || StoreError::Unavailable(Box::new(NotAsked))),
            ),
        }
    }
}

impl fmt::Debug for FallbackStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FallbackStore")
            .field("primary", &self.primary)
            .field("breaker", &self.breaker)
            .finish_non_exhaustive()
    }
}

fn since_origin(charge: &Charge<'_>) -> Duration {
    Duration::from_micros(charge.now().as_micros())
}

#[cfg(test)]
mod tests;
