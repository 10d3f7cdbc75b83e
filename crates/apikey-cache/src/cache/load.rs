//! Asks the store, once for all that wait for the same kid.

use std::{sync::Arc, time::Duration};

use futures_util::{
    FutureExt,
    future::{BoxFuture, Shared as SharedFuture, WeakShared},
};
use tokio::time::timeout;

use super::{
    Shared,
    entry::{Entry, Freshness, Loaded, NegativeEntry},
    fenced::{Detached, Found},
    follow::random_share,
    grace::Reachable,
    refresh::RefreshDue,
};
use crate::{
    feed::{ChangeKind, Invalidation},
    fence::Ticket,
    kid::Kid,
    observer::{DenialReason, Event, StoreTask},
    pepper::PepperVersion,
    store::{KeyRecord, RecordState, RecordVersion, StoreError},
    verifier::RowFault,
};

/// How often a load is begun when invalidations come between.
const ATTEMPTS: usize = 4;
/// How long a kid without a good record is remembered, at least; up to twice as much is added at
/// random.
const NEGATIVE_TTL: Duration = Duration::from_secs(5);

/// A load that all requests for a kid wait for.
pub(super) type Flight = SharedFuture<BoxFuture<'static, Result<Loaded, LoadFailed>>>;
type WeakFlight = WeakShared<BoxFuture<'static, Result<Loaded, LoadFailed>>>;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FlightId(pub(super) u64);

/// A load in flight, which lives as long as somebody waits for it.
pub(super) struct Launched {
    pub(super) id: FlightId,
    pub(super) flight: WeakFlight,
}

/// Why a load brought nothing back.
#[derive(Clone, Copy, Debug)]
pub(super) enum LoadFailed {
    /// The store could not be asked.
    StoreFailed,
    /// Each answer of the store was overtaken by an invalidation.
    Overtaken,
}

/// What is done with what a load brings back.
#[derive(Clone, Copy, Debug)]
enum Outcome {
    Kept,
    HandedOver,
}

impl Shared {
    /// The outcome of one load for all that miss at the same time.
    pub(super) async fn load_missed(self: &Arc<Self>, kid: &Kid) -> Result<Loaded, LoadFailed> {
        let now = self.clock.monotonic();
        match self
            .fenced
            .find_or_join(kid, now, |id| self.launch(kid, id))
        {
            Found::Remembered(loaded) => Ok(loaded),
            Found::InFlight(flight) => flight.await,
        }
    }

    /// The outcome of one load for all that ask at the same time, whatever is remembered.
    pub(super) async fn load_again(self: &Arc<Self>, kid: &Kid) -> Result<Loaded, LoadFailed> {
        self.fenced.join(kid, |id| self.launch(kid, id)).await
    }

    fn launch(self: &Arc<Self>, kid: &Kid, id: FlightId) -> Flight {
        let guard = FlightGuard {
            shared: Arc::clone(self),
            kid: *kid,
            id,
        };
        let flight = async move { guard.shared.load(&guard.kid, Outcome::Kept).await };
        flight.boxed().shared()
    }

    /// The outcome of a load that began after this call, and is not kept.
    pub(super) async fn load_directly(&self, kid: &Kid) -> Result<Loaded, LoadFailed> {
        self.load(kid, Outcome::HandedOver).await
    }

    async fn load(&self, kid: &Kid, outcome: Outcome) -> Result<Loaded, LoadFailed> {
        for _ in 0..ATTEMPTS {
            let began = self.clock.monotonic();
            let ticket = self.fenced.begin(kid);
            let loaded = self.read(kid, ticket, began).await?;
            let now = self.clock.monotonic();
            let admitted = match outcome {
                Outcome::Kept => self.fenced.keep(kid, ticket, &loaded, now),
                Outcome::HandedOver => self.fenced.admit(kid, ticket, &loaded, now),
            };
            match admitted {
                Ok(()) => return Ok(loaded),
                Err(discard) => self.emit(&Event::LoadDiscarded(discard)),
            }
        }
        Err(LoadFailed::Overtaken)
    }

