//! Asking the store: for one charge, or for a lease that pays for the next ones too.

use std::sync::Arc;

use super::{
    Key, LeaseStore, Shared,
    flight::{Flight, Landed, Passenger},
    hot::{Lease, Told},
    locked,
    shard::{Attempt, Step},
    stats::count,
    terms::{self, Refund},
};
use crate::store::{
    Answer, Charge, ChargeFuture, ChargeOutcome, Corrections, Source, StoreError,
    charge::OwnedCharge,
};

/// Another request asked for a lease, and was not answered.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the request that asked the store for tokens for several others was not answered")]
struct LeaseNotFetched;

/// What the store gave of what it was asked for.
enum Granted {
    All,
    /// An enforced limit had no room, so nothing was taken.
    Nothing,
    /// A shadow limit had no room, and the others were charged.
    AllButShadow,
}

/// The charge that asks for a lease.
pub(super) struct Asking {
    pub(super) extra: u32,
    pub(super) passenger: Passenger,
}

/// Ends a flight in the entry of its key, however it ends.
struct FlightGuard {
    shared: Arc<Shared>,
    key: Key,
    is_answered: bool,
}

impl LeaseStore {
    /// What to do about `charge`.
    pub(super) fn step(&self, key: Key, charge: &Charge<'_>, attempt: Attempt) -> Step {
        let shared = &self.shared;
        let take_off = |extra, refund| Shared::take_off(shared, key, charge, extra, refund);
        let mut shard = locked(shared.shard(key));
        let (lifetime, counters) = (shared.lifetime, &shared.counters);
        shard.step(
            key.fingerprint,
            charge,
            attempt,
            lifetime,
            counters,
            take_off,
        )
    }

    /// Asks for `charge` alone, giving back what is left of a lease.
    pub(super) fn ask_exactly<'a>(
        &'a self,
        key: Key,
        charge: &'a Charge<'a>,
        refund: Option<Refund>,
    ) -> ChargeFuture<'a> {
        if let Some(refund) = refund {
            let corrected = self.ask_corrected(key, charge, refund.corrections);
            return ChargeFuture::boxed(corrected);
        }
        match self.shared.inner.charge(charge) {
            ChargeFuture::Decided(outcome) => self.shared.learn(key, charge, outcome).into(),
            ChargeFuture::Boxed(undecided) => ChargeFuture::boxed(async move {
                let outcome = undecided.await?;
                Ok(self.shared.learn(key, charge, outcome))
            }),
        }
    }

    async fn ask_corrected(
        &self,
        key: Key,
        charge: &Charge<'_>,
        corrections: Corrections,
    ) -> Result<ChargeOutcome, StoreError> {
        let asked = charge.with_corrections(&corrections);
        let outcome = self.shared.inner.charge(&asked).await?;
        Ok(self.shared.learn(key, charge, outcome))
    }

    /// Waits for the lease that it has asked for itself.
    pub(super) async fn fetch(
        &self,
        key: Key,
        charge: &Charge<'_>,
        asking: Asking,
    ) -> Result<ChargeOutcome, StoreError> {
        let Asking { extra, passenger } = asking;
        let outcome = match (&passenger).await {
            Landed::Answered(outcome) => outcome,
            Landed::Failed => return Err(passenger.take_error().unwrap_or_else(not_fetched)),
            Landed::Abandoned => return self.ask_exactly(key, charge, None).await,
        };
        match granted(charge, &outcome) {
            Granted::All => {
                let (sent, source) = (charge.now(), outcome.source());
                let told = Told { outcome, sent };
                Ok(told.admitted(charge, extra, sent, source))
            }
            Granted::Nothing => self.ask_exactly(key, charge, None).await,
            Granted::AllButShadow => {
                let undo = self.undo(charge, &outcome, extra);
                self.ask_corrected(key, charge, undo).await
            }
        }
    }

    /// Waits for the lease that another charge asks for.
    pub(super) async fn wait(
        &self,
        key: Key,
        charge: &Charge<'_>,
        passenger: Passenger,
    ) -> Result<ChargeOutcome, StoreError> {
        count(&self.shared.counters.waited, 1);
        if let Landed::Failed = (&passenger).await {
            // One call has failed, so one of those who wait reports it.
            return Err(passenger.take_error().unwrap_or_else(not_fetched));
        }
        drop(passenger);
        match self.step(key, charge, Attempt::AfterWaiting) {
            Step::Spent(outcome) => Ok(outcome),
            Step::Exact(refund) => self.ask_exactly(key, charge, refund).await,
            Step::Straight | Step::Fetch { .. } | Step::Wait(_) => {
                self.shared.inner.charge(charge).await
            }
        }
    }

    /// Takes back what a charge for a lease took where a shadow limit had no room for all of it, so
    /// that the shadow is asked for the cost alone.
    fn undo(&self, charge: &Charge<'_>, outcome: &ChargeOutcome, extra: u32) -> Corrections {
        let (now, lifetime) = (charge.now(), self.shared.lifetime);
        let lease = Lease {
            left: extra,
            sent: now,
        };
        let refund = terms::refund(charge, lease, now, lifetime);
        let returned = refund.map_or(0, |refund| refund.tokens);
        let counters = &self.shared.counters;
        count(&counters.fetched, u64::from(extra));
        count(&counters.returned, u64::from(returned));
        count(&counters.expired, u64::from(extra - returned));
        let taken = charge.targets().map(|target| target.position());
        let taken = taken.filter(|position| outcome.answer(*position) == Answer::HasRoom);
        taken.fold(Corrections::none(), |undo, position| {
            let back = refund.map_or(0, |refund| refund.corrections.at(position));
            undo.with(position, back - i64::from(charge.cost()))
        })
    }
}

