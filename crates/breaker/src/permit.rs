//! Leave to make one call.

use std::{
    fmt,
    sync::{Mutex, atomic::AtomicU64},
    time::Duration,
};

use crate::{
    breaker::Shared,
    circuit::{BreakerState, Circuit, Ticket},
    lock::{Atomic, Lock},
};

/// Leave to make one call, and the duty to say how it ended.
///
/// Dropped unreported, as when the future of the call is dropped, it counts neither way; if it was the
/// probe, another call becomes that. How a call ended that began before a change of state does not count
/// after it.
#[must_use = "dropped, it counts neither as a success nor as a failure"]
pub struct Permit<'a> {
    held: Held<'a, Mutex<Circuit>, AtomicU64>,
}

/// The same over any lock.
pub(crate) struct Held<'a, L: Lock<Circuit>, A: Atomic> {
    shared: &'a Shared<L, A>,
    ticket: Ticket,
    is_reported: bool,
}

impl<'a> Permit<'a> {
    pub(crate) const fn new(held: Held<'a, Mutex<Circuit>, AtomicU64>) -> Self {
        Self { held }
    }

    /// Whether the call is the probe of a half-open breaker.
    #[must_use]
    pub const fn is_probe(&self) -> bool {
        self.held.ticket.is_probe
    }

    /// The state that letting this call through has led to: half-open for the first probe after an open
    /// time, `None` for every other call.
    #[must_use]
    pub const fn changed(&self) -> Option<BreakerState> {
        self.held.ticket.changed
    }

    /// The call has succeeded at `now`. Answers with the state that this has led to, if to another: each
    /// change is told to one caller.
    #[inline]
    pub fn succeeded(self, now: Duration) -> Option<BreakerState> {
        self.held.report(false, now)
    }

    /// The call has failed at `now`. Answers as [`succeeded`](Self::succeeded) does.
    #[inline]
    pub fn failed(self, now: Duration) -> Option<BreakerState> {
        self.held.report(true, now)
    }
}

impl<'a, L: Lock<Circuit>, A: Atomic> Held<'a, L, A> {
    #[inline]
    pub(crate) const fn new(shared: &'a Shared<L, A>, ticket: Ticket) -> Self {
        Self {
            shared,
            ticket,
            is_reported: false,
        }
    }

    #[inline]
    pub(crate) fn report(mut self, is_failure: bool, now: Duration) -> Option<BreakerState> {
        self.is_reported = true;
        let ticket = self.ticket;
        self.shared
            .step(|circuit| circuit.report(&ticket, is_failure, now))
    }
}

impl<L: Lock<Circuit>, A: Atomic> Drop for Held<'_, L, A> {
    fn drop(&mut self) {
        if self.ticket.is_probe && !self.is_reported {
            let ticket = self.ticket;
            self.shared.step(|circuit| circuit.give_back(&ticket));
        }
    }
}

impl fmt::Debug for Permit<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Permit")
            .field("is_probe", &self.is_probe())
            .finish_non_exhaustive()
    }
}
