//! The keys that are watched, behind one lock.

use std::{num::NonZeroUsize, sync::Arc, time::Duration};

use super::{
    demand::Demand,
    flight::Flight,
    hot::{Hot, Lease},
    stats::{Counters, count},
    terms::{self, Refund},
};
use crate::{
    clock::Timestamp,
    store::{Charge, ChargeOutcome, Source, entries::Entries, fingerprint::Fingerprint},
};

/// Some of the keys, behind one lock.
pub(super) struct Shard {
    keys: Entries<Watched>,
    latest: Timestamp,
}

/// A key that was asked for.
struct Watched {
    demand: Demand,
    /// Once it is asked for often.
    hot: Option<Box<Hot>>,
}

/// What to do about a charge.
pub(super) enum Step {
    /// Ask the store, and learn nothing of it.
    Straight,
    /// A lease has paid for it.
    Spent(ChargeOutcome),
    /// Ask the store for it alone, with what is given back.
    Exact(Option<Refund>),
    /// Ask the store for more than it costs.
    Fetch { extra: u32, flight: Arc<Flight> },
    /// Wait for a lease that another charge asks for.
    Wait(Arc<Flight>),
}

/// Whether a charge may wait for a lease.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Attempt {
    First,
    AfterWaiting,
}

impl Shard {
    pub(super) fn new(capacity: NonZeroUsize) -> Self {
        Self {
            keys: Entries::new(capacity),
            latest: Timestamp::default(),
        }
    }

    /// The latest time of a charge.
    pub(super) const fn latest(&self) -> Timestamp {
        self.latest
    }

    /// What the leases have left.
    pub(super) fn leases(&self) -> impl Iterator<Item = Lease> {
        let hot = self
            .keys
            .values()
            .filter_map(|watched| watched.hot.as_ref());
        hot.filter_map(|hot| hot.lease.filter(|lease| lease.left > 0))
    }

    pub(super) fn hot(&mut self, key: Fingerprint) -> Option<&mut Hot> {
        self.keys.find_mut(key)?.hot.as_deref_mut()
    }

    /// What to do about `charge`; `take_off` makes the flight of a question for so many tokens more,
    /// with that given back.
    pub(super) fn step(
        &mut self,
        key: Fingerprint,
        charge: &Charge<'_>,
        attempt: Attempt,
        lifetime: Duration,
        counters: &Counters,
        take_off: impl FnOnce(u32, Option<Refund>) -> Arc<Flight>,
    ) -> Step {
        self.latest = self.latest.max(charge.now());
        let Some(watched) = self.watched(key, charge.now(), lifetime, counters) else {
            return Step::Straight;
        };
        if attempt == Attempt::First {
            watched
                .demand
                .count(charge.cost(), charge.now(), lifetime / 2);
        }
        let (is_hot, demand) = (watched.demand.is_hot(), watched.demand.tokens());
        if watched.hot.is_none() && !is_hot {
            return Step::Straight;
        }
        let hot = watched.hot.get_or_insert_default();
        let now = hot.time(charge.now(), lifetime);
        let is_plain = terms::is_plain(charge);
        let lease = hot.valid_lease(now, lifetime, counters);
        if is_plain {
            if let Some(outcome) = hot.spend(charge, now) {
                count(&counters.local, 1);
                count(&counters.spent, u64::from(charge.cost()));
                return Step::Spent(outcome);
            }
            if attempt == Attempt::First
                && let Some(flight) = &hot.flight
            {
                return Step::Wait(Arc::clone(flight));
            }
        }
        hot.lease = None;
        let refund = lease.and_then(|lease| terms::refund(charge, lease, now, lifetime));
        let (left, returned) = (
            lease.map_or(0, |lease| u64::from(lease.left)),
            refund.map_or(0, |refund| u64::from(refund.tokens)),
        );
        count(&counters.returned, returned);
        count(&counters.expired, left - returned);
        let may_fetch = is_plain && is_hot && hot.flight.is_none() && attempt == Attempt::First;
        let extra = match &hot.told {
            Some(told) if may_fetch => terms::extra(charge, told, demand, now, lifetime),
            _ => 0,
        };
        if extra > 0 {
            let flight = take_off(extra, refund);
            hot.flight = Some(Arc::clone(&flight));
            return Step::Fetch { extra, flight };
        }
        if !is_hot && hot.flight.is_none() {
            watched.hot = None;
        }
        Step::Exact(refund)
    }

    fn watched(
        &mut self,
        key: Fingerprint,
        now: Timestamp,
        lifetime: Duration,
        counters: &Counters,
    ) -> Option<&mut Watched> {
        if self.keys.find(key).is_none() {
            let watched = Watched {
                demand: Demand::new(now),
                hot: None,
            };
            let replaced = self
                .keys
                .put(key, watched, |held| held.need(now, lifetime))
                .ok()?;
            let hot = replaced.and_then(|watched| watched.hot);
            let lost = hot.and_then(|hot| hot.lease).map_or(0, |lease| lease.left);
            count(&counters.expired, u64::from(lost));
        }
        self.keys.find_mut(key)
    }
}

impl Watched {
    /// Nothing takes the place of a lease.
    fn need(&self, now: Timestamp, lifetime: Duration) -> Option<Timestamp> {
        let is_bound = self
            .hot
            .as_ref()
            .is_some_and(|hot| hot.flight.is_some() || hot.holds_lease(now, lifetime));
        (!is_bound).then_some(self.demand.since())
    }
}

impl Hot {
    /// The lease, if it can be spent; it ends if it cannot.
    fn valid_lease(
        &mut self,
        now: Timestamp,
        lifetime: Duration,
        counters: &Counters,
    ) -> Option<Lease> {
        let lease = self.lease?;
        if lease.is_valid(now, lifetime) {
            return Some(lease);
        }
        count(&counters.expired, u64::from(lease.left));
        self.lease = None;
        None
    }

    /// Pays for `charge` out of the lease, if it suffices.
    fn spend(&mut self, charge: &Charge<'_>, now: Timestamp) -> Option<ChargeOutcome> {
        let (lease, told) = (self.lease.as_mut()?, self.told.as_ref()?);
        lease.left = lease.left.checked_sub(charge.cost())?;
        Some(told.admitted(charge, lease.left, now, Source::Lease))
    }
}
