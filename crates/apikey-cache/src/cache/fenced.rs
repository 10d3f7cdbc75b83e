//! The memory of the cache, and the fence before it.

mod parts;

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use quick_cache::sync::Cache;

use self::parts::{Atomic, KidMap, Lock, Parts, Threads};
use super::{
    entry::{Entry, Loaded, NegativeEntry},
    load::{Flight, FlightId, Launched},
};
use crate::{
    fence::{Effect, Epoch, Stripe, Ticket},
    kid::Kid,
    observer::Discard,
    store::RecordVersion,
    tenant::TenantId,
};

/// Locks that share the kids among them.
const STRIPES: usize = 256;
/// Kids without a good record that are remembered at most.
const NEGATIVE_ENTRIES: usize = 10_000;
/// How long the least version of a record is remembered: longer than any load, with its retries, may take. A
/// store that lags, though it must not, is found out by it for as long, where the change is known.
const MIN_VERSION_KEPT: Duration = Duration::from_secs(120);

/// Records and negative entries, which change only in step with the fence.
pub(super) struct Fenced<P: Parts = Threads> {
    keys: P::Keys,
    negative: P::Negative,
    stripes: Box<[P::Stripe]>,
    epoch: P::Epoch,
    flights: AtomicU64,
}

/// Where a request that missed finds the record.
pub(super) enum Found {
    Remembered(Loaded),
    InFlight(Flight),
}

/// Whether an invalidation cut off a load in flight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Detached {
    Yes,
    No,
}

impl Fenced {
    pub(super) fn new(capacity: usize) -> Self {
        let keys = Cache::new(capacity);
        let negative = Cache::new(NEGATIVE_ENTRIES);
        Self::of(keys, negative, AtomicU64::new(0), STRIPES)
    }

    /// Cached records, including those that are not good any more.
    pub(super) fn len(&self) -> u64 {
        self.keys.len() as u64
    }
}

impl<P: Parts> Fenced<P> {
    fn of(keys: P::Keys, negative: P::Negative, epoch: P::Epoch, stripes: usize) -> Self {
        let stripes = (0..stripes).map(|_| Lock::new(Stripe::default()));
        Self {
            keys,
            negative,
            stripes: stripes.collect(),
            epoch,
            flights: AtomicU64::new(0),
        }
    }

    /// The record of a kid, if it is cached and still good.
    pub(super) fn key(&self, kid: &Kid, now: Duration) -> Option<Arc<Entry>> {
        self.keys
            .find(kid)
            .filter(|entry| entry.freshness.holds(self.epoch(), now))
    }

    /// That a kid has no good record, if that is remembered.
    pub(super) fn negative(&self, kid: &Kid, now: Duration) -> Option<NegativeEntry> {
        self.negative
            .find(kid)
            .filter(|entry| entry.freshness.holds(self.epoch(), now))
    }

    fn remembered(&self, kid: &Kid, now: Duration) -> Option<Loaded> {
        let key = self.key(kid, now).map(Loaded::Key);
        key.or_else(|| self.negative(kid, now).map(Loaded::Negative))
    }

    /// To be called before the store is read.
    pub(super) fn begin(&self, kid: &Kid) -> Ticket {
        self.stripe(kid).with(|stripe| stripe.begin(self.epoch()))
    }

    /// Whether what was read since `ticket` may be used.
    pub(super) fn admit(
        &self,
        kid: &Kid,
        ticket: Ticket,
        loaded: &Loaded,
        now: Duration,
    ) -> Result<(), Discard> {
        let stripe = self.stripe(kid);
        stripe.with(|stripe| stripe.admit(kid, loaded.version(), ticket, self.epoch(), now))
    }

    /// Keeps what was read since `ticket`, if it may be used.
    pub(super) fn keep(
        &self,
        kid: &Kid,
        ticket: Ticket,
        loaded: &Loaded,
        now: Duration,
    ) -> Result<(), Discard> {
        // Under one lock with the decision: no invalidation can come between the two.
        self.stripe(kid).with(|stripe| {
            stripe.admit(kid, loaded.version(), ticket, self.epoch(), now)?;
            match loaded {
                Loaded::Key(entry) => {
                    self.negative.take_out(kid);
                    self.keys.put(*kid, Arc::clone(entry));
                }
                // A record that was good when it was read before is not used beside what is known now.
                Loaded::Negative(entry) => {
                    self.keys.take_out(kid);
                    self.negative.put(*kid, *entry);
                }
            }
            Ok(())
        })
    }

