//! Keeps what was read before a revocation from being used after it.
//!
//! A load notes where the fence stands ([`Stripe::begin`]), reads the store, and may keep what it
//! read only if the fence still stands there ([`Stripe::admit`]). An invalidation moves the fence.
//! The three parts of the decision answer three ways to go wrong, each of which the model in the
//! tests shows to be real: see `fence/model.rs`.

mod least_versions;

use std::{collections::BTreeMap, time::Duration};

use self::least_versions::LeastVersions;
use crate::{kid::Kid, observer::Discard, store::RecordVersion};

/// Counts the invalidations of everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Epoch(pub(crate) u64);

/// The fence for a share of the kids, and the loads in flight for them.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Stripe<F> {
    generation: u64,
    least_versions: LeastVersions,
    flights: BTreeMap<Kid, (Epoch, F)>,
}

/// Where the fence stood when a load began.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Ticket {
    generation: u64,
    pub(crate) epoch: Epoch,
}

/// What a change of a record means for this stripe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effect<F> {
    /// Nothing: all that was kept since is of that version or later.
    AlreadyApplied,
    /// What was kept is out of date, and so is the load in flight, which later requests must not
    /// join.
    New { detached: Option<F> },
}

impl<F> Default for Stripe<F> {
    fn default() -> Self {
        Self {
            generation: 0,
            least_versions: LeastVersions::default(),
            flights: BTreeMap::new(),
        }
    }
}

impl<F> Stripe<F> {
    /// To be called before the store is read.
    pub(crate) fn begin(&self, epoch: Epoch) -> Ticket {
        Ticket {
            generation: self.generation,
            epoch,
        }
    }

    /// Whether a record that was read since `ticket` may be used; a missing record has the version
    /// [`RecordVersion::ABSENT`].
    pub(crate) fn admit(
        &self,
        kid: &Kid,
        version: RecordVersion,
        ticket: Ticket,
        epoch: Epoch,
        now: Duration,
    ) -> Result<(), Discard> {
        if ticket.epoch != epoch {
            Err(Discard::Epoch)
        } else if ticket.generation != self.generation {
            Err(Discard::Generation)
        } else if self
            .least_versions
            .of(kid, now)
            .is_some_and(|min| version < min)
        {
            Err(Discard::Version)
        } else {
            Ok(())
        }
    }

    /// The record has this version by now.
    pub(crate) fn invalidate(
        &mut self,
        kid: Kid,
        version: RecordVersion,
        now: Duration,
        forget_at: Duration,
    ) -> Effect<F> {
        // A change that this process made comes back to it in the feed.
        if self
            .least_versions
            .of(&kid, now)
            .is_some_and(|min| version <= min)
        {
            return Effect::AlreadyApplied;
        }
        self.least_versions.insert(kid, version, now, forget_at);
        self.generation += 1;
        let detached = self.flights.remove(&kid).map(|(_, flight)| flight);
        Effect::New { detached }
    }

    /// What was read of this kid before now is to be read again, though nothing is known of its version.
    /// Gives the load in flight, which later requests must not join.
    pub(crate) fn cut_off(&mut self, kid: &Kid) -> Option<F> {
        self.generation += 1;
        self.flights.remove(kid).map(|(_, flight)| flight)
    }

    /// The same for every kid of this stripe. Gives how many loads were in flight.
    pub(crate) fn cut_off_all(&mut self) -> usize {
        self.generation += 1;
        let flights = self.flights.len();
        self.flights.clear();
        flights
    }

    /// The store is not the one it was: what was known of its versions holds no more.
    pub(crate) fn forget_versions(&mut self) {
        self.least_versions.clear();
    }

    /// The load in flight that a request may join: none from before everything was invalidated.
    pub(crate) fn flight(&self, kid: &Kid, epoch: Epoch) -> Option<&F> {
        self.flights
            .get(kid)
            .filter(|(launched, _)| *launched == epoch)
            .map(|(_, flight)| flight)
    }

    /// Lets later requests join this load.
    pub(crate) fn launch(&mut self, kid: Kid, epoch: Epoch, flight: F) {
        self.flights.insert(kid, (epoch, flight));
    }

    /// Lets no later request join this load; another one for the same kid stays.
    pub(crate) fn finish(&mut self, kid: &Kid, is_this: impl FnOnce(&F) -> bool) {
        if self
            .flights
            .get(kid)
            .is_some_and(|(_, flight)| is_this(flight))
        {
            self.flights.remove(kid);
        }
    }
}

#[cfg(test)]
mod model;
#[cfg(test)]
mod tests;