    async fn read(&self, kid: &Kid, ticket: Ticket, began: Duration) -> Result<Loaded, LoadFailed> {
        let answer = timeout(self.store_timeout, async {
            // The semaphore is never closed.
            let _permit = self.store_permits.acquire().await;
            self.store.load(kid).await
        });
        let record = match answer.await {
            Ok(Ok(record)) => Ok(record),
            Ok(Err(StoreError::Unreadable { .. })) => Err(RowFault::Unreadable),
            Ok(Err(_)) | Err(_) => {
                self.emit(&Event::StoreFailed(StoreTask::Load));
                self.note_store(Reachable::No);
                return Err(LoadFailed::StoreFailed);
            }
        };
        self.note_store(Reachable::Yes);
        let took = self.clock.monotonic().saturating_sub(began);
        self.emit(&Event::Loaded { took });
        Ok(self.classify(kid, record, ticket, began, took))
    }

    fn classify(
        &self,
        kid: &Kid,
        record: Result<Option<KeyRecord>, RowFault>,
        ticket: Ticket,
        began: Duration,
        took: Duration,
    ) -> Loaded {
        let negative = |reason, version| {
            // So that kids that were refused together are not asked for together again.
            let ttl = NEGATIVE_TTL + random_share(NEGATIVE_TTL * 2, self.entropy.as_ref());
            let until = began + ttl;
            let freshness = Freshness {
                epoch: ticket.epoch,
                until,
            };
            Loaded::Negative(NegativeEntry {
                reason,
                version,
                freshness,
            })
        };
        let rejected = |fault| {
            self.emit(&Event::RowRejected { kid: *kid, fault });
            // What denies everybody is never too old.
            negative(DenialReason::RowRejected, RecordVersion::new(u64::MAX))
        };
        let record = match record {
            Ok(Some(record)) => record,
            Ok(None) => return negative(DenialReason::Unknown, RecordVersion::ABSENT),
            Err(fault) => return rejected(fault),
        };
        let RecordState::Active(verifier) = record.state else {
            return negative(DenialReason::Revoked, record.version);
        };
        match verifier.authenticate(&record, &self.hashing.load().peppers) {
            Err(fault) => rejected(fault),
            Ok(secret) => {
                let freshness = Freshness {
                    epoch: ticket.epoch,
                    until: began + self.ttl,
                };
                let refresh = self.draw_refresh(verifier.pepper, freshness.until, took);
                let entry = Entry::new(record, verifier.pepper, secret, freshness, refresh);
                Loaded::Key(Arc::new(entry))
            }
        }
    }

    fn draw_refresh(&self, pepper: PepperVersion, until: Duration, took: Duration) -> RefreshDue {
        if pepper == self.hashing.load().peppers.primary().version {
            RefreshDue::draw(self.entropy.as_ref(), until, took, self.ttl)
        } else {
            // The next load is to be one by a request, whose secret is hashed again.
            RefreshDue::never()
        }
    }

    /// Something has happened: what was read before is used only if it is still so.
    pub(super) fn apply(&self, kind: &ChangeKind) {
        match kind {
            ChangeKind::Record { kid, version } => self.invalidate(kid, *version),
            ChangeKind::Invalidation(Invalidation::Key(kid)) => {
                let detached = self.fenced.forget(kid);
                self.tell_detached(usize::from(detached == Detached::Yes));
            }
            ChangeKind::Invalidation(Invalidation::Tenant(tenant)) => {
                self.tell_detached(self.fenced.forget_tenant(tenant));
            }
            ChangeKind::Invalidation(Invalidation::All) => self.fenced.invalidate_all(),
        }
    }

    /// The record has this version by now.
    pub(super) fn invalidate(&self, kid: &Kid, version: RecordVersion) {
        let detached = self.fenced.invalidate(kid, version, self.clock.monotonic());
        self.tell_detached(usize::from(detached == Detached::Yes));
    }

    fn tell_detached(&self, loads: usize) {
        for _ in 0..loads {
            self.emit(&Event::Detached);
        }
    }
}

/// Ends a flight for those that come later, even if nobody waited for its end.
struct FlightGuard {
    shared: Arc<Shared>,
    kid: Kid,
    id: FlightId,
}

impl Drop for FlightGuard {
    fn drop(&mut self) {
        self.shared.fenced.finish(&self.kid, self.id);
    }
}