    /// The record has this version by now: what was read of an older one is not used any more.
    pub(super) fn invalidate(&self, kid: &Kid, version: RecordVersion, now: Duration) -> Detached {
        let forget_at = now + MIN_VERSION_KEPT;
        self.stripe(kid).with(
            |stripe| match stripe.invalidate(*kid, version, now, forget_at) {
                Effect::AlreadyApplied => Detached::No,
                Effect::New { detached } => {
                    self.remove(kid);
                    detached.into()
                }
            },
        )
    }

    /// What was read of this kid is not used any more, whatever its version.
    pub(super) fn forget(&self, kid: &Kid) -> Detached {
        self.stripe(kid).with(|stripe| {
            let detached = stripe.cut_off(kid);
            self.remove(kid);
            detached.into()
        })
    }

    /// What was read of this tenant's keys is not used any more. Gives how many loads were cut off: it is not
    /// known whose keys they load, nor who has none that is good.
    pub(super) fn forget_tenant(&self, tenant: &TenantId) -> usize {
        // First, so that no load which began before can bring back what is removed then.
        let stripes = self.stripes.iter();
        let detached = stripes.map(|stripe| stripe.with(Stripe::cut_off_all)).sum();
        self.keys.keep_those(|entry| entry.record.tenant != *tenant);
        self.negative.keep_those(|_| false);
        detached
    }

    /// Nothing that was read before now is used any more.
    pub(super) fn invalidate_all(&self) {
        self.epoch.count();
    }

    /// The store is not the one it was: neither what was read of it is used any more, nor what is
    /// known of its versions.
    pub(super) fn reset(&self) {
        for stripe in &self.stripes {
            stripe.with(Stripe::forget_versions);
        }
        self.invalidate_all();
    }

    /// What is remembered of a kid by now, or the load in flight for it, or a new one.
    pub(super) fn find_or_join(
        &self,
        kid: &Kid,
        now: Duration,
        launch: impl FnOnce(FlightId) -> Flight,
    ) -> Found {
        // Under one lock with what keeps a record: a load that has ended since this request missed has left it.
        self.stripe(kid)
            .with(|stripe| match self.remembered(kid, now) {
                Some(loaded) => Found::Remembered(loaded),
                None => Found::InFlight(self.join_in(stripe, kid, launch)),
            })
    }

    /// The load in flight for a kid, or a new one.
    pub(super) fn join(&self, kid: &Kid, launch: impl FnOnce(FlightId) -> Flight) -> Flight {
        self.stripe(kid)
            .with(|stripe| self.join_in(stripe, kid, launch))
    }

    fn join_in(
        &self,
        stripe: &mut Stripe<Launched>,
        kid: &Kid,
        launch: impl FnOnce(FlightId) -> Flight,
    ) -> Flight {
        let epoch = self.epoch();
        let launched = stripe.flight(kid, epoch);
        if let Some(flight) = launched.and_then(|launched| launched.flight.upgrade()) {
            return flight;
        }
        let id = FlightId(self.flights.fetch_add(1, Ordering::Relaxed));
        let flight = launch(id);
        if let Some(weak) = flight.downgrade() {
            stripe.launch(*kid, epoch, Launched { id, flight: weak });
        }
        flight
    }

    /// A load has ended, or nobody waits for it any more.
    pub(super) fn finish(&self, kid: &Kid, id: FlightId) {
        let stripe = self.stripe(kid);
        stripe.with(|stripe| stripe.finish(kid, |launched| launched.id == id));
    }

    fn remove(&self, kid: &Kid) {
        self.keys.take_out(kid);
        self.negative.take_out(kid);
    }

    fn epoch(&self) -> Epoch {
        Epoch(self.epoch.load())
    }

    fn stripe(&self, kid: &Kid) -> &P::Stripe {
        // A kid begins with random characters, and only issued kids get here.
        let number = kid.as_bytes()[..4]
            .iter()
            .fold(0, |n, byte| n * 62 + usize::from(*byte));
        &self.stripes[number % self.stripes.len()]
    }
}

impl<F> From<Option<F>> for Detached {
    fn from(flight: Option<F>) -> Self {
        if flight.is_some() {
            Self::Yes
        } else {
            Self::No
        }
    }
}

#[cfg(test)]
mod tests;
