//! The breaker that threads share.

use std::{
    fmt,
    sync::{Mutex, atomic::AtomicU64},
    time::Duration,
};

use crate::{
    circuit::{BreakerState, Circuit, NotPermitted, Ticket},
    lock::{Atomic, Lock},
    permit::{Held, Permit},
    settings::BreakerSettings,
};

/// A circuit breaker, for all threads that call one dependency.
///
/// It has no clock: each `now` is the time since any one origin, by a clock that does not step back.
pub struct Breaker {
    shared: Shared<Mutex<Circuit>, AtomicU64>,
}

/// What a [`Breaker`] does at present.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BreakerStatus {
    /// Whether calls are let through.
    pub state: BreakerState,
    /// When it was last closed; `None` while it is.
    pub open_since: Option<Duration>,
    /// When it lets a probe through; `None` unless it is open.
    pub open_until: Option<Duration>,
}

/// The state machine behind a lock, and what is read of it without.
pub(crate) struct Shared<L, A> {
    circuit: L,
    /// The generation of the circuit, doubled, with the lowest bit set while it is closed. Written under
    /// the lock.
    closed_generation: A,
}

impl Breaker {
    /// A closed breaker. `seed` decides by how much each open time is shortened: take a random one, so
    /// that processes do not all probe at once.
    #[must_use]
    pub fn new(settings: BreakerSettings, seed: u64) -> Self {
        Self {
            shared: Shared::new(Circuit::new(settings, seed)),
        }
    }

    /// Lets a call through, which then reports how it ended by the permit.
    ///
    /// # Errors
    /// The breaker is open, or half open with another call as the probe.
    #[inline]
    pub fn try_acquire(&self, now: Duration) -> Result<Permit<'_>, NotPermitted> {
        self.shared.try_acquire(now).map(Permit::new)
    }

    /// What it does at present. An open breaker is open until a call is let through as the probe.
    #[must_use]
    pub fn status(&self) -> BreakerStatus {
        self.shared.circuit.with(|circuit| BreakerStatus {
            state: circuit.state(),
            open_since: circuit.open_since(),
            open_until: circuit.open_until(),
        })
    }
}

impl<L: Lock<Circuit>, A: Atomic> Shared<L, A> {
    pub(crate) fn new(circuit: Circuit) -> Self {
        Self {
            closed_generation: A::new(closed_generation(&circuit)),
            circuit: L::new(circuit),
        }
    }

    /// While it is closed, one number is read and no lock is taken.
    #[inline]
    pub(crate) fn try_acquire(&self, now: Duration) -> Result<Held<'_, L, A>, NotPermitted> {
        let generation = self.closed_generation.load();
        let ticket = if generation & 1 == 1 {
            Ticket {
                generation: generation >> 1,
                is_probe: false,
                changed: None,
            }
        } else {
            self.step(|circuit| circuit.acquire(now))?
        };
        Ok(Held::new(self, ticket))
    }

    #[inline]
    pub(crate) fn step<R>(&self, step: impl FnOnce(&mut Circuit) -> R) -> R {
        self.circuit.with(|circuit| {
            let before = circuit.generation();
            let result = step(circuit);
            if circuit.generation() != before {
                self.closed_generation.store(closed_generation(circuit));
            }
            result
        })
    }
}

fn closed_generation(circuit: &Circuit) -> u64 {
    circuit.generation() << 1 | u64::from(circuit.state() == BreakerState::Closed)
}

impl fmt::Debug for Breaker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let status = self.status();
        f.debug_struct("Breaker")
            .field("state", &status.state)
            .field("open_since", &status.open_since)
            .field("open_until", &status.open_until)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
