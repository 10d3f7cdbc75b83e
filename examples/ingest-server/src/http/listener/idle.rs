//! Whether a connection waits for a request, and since when.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::{sync::Notify, time::Instant};

/// What the accept loop and a connection know of each other.
#[derive(Debug, Clone)]
pub(super) struct Idle(Arc<State>);

#[derive(Debug)]
struct State {
    since: Mutex<Option<Instant>>,
    closing: Notify,
}

impl Idle {
    /// A connection that is new, and idle from now on.
    pub(super) fn new() -> Self {
        Self(Arc::new(State {
            since: Mutex::new(Some(now())),
            closing: Notify::new(),
        }))
    }

    /// Since when the connection has waited for a request; none while one comes in or is answered.
    pub(super) fn since(&self) -> Option<Instant> {
        *self.lock()
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

    fn lock(&self) -> MutexGuard<'_, Option<Instant>> {
        let since = self.0.since.lock();
        since.unwrap_or_else(PoisonError::into_inner)
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
