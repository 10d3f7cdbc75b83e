//! Whether a connection waits for a request, and since when.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::{sync::Notify, time::Instant};

/// What the accept loop and a connection know of each other.
#[derive(Debug, Clone)]
pub(super) struct Idle(Arc<State>);

#[derive(Debug)]
struct State {
    since: Mutex<Option<Instant>>,
    unserved: Mutex<Unserved>,
    closing: Notify,
}

/// Whether a request has come in whole and is not answered yet.
#[derive(Debug)]
struct Unserved {
    since: Instant,
    is_served: bool,
    /// What was answered waits for the peer to read it.
    is_unread: bool,
}

/// A request that is being answered, until this is dropped.
#[derive(Debug)]
#[must_use = "the request is answered when this is dropped"]
pub(super) struct Serving(Idle);

impl Idle {
    /// A connection that is new, and idle from now on.
    pub(super) fn new() -> Self {
        Self(Arc::new(State {
            since: Mutex::new(Some(now())),
            unserved: Mutex::new(Unserved {
                since: now(),
                is_served: false,
                is_unread: false,
            }),
            closing: Notify::new(),
        }))
    }

    /// Since when the connection has waited for a request; none while one comes in or is answered.
    pub(super) fn since(&self) -> Option<Instant> {
        *self.lock()
    }

    /// Since when the connection has no request that came in whole, and nothing to send: it may be
    /// ended for another one's sake, also in the middle of a head.
    pub(super) fn unserved_since(&self) -> Option<Instant> {
        let unserved = self.unserved();
        (!unserved.is_served && !unserved.is_unread).then_some(unserved.since)
    }

    /// Notes that a request has come in whole but for its body.
    pub(super) fn serve(&self) -> Serving {
        self.unserved().is_served = true;
        Serving(self.clone())
    }

    /// Notes whether the peer has yet to read what is sent to it.
    pub(super) fn wait_for_reader(&self, is_unread: bool) {
        self.unserved().is_unread = is_unread;
    }

    /// Ends the connection: at once if it is idle, and else when the request in flight is answered.
    pub(super) fn close(&self) {
        self.0.closing.notify_one();
    }

    /// Waits until the connection is to end.
    pub(super) async fn closing(&self) {
        self.0.closing.notified().await;
    }

    /// Notes that the first byte of a request is there.
    pub(super) fn end(&self) {
        *self.lock() = None;
    }

    /// Notes that there is no request. Idle time that has begun goes on.
    pub(super) fn begin(&self) -> Instant {
        *self.lock().get_or_insert_with(now)
    }

    fn unserved(&self) -> MutexGuard<'_, Unserved> {
        let unserved = self.0.unserved.lock();
        unserved.unwrap_or_else(PoisonError::into_inner)
    }

    fn lock(&self) -> MutexGuard<'_, Option<Instant>> {
        let since = self.0.since.lock();
        since.unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let mut unserved = self.0.unserved();
        unserved.is_served = false;
        unserved.since = now();
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the clock of the runtime's timers, which tests can pause"
)]
pub(super) fn now() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn idle_time_begins_once_and_ends_with_a_request() {
        let idle = Idle::new();
        let opened = idle.since();
        tokio::time::advance(Duration::from_secs(5)).await;
        assert_eq!(Some(idle.begin()), opened);
        idle.end();
        assert_eq!(idle.since(), None);
        assert_eq!(idle.begin(), now());
        // Told before anybody listens.
        idle.close();
        idle.closing().await;
    }
}
