//! What the service promises of its answers, and whether it kept it.

use std::{fmt::Debug, sync::Arc, time::Duration};

use crate::{clock::Clock, quality::Outcome};

/// What is promised. Objectives and budgets are in `deploy/monitoring/slo`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Slo {
    /// Answers on `/v1`: none says that the service failed.
    Availability,
    /// Answers on `/v1` that say it was done: within [`LATENCY`].
    Latency,
    /// Accepted events: durable within [`DURABLE`] from when they were read.
    Durable,
    /// Revocations: in effect everywhere within their bound.
    Revocation,
}

/// Whether a promise was kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It was.
    Good,
    /// It was not.
    Bad,
}

/// How long an answer may take, from its request's head to its own.
pub(crate) const LATENCY: Duration = Duration::from_millis(120);

/// How long an accepted event may take to be durable.
pub(crate) const DURABLE: Duration = Duration::from_secs(1);

/// Is told of each promise that was kept or broken.
pub(crate) trait ObjectiveObserver: Debug + Send + Sync {
    /// This happened so many times.
    fn decided(&self, slo: Slo, verdict: Verdict, times: u64);
}

/// Events that were read, and are promised to be durable in time.
#[derive(Debug)]
pub(super) struct DurablePromise {
    observer: Arc<dyn ObjectiveObserver>,
    clock: Arc<dyn Clock>,
    since: Duration,
}

impl Slo {
    pub(crate) const ALL: [Self; 4] = [
        Self::Availability,
        Self::Latency,
        Self::Durable,
        Self::Revocation,
    ];

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Availability => "availability",
            Self::Latency => "latency",
            Self::Durable => "durable",
            Self::Revocation => "revocation",
        }
    }
}

impl Verdict {
    pub(crate) const ALL: [Self; 2] = [Self::Good, Self::Bad];

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Bad => "bad",
        }
    }

    pub(crate) const fn good_if(kept: bool) -> Self {
        if kept { Self::Good } else { Self::Bad }
    }
}

impl DurablePromise {
    pub(super) fn new(observer: &Arc<dyn ObjectiveObserver>, clock: &Arc<dyn Clock>) -> Self {
        Self {
            observer: Arc::clone(observer),
            clock: Arc::clone(clock),
            since: clock.monotonic(),
        }
    }

    /// The events were read now: what a sender takes to send them is not the service's.
    pub(super) fn begin(&mut self) {
        self.since = self.clock.monotonic();
    }

    /// What became of so many of them; of most outcomes nothing is promised.
    pub(super) fn settle(&self, outcome: Outcome, events: u64) {
        let verdict = match outcome {
            Outcome::Accepted | Outcome::Modified => {
                let took = self.clock.monotonic().saturating_sub(self.since);
                Verdict::good_if(took <= DURABLE)
            }
            Outcome::Lost => Verdict::Bad,
            _ => return,
        };
        self.observer.decided(Slo::Durable, verdict, events);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use portcullis_dq_metrics::Duplicate;

    use super::*;
    use crate::{clock::ToldClock, quality::Reason};

    #[derive(Debug, Default)]
    struct Told(Mutex<Vec<(Slo, Verdict, u64)>>);

    impl ObjectiveObserver for Told {
        fn decided(&self, slo: Slo, verdict: Verdict, times: u64) {
            self.0.lock().unwrap().push((slo, verdict, times));
        }
    }

    #[test]
    fn events_are_durable_in_time_until_a_second_after_they_were_read() {
        for (now, expected) in [(11, Verdict::Good), (12, Verdict::Bad)] {
            let told = Arc::new(Told::default());
            let observer: Arc<dyn ObjectiveObserver> = Arc::clone(&told) as _;
            // Begun at 1, read at 10.
            let clock: Arc<dyn Clock> = Arc::new(ToldClock::new([1, 10, now]));
            let mut promise = DurablePromise::new(&observer, &clock);
            promise.begin();
            promise.settle(Outcome::Accepted, 3);
            promise.settle(Outcome::Modified, 2);
            let expected = [(Slo::Durable, expected, 3), (Slo::Durable, expected, 2)];
            assert_eq!(*told.0.lock().unwrap(), expected);
        }
    }

    #[test]
    fn what_was_lost_is_bad_and_of_what_was_refused_nothing_was_promised() {
        let told = Arc::new(Told::default());
        let observer: Arc<dyn ObjectiveObserver> = Arc::clone(&told) as _;
        let clock: Arc<dyn Clock> = Arc::new(ToldClock::new([0]));
        let promise = DurablePromise::new(&observer, &clock);
        promise.settle(Outcome::Rejected(Reason::Internal), 1);
        promise.settle(Outcome::RateLimited, 1);
        promise.settle(Outcome::Duplicate(Duplicate::Natural), 1);
        promise.settle(Outcome::Lost, 4);
        assert_eq!(*told.0.lock().unwrap(), [(Slo::Durable, Verdict::Bad, 4)]);
    }
}