impl Shared {
    /// The flight of a question for `extra` tokens more than `charge` costs.
    fn take_off(
        shared: &Arc<Self>,
        key: Key,
        charge: &Charge<'_>,
        extra: u32,
        refund: Option<Refund>,
    ) -> Arc<Flight> {
        let tokens = charge.cost().saturating_add(extra);
        let charge = OwnedCharge::of(&charge.with_amounts(0, tokens));
        // Made here, so that it also ends a flight that nobody has polled.
        let guard = FlightGuard {
            shared: Arc::clone(shared),
            key,
            is_answered: false,
        };
        Flight::new(async move {
            let charge = charge.as_charge();
            let asked = match &refund {
                Some(refund) => charge.with_corrections(&refund.corrections),
                None => charge,
            };
            let outcome = guard.shared.inner.charge(&asked).await?;
            guard.answered(&charge, outcome, extra);
            Ok(outcome)
        })
    }

    fn learn(&self, key: Key, charge: &Charge<'_>, outcome: ChargeOutcome) -> ChargeOutcome {
        if let Some(hot) = locked(self.shard(key)).hot(key.fingerprint) {
            hot.learn(outcome, charge.now(), self.lifetime);
        }
        outcome
    }
}

impl FlightGuard {
    fn answered(mut self, charge: &Charge<'_>, outcome: ChargeOutcome, extra: u32) {
        self.is_answered = true;
        let shared = &self.shared;
        let mut shard = locked(shared.shard(self.key));
        let Some(hot) = shard.hot(self.key.fingerprint) else {
            return;
        };
        let flight = hot.flight.take();
        let sent = charge.now();
        hot.learn(outcome, sent, shared.lifetime);
        // Tokens of what stands in for the store pay for nothing at the store.
        let is_of_store = outcome.source() != Source::Fallback;
        if is_of_store && matches!(granted(charge, &outcome), Granted::All) {
            hot.lease = Some(Lease { left: extra, sent });
            count(&shared.counters.fetches, 1);
            count(&shared.counters.fetched, u64::from(extra));
        }
        drop(shard);
        drop(flight);
    }
}

impl Drop for FlightGuard {
    /// Nobody knows then what was taken, so the next charge asks for itself alone, and learns it.
    fn drop(&mut self) {
        if self.is_answered {
            return;
        }
        let mut shard = locked(self.shared.shard(self.key));
        let flight = shard.hot(self.key.fingerprint).and_then(|hot| {
            hot.told = None;
            hot.flight.take()
        });
        drop(shard);
        drop(flight);
    }
}

fn granted(charge: &Charge<'_>, outcome: &ChargeOutcome) -> Granted {
    let mut granted = Granted::All;
    for target in charge.targets() {
        if outcome.answer(target.position()) != Answer::HasRoom {
            if target.limit().is_enforced() {
                return Granted::Nothing;
            }
            granted = Granted::AllButShadow;
        }
    }
    granted
}

fn not_fetched() -> StoreError {
    StoreError::NotAsked(Box::new(LeaseNotFetched))
}
