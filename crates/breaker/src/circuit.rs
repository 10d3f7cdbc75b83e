//! The states of a breaker and what leads from one to the next: pure, for one thread.

use std::{error::Error, fmt, time::Duration};

use crate::{jitter::Jitter, settings::BreakerSettings, window::Window};

/// Whether calls are let through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum BreakerState {
    /// All of them.
    Closed,
    /// None, for too many have failed.
    Open,
    /// One at a time, the probe that tells whether calls succeed again.
    HalfOpen,
}

/// The call is not let through: the breaker is open, or another call is the probe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NotPermitted {
    /// When the breaker lets a probe through; `None` while one is under way.
    pub until: Option<Duration>,
}

/// The state machine. The lock around it makes each of its steps one.
#[derive(Debug)]
pub(crate) struct Circuit {
    settings: BreakerSettings,
    phase: Phase,
    /// Counts the changes of state. What began in an earlier generation does not count.
    generation: u64,
    window: Window,
    /// How long it stays open next.
    open_next: Duration,
    open_since: Option<Duration>,
    jitter: Jitter,
}

#[derive(Clone, Copy, Debug)]
enum Phase {
    Closed,
    Open { until: Duration },
    HalfOpen { is_probed: bool },
}

/// A call that was let through, and in which state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ticket {
    pub(crate) generation: u64,
    pub(crate) is_probe: bool,
    /// The state that letting it through has led to.
    pub(crate) changed: Option<BreakerState>,
}

impl Circuit {
    pub(crate) fn new(settings: BreakerSettings, seed: u64) -> Self {
        Self {
            settings,
            phase: Phase::Closed,
            generation: 0,
            window: Window::new(&settings),
            open_next: settings.open_first,
            open_since: None,
            jitter: Jitter::seeded(seed),
        }
    }

    pub(crate) const fn state(&self) -> BreakerState {
        match self.phase {
            Phase::Closed => BreakerState::Closed,
            Phase::Open { .. } => BreakerState::Open,
            Phase::HalfOpen { .. } => BreakerState::HalfOpen,
        }
    }

    pub(crate) const fn generation(&self) -> u64 {
        self.generation
    }

    pub(crate) const fn open_since(&self) -> Option<Duration> {
        self.open_since
    }

    pub(crate) const fn open_until(&self) -> Option<Duration> {
        match self.phase {
            Phase::Open { until } => Some(until),
            Phase::Closed | Phase::HalfOpen { .. } => None,
        }
    }

    pub(crate) fn acquire(&mut self, now: Duration) -> Result<Ticket, NotPermitted> {
        let probe = |circuit: &Self, changed| Ticket {
            generation: circuit.generation,
            is_probe: true,
            changed,
        };
        match &mut self.phase {
            Phase::Closed => Ok(Ticket {
                generation: self.generation,
                is_probe: false,
                changed: None,
            }),
            Phase::Open { until } if now < *until => Err(NotPermitted {
                until: Some(*until),
            }),
            Phase::Open { .. } => {
                self.change(Phase::HalfOpen { is_probed: true });
                Ok(probe(self, Some(BreakerState::HalfOpen)))
            }
            Phase::HalfOpen { is_probed: true } => Err(NotPermitted { until: None }),
            Phase::HalfOpen { is_probed } => {
                *is_probed = true;
                Ok(probe(self, None))
            }
        }
    }

    /// Counts how a call ended, and says what state that has led to, if to another.
    #[inline]
    pub(crate) fn report(
        &mut self,
        ticket: &Ticket,
        is_failure: bool,
        now: Duration,
    ) -> Option<BreakerState> {
        if ticket.generation != self.generation {
            return None;
        }
        match self.phase {
            Phase::Closed => {
                self.window.push(now, is_failure);
                self.window.is_over(&self.settings).then(|| self.open(now))
            }
            Phase::HalfOpen { .. } if is_failure => Some(self.open(now)),
            Phase::HalfOpen { .. } => Some(self.close()),
            // No ticket is of a generation in which it was open.
            Phase::Open { .. } => None,
        }
    }

    /// Lets another call probe in place of one that told nothing.
    pub(crate) fn give_back(&mut self, ticket: &Ticket) {
        if let Phase::HalfOpen { is_probed } = &mut self.phase
            && ticket.is_probe
            && ticket.generation == self.generation
        {
            *is_probed = false;
        }
    }

    #[cold]
    fn open(&mut self, now: Duration) -> BreakerState {
        let until = now.saturating_add(self.jitter.shorten(self.open_next));
        self.open_next = self
            .open_next
            .saturating_mul(2)
            .min(self.settings.open_most);
        self.open_since.get_or_insert(now);
        self.change(Phase::Open { until })
    }

    #[cold]
    fn close(&mut self) -> BreakerState {
        self.open_next = self.settings.open_first;
        self.open_since = None;
        self.window.clear();
        self.change(Phase::Closed)
    }

    fn change(&mut self, phase: Phase) -> BreakerState {
        self.phase = phase;
        self.generation += 1;
        self.state()
    }
}

impl fmt::Display for NotPermitted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not called: too many of the last calls have failed; try again later")
    }
}

impl Error for NotPermitted {}

#[cfg(test)]
mod tests;
