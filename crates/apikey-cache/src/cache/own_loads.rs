//! Loads that begin after the requests that they are for.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use futures_util::{FutureExt as _, future::select_all};

use super::{
    Shared,
    entry::Loaded,
    load::{Flight, FlightId, Launched, LoadFailed},
};
use crate::kid::Kid;

/// Loads of one kid under way at most. With two, a request need not wait for a load that hangs.
const AT_ONCE: usize = 2;

/// Of each kid the loads under way, and one that waits for the end of any of them.
///
/// A request takes part in a load that has not begun, never in one that has: what it is answered was read after it
/// came, as if it had asked for itself. So the requests of one key, however many, ask the store twice at once.
#[derive(Default)]
pub(super) struct OwnLoads {
    kids: Mutex<HashMap<Kid, Lane>>,
    flights: AtomicU64,
}

#[derive(Default)]
struct Lane {
    begun: Vec<Launched>,
    /// It has not read anything yet.
    next: Option<Launched>,
}

impl OwnLoads {
    /// The load that has not begun, or a new one, which is to wait for one of those under way if they are as
    /// many as may be.
    fn join(&self, kid: &Kid, launch: impl FnOnce(FlightId, Vec<Flight>) -> Flight) -> Flight {
        let mut kids = self.kids.lock().unwrap_or_else(PoisonError::into_inner);
        let lane = kids.entry(*kid).or_default();
        let flight_of = |launched: &Launched| launched.flight.upgrade();
        if let Some(next) = lane.next.as_ref().and_then(flight_of) {
            return next;
        }
        let id = FlightId(self.flights.fetch_add(1, Ordering::Relaxed));
        // None is held that is not given away: what ends with the last handle takes the lock.
        let before = if lane.begun.len() < AT_ONCE {
            Vec::new()
        } else {
            lane.begun.iter().filter_map(flight_of).collect()
        };
        let flight = launch(id, before);
        lane.next = flight.downgrade().map(|flight| Launched { id, flight });
        flight
    }

    /// It reads the store from now on: nobody joins it any more.
    fn begin(&self, kid: &Kid, id: FlightId) {
        let mut kids = self.kids.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(lane) = kids.get_mut(kid) {
            lane.begun.extend(lane.next.take_if(|next| next.id == id));
        }
    }

    /// It has ended, or nobody waits for it any more.
    fn finish(&self, kid: &Kid, id: FlightId) {
        let mut kids = self.kids.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(lane) = kids.get_mut(kid) else {
            return;
        };
        lane.begun.retain(|begun| begun.id != id);
        lane.next.take_if(|next| next.id == id);
        if lane.begun.is_empty() && lane.next.is_none() {
            kids.remove(kid);
        }
    }
}

impl Shared {
    /// The outcome of a load that begins after this call.
    pub(super) async fn load_own(self: &Arc<Self>, kid: &Kid) -> Result<Loaded, LoadFailed> {
        let flight = self.own_loads.join(kid, |id, before| {
            let guard = FinishGuard {
                shared: Arc::clone(self),
                kid: *kid,
                id,
            };
            let flight = async move {
                let FinishGuard { shared, kid, id } = &guard;
                if before.len() >= AT_ONCE {
                    // What it brings is too old.
                    drop(select_all(before).await);
                }
                shared.own_loads.begin(kid, *id);
                shared.load_directly(kid).await
            };
            flight.boxed().shared()
        });
        flight.await
    }
}

struct FinishGuard {
    shared: Arc<Shared>,
    kid: Kid,
    id: FlightId,
}

impl Drop for FinishGuard {
    fn drop(&mut self) {
        self.shared.own_loads.finish(&self.kid, self.id);
    }
}
